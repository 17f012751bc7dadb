#include "ci/escape.hpp"

#include "support/catch.hpp"

namespace seed::ci {

TEST_CASE("workflow commands escape per cent first, and more in properties than in data") {
  CHECK(workflow_data("100%\r\na:b,c") == "100%25%0D%0Aa:b,c");
  CHECK(workflow_property("100%\r\na:b,c") == "100%25%0D%0Aa%3Ab%2Cc");
  CHECK(workflow_data("%0A") == "%250A");
}

TEST_CASE("Azure's commands escape per cent in their own way") {
  CHECK(vso_data("100%\r\na]b;c") == "100%AZP25%0D%0Aa]b;c");
  CHECK(vso_property("100%\r\na]b;c") == "100%AZP25%0D%0Aa%5Db%3Bc");
  CHECK(vso_data("%0A") == "%AZP250A");
}

TEST_CASE("a shell reads a quoted word as it was") {
  CHECK(shell_word("") == "''");
  CHECK(shell_word("$(id) `id` \\ \"") == "'$(id) `id` \\ \"'");
  CHECK(shell_word("it's") == R"('it'\''s')");
}

TEST_CASE("XML keeps line feeds, escapes its own signs and shows what it has no place for") {
  CHECK(xml("a<b>&\"c\"\n\td") == "a&lt;b&gt;&amp;&quot;c&quot;&#10;&#9;d");
  CHECK(xml(std::string_view("\0\x1b[31m\xff", 7)) == "\\x00\\x1b[31m\\xff");
  CHECK(xml("\xef\xbf\xbe|\xef\xbf\xbf") == "\xef\xbf\xbd|\xef\xbf\xbd");
  CHECK(xml("]]>") == "]]&gt;");
}

TEST_CASE("what is shortened ends between characters") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcdefg", 6) == "abc…");
  CHECK(shortened("abäöüx", 7) == "abä…");
  CHECK(shortened("abäöüx", 6) == "ab…");
  CHECK(shortened("abc", 2).empty());
}

TEST_CASE("a word is broken wherever it occurs") {
  CHECK(broken("##[a ##[b", "##[", 2) == "##\xe2\x80\x8b[a ##\xe2\x80\x8b[b");
  CHECK(broken("::::", "::", 1) == ":\xe2\x80\x8b:\xe2\x80\x8b:\xe2\x80\x8b:");
  CHECK(broken("none", "::", 1) == "none");
}

}  // namespace seed::ci
