#include "ci/adapters.hpp"
#include "support/catch.hpp"

namespace seed::ci {
namespace {

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t number = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    ++number;
  }
  return number;
}

}  // namespace

TEST_CASE("eight annotations of a level pass, of more the ninth says how many") {
  std::vector<Annotation> many;
  for (int i = 0; i < 12; ++i) {
    many.push_back(
        {.level = Level::notice, .id = "", .message = "n" + std::to_string(i), .file = ""});
    if (i < 8) {
      many.push_back(
          {.level = Level::error, .id = "", .message = "e" + std::to_string(i), .file = ""});
    }
  }
  const auto shown = within_limits(many);
  REQUIRE(shown.size() == 17);
  CHECK(shown[0].message == "e0");
  CHECK(shown[7].message == "e7");
  CHECK(shown[8].message == "n0");
  CHECK(shown[16].message == "4 more in the summary and the log");
  CHECK(shown[16].id == "NS010");
  CHECK(shown[16].level == Level::notice);
}

TEST_CASE("a summary within the limit is left as it is") {
  CHECK(fit_summary("abc", 3) == "abc");
  CHECK(fit_summary("", 0).empty());
}

TEST_CASE("a summary above the limit is cut after a line, closed, and says so") {
  std::string text = "## head\n<details><summary>a</summary>\n\n<details>\n\n````console\n";
  while (text.size() < 20'000) {
    text += "line with ``` in it\n";
  }
  const std::string cut = fit_summary(text, 10'000);
  CHECK(cut.size() <= 10'000);
  INFO(cut.substr(cut.size() - 200));
  CHECK(
      cut.ends_with("line with ``` in it\n````\n\n</details>\n\n</details>\n\n> [!WARNING]\n"
                    "> The summary was cut here: 13.8 KiB more would not fit (NS010). The log has "
                    "it all.\n"));
  CHECK(count(cut, "<details") == count(cut, "</details>"));
}

TEST_CASE("a summary of one endless line, or of one endless fence, is cut all the same") {
  CHECK(fit_summary(std::string(20'000, 'x'), 10'000).find("19.5 KiB more") != std::string::npos);
  const std::string cut = fit_summary("a\n" + std::string(5'000, '`') + "\n" +
                                          std::string(20'000, 'x') + "\n" + std::string(9'000, 'y'),
                                      10'000);
  CHECK(cut.size() <= 10'000);
  CHECK(cut.starts_with("a\n"));
  CHECK(fit_summary("abc", 2).empty());
}

TEST_CASE("outputs have the names of variables, with the command's for build") {
  CHECK(variable_of("seed", "bytes_pushed") == "NIX_SEED_BYTES_PUSHED");
  CHECK(variable_of("build", "mode") == "NIX_SEED_BUILD_MODE");
}

}  // namespace seed::ci
