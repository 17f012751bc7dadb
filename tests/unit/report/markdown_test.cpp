#include "report/markdown.hpp"

#include "support/catch.hpp"

namespace seed::report {

TEST_CASE("escaped text starts nothing and ends no table cell") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"hello-1.0", "hello-1.0"},
      {"", ""},
      {"a|b", "a\\|b"},
      {"a\\|b", "a\\\\\\|b"},
      {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
      {"&lt;", "&amp;lt;"},
      {"`x`", "\\`x\\`"},
      {"two\nlines\r\n\tmore", "two lines   more"},
      {"@octocat", "@&#8203;octocat"},
      {"#1", "#&#8203;1"},
      {"[a](b) ![c](d)", "\\[a\\](b) !\\[c\\](d)"},
      {"**b** _i_ ~~s~~", "\\*\\*b\\*\\* \\_i\\_ \\~\\~s\\~\\~"},
      {"$x$", "&#36;x&#36;"},
      {"\x1b[31mred", "red"},
      {"na\xc3\xafve", "na\xc3\xafve"},
  }));
  CHECK(escape(text) == expected);
}

// CommonMark 0.31, 6.1 (code spans) and the GFM tables extension, which takes \| there.
TEST_CASE("text in backquotes can't end them") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"abc", "`abc`"},
      {"", ""},
      {"a`b", "`` a`b ``"},
      {"``", "``` `` ```"},
      {"a|b", "`a\\|b`"},
      {"a\nb", "`a b`"},
      {"<b>", "`<b>`"},
      {std::string("a\0b", 3),
       "`a\xef\xbf\xbd"
       "b`"},
  }));
  CHECK(code(text) == expected);
}

TEST_CASE("no address in text of others is a link") {
  CHECK(escape("see https://evil.example/x: now") == "see https&#58;//evil.example/x: now");
  CHECK(html("http://x") == "http&#58;//x");
}

TEST_CASE("addresses in a sentence stand there as they are") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"made by https://x/a@b (https://y), entry 1 of https://z, at noon",
       "made by `https://x/a@b` (`https://y`), entry 1 of `https://z`, at noon"},
      {"(https://x/(a)).", "(`https://x/(a`))."},
      {"no *address*, but <b>", "no \\*address\\*, but &lt;b&gt;"},
      {"( ) ,", "( ) ,"},
      {"", ""},
  }));
  CHECK(sentence(text) == expected);
}

TEST_CASE("outside a table nothing in backquotes is escaped") {
  CHECK(code("a|b", Place::text) == "`a|b`");
}

TEST_CASE("a block of commands is not ended by a line in it") {
  CHECK(console({"$ a", "$ b"}) == "```console\n$ a\n$ b\n```\n");
  CHECK(console({"$ a '\n```\n'"}) == "````console\n$ a ' ``` '\n````\n");
}

TEST_CASE("a bar has 22 cells whatever it shows") {
  const std::string full = "█";
  const std::string light = "░";
  const auto cells = [&](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < 22; ++i) {
      text += i < count ? full : light;
    }
    return text;
  };
  CHECK(bar(0, 0) == cells(0));
  CHECK(bar(0, 5) == cells(0));
  CHECK(bar(1, 2) == cells(11));
  CHECK(bar(99, 100) == cells(21));
  CHECK(bar(5, 5) == cells(22));
  CHECK(bar(6, 5) == cells(22));
}

TEST_CASE("seconds are told as precisely as people care") {
  CHECK(human_seconds(0) == "0.0 s");
  CHECK(human_seconds(0.04) == "0.0 s");
  CHECK(human_seconds(9.94) == "9.9 s");
  CHECK(human_seconds(9.96) == "10 s");
  CHECK(human_seconds(59.4) == "59 s");
  CHECK(human_seconds(59.6) == "1 m 00 s");
  CHECK(human_seconds(3661) == "61 m 01 s");
}

TEST_CASE("a digest is shortened to its ends") {
  CHECK(short_digest(Digest::of("")) == "sha256:e3b0c442…b855");
}

TEST_CASE("one line of text commands nothing") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"\x1b[1;31mred\x1b[0m", "red"},
      {"\x1b]0;title\a-after", "-after"},
      {"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
      {"\x1b(Bx\x1b=y", "xy"},
      {"a\x1b", "a"},
      {"a\x1b[12", "a"},
      {"\x1b[31\nx", " x"},
      {"a\r\n\tb", "a   b"},
      {"a\x08"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xe2\x80\xaegnp.exe", "\xef\xbf\xbdgnp.exe"},
      {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
  }));
  CHECK(plain(text) == expected);
}

TEST_CASE("a line that is too long ends between characters") {
  CHECK(plain("abc", 3) == "abc");
  CHECK(plain("abcd", 3) == "abc…");
  CHECK(plain("ab\xc3\xa9", 3) == "ab…");
  CHECK(plain("\xf0\x9f\x8c\xb1\xf0\x9f\x8c\xb1", 7) == "\xf0\x9f\x8c\xb1…");
}

TEST_CASE("only a whole https address becomes a link") {
  CHECK(link("`x`", "https://a.b/c?d=e") == "[`x`](https://a.b/c?d=e)");
  for (const std::string bad :
       {"", "http://a", "javascript:alert(1)", "https://a) b", "https://a\n"}) {
    CHECK(link("x", bad) == "x");
  }
}

TEST_CASE("every line of a box belongs to it") {
  CHECK(alert("NOTE", "a\n\nb\n") == "> [!NOTE]\n> a\n>\n> b\n\n");
}

}  // namespace seed::report
