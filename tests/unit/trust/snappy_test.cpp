#include "trust/snappy.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::trust {
namespace {

std::string from(std::string_view hex) {
  const auto bytes = from_hex(hex);
  REQUIRE(bytes);
  return std::string(text_of(*bytes));
}

std::string uncompressed(std::string_view hex) {
  return uncompress_snappy(from(hex), 1 << 20);
}

}  // namespace

// Made with cramjam 2.14 (snappy.compress_raw).
TEST_CASE("blocks that a reference implementation made are read") {
  CHECK(uncompressed("00").empty());
  CHECK(uncompressed("010061") == "a");
  std::string pairs;
  for (int i = 0; i < 40; ++i) {
    pairs += "ab";
  }
  CHECK(uncompressed("50046162fe0200360200") == pairs);
  CHECK(uncompressed("3df03c7b226d6564696154797065223a226170706c69636174696f6e2f766e642e646576"
                     "2e73696773746f72652e62756e646c652e76302e332b6a736f6e227d") ==
        R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"})");
}

// format_description.txt: the forms that its own compressor seldom writes.
TEST_CASE("each form of literal and copy is read") {
  CHECK(uncompressed("01f00061") == "a");                 // length in one byte
  CHECK(uncompressed("01f4000061") == "a");               // in two
  CHECK(uncompressed("01f800000061") == "a");             // in three
  CHECK(uncompressed("01fc0000000061") == "a");           // in four
  CHECK(uncompressed("0500610101") == "aaaaa");           // offset in eleven bits
  CHECK(uncompressed("0400610a0100") == "aaaa");          // in two bytes
  CHECK(uncompressed("0400610b01000000") == "aaaa");      // in four
  CHECK(uncompressed("0808616263120300") == "abcabcab");  // past what was there when it began
}

TEST_CASE("what is no block is refused, and a bomb before it is unpacked") {
  CHECK_THROWS_WITH(uncompressed(""), "Snappy: the block is cut off");
  CHECK_THROWS_WITH(uncompressed("02"), "Snappy: it holds less than it says");
  CHECK_THROWS_WITH(uncompressed("020461"), "Snappy: the block is cut off");
  CHECK_THROWS_WITH(uncompressed("010461620"
                                 "0"),
                    "Snappy: it holds more than it says");
  CHECK_THROWS_WITH(uncompressed("04010a0100"), "Snappy: it copies what is not there");
  CHECK_THROWS_WITH(uncompressed("0400610a0000"), "Snappy: it copies what is not there");
  CHECK_THROWS_WITH(uncompressed("0400610a0200"), "Snappy: it copies what is not there");
  CHECK_THROWS_WITH(uncompressed("0200610a0100"), "Snappy: it holds more than it says");
  CHECK_THROWS_WITH(uncompressed("ffffffffff7f"), "Snappy: its length is too long");
  CHECK_THROWS_WITH(uncompress_snappy(from("ffffffff0f"), 1024),
                    "Snappy: it holds 4294967295 bytes, and at most 1024 are read");
}

}  // namespace seed::trust
