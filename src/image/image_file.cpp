#include "image/image_file.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/compress.hpp"
#include "image/untar.hpp"

namespace seed::image {
namespace {

constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{64} << 30;

/// Keeps the one file.
class Picker final : public TarHandler {
 public:
  Picker(std::string_view path, std::uint64_t limit_bytes) : path_(path), limit_(limit_bytes) {}

  void entry(const TarEntry& entry) override {
    wanted_ = entry.kind == TarEntry::Kind::file && entry.path == path_;
    if (wanted_) {
      if (entry.size_bytes > limit_) {
        throw FormatError(fmt::format(
            "{} has {} bytes, {} are read", printable(entry.path), entry.size_bytes, limit_));
      }
      content.emplace();
    }
  }

  void data(ByteView bytes) override {
    if (wanted_) {
      *content += text_of(bytes);
    }
  }

  void end_data() override {}

  std::optional<std::string> content;

 private:
  std::string_view path_;
  std::uint64_t limit_;
  bool wanted_ = false;
};

void read_layer(oci::Repository& repository, const oci::Descriptor& layer, TarHandler& handler) {
  TarReader reader(handler, TarScope::any);
  const Sink sink = [&](ByteView bytes) { reader.write(bytes); };
  if (layer.media_type.ends_with(".tar")) {
    repository.get_blob(layer, sink);
  } else {
    const auto decompressor = make_decompressor(
        layer.media_type.ends_with("gzip") ? Compression::gzip : Compression::zstd,
        sink,
        kMaxLayerBytes);
    repository.get_blob(layer, [&](ByteView bytes) { decompressor->write(bytes); });
    decompressor->finish();
  }
  reader.finish();
}

}  // namespace

std::optional<std::string> read_image_file(oci::Repository& repository,
                                           const oci::Manifest& manifest,
                                           std::string_view path,
                                           std::uint64_t limit_bytes) {
  std::vector<oci::Descriptor> layers = manifest.layers;
  std::ranges::stable_sort(layers, {}, &oci::Descriptor::size_bytes);
  for (const oci::Descriptor& layer : layers) {
    Picker picker(path, limit_bytes);
    while_doing("reading layer " + layer.digest.to_string(),
                [&] { read_layer(repository, layer, picker); });
    if (picker.content) {
      return std::move(picker.content);
    }
  }
  return std::nullopt;
}

}  // namespace seed::image
