#include "image/toc.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"

namespace seed::image {
namespace {

constexpr std::uint32_t kSkippable = 0x184D2A5D;
constexpr std::size_t kSkippableHeadBytes = 8;
constexpr std::string_view kMagic = "nixseed1";
constexpr std::size_t kRowBytes = 4 + 32;
constexpr std::size_t kFooterBytes = 8 + 4 + 4 + kMagic.size();
/// What readers must have room for, several times.
constexpr std::uint32_t kMaxFrameBytes = 8 << 20;
constexpr std::uint32_t kMinFrameBytes = 64 << 10;

void put(Bytes& bytes, std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes.push_back(static_cast<std::byte>(number >> 8 * i));
  }
}

std::uint64_t take(ByteView& bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
  }
  bytes = bytes.subspan(size);
  return number;
}

void append(Bytes& bytes, ByteView more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

[[noreturn]] void refuse(const std::string& what) {
  throw FormatError("the layer's table of contents " + what);
}

/// Files must lie within the tar.
class Bounded final : public TarHandler {
 public:
  Bounded(TarHandler& inner, std::uint64_t tar_bytes) : inner_(inner), tar_bytes_(tar_bytes) {}

  void entry(const TarEntry& entry) override {
    if (entry.data_offset > tar_bytes_ || entry.size_bytes > tar_bytes_ - entry.data_offset) {
      refuse(fmt::format("has '{}' beyond the end", printable(entry.path)));
    }
    inner_.entry(entry);
  }

  void data(ByteView bytes) override { inner_.data(bytes); }

  void end_data() override { inner_.end_data(); }

 private:
  TarHandler& inner_;
  std::uint64_t tar_bytes_;
};

/// A tar of nothing is two blocks, so there is a frame at least.
std::uint64_t frames_of(std::uint64_t tar_bytes, std::uint32_t frame_bytes) {
  return tar_bytes / frame_bytes + (tar_bytes % frame_bytes == 0 ? 0 : 1);
}

void read_table(ByteView table, std::uint64_t end, Toc& toc) {
  std::uint64_t offset = 0;
  while (!table.empty()) {
    const auto size = static_cast<std::uint32_t>(take(table, 4));
    if (size == 0 || size > max_frame_bytes(toc.frame_bytes)) {
      refuse(fmt::format("has a frame of {} bytes", size));
    }
    std::array<std::byte, 32> raw;
    std::ranges::copy(table.first(raw.size()), raw.begin());
    table = table.subspan(raw.size());
    toc.frames.push_back({.offset = offset, .size_bytes = size, .digest = Digest::from_raw(raw)});
    offset += size;
  }
  if (offset != end) {
    refuse(fmt::format("has frames of {} bytes, the blob {}", offset, end));
  }
}

}  // namespace

std::size_t Toc::content_bytes(std::size_t index) const {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(frame_bytes, tar_bytes - std::uint64_t{index} * frame_bytes));
}

std::optional<TocPlace> toc_place(const oci::Descriptor& layer) {
  const auto digest = layer.annotations.find(std::string(kTocDigestAnnotation));
  const auto size = layer.annotations.find(std::string(kTocSizeAnnotation));
  if (digest == layer.annotations.end() && size == layer.annotations.end()) {
    return std::nullopt;
  }
  const auto bytes =
      size == layer.annotations.end() ? std::nullopt : http::parse_size(size->second);
  if (digest == layer.annotations.end() || !bytes || *bytes < kFooterBytes ||
      *bytes > kMaxTocBytes || layer.size_bytes < kSkippableHeadBytes ||
      *bytes > layer.size_bytes - kSkippableHeadBytes) {
    throw FormatError(fmt::format("layer {} has annotations of a table of contents that can't be",
                                  layer.digest.to_string()));
  }
  return TocPlace{Digest::parse(digest->second), *bytes};
}

void annotate(oci::Descriptor& layer, const TocPlace& place) {
  layer.annotations[std::string(kTocDigestAnnotation)] = place.digest.to_string();
  layer.annotations[std::string(kTocSizeAnnotation)] = std::to_string(place.size_bytes);
}

Toc parse_toc(ByteView bytes, std::uint64_t blob_bytes, TarHandler& handler) {
  if (bytes.size() < kFooterBytes || text_of(bytes.last(kMagic.size())) != kMagic) {
    refuse("is of another kind");
  }
  if (blob_bytes < bytes.size() + kSkippableHeadBytes) {
    refuse("is larger than the layer");
  }
  ByteView footer = bytes.last(kFooterBytes);
  Toc toc;
  toc.tar_bytes = take(footer, 8);
  toc.frame_bytes = static_cast<std::uint32_t>(take(footer, 4));
  const std::uint64_t frames = take(footer, 4);
  ByteView rest = bytes.first(bytes.size() - kFooterBytes);
  if (toc.frame_bytes < kMinFrameBytes || toc.frame_bytes > kMaxFrameBytes ||
      frames > rest.size() / kRowBytes || frames != frames_of(toc.tar_bytes, toc.frame_bytes)) {
    refuse(fmt::format("has {} frames of {} bytes for {}", frames, toc.frame_bytes, toc.tar_bytes));
  }
  const std::size_t table_bytes = frames * kRowBytes;
  read_table(rest.last(table_bytes), blob_bytes - bytes.size() - kSkippableHeadBytes, toc);
  Bounded bounded(handler, toc.tar_bytes);
  TarReader reader(bounded, TarScope::seeds, TarData::absent);
  const auto decoder = make_decompressor(
      Compression::zstd, [&](ByteView headers) { reader.write(headers); }, toc.tar_bytes);
  decoder->write(rest.first(rest.size() - table_bytes));
  decoder->finish();
  reader.finish();
  if (reader.position() != toc.tar_bytes) {
    refuse(fmt::format("describes {} of {} bytes", reader.position(), toc.tar_bytes));
  }
  return toc;
}

TocWriter::TocWriter()
    : compressor_(
          make_compressor(Compression::zstd, [this](ByteView frame) { append(bytes_, frame); })) {}

void TocWriter::frame(ByteView compressed) {
  put(table_, compressed.size(), 4);
  append(table_, Digest::of(compressed).raw());
  ++frames_;
}

void TocWriter::headers(ByteView bytes) {
  compressor_->write(bytes);
}

Bytes TocWriter::finish(std::uint64_t tar_bytes) {
  compressor_->finish();
  append(bytes_, table_);
  put(bytes_, tar_bytes, 8);
  put(bytes_, kFrameBytes, 4);
  put(bytes_, frames_, 4);
  append(bytes_, bytes_of(kMagic));
  place_ = TocPlace{Digest::of(bytes_), bytes_.size()};
  Bytes frame;
  put(frame, kSkippable, 4);
  put(frame, bytes_.size(), 4);
  append(frame, bytes_);
  return frame;
}

TocPlace TocWriter::place() const {
  return place_.value();
}

}  // namespace seed::image
