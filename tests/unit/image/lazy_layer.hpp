#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/layer.hpp"
#include "image/layer_cache.hpp"
#include "image/lazy_tars.hpp"
#include "oci/layout.hpp"

namespace seed::image {

struct Names final : TarHandler {
  std::vector<TarEntry> entries;

  void entry(const TarEntry& entry) override { entries.push_back(entry); }

  void data(ByteView) override {}

  void end_data() override {}
};

inline std::string noise(unsigned number, std::size_t size) {
  std::mt19937 random(number);
  std::string text(size, 0);
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

/// One layer of several frames in a layout directory, and a cache beside it.
struct LazyLayer {
  os::TempDir temp{std::filesystem::path("/var/tmp")};
  std::filesystem::path registry = temp.path() / "registry";
  std::unique_ptr<oci::Repository> repository = oci::open_layout(registry);
  LayerCache cache{temp.path() / "cache/layers"};
  oci::Descriptor layer = oci::describe(oci::kEmptyType, "{}");
  LayerBlob blob;
  std::string tar;

  LazyLayer() : blob(make()) {
    layer.media_type = blob.media_type;
    layer.digest = blob.digest;
    layer.size_bytes = blob.size_bytes;
    annotate(layer, blob.toc.value());
    repository->put_blob(layer, temp.path() / "layer");
    const auto decoder = make_decompressor(
        Compression::zstd, [&](ByteView bytes) { tar += text_of(bytes); }, 64 << 20);
    decoder->write(bytes_of(os::read_file(blob_file(), 64 << 20)));
    decoder->finish();
  }

  LayerBlob make() const {
    return write_layer(
        [](TarWriter& writer) {
          writer.directory("nix", 0755);
          writer.file("nix/empty", 0444, "");
          for (unsigned i = 0; i < 9; ++i) {
            writer.file("nix/" + std::to_string(i), i % 2 == 0 ? 0444 : 0555, noise(i, 1'200'001));
          }
          writer.symlink("nix/link", std::string(300, 'l'));
        },
        temp.path() / "layer",
        Compression::zstd);
  }

  /// What is before the table of contents.
  std::uint64_t frame_bytes() const { return blob.size_bytes - blob.toc->size_bytes - 8; }

  std::filesystem::path blob_file() const { return registry / "blobs/sha256" / blob.digest.hex(); }

  std::filesystem::path cached(const char* kind) const {
    return cache.folder() / (blob.digest.hex() + kind);
  }

  Toc toc(TarHandler& handler) {
    return parse_toc(
        cache.toc(*repository, layer, toc_place(layer).value()), layer.size_bytes, handler);
  }

  std::unique_ptr<LazyTars> open() {
    Names ignored;
    std::vector<LazyTars::Layer> layers;
    layers.push_back({layer, toc(ignored), cache.open_blob(layer)});
    return std::make_unique<LazyTars>(*repository, std::move(layers));
  }

  std::string read(LazyTars& tars, std::size_t offset, std::size_t size) const {
    Bytes bytes(size);
    tars.read(0, offset, bytes);
    return std::string(text_of(bytes));
  }

  void read_all(LazyTars& tars) const {
    if (read(tars, 0, tar.size()) != tar) {
      throw Error("the tar has other bytes");
    }
  }
};

}  // namespace seed::image
