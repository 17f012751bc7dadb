#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::image {

enum class Compression { zstd, gzip };

std::string_view media_type_of(Compression compression);
std::optional<Compression> compression_of(std::string_view media_type);

/// Compresses a stream into independent frames (zstd) or members (gzip) of kFrameBytes input each.
/// Every frame is made alone with fixed parameters, so the bytes do not depend on threads or on how
/// the input was cut, and a reader may decode frames in parallel.
class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual void write(ByteView bytes) = 0;
  virtual void finish() = 0;
};

inline constexpr std::size_t kFrameBytes = 8 << 20;
inline constexpr int kZstdLevel = 3;
inline constexpr int kGzipLevel = 6;

std::unique_ptr<Compressor> make_compressor(Compression compression, Sink sink);

/// Decodes what any writer of the type may send (several frames, skippable frames). Output beyond
/// `limit_bytes` is a FormatError; so is input that ends inside a frame.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  virtual void write(ByteView bytes) = 0;
  virtual void finish() = 0;
};

std::unique_ptr<Decompressor> make_decompressor(Compression compression,
                                                Sink sink,
                                                std::uint64_t limit_bytes);

/// "zstd 1.5.4 level 3, frames of 4 MiB": recorded in provenance, since other versions may give
/// other bytes.
std::string describe(Compression compression);

}  // namespace seed::image
