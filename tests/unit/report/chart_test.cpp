#include "report/chart.hpp"

#include "base/text.hpp"
#include "samples.hpp"
#include "support/catch.hpp"

namespace seed::report {

TEST_CASE("a chart puts steps one after the other") {
  CHECK(gantt({}).empty());
  CHECK(gantt({{"evaluate", 1.5}}).empty());
  CHECK(gantt({{"evaluate", 1.5}, {"check: a,b;c#d", 0}}) ==
        "```mermaid\ngantt\n    dateFormat x\n    axisFormat %M:%S\n    tickInterval 1second\n    "
        "section Steps\n"
        "    1. evaluate (1.5 s) :0, 1500\n"
        "    2. check  a b c d (0.0 s) :1500, 1501\n```\n");
}

TEST_CASE("a step's name can't end its chart or direct it") {
  CHECK(gantt({{"a\n```\n%%{init: {}}%%<b>@x", 1}, {"b", 1}})
            .find("\n    1. a        init        b  x (1.0 s) :0, 1000\n    2. b") !=
        std::string::npos);
}

TEST_CASE("a chart shows derivations when they were built") {
  CHECK(gantt({{"build", 9}},
              {{.path = some_path("app-1.drv"), .start = 0.25, .seconds = 3, .failed = true},
               {.path = "app", .start = 4, .seconds = 0}}) ==
        "```mermaid\ngantt\n    dateFormat x\n    axisFormat %M:%S\n    tickInterval 1second\n    "
        "section Steps\n"
        "    1. build (9.0 s) :0, 9000\n"
        "    section Built\n"
        "    ▸ app-1 (3.0 s) :crit, 250, 3250\n"
        "    ▸ app (0.0 s) :active, 4000, 4001\n```\n");
}

namespace {

std::vector<BuiltDerivation> many(std::size_t count, double seconds) {
  std::vector<BuiltDerivation> list;
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back({.path = some_path(std::to_string(seconds).substr(0, 3) + "-" +
                                      std::to_string(i) + std::string(200, 'n') + ".drv"),
                    .start = static_cast<double>(i),
                    .seconds = seconds});
  }
  return list;
}

std::size_t rows(const std::string& chart) {
  std::size_t count = 0;
  for (const std::string_view line : split(chart, '\n')) {
    count += line.starts_with("    ▸") ? 1 : 0;
  }
  return count;
}

std::vector<BuiltDerivation> operator+(std::vector<BuiltDerivation> a,
                                       const std::vector<BuiltDerivation>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("a chart that is too large loses the shortest derivations first") {
  const std::vector<Timing> steps{{"build", 100}};
  CHECK(rows(gantt(steps, many(60, 0.5))) == 60);
  const std::string below_one = gantt(steps, many(60, 0.5) + many(10, 2.0));
  CHECK(rows(below_one) == 10);
  CHECK_THAT(below_one, Catch::Contains("leaves out 60 derivations"));
  CHECK(rows(gantt(steps, many(60, 0.5) + many(60, 2.0) + many(5, 6.0))) == 5);
  const std::string longest = gantt(steps, many(100, 6.0) + many(20, 7.0));
  CHECK(rows(longest) == 60);
  CHECK_THAT(longest, Catch::Contains("▸ 7.0-19"));
}

TEST_CASE("a chart keeps what failed, however short") {
  auto all = many(1, 0.1);
  all.front().failed = true;
  CHECK(rows(gantt({{"build", 9}}, all + many(300, 6.0))) == 60);
  CHECK_THAT(gantt({{"build", 9}}, all + many(300, 6.0)), Catch::Contains(":crit, 0, 100"));
}

TEST_CASE("a chart has fewer characters than mermaid takes") {
  CHECK(gantt(std::vector<Timing>(1000, {std::string(5000, 'x'), 1}), many(5000, 6.0)).size() <
        kMaxChartBytes + 200);
}

TEST_CASE("a derivation goes by its name") {
  CHECK(derivation_name(some_path("hello-1.0.drv")) == "hello-1.0");
  CHECK(derivation_name(some_path("hello-1.0")) == "hello-1.0");
  CHECK(derivation_name("hello") == "hello");
  CHECK(derivation_name("/nix/store/short.drv") == "/nix/store/short.drv");
}

}  // namespace seed::report
