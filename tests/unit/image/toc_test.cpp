#include "image/toc.hpp"

#include "support/catch.hpp"
#include "unit/image/lazy_layer.hpp"

namespace seed::image {

TEST_CASE("a layer's table of contents says what its tar says") {
  LazyLayer fixture;
  Names from_toc;
  const Toc toc = fixture.toc(from_toc);
  Names from_tar;
  TarReader reader(from_tar);
  reader.write(bytes_of(fixture.tar));
  reader.finish();
  REQUIRE(from_toc.entries.size() == 12);
  for (std::size_t i = 0; i < from_tar.entries.size(); ++i) {
    const TarEntry& a = from_toc.entries.at(i);
    const TarEntry& b = from_tar.entries[i];
    CHECK(std::tie(a.path, a.kind, a.mode, a.mtime, a.size_bytes, a.link, a.data_offset) ==
          std::tie(b.path, b.kind, b.mode, b.mtime, b.size_bytes, b.link, b.data_offset));
  }
  CHECK(toc.tar_bytes == fixture.tar.size());
  REQUIRE(toc.frames.size() == 6);
  const std::string blob = os::read_file(fixture.blob_file(), 64 << 20);
  std::string content;
  for (std::size_t i = 0; i < toc.frames.size(); ++i) {
    const auto frame = bytes_of(blob).subspan(toc.frames[i].offset, toc.frames[i].size_bytes);
    CHECK(Digest::of(frame) == toc.frames[i].digest);
    Bytes bytes(toc.content_bytes(i));
    decode_frame(frame, bytes);
    content += text_of(bytes);
  }
  CHECK(content == fixture.tar);
  Bytes short_of(5);
  const auto first = bytes_of(blob).first(toc.frames[0].size_bytes);
  CHECK_THROWS_AS(decode_frame(first, short_of), FormatError);
  Bytes too_long(toc.frame_bytes + 1);
  CHECK_THROWS_AS(decode_frame(first, too_long), FormatError);
}

TEST_CASE("a table of contents that can't be is refused") {
  LazyLayer fixture;
  const Bytes good =
      fixture.cache.toc(*fixture.repository, fixture.layer, fixture.blob.toc.value());
  Names names;
  const auto refused = [&](const Bytes& toc, std::uint64_t blob_bytes) {
    CHECK_THROWS_AS(parse_toc(toc, blob_bytes, names), FormatError);
  };
  refused({}, fixture.layer.size_bytes);
  refused(good, fixture.layer.size_bytes + 1);
  refused(good, 10);
  const auto changed = [&](std::size_t from_end, int byte) {
    Bytes toc = good;
    toc[toc.size() - from_end] = static_cast<std::byte>(byte);
    refused(toc, fixture.layer.size_bytes);
  };
  changed(1, '2');    // the version
  changed(12, 7);     // number of frames
  changed(14, 0xff);  // size of frames
  changed(14, 0);
  changed(24, 1);   // size of the tar
  changed(60, 0);   // size of the last frame
  changed(57, 99);  // the same, far too large
  Bytes cut = good;
  cut.erase(cut.begin(), cut.begin() + 20);  // headers that end too early
  refused(cut, fixture.layer.size_bytes - 20);

  oci::Descriptor layer = fixture.layer;
  const auto impossible = [&](const char* size) {
    layer.annotations[std::string(kTocSizeAnnotation)] = size;
    CHECK_THROWS_AS(toc_place(layer), FormatError);
  };
  impossible("");
  impossible("-1");
  impossible("23");
  impossible("18446744073709551615");
  impossible(std::to_string(layer.size_bytes).c_str());
  layer.annotations.erase(std::string(kTocSizeAnnotation));
  CHECK_THROWS_AS(toc_place(layer), FormatError);
  layer.annotations.clear();
  CHECK_FALSE(toc_place(layer));
}

}  // namespace seed::image
