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
      {"\x1b[31m", "\xef\xbf\xbd\\[31m"},
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

TEST_CASE("a chart puts steps one after the other") {
  CHECK(gantt({}).empty());
  CHECK(gantt({{"evaluate", 1.5}, {"check: a,b;c#d", 0}}) ==
        "```mermaid\ngantt\n    dateFormat x\n    axisFormat %M:%S\n    section Steps\n"
        "    1. evaluate (1.5 s) :0, 1500\n"
        "    2. check  a b c d (0.0 s) :1500, 1501\n```\n");
}

TEST_CASE("a step's name can't end its chart or direct it") {
  CHECK(gantt({{"a\n```\n%%{init: {}}%%<b>@x", 1}})
            .find("\n    1. a        init        b  x (1.0 s) :0, 1000\n```\n") !=
        std::string::npos);
}

}  // namespace seed::report
