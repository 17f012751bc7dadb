#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "image/compress.hpp"
#include "image/plan.hpp"
#include "image/untar.hpp"
#include "oci/types.hpp"

namespace seed::image {

/// A layer's table of contents: which frames the blob has, and the tar without the bytes of files.
/// With it a reader shows all names, and gets and checks alone the frames that somebody reads.
///
/// It lies at the end of a zstd blob in a skippable frame (RFC 8878 §3.1.2), which other readers
/// pass over, and is, in order: zstd frames of the tar's headers; for each frame of the tar its
/// compressed size (u32, little endian, as all numbers) and the SHA-256 of its compressed bytes;
/// and `tar size u64, frame size u32, frames u32, "nixseed1"`. The layer's descriptor names its
/// digest and size.
struct Toc {
  struct Frame {
    std::uint64_t offset = 0;  ///< in the blob
    std::uint32_t size_bytes = 0;
    Digest digest;  ///< of the compressed bytes
  };

  std::uint64_t tar_bytes = 0;
  std::uint32_t frame_bytes = 0;  ///< of the tar, in each frame but the last
  std::vector<Frame> frames;

  /// How much of the tar frame `index` has.
  std::size_t content_bytes(std::size_t index) const;
};

inline constexpr std::string_view kTocDigestAnnotation = "dev.nix-seed.toc.digest";
inline constexpr std::string_view kTocSizeAnnotation = "dev.nix-seed.toc.size";
/// Some 32 bytes a file, when compressed.
inline constexpr std::uint64_t kMaxTocBytes = 64 << 20;

/// Where the toc of a layer lies, or nothing where it has none. FormatError for annotations that
/// say nothing possible.
std::optional<TocPlace> toc_place(const oci::Descriptor& layer);
void annotate(oci::Descriptor& layer, const TocPlace& place);

/// The bytes of a toc that are those of `layer`, whose blob it fits; each entry of the tar goes to
/// `handler`, without data. FormatError for anything that a TocWriter does not write.
Toc parse_toc(ByteView toc, std::uint64_t blob_bytes, TarHandler& handler);

/// Makes the toc of a layer while its blob is made.
class TocWriter {
 public:
  TocWriter();

  void frame(ByteView compressed);  ///< the next one of the blob
  void headers(ByteView bytes);     ///< the next ones of the tar

  /// The skippable frame: what follows the other frames of the blob.
  Bytes finish(std::uint64_t tar_bytes);

  /// Of the finished toc.
  TocPlace place() const;

 private:
  Bytes bytes_;
  Bytes table_;
  std::uint32_t frames_ = 0;
  std::unique_ptr<Compressor> compressor_;
  std::optional<TocPlace> place_;
};

}  // namespace seed::image
