#include <array>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"

namespace seed {
namespace {

Bytes bytes(std::string_view text) {
  const ByteView view = bytes_of(text);
  return {view.begin(), view.end()};
}

TEST_CASE("base 64 has the vectors of RFC 4648") {
  const auto [plain, encoded] = GENERATE(table<std::string, std::string>({{"", ""},
                                                                          {"f", "Zg=="},
                                                                          {"fo", "Zm8="},
                                                                          {"foo", "Zm9v"},
                                                                          {"foob", "Zm9vYg=="},
                                                                          {"fooba", "Zm9vYmE="},
                                                                          {"foobar", "Zm9vYmFy"},
                                                                          {"\xff\xfe", "//4="}}));
  CHECK(to_base64(bytes_of(plain)) == encoded);
  CHECK(from_base64(encoded) == bytes(plain));
}

TEST_CASE("base 64 that no encoder writes is refused") {
  const auto text = GENERATE(as<std::string>{},
                             "Zg",
                             "Zg=",
                             "Zh==",
                             "Zm9=",
                             "Z===",
                             "====",
                             "Zg==Zg==",
                             "Zm 9",
                             "Zm9v\n",
                             "_-==");
  CHECK_FALSE(from_base64(text).has_value());
}

// nix-hash --type sha256 --to-base32 of the SHA-256 of nothing (Nix 2.8.0)
TEST_CASE("base 32 is that of Nix") {
  const Digest empty = Digest::of("");
  CHECK(empty.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_nix32(empty.raw()) == "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
  CHECK(from_nix32("0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73") ==
        Bytes(empty.raw().begin(), empty.raw().end()));
}

TEST_CASE("base 32 that no encoder writes is refused") {
  // e, o, t and u are no digits; lengths 1, 3 and 6 hold no whole number of bytes; the first digit
  // of two holds three bits.
  const auto text =
      GENERATE(as<std::string>{}, "e0", "0o", "t0", "u0", "0", "000", "000000", "80", "A0");
  CHECK_FALSE(from_nix32(text).has_value());
}

TEST_CASE("every encoding gives back what went in, at every length") {
  std::string data;
  for (int n = 0; n < 200; ++n) {
    CHECK(from_hex(to_hex(bytes_of(data))) == bytes(data));
    CHECK(from_base64(to_base64(bytes_of(data))) == bytes(data));
    CHECK(from_nix32(to_nix32(bytes_of(data))) == bytes(data));
    data += static_cast<char>(n * 37 + 200);
  }
}

TEST_CASE("hex is lower case and even") {
  CHECK(to_hex(bytes_of("\x01\xab")) == "01ab");
  for (const char* text : {"0", "AB", "0g", "0x"}) {
    CHECK_FALSE(from_hex(text).has_value());
  }
}

TEST_CASE("a digest is printed as it is parsed and nothing else is one") {
  const std::string text = Digest::of("abc").to_string();
  CHECK(text == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Digest::parse(text) == Digest::of("abc"));
  for (const std::string& bad : {std::string(),
                                 text.substr(7),
                                 text + "0",
                                 "sha512:" + text.substr(7),
                                 text.substr(0, 70),
                                 "SHA256:" + text.substr(7),
                                 " " + text}) {
    CHECK_THROWS_AS(Digest::parse(bad), FormatError);
  }
  CHECK_THROWS_WITH(Digest::parse("\x1b[0m"), "'\\x1b[0m' is not a sha256 digest");
}

TEST_CASE("a hash of pieces is the hash of the whole, and starts anew") {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  CHECK(hash.size_bytes() == 3);
  CHECK(hash.finish() == Digest::of("abc"));
  CHECK(hash.size_bytes() == 0);
  CHECK(hash.finish() == Digest::of(""));
}

TEST_CASE("a source over text yields it in the pieces asked for") {
  const Source source = source_of("hello");
  std::array<std::byte, 3> buffer;
  CHECK(source(buffer) == 3);
  CHECK(text_of(buffer) == "hel");
  CHECK(source(buffer) == 2);
  CHECK(source(buffer) == 0);
  CHECK(source(buffer) == 0);
}

TEST_CASE("reading all stops beyond the limit and not at it") {
  CHECK(read_all(source_of("hello"), 5) == "hello");
  CHECK_THROWS_AS(read_all(source_of("hello"), 4), FormatError);
}

TEST_CASE("both sinks of a tee see each chunk in order") {
  std::string seen;
  const Sink sink = tee([&](ByteView c) { seen += "1" + std::string(text_of(c)); },
                        [&](ByteView c) { seen += "2" + std::string(text_of(c)); });
  sink(bytes_of("a"));
  sink(bytes_of("b"));
  CHECK(seen == "1a2a1b2b");
}

TEST_CASE("an error does not gain the same context twice") {
  Error error("reading /x: Is a directory");
  error.add_context("reading /x");
  CHECK(error.message() == "reading /x: Is a directory");
  error.add_context("reading /");
  CHECK(error.message() == "reading /: reading /x: Is a directory");
}

TEST_CASE("an error gains context outermost first and keeps its kind, hint and code") {
  const auto step = [] {
    while_doing("pushing", [] {
      while_doing("layer 3",
                  []() -> int { throw NetworkError("refused", "try later", 429, true); });
    });
  };
  try {
    step();
    FAIL();
  } catch (const NetworkError& error) {
    CHECK(error.message() == "pushing: layer 3: refused");
    CHECK(std::string(error.what()) == error.message());
    CHECK(error.hint() == "try later");
    CHECK(error.code() == ExitCode::network);
    CHECK(error.status() == 429);
    CHECK(error.retryable());
  }
  CHECK(while_doing("x", [] { return 7; }) == 7);
}

TEST_CASE("text is split, trimmed and lowered") {
  using Parts = std::vector<std::string_view>;
  CHECK(split("", ',') == Parts{""});
  CHECK(split("a,,b,", ',') == Parts{"a", "", "b", ""});
  CHECK(trim(" \t\r\na b\n ") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(to_lower("AbZ\xc3\x84[") == "abz\xc3\x84[");
}

TEST_CASE("sizes are for people") {
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(1023) == "1023 B");
  CHECK(human_size(1024) == "1.0 KiB");
  CHECK(human_size(1024 * 1024 - 1) == "1.0 MiB");
  CHECK(human_size(12'900'000) == "12.3 MiB");
  CHECK(human_size(~std::uint64_t{0}) == "16777216.0 TiB");
}

TEST_CASE("outside text in a message has no control characters and a bounded length") {
  CHECK(printable("a\n\x1b\x7f") == "a\\x0a\\x1b\\x7f");
  CHECK(printable("h\xc3\xa9") == "h\xc3\xa9");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
}

TEST_CASE("outside text in a message is UTF-8, whatever it was") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("\xc3(") == "\\xc3(");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");           // a control character of C1
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // text from right to left
  CHECK(printable("\xe2\x82\xac") == "\xe2\x82\xac");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");  // not the shortest form
  CHECK(printable("\xf0\x9f\x8c\xb1") == "\xf0\x9f\x8c\xb1");
  CHECK(printable("ab\xc3\xa9", 3) == "ab...");  // never cut in the middle of a character
}

TEST_CASE("the start of a text has whole characters") {
  CHECK(utf8_prefix("abc", 3) == "abc");
  CHECK(utf8_prefix("abc", 0).empty());
  CHECK(utf8_prefix("a\xc3\xa9", 2) == "a");
  CHECK(utf8_prefix("\xf0\x9f\x8c\xb1", 3).empty());
  CHECK(utf8_prefix("\xf0\x9f\x8c\xb1z", 4) == "\xf0\x9f\x8c\xb1");
  CHECK(utf8_prefix("\xff\xff\xff\xff\xff", 3) == "\xff\xff\xff");  // no character to keep whole
}

}  // namespace
}  // namespace seed
