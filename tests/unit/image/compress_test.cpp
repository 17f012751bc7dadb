#include "image/compress.hpp"

#include "base/digest.hpp"
#include "base/error.hpp"
#include "oci/types.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::image {
namespace {

/// Bytes that compress a little; the same on every machine.
std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint64_t state = 1;
  for (char& c : text) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>('a' + (state >> 60));
  }
  return text;
}

std::string compress(Compression compression, std::string_view text, std::size_t step) {
  std::string out;
  const auto compressor =
      make_compressor(compression, [&](ByteView bytes) { out += text_of(bytes); });
  for (std::size_t i = 0; i < text.size(); i += step) {
    compressor->write(bytes_of(text.substr(i, step)));
  }
  compressor->finish();
  return out;
}

std::string decompress(Compression compression,
                       std::string_view text,
                       std::size_t step = 100000,
                       std::uint64_t limit_bytes = 64 << 20) {
  std::string out;
  const auto decompressor =
      make_decompressor(compression, [&](ByteView bytes) { out += text_of(bytes); }, limit_bytes);
  for (std::size_t i = 0; i < text.size(); i += step) {
    decompressor->write(bytes_of(text.substr(i, step)));
  }
  decompressor->finish();
  return out;
}

const Compression kBoth[] = {Compression::zstd, Compression::gzip};

}  // namespace

TEST_CASE("what is compressed comes back, however it was cut") {
  const std::string text = noise(2 * kFrameBytes + 12345);
  for (const Compression compression : kBoth) {
    const std::string whole = compress(compression, text, text.size());
    CHECK(whole.size() < text.size());
    CHECK(Digest::of(compress(compression, text, 65537)) == Digest::of(whole));
    CHECK(Digest::of(compress(compression, text, kFrameBytes + 1)) == Digest::of(whole));
    CHECK(decompress(compression, whole) == text);
    CHECK(decompress(compression, whole, 1 << 30) == text);
  }
  const std::string small = noise(3000);
  for (const Compression compression : kBoth) {
    CHECK(decompress(compression, compress(compression, small, 7), 1) == small);
  }
}

TEST_CASE("every frame is made alone: a stream is the frames of its blocks") {
  const std::string text = noise(kFrameBytes + 1000);
  for (const Compression compression : kBoth) {
    CHECK(Digest::of(compress(compression, text, 1 << 20)) ==
          Digest::of(compress(compression, text.substr(0, kFrameBytes), 1 << 20) +
                     compress(compression, text.substr(kFrameBytes), 1 << 20)));
  }
}

TEST_CASE("frames have fixed headers") {
  // RFC 8878 §3.1.1.1: magic; descriptor: single segment, checksum, one byte of content size.
  CHECK(compress(Compression::zstd, "abc", 3).substr(0, 6) == "\x28\xb5\x2f\xfd\x24\x03");
  CHECK(compress(Compression::gzip, "abc", 3).substr(0, 10) ==
        std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
}

TEST_CASE("a zstd frame has a window that every decoder takes, and finds repeats in all of it") {
  // RFC 8878 §3.1.1.1.2: decoders should "support at least 8 MB".
  CHECK(kFrameBytes <= 8 << 20);
  const std::string part = noise(64 << 10);
  const std::string gap(kFrameBytes - 2 * part.size(), 'a');
  const std::size_t once = compress(Compression::zstd, part + gap, kFrameBytes).size();
  CHECK(compress(Compression::zstd, part + gap + part, kFrameBytes).size() < once + once / 10);
}

TEST_CASE("nothing compresses to one empty frame") {
  for (const Compression compression : kBoth) {
    const std::string empty = compress(compression, "", 1);
    CHECK_FALSE(empty.empty());
    CHECK(decompress(compression, empty).empty());
  }
}

TEST_CASE("zstd and gzip read what is written here") {
  const std::string text = noise(kFrameBytes + 1000);
  for (const Compression compression : kBoth) {
    const std::string program = compression == Compression::zstd ? "zstd" : "gzip";
    if (!test::have_program(program)) {
      continue;
    }
    os::SystemRunner runner;
    os::Command command;
    command.argv = {program, "-dc"};
    command.input = compress(compression, text, 1 << 20);
    const auto captured = os::capture(runner, command);
    CHECK(captured.exit.ok());
    CHECK(Digest::of(captured.out) == Digest::of(text));
  }
}

TEST_CASE("skippable frames are skipped") {
  // RFC 8878 §3.1.2: magic 0x184D2A50, size, content.
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0xyz", 11);
  const std::string frame = compress(Compression::zstd, "abc", 3);
  CHECK(decompress(Compression::zstd, skippable + frame + skippable + frame, 1) == "abcabc");
}

TEST_CASE("content that is cut, damaged, trailed or too large is refused") {
  const std::string text = noise(10000);
  for (const Compression compression : kBoth) {
    const std::string good = compress(compression, text, 10000);
    CHECK_THROWS_WITH(decompress(compression, ""), "compressed content ends too early");
    for (const std::size_t cut : {1U, 4U, 100U}) {
      CHECK_THROWS_WITH(decompress(compression, good.substr(0, good.size() - cut)),
                        "compressed content ends too early");
    }
    std::string damaged = good;
    damaged[good.size() - 1] ^= 1;  // zstd: the checksum; gzip: the size
    CHECK_THROWS_AS(decompress(compression, damaged), FormatError);
    damaged = good;
    damaged[0] ^= 1;
    CHECK_THROWS_AS(decompress(compression, damaged), FormatError);
    CHECK_THROWS_AS(decompress(compression, good + "trailing garbage"), FormatError);
    CHECK(decompress(compression, good, 1000, 10000) == text);
    CHECK_THROWS_WITH(decompress(compression, good, 1000, 9999),
                      "compressed content is larger than was announced");
  }
}

TEST_CASE("a zstd frame that wants more than 128 MiB of memory is refused") {
  // A frame header with a window descriptor of 2^28 (RFC 8878 §3.1.1.1.2: exponent 18).
  const std::string frame("\x28\xb5\x2f\xfd\0\x90\x01\0\0", 9);
  CHECK_THROWS_AS(decompress(Compression::zstd, frame), FormatError);
  const std::string allowed("\x28\xb5\x2f\xfd\0\x58\x01\0\0", 9);
  CHECK(decompress(Compression::zstd, allowed).empty());
}

TEST_CASE("media types and compressions belong together") {
  CHECK(media_type_of(Compression::zstd) == oci::kLayerZstdType);
  CHECK(compression_of(oci::kLayerZstdType) == Compression::zstd);
  CHECK(compression_of(oci::kLayerGzipType) == Compression::gzip);
  CHECK(compression_of("application/vnd.docker.image.rootfs.diff.tar.gzip") == Compression::gzip);
  CHECK_FALSE(compression_of("application/vnd.oci.image.layer.v1.tar"));
  CHECK(describe(Compression::zstd).find("level 3, frames of 2 MiB") != std::string::npos);
}

}  // namespace seed::image
