#include "ci/file_command.hpp"

#include "base/error.hpp"
#include "support/actions_runner.hpp"
#include "support/catch.hpp"

namespace seed::ci {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// What the runner makes of a file: its pairs, or its words.
std::string runner_on(const std::string& text) {
  try {
    std::string out;
    for (const auto& [name, value] : test::read_file_commands(text)) {
      out += name + "=[" + value + "] ";
    }
    return out;
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

}  // namespace

// The vectors were made with the algorithm of actions/runner 2.336.0.
TEST_CASE("the runner's reader in tests reads what the runner reads") {
  CHECK(runner_on("a=b=c\n") == "a=[b=c] ");
  CHECK(runner_on("a=\n") == "a=[] ");
  CHECK(runner_on("a<<X\n1\n2\nX\n") == "a=[1\n2] ");
  CHECK(runner_on("a<<X\n1\n2\nX") == "a=[1\n2] ");
  CHECK(runner_on("a<<X\nX\n") == "a=[] ");
  CHECK(runner_on("a<<X\n\nX\n") == "a=[] ");
  CHECK(runner_on("a=<<X\n") == "a=[<<X] ");
  CHECK(runner_on("a<<X=\nq\nX=\n") == "a=[q] ");
  CHECK(runner_on("a<<X\n1\nX \nX\n") == "a=[1\nX ] ");
  CHECK(runner_on(" k =v \n") == " k =[v ] ");
  CHECK(runner_on("a=1\r\n") == "a=[1\r] ");
  CHECK(runner_on("a=1\n\nb=2") == "a=[1] b=[2] ");
  CHECK(runner_on("abc\n") == "Invalid format 'abc'");
  CHECK(runner_on("<<X\n1\nX\n") ==
        "Invalid format '<<X'. Name must not be empty and delimiter must not be empty");
  CHECK(runner_on("a<<X\n1") == "Invalid value. EOF marker missing new line.");
  CHECK(runner_on("a<<X\n1\n") == "Invalid value. Matching delimiter not found 'X'");
}

TEST_CASE("outputs are heredocs that end at the delimiter given") {
  CHECK(file_commands(std::vector<Output>{{"image", "ghcr.io/a/b@sha256:0"}, {"status", ""}},
                      "END_1") ==
        "image<<END_1\nghcr.io/a/b@sha256:0\nEND_1\nstatus<<END_1\n\nEND_1\n");
}

TEST_CASE("the runner reads back every output, whatever its value") {
  const std::vector<std::string> values{"",
                                        "plain",
                                        "\n",
                                        "two\nlines",
                                        "ends\n",
                                        "x=y",
                                        "image<<X\nevil\nX",
                                        "\nimage=evil\n",
                                        "::set-output name=image::evil",
                                        "🌱 \r\n",
                                        "ends_with_EN"};
  for (const std::string& value : values) {
    const std::vector<Output> outputs{{"before", "1"}, {"value", value}, {"after", "2"}};
    const std::string expected = value == "\n" ? "" : value;
    CHECK(test::read_file_commands(file_commands(outputs, "nixseed_0123")) ==
          Pairs{{"before", "1"}, {"value", value}, {"after", "2"}});
  }
}

TEST_CASE("a value that has the delimiter in it is refused, and so is a name of another form") {
  CHECK_THROWS_AS(file_commands(std::vector<Output>{{"a", "1\nEND\nb<<END\n2"}}, "END"),
                  FormatError);
  CHECK_THROWS_AS(file_commands(std::vector<Output>{{"a", "1"}}, ""), FormatError);
  for (const char* name : {"", "a=b", "a<<b", "a\nb", "A", "a-b", " a"}) {
    CHECK_THROWS_AS(file_commands(std::vector<Output>{{name, "1"}}, "END"), FormatError);
  }
}

}  // namespace seed::ci
