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

/// Small, since whoever reads a page of a layer gets and decodes its frame; toolchains are 2 %
/// larger than with 8 MiB, and 5 % with 1 MiB.
inline constexpr std::size_t kFrameBytes = 2 << 20;
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

/// Fills `content` with that of one zstd frame. FormatError where it has more, less or none.
void decode_frame(ByteView frame, std::span<std::byte> content);

/// The most that a frame of `size_bytes` content takes.
std::size_t max_frame_bytes(std::size_t size_bytes);

/// "zstd 1.5.4 level 3, frames of 2 MiB": recorded in provenance, since other versions may give
/// other bytes.
std::string describe(Compression compression);

}  // namespace seed::image
