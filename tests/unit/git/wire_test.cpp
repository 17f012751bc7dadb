#include "git/wire.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::git {
namespace {

using namespace std::string_literals;

const std::string kOne(40, '1');
const std::string kTwo(40, '2');

std::string advertisement(const std::string& refs) {
  return packet("# service=git-receive-pack\n") + "0000" + refs + "0000";
}

std::string band(char number, const std::string& text) {
  return packet(std::string(1, number) + text);
}

/// The pack in the answer, which comes in pieces.
std::string fetched(const std::string& answer, std::size_t piece = 5) {
  std::string pack;
  FetchReader reader([&](ByteView chunk) { pack += text_of(chunk); });
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    reader.feed(bytes_of(std::string_view(answer).substr(at, piece)));
  }
  reader.finish();
  return pack;
}

TEST_CASE("refs and capabilities are read from what a server says before a push") {
  const Advertisement seen = parse_advertisement(
      advertisement(packet(kOne + " refs/heads/main\0report-status side-band-64k\n"s) +
                    packet(kTwo + " refs/heads/a/b\n") + packet(kTwo + " refs/tags/v1\n")));
  CHECK(seen.branches.size() == 2);
  CHECK(seen.branch("main") == kOne);
  CHECK(seen.branch("a/b") == kTwo);
  CHECK_FALSE(seen.branch("b"));
  CHECK(seen.capabilities.contains("side-band-64k"));
  const Advertisement empty = parse_advertisement(
      advertisement(packet(std::string(kNoCommit) + " capabilities^{}\0report-status"s)));
  CHECK(empty.branches.empty());
}

TEST_CASE("an answer that lists no refs is refused for that reason") {
  CHECK_THROWS_WITH(parse_advertisement(""), "git: the answer is no list of refs");
  CHECK_THROWS_WITH(parse_advertisement("0000"), "git: the answer is no list of refs");
  CHECK_THROWS_WITH(parse_advertisement("<html>"), "git: '<htm' is no packet's length");
  CHECK_THROWS_WITH(parse_advertisement(advertisement(packet("x refs/heads/a"))),
                    "git: 'x refs/heads/a' is no ref");
  CHECK_THROWS_WITH(
      parse_advertisement(advertisement(packet(std::string(64, '1') + " refs/heads/a"))),
      Catch::EndsWith("is no ref"));
  CHECK_THROWS_WITH(parse_advertisement(advertisement(packet("ERR \x1b[31mno"))),
                    R"(the git server refuses: \x1b[31mno)");
}

TEST_CASE("only servers that speak version 2 are fetched from") {
  const FetchCapabilities found = parse_fetch_capabilities(
      packet("version 2\n") + packet("agent=git/2.39.5\n") + packet("ls-refs=unborn\n") +
      packet("fetch=shallow wait-for-done filter\n") + packet("object-format=sha1\n") + "0000");
  CHECK(found.filter);
  CHECK(found.names_format);
  CHECK_FALSE(parse_fetch_capabilities(packet("version 2\n") + packet("fetch=shallow\n")).filter);
  CHECK_THROWS_WITH(parse_fetch_capabilities(packet(kOne + " refs/heads/a\n") + "0000"),
                    "git: the server does not speak version 2 of the protocol");
  CHECK_THROWS_WITH(
      parse_fetch_capabilities(packet("version 2\n") + packet("object-format=sha256\n")),
      "git: the repository's objects are named by sha256");
}

TEST_CASE("a filter is asked for only where the server has it") {
  const FetchRequest request{.wants = {kOne}, .filter = "tree:0"};
  CHECK(fetch_body(request, {.filter = true, .names_format = true}) ==
        packet("command=fetch\n") + packet("agent=nix-seed\n") + packet("object-format=sha1\n") +
            "0001" + packet("ofs-delta\n") + packet("no-progress\n") + packet("deepen 1\n") +
            packet("filter tree:0\n") + packet("want " + kOne + "\n") + packet("done\n") + "0000");
  CHECK(fetch_body(request, {}).find("filter") == std::string::npos);
  CHECK(fetch_body({.wants = {kOne}, .shallow = false, .filter = ""}, {}).find("deepen") ==
        std::string::npos);
}

TEST_CASE("the pack is taken out of the answer, however it arrives") {
  const std::string answer = packet("shallow-info\n") + packet("shallow " + kOne) + "0001" +
                             packet("packfile\n") + band('\2', "counting") + band('\1', "PACK") +
                             band('\1', "rest") + "0000";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, std::size_t{500}}) {
    CHECK(fetched(answer, piece) == "PACKrest");
  }
}

TEST_CASE("an answer to a fetch that is not whole is refused for that reason") {
  const std::string start = packet("packfile\n") + band('\1', "PACK");
  CHECK_THROWS_WITH(fetched(start), "git: the answer was cut short");
  CHECK_THROWS_WITH(fetched(""), "git: the answer was cut short");
  CHECK_THROWS_WITH(fetched("0000"), "git: the answer ends before the pack does");
  CHECK_THROWS_WITH(fetched(start + "0001"), "git: the answer ends before the pack does");
  CHECK_THROWS_WITH(fetched(start + "0000" + packet("x")),
                    "git: bytes behind the end of the answer");
  CHECK_THROWS_WITH(fetched(start + band('\3', "disk full\n")), "the git server failed: disk full");
  CHECK_THROWS_WITH(fetched(start + band('\4', "x")), "git: a packet of no band");
  CHECK_THROWS_WITH(fetched(packet("surprise\n")),
                    "git: 'surprise' begins no section of an answer");
  CHECK_THROWS_AS(fetched(packet("ERR upload-pack: not our ref " + kOne)), NetworkError);
}

TEST_CASE("a push names the branch, what it was and what it will be") {
  const RefUpdate update{.name = "refs/heads/main", .before = kOne, .after = kTwo};
  const Advertisement seen{.branches = {}, .capabilities = {"side-band-64k", "push-options"}};
  CHECK(push_head(update, {}, {}) ==
        packet(kOne + " " + kTwo + " refs/heads/main\0report-status agent=nix-seed"s) + "0000");
  CHECK(push_head(update, {"merge_request.create"}, seen) ==
        packet(kOne + " " + kTwo +
               " refs/heads/main\0report-status side-band-64k push-options agent=nix-seed"s) +
            "0000" + packet("merge_request.create") + "0000");
}

TEST_CASE("a server's verdict on a push is read, with its words") {
  const std::string ok = packet("unpack ok\n") + packet("ok refs/heads/main\n") + "0000";
  CHECK(parse_push_report(ok, "refs/heads/main", false).moved);
  const PushReport report =
      parse_push_report(band('\2', "hello\n") + band('\1', ok) + "0000", "refs/heads/main", true);
  CHECK(report.moved);
  CHECK(report.messages == "hello\n");
  const auto reason = [](const std::string& body) {
    const PushReport refused = parse_push_report(body, "refs/heads/main", false);
    CHECK_FALSE(refused.moved);
    return refused.reason;
  };
  CHECK(reason(packet("unpack ok\n") + packet("ng refs/heads/main protected\n") + "0000") ==
        "protected");
  CHECK(reason(packet("unpack index-pack abnormal exit\n")) == "unpack index-pack abnormal exit");
  CHECK(reason(packet("unpack ok\n") + packet("ok refs/heads/other\n")) ==
        "the server does not say why");
  CHECK(reason(packet("ok refs/heads/main\n")) == "the server does not say why");
  CHECK(reason("") == "the server does not say why");
  CHECK(parse_push_report(band('\3', "no\r\n::warning::x"), "refs/heads/main", true).reason ==
        R"(no\x0d\x0a::warning::x)");
}

TEST_CASE("a branch's name is one that git takes") {
  for (const char* name :
       {"main", "a/b", "release-1.0", "$(id)", "a;b", "ünïcode", "a'b\"c", "%0A"}) {
    INFO(name);
    CHECK(is_branch_name(name));
  }
  for (const char* name :
       {"",   "@",    "-a", "a b", "a\nb", "a..b", "a~1",  "a^",     "a:b", "a?",   "a*",
        "a[", "a\\b", "/a", "a/",  "a//b", ".a",   "a/.b", "a.lock", "a.",  "a@{b", "\x7f"}) {
    INFO(name);
    CHECK_FALSE(is_branch_name(name));
  }
}

}  // namespace
}  // namespace seed::git
