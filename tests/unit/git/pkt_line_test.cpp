#include "git/pkt_line.hpp"

#include <vector>

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::git {
namespace {

using Seen = std::vector<std::pair<Packet, std::string>>;

Seen read(std::string_view text, std::size_t piece) {
  Seen seen;
  PacketReader reader(
      [&](Packet kind, std::string_view payload) { seen.emplace_back(kind, payload); });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    reader.feed(bytes_of(text.substr(at, piece)));
  }
  reader.finish();
  return seen;
}

// The examples of gitprotocol-common.
TEST_CASE("a packet has its length before it, and read is what was written") {
  CHECK(packet("a\n") == "0006a\n");
  CHECK(packet("a") == "0005a");
  CHECK(packet("foobar\n") == "000bfoobar\n");
  CHECK(packet("") == "0004");
  CHECK(packet(std::string(kMaxPayloadBytes, 'x')).substr(0, 5) == "fff0x");
  CHECK_THROWS_AS(packet(std::string(kMaxPayloadBytes + 1, 'x')), Error);
  const Seen expected{{Packet::data, "a\n"},
                      {Packet::flush, ""},
                      {Packet::data, ""},
                      {Packet::delimiter, ""},
                      {Packet::end, ""},
                      {Packet::data, "foobar\n"}};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
    CHECK(read("0006a\n0000000400010002000bfoobar\n", piece) == expected);
  }
}

TEST_CASE("what is no packet is refused for that reason") {
  CHECK_THROWS_WITH(read("0003", 9), "git: a packet of 3 bytes");
  CHECK_THROWS_WITH(read("<htm", 9), "git: '<htm' is no packet's length");
  CHECK_THROWS_WITH(read("fff1", 9), "git: a packet of 65521 bytes");
  CHECK_THROWS_WITH(read("0006a", 9), "git: the answer ends within a packet");
  CHECK_THROWS_WITH(read("00", 9), "git: the answer ends within a packet");
}

}  // namespace
}  // namespace seed::git
