#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/log_entry.hpp"

namespace {

constexpr std::string_view kKey = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwr
kBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==
-----END PUBLIC KEY-----
)";

}  // namespace

// A body that does not name the signature is never taken for one that does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seed::sigstore;
  static const PublicKey kPublic = PublicKey::parse_pem(kKey);
  const DsseEnvelope envelope{.payload = "payload", .payload_type = "type", .signature = {}};
  const SignedContent content{// No text of a fuzzer's has the base64 of these 32 bytes by chance.
                              .signature = hash(Hash::sha256, seed::bytes_of("a signature")),
                              .certificate = std::nullopt,
                              .key = kPublic,
                              .envelope = &envelope,
                              .digest = [](Hash algorithm) { return hash(algorithm, {}); }};
  for (const auto& [kind, name, version] :
       {std::tuple{EntryKind::hashedrekord_v1, "hashedrekord", "0.0.1"},
        std::tuple{EntryKind::dsse, "dsse", "0.0.1"},
        std::tuple{EntryKind::intoto, "intoto", "0.0.2"},
        std::tuple{EntryKind::hashedrekord_v2, "hashedrekord", "0.0.2"}}) {
    LogEntry entry;
    entry.kind = name;
    entry.version = version;
    entry.canonicalized_body.assign(reinterpret_cast<const char*>(data), size);
    try {
      check_body(entry, kind, content);
      std::abort();
    } catch (const seed::FormatError&) {
    } catch (const seed::IntegrityError&) {
    }
  }
  return 0;
}
