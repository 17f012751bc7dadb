#include "trust/log_state.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::trust {
namespace {

constexpr std::string_view kEmpty = "{}";
constexpr std::uint64_t kMaxStateBytes = 16 << 20;

}  // namespace

std::optional<sigstore::LogState> read_log_state(oci::Repository& repository,
                                                 const std::string& tag) {
  const auto raw = repository.get_manifest(tag);
  if (!raw) {
    return std::nullopt;
  }
  const oci::Manifest manifest = oci::parse_manifest(raw->bytes);
  if (manifest.artifact_type != kLogStateType || manifest.layers.size() != 1 ||
      manifest.layers.front().size_bytes > kMaxStateBytes) {
    throw FormatError(fmt::format("{}:{} is no state of logs", repository.name(), printable(tag)),
                      "name a tag that nothing else is under");
  }
  std::string text;
  repository.get_blob(manifest.layers.front(), [&](ByteView chunk) { text += text_of(chunk); });
  return sigstore::parse_log_state(text);
}

void write_log_state(oci::Repository& repository,
                     const std::string& tag,
                     const sigstore::LogState& state) {
  const std::string text = sigstore::to_json(state);
  const oci::Manifest manifest{.config = oci::describe(oci::kEmptyType, kEmpty),
                               .layers = {oci::describe(kLogStateType, text)},
                               .artifact_type = std::string(kLogStateType)};
  repository.put_blob(manifest.config, kEmpty);
  repository.put_blob(manifest.layers.front(), std::string_view(text));
  const oci::Descriptor written =
      repository.put_manifest(oci::kManifestType, oci::to_json(manifest), tag);
  const auto there = repository.head_manifest(tag);
  if (!there || there->digest != written.digest) {
    throw IntegrityError(
        fmt::format("{}:{} is not what was written there", repository.name(), printable(tag)),
        "another run writes there too: run again");
  }
}

}  // namespace seed::trust
