#include "image/layer_read.hpp"

#include <exception>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/compress.hpp"

namespace seed::image {
namespace {

/// No layer of a seed comes near it; a bomb ends here instead of at the end of the disk.
constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{64} << 30;

}  // namespace

void read_layer(oci::Repository& repository,
                const oci::Descriptor& layer,
                const Digest& diff_id,
                const Sink& sink) {
  const auto compression = compression_of(layer.media_type);
  if (!compression) {
    throw FormatError(fmt::format("layer has the media type '{}'", printable(layer.media_type)),
                      "layers are tar with zstd or gzip");
  }
  Sha256 hash;
  const auto decompressor = make_decompressor(
      *compression,
      [&](ByteView bytes) {
        hash.update(bytes);
        sink(bytes);
      },
      kMaxLayerBytes);
  // What can't be decoded is more often damaged than malformed: the blob's digest decides, at its
  // end.
  std::exception_ptr malformed;
  repository.get_blob(layer, [&](ByteView bytes) {
    if (malformed) {
      return;
    }
    try {
      decompressor->write(bytes);
    } catch (const FormatError&) {
      malformed = std::current_exception();
    }
  });
  if (malformed) {
    std::rethrow_exception(malformed);
  }
  decompressor->finish();
  if (const Digest found = hash.finish(); found != diff_id) {
    throw IntegrityError(
        fmt::format("tar is {} instead of {}", found.to_string(), diff_id.to_string()));
  }
}

}  // namespace seed::image
