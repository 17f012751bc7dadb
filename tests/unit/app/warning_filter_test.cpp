#include "app/warning_filter.hpp"

#include "support/catch.hpp"

namespace seed::app {
namespace {

// As Nix 2.8.0 prints them.
constexpr std::string_view kDirty = "warning: Git tree '/src/app' is dirty\n";
constexpr std::string_view kRoot =
    "warning: you did not specify '--add-root'; the result might be removed by the garbage "
    "collector\n";
constexpr std::string_view kNss = "warning: unable to load nss_dns backend\n";

std::string filtered(std::string_view text, std::size_t chunk_bytes) {
  WarningFilter filter;
  std::string shown;
  for (std::size_t i = 0; i < text.size(); i += chunk_bytes) {
    shown += filter.take(text.substr(i, chunk_bytes));
  }
  return shown + filter.rest();
}

}  // namespace

TEST_CASE("a warning is shown once and those of no use never, however the stream is cut") {
  std::string text;
  text += kDirty;
  text += "building '/nix/store/x.drv'...\n";
  text += kRoot;
  text += kNss;
  text += "x> warning: unused variable\n";
  text += kDirty;
  text += kNss;
  text += "x> warning: unused variable\nwarning: other\nwarn";
  const std::string expected =
      std::string(kDirty) +
      "building '/nix/store/x.drv'...\nx> warning: unused variable\nx> warning: unused variable\n"
      "warning: other\nwarn";
  for (const std::size_t chunk_bytes : {1U, 2U, 7U, 64U, 100000U}) {
    CHECK(filtered(text, chunk_bytes) == expected);
  }
}

TEST_CASE("a line that can't be a warning is shown before it ends") {
  WarningFilter filter;
  CHECK(filter.take("downloading 3") == "downloading 3");
  CHECK(filter.take("0 %\nwarn") == "0 %\n");
  CHECK(filter.take("ed.\n") == "warned.\n");
}

TEST_CASE("a warning without end is not held for ever") {
  WarningFilter filter;
  CHECK(filter.take("warning: " + std::string(1 << 20, 'x')).size() == (1 << 20) + 9);
}

}  // namespace seed::app
