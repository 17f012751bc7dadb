#include "sigstore/sct.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/der.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore {
namespace {

constexpr const char* kSctListOid = "1.3.6.1.4.1.11129.2.4.2";
constexpr std::size_t kLogIdBytes = 32;

/// TLS presentation language (RFC 8446 §3).
class TlsReader {
 public:
  explicit TlsReader(ByteView bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }

  ByteView take(std::size_t size) {
    if (size > rest_.size()) {
      throw FormatError("list of SCTs: it ends in the middle of one");
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte b : take(size)) {
      value = value << 8 | std::to_integer<std::uint64_t>(b);
    }
    return value;
  }

  ByteView vector(std::size_t length_size) { return take(number(length_size)); }

 private:
  ByteView rest_;
};

Bytes copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Nothing for one that we can't judge.
std::optional<Sct> parse_sct(ByteView bytes) {
  constexpr std::uint64_t kVersion1 = 0;
  constexpr std::uint64_t kSha256 = 4;
  constexpr std::uint64_t kRsa = 1;
  constexpr std::uint64_t kEcdsa = 3;
  TlsReader reader(bytes);
  if (reader.number(1) != kVersion1) {
    return std::nullopt;
  }
  Sct sct{.log_id = copy(reader.take(kLogIdBytes)),
          .timestamp_ms = reader.number(8),
          .extensions = copy(reader.vector(2)),
          .signature = {}};
  const std::uint64_t hash = reader.number(1);
  const std::uint64_t algorithm = reader.number(1);
  sct.signature = copy(reader.vector(2));
  if (!reader.empty()) {
    throw FormatError("list of SCTs: something follows one of them");
  }
  const bool known = hash == kSha256 && (algorithm == kEcdsa || algorithm == kRsa);
  return known ? std::optional(std::move(sct)) : std::nullopt;
}

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) {
    out.push_back(static_cast<std::byte>(value >> (8 * i) & 255));
  }
}

void put(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// RFC 6962 §3.2, digitally-signed of a precertificate.
Bytes signed_bytes(const Sct& sct, ByteView tbs, const Digest& issuer_key) {
  constexpr std::uint64_t kPrecertificate = 1;
  Bytes out;
  put(out, 0, 1);  // v1
  put(out, 0, 1);  // certificate_timestamp
  put(out, sct.timestamp_ms, 8);
  put(out, kPrecertificate, 2);
  put(out, issuer_key.raw());
  put(out, tbs.size(), 3);
  put(out, tbs);
  put(out, sct.extensions.size(), 2);
  put(out, sct.extensions);
  return out;
}

Time time_of(const Sct& sct) {
  constexpr std::uint64_t kMaxMs = std::uint64_t{253402300799} * 1000;  // the year 9999
  if (sct.timestamp_ms > kMaxMs) {
    throw FormatError("list of SCTs: a time is out of range");
  }
  return Time(std::chrono::seconds(sct.timestamp_ms / 1000));
}

}  // namespace

std::vector<Sct> parse_sct_list(ByteView extension) {
  TlsReader outer(only_der(extension, kDerOctetString, "list of SCTs").content);
  TlsReader list(outer.vector(2));
  if (!outer.empty()) {
    throw FormatError("list of SCTs: something follows it");
  }
  std::vector<Sct> scts;
  while (!list.empty()) {
    if (auto sct = parse_sct(list.vector(2))) {
      scts.push_back(std::move(*sct));
    }
  }
  return scts;
}

std::vector<ListedIn> check_scts(const Certificate& certificate,
                                 const Certificate& issuer,
                                 const std::vector<TrustedLog>& logs) {
  const auto extension = certificate.extension(kSctListOid);
  if (!extension) {
    return {};
  }
  const Bytes tbs = certificate.tbs_without_scts();
  const Digest issuer_key = issuer.spki_digest();
  std::vector<ListedIn> listed;
  for (const Sct& sct : parse_sct_list(*extension)) {
    const auto is_of = [&](const TrustedLog& log) { return log.log_id == sct.log_id; };
    if (std::ranges::none_of(logs, is_of)) {
      continue;
    }
    const Time time = time_of(sct);
    const auto log = std::ranges::find_if(logs, [&](const TrustedLog& candidate) {
      return is_of(candidate) && candidate.validity.contains(time);
    });
    if (log == logs.end()) {
      throw IntegrityError(fmt::format("an SCT is of {}, when its log {} was not trusted",
                                       to_rfc3339(time),
                                       to_base64(sct.log_id)));
    }
    if (!log->key.verify(Hash::sha256, signed_bytes(sct, tbs, issuer_key), sct.signature)) {
      throw IntegrityError(
          fmt::format("the SCT of {} is not over this certificate", log->base_url));
    }
    if (std::ranges::none_of(listed, [&](const ListedIn& one) { return one.log == &*log; })) {
      listed.push_back({&*log, time});
    }
  }
  return listed;
}

}  // namespace seed::sigstore
