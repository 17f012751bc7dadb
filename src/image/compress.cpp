#include "image/compress.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <fmt/core.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "oci/types.hpp"

namespace seed::image {
namespace {

constexpr std::string_view kDockerGzipType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// What `zstd -d` takes without --long; 128 MiB.
constexpr int kMaxWindowLog = 27;
/// A match may be as far back as its frame goes. RFC 8878 wants every decoder to take four times as
/// much ("Window_Descriptor").
constexpr int kZstdWindowLog = 21;
static_assert(kFrameBytes == std::size_t{1} << kZstdWindowLog);
constexpr std::size_t kOutputBytes = 256 << 10;

std::size_t check_zstd(std::size_t result) {
  if (ZSTD_isError(result) != 0) {
    throw Error(fmt::format("zstd failed: {}", ZSTD_getErrorName(result)));
  }
  return result;
}

/// Cuts the input into blocks of kFrameBytes; a compressor turns each into a frame of its own.
class FrameCompressor : public Compressor {
 public:
  explicit FrameCompressor(Sink sink) : sink_(std::move(sink)) { block_.reserve(kFrameBytes); }

  void write(ByteView bytes) final {
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), kFrameBytes - block_.size());
      if (block_.empty() && count == kFrameBytes) {
        emit(bytes.first(count));
      } else {
        block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
        if (block_.size() == kFrameBytes) {
          emit(block_);
          block_.clear();
        }
      }
      bytes = bytes.subspan(count);
    }
  }

  void finish() final {
    // A stream of nothing is one empty frame: zero bytes are no stream.
    if (!block_.empty() || !written_) {
      emit(block_);
      block_.clear();
    }
  }

 protected:
  virtual ByteView compress(ByteView block) = 0;

 private:
  void emit(ByteView block) {
    written_ = true;
    sink_(compress(block));
  }

  Sink sink_;
  std::vector<std::byte> block_;
  bool written_ = false;
};

class ZstdCompressor final : public FrameCompressor {
 public:
  explicit ZstdCompressor(Sink sink)
      : FrameCompressor(std::move(sink)),
        output_(std::make_unique_for_overwrite<std::byte[]>(kOutputCapacity)) {
    if (!context_) {
      throw Error("zstd failed: out of memory");
    }
    set(ZSTD_c_compressionLevel, kZstdLevel);
    set(ZSTD_c_windowLog, kZstdWindowLog);
    set(ZSTD_c_checksumFlag, 1);
    set(ZSTD_c_contentSizeFlag, 1);
    set(ZSTD_c_nbWorkers, 0);
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    check_zstd(ZSTD_CCtx_setParameter(context_.get(), parameter, value));
  }

  ByteView compress(ByteView block) override {
    return {output_.get(),
            check_zstd(ZSTD_compress2(
                context_.get(), output_.get(), kOutputCapacity, block.data(), block.size()))};
  }

  static constexpr std::size_t kOutputCapacity = ZSTD_COMPRESSBOUND(kFrameBytes);

  Handle<ZSTD_CCtx, ZSTD_freeCCtx> context_{ZSTD_createCCtx()};
  /// Not filled with zeros: most of it is never touched.
  std::unique_ptr<std::byte[]> output_;
};

class GzipCompressor final : public FrameCompressor {
 public:
  explicit GzipCompressor(Sink sink) : FrameCompressor(std::move(sink)) {
    // Raw deflate: the header is ours, since zlib's says on which system it was built.
    if (deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw Error("zlib failed: out of memory");
    }
    output_.resize(kHeader.size() + deflateBound(&stream_, kFrameBytes) + kTrailerBytes);
    std::transform(kHeader.begin(), kHeader.end(), output_.begin(), [](int value) {
      return static_cast<std::byte>(value);
    });
  }

  ~GzipCompressor() override { deflateEnd(&stream_); }

  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

 private:
  // RFC 1952: deflate, no flags, no time, no hint, unknown system.
  static constexpr std::array kHeader{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
  static constexpr std::size_t kTrailerBytes = 8;

  ByteView compress(ByteView block) override {
    auto* bytes = reinterpret_cast<Bytef*>(const_cast<std::byte*>(block.data()));
    const auto size = static_cast<uInt>(block.size());
    stream_.next_in = bytes;
    stream_.avail_in = size;
    stream_.next_out = reinterpret_cast<Bytef*>(output_.data() + kHeader.size());
    stream_.avail_out = static_cast<uInt>(output_.size() - kHeader.size() - kTrailerBytes);
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) {
      throw Error("zlib failed: a block did not fit");
    }
    std::size_t end = kHeader.size() + stream_.total_out;
    const auto crc = static_cast<std::uint32_t>(size == 0 ? 0 : ::crc32(0, bytes, size));
    for (const std::uint32_t value : {crc, static_cast<std::uint32_t>(size)}) {
      for (unsigned shift = 0; shift < 32; shift += 8) {
        output_[end++] = static_cast<std::byte>(value >> shift);
      }
    }
    deflateReset(&stream_);
    return std::span(output_).first(end);
  }

  z_stream stream_{};
  std::vector<std::byte> output_;
};

/// Counts what goes out.
class LimitedSink {
 public:
  LimitedSink(Sink sink, std::uint64_t limit_bytes) : sink_(std::move(sink)), rest_(limit_bytes) {}

  void put(ByteView bytes) {
    if (bytes.size() > rest_) {
      throw FormatError("compressed content is larger than was announced");
    }
    rest_ -= bytes.size();
    if (!bytes.empty()) {
      sink_(bytes);
    }
  }

 private:
  Sink sink_;
  std::uint64_t rest_;
};

[[noreturn]] void refuse_cut() {
  throw FormatError("compressed content ends too early");
}

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor(Sink sink, std::uint64_t limit_bytes) : sink_(std::move(sink), limit_bytes) {
    if (!context_) {
      throw Error("zstd failed: out of memory");
    }
    check_zstd(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog));
  }

  void write(ByteView bytes) override {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    bool more = !bytes.empty();
    while (more) {
      ZSTD_outBuffer output{output_.data(), output_.size(), 0};
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &output, &input);
      if (ZSTD_isError(hint) != 0) {
        throw FormatError(fmt::format("zstd content is damaged: {}", ZSTD_getErrorName(hint)));
      }
      sink_.put(std::span(output_).first(output.pos));
      at_end_ = hint == 0;
      // A full output buffer may have more behind it, unless the frame is over.
      more = input.pos < input.size || (!at_end_ && output.pos == output.size);
    }
  }

  void finish() override {
    if (!at_end_) {
      refuse_cut();
    }
  }

 private:
  Handle<ZSTD_DCtx, ZSTD_freeDCtx> context_{ZSTD_createDCtx()};
  LimitedSink sink_;
  std::vector<std::byte> output_ = std::vector<std::byte>(kOutputBytes);
  bool at_end_ = false;
};

class GzipDecompressor final : public Decompressor {
 public:
  GzipDecompressor(Sink sink, std::uint64_t limit_bytes) : sink_(std::move(sink), limit_bytes) {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) {
      throw Error("zlib failed: out of memory");
    }
  }

  ~GzipDecompressor() override { inflateEnd(&stream_); }

  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;

  void write(ByteView bytes) override {
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), kStep))) {
      write_step(bytes.first(std::min(bytes.size(), kStep)));
    }
  }

  void finish() override {
    if (!at_end_) {
      refuse_cut();
    }
  }

 private:
  static constexpr std::size_t kStep = 1 << 30;  // zlib counts in 32 bits

  void write_step(ByteView bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    bool more = true;
    while (more) {
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
      stream_.avail_out = static_cast<uInt>(output_.size());
      at_end_ = false;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        throw FormatError(fmt::format("gzip content is damaged: {}",
                                      stream_.msg != nullptr ? stream_.msg : "unknown"));
      }
      sink_.put(std::span(output_).first(output_.size() - stream_.avail_out));
      if (result == Z_STREAM_END) {
        at_end_ = true;
        inflateReset(&stream_);
      }
      more = stream_.avail_in > 0 || (!at_end_ && stream_.avail_out == 0);
    }
  }

  z_stream stream_{};
  LimitedSink sink_;
  std::vector<std::byte> output_ = std::vector<std::byte>(kOutputBytes);
  bool at_end_ = false;
};

}  // namespace

std::string_view media_type_of(Compression compression) {
  return compression == Compression::zstd ? oci::kLayerZstdType : oci::kLayerGzipType;
}

std::optional<Compression> compression_of(std::string_view media_type) {
  if (media_type == oci::kLayerZstdType) {
    return Compression::zstd;
  }
  if (media_type == oci::kLayerGzipType || media_type == kDockerGzipType) {
    return Compression::gzip;
  }
  return std::nullopt;
}

std::unique_ptr<Compressor> make_compressor(Compression compression, Sink sink) {
  if (compression == Compression::zstd) {
    return std::make_unique<ZstdCompressor>(std::move(sink));
  }
  return std::make_unique<GzipCompressor>(std::move(sink));
}

std::unique_ptr<Decompressor> make_decompressor(Compression compression,
                                                Sink sink,
                                                std::uint64_t limit_bytes) {
  if (compression == Compression::zstd) {
    return std::make_unique<ZstdDecompressor>(std::move(sink), limit_bytes);
  }
  return std::make_unique<GzipDecompressor>(std::move(sink), limit_bytes);
}

void decode_frame(ByteView frame, std::span<std::byte> content) {
  // making one takes as long as many a frame
  thread_local const Handle<ZSTD_DCtx, ZSTD_freeDCtx> context{ZSTD_createDCtx()};
  if (!context) {
    throw Error("zstd failed: out of memory");
  }
  const std::size_t size = ZSTD_decompressDCtx(
      context.get(), content.data(), content.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) {
    throw FormatError(fmt::format("zstd content is damaged: {}", ZSTD_getErrorName(size)));
  }
  if (size != content.size()) {
    throw FormatError(fmt::format("a frame has {} bytes instead of {}", size, content.size()));
  }
}

std::size_t max_frame_bytes(std::size_t size_bytes) {
  return ZSTD_compressBound(size_bytes);
}

std::string describe(Compression compression) {
  const std::size_t mib = kFrameBytes >> 20;
  return compression == Compression::zstd
             ? fmt::format(
                   "zstd {} level {}, frames of {} MiB", ZSTD_versionString(), kZstdLevel, mib)
             : fmt::format("zlib {} level {}, members of {} MiB", zlibVersion(), kGzipLevel, mib);
}

}  // namespace seed::image
