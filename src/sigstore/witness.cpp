#include "sigstore/witness.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::sigstore {
namespace {

constexpr std::size_t kHintBytes = 4;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMaxWitnesses = 100;
/// Of a key in a vkey, and of what its hint is the hash of.
constexpr std::byte kCosignatureType{0x04};
/// SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4), up to the key.
constexpr std::array<unsigned char, 12> kSpkiHead{
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

[[noreturn]] void refuse(std::string_view vkey, std::string_view why) {
  throw FormatError(fmt::format("the witness '{}' {}", printable(vkey, 80), why),
                    "write its verifier key, as its operator publishes it: NAME+HINT+BASE64");
}

/// SHA-256(name, newline, type, key)[:4]
Bytes hint_of(std::string_view name, ByteView typed_key) {
  Sha256 hash;
  hash.update(name);
  hash.update("\n");
  hash.update(typed_key);
  const Digest digest = hash.finish();
  return {digest.raw().begin(), digest.raw().begin() + kHintBytes};
}

PublicKey key_of(ByteView raw) {
  Bytes spki;
  std::ranges::transform(kSpkiHead, std::back_inserter(spki), [](unsigned char c) {
    return static_cast<std::byte>(c);
  });
  spki.insert(spki.end(), raw.begin(), raw.end());
  return PublicKey::parse_der(spki);
}

/// Big-endian seconds since 1970, which fit an int64; nothing where they do not.
std::optional<std::int64_t> time_of(ByteView bytes) {
  std::uint64_t seconds = 0;
  for (const std::byte byte : bytes.first(kTimeBytes)) {
    seconds = seconds << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return seconds >> 63 != 0 ? std::nullopt : std::optional(static_cast<std::int64_t>(seconds));
}

/// The time at which the line was signed over the note by the witness; nothing where it was not.
std::optional<Time> signed_at(const SignedNote& note,
                              const NoteSignature& line,
                              const Witness& witness) {
  if (line.signature.size() != kTimeBytes + kSignatureBytes) {
    return std::nullopt;
  }
  const auto seconds = time_of(line.signature);
  if (!seconds) {
    return std::nullopt;
  }
  // "two newline (U+000A) terminated lines (one header line and one timestamp line) followed by the
  // whole note body"
  const std::string message = fmt::format("cosignature/v1\ntime {}\n{}", *seconds, note.text);
  if (!witness.key.verify(
          Hash::sha256, bytes_of(message), ByteView(line.signature).subspan(kTimeBytes))) {
    return std::nullopt;
  }
  return Time(std::chrono::seconds(*seconds));
}

}  // namespace

Witness parse_witness(std::string_view vkey) {
  const auto parts = split(vkey, '+');
  if (parts.size() < 3 || parts[0].empty() || parts[0].find_first_of(" \t") != parts[0].npos) {
    refuse(vkey, "is no verifier key");
  }
  // Base64 has the + too.
  const std::size_t start = parts[0].size() + 1 + parts[1].size() + 1;
  const auto hint = from_hex(parts[1]);
  const auto typed = from_base64(vkey.substr(start));
  if (!hint || hint->size() != kHintBytes || !typed || typed->empty()) {
    refuse(vkey, "is no verifier key");
  }
  if (typed->front() != kCosignatureType || typed->size() != 1 + kKeyBytes) {
    refuse(vkey, "has no key of the type for cosignature/v1, Ed25519");
  }
  if (hint_of(parts[0], *typed) != *hint) {
    refuse(vkey, "has a hint that is not that of its name and key");
  }
  return {.name = std::string(parts[0]), .hint = *hint, .key = key_of(ByteView(*typed).subspan(1))};
}

std::vector<Witness> parse_witnesses(std::string_view text) {
  std::vector<Witness> witnesses;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view vkey = trim(line);
    if (vkey.empty() || vkey.starts_with('#')) {
      continue;
    }
    Witness witness = parse_witness(vkey);
    const bool twice = std::ranges::any_of(witnesses, [&](const Witness& other) {
      return other.name == witness.name || other.key == witness.key;
    });
    if (twice) {
      refuse(vkey, "has the name or the key of another, and would count twice");
    }
    if (witnesses.size() == kMaxWitnesses) {
      throw FormatError(fmt::format("there are more than {} witnesses", kMaxWitnesses));
    }
    witnesses.push_back(std::move(witness));
  }
  if (witnesses.empty()) {
    throw FormatError("no witness is named", "write one verifier key on each line");
  }
  return witnesses;
}

std::vector<Cosignature> cosignatures_of(const SignedNote& note,
                                         std::span<const Witness> witnesses) {
  std::vector<Cosignature> found;
  for (const Witness& witness : witnesses) {
    std::optional<Time> time;
    for (const NoteSignature& line : note.signatures) {
      if (line.name != witness.name || line.hint != witness.hint) {
        continue;
      }
      const auto now = signed_at(note, line, witness);
      if (!now) {
        throw IntegrityError(fmt::format("the cosignature of '{}' is not over this checkpoint",
                                         printable(witness.name)));
      }
      time = std::max(time, now);
    }
    if (time) {
      found.push_back({witness.name, *time});
    }
  }
  return found;
}

}  // namespace seed::sigstore
