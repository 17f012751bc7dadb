#include "sigstore/note.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/limits.hpp"

namespace seed::sigstore {
namespace {

constexpr std::string_view kLineStart = "\u2014 ";  // an em dash
constexpr std::size_t kHintBytes = 4;

[[noreturn]] void refuse(std::string_view why) {
  throw FormatError(fmt::format("signed note: {}", why));
}

/// signed-note: a name is not empty and has neither spaces nor a plus.
bool is_name(std::string_view name) {
  return !name.empty() && name.find_first_of(" +\t") == name.npos;
}

NoteSignature signature_of(std::string_view line) {
  if (!line.starts_with(kLineStart)) {
    refuse("a signature line does not start with a dash");
  }
  line.remove_prefix(kLineStart.size());
  const std::size_t space = line.find(' ');
  const std::string_view name = line.substr(0, space);
  if (space == line.npos || !is_name(name)) {
    refuse(fmt::format("a signature line has no name: '{}'", printable(line, 60)));
  }
  const auto bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() <= kHintBytes) {
    refuse(fmt::format("the signature of '{}' is not base64 of a key hint and a signature",
                       printable(name)));
  }
  return {.name = std::string(name),
          .hint = Bytes(bytes->begin(), bytes->begin() + kHintBytes),
          .signature = Bytes(bytes->begin() + kHintBytes, bytes->end())};
}

}  // namespace

SignedNote parse_note(std::string_view note) {
  if (note.size() > kMaxNoteBytes) {
    refuse(fmt::format("it has {} bytes; at most {} are read", note.size(), kMaxNoteBytes));
  }
  const std::size_t gap = note.rfind("\n\n");
  if (gap == note.npos || gap == 0) {
    refuse("no empty line before the signatures");
  }
  for (std::string_view rest = note; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    if (length == 0 || (static_cast<unsigned char>(rest[0]) < 0x20 && rest[0] != '\n')) {
      refuse("it has control characters, or is not UTF-8");
    }
    rest.remove_prefix(length);
  }
  SignedNote parsed{.text = std::string(note.substr(0, gap + 1)), .signatures = {}};
  std::string_view lines = note.substr(gap + 2);
  if (!lines.ends_with('\n')) {
    refuse("no newline at its end");
  }
  lines.remove_suffix(1);
  for (const std::string_view line : split(lines, '\n')) {
    if (parsed.signatures.size() == kMaxNoteSignatures) {
      refuse(fmt::format("more than {} signatures", kMaxNoteSignatures));
    }
    parsed.signatures.push_back(signature_of(line));
  }
  return parsed;
}

std::string to_string(const SignedNote& note) {
  std::string text = note.text + "\n";
  for (const NoteSignature& line : note.signatures) {
    Bytes bytes = line.hint;
    bytes.insert(bytes.end(), line.signature.begin(), line.signature.end());
    text += fmt::format("{}{} {}\n", kLineStart, line.name, to_base64(bytes));
  }
  return text;
}

Checkpoint parse_checkpoint(std::string_view text) {
  const auto lines = split(text, '\n');
  // Three lines and what follows the last newline.
  if (lines.size() < 4 || !lines.back().empty()) {
    throw FormatError("checkpoint: it needs an origin, a size and a root hash");
  }
  std::int64_t size = -1;
  const std::string_view digits = lines[1];
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (code != std::errc() || end != digits.data() + digits.size() || size < 0 || digits[0] == '-' ||
      (digits.size() > 1 && digits[0] == '0')) {
    throw FormatError(fmt::format("checkpoint: '{}' is not a size", printable(digits, 60)));
  }
  const auto root = from_base64(lines[2]);
  if (!root || root->size() != 32) {
    throw FormatError(fmt::format("checkpoint: '{}' is not a root hash", printable(lines[2], 60)));
  }
  if (lines[0].empty()) {
    throw FormatError("checkpoint: the origin is empty");
  }
  std::array<std::byte, 32> raw;
  std::ranges::copy(*root, raw.begin());
  return {.origin = std::string(lines[0]), .size = size, .root = Digest::from_raw(raw)};
}

bool is_signed_by(const SignedNote& note,
                  std::string_view name,
                  ByteView hint,
                  const PublicKey& key) {
  bool found = false;
  for (const NoteSignature& line : note.signatures) {
    if (line.name != name || !std::ranges::equal(line.hint, hint)) {
      continue;
    }
    // Notes are signed with SHA-256 whatever the curve.
    if (!key.verify(Hash::sha256, bytes_of(note.text), line.signature)) {
      throw IntegrityError(
          fmt::format("the signature of '{}' is not over this note", printable(name)));
    }
    found = true;
  }
  return found;
}

Digest note_key_id(std::string_view name, const PublicKey& key) {
  if (key.type() != KeyType::ed25519 && key.type() != KeyType::rsa) {
    return key.id();
  }
  constexpr std::size_t kRawEd25519 = 32;
  Sha256 hash;
  hash.update(name);
  if (key.type() == KeyType::ed25519) {
    hash.update(std::string_view("\n\x01", 2));
    hash.update(ByteView(key.spki()).last(kRawEd25519));
  } else {
    hash.update("\n\xffPKIX-RSA-PKCS#1v1.5");
    hash.update(key.spki());
  }
  return hash.finish();
}

}  // namespace seed::sigstore
