#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "report/chart.hpp"
#include "report/parts.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kMaxCases = 1000;

std::vector<TestCase> cases_of(const std::vector<BuiltDerivation>& derivations) {
  std::vector<TestCase> cases;
  for (std::size_t i = 0; i < std::min(derivations.size(), kMaxCases); ++i) {
    cases.push_back({.name = derivation_name(derivations[i].path),
                     .seconds = derivations[i].seconds,
                     .failure = derivations[i].failed ? "its builder failed" : ""});
  }
  return cases;
}

std::string log_of(const FailedDerivation& derivation) {
  constexpr std::size_t kShownLines = 100;
  const auto skipped = derivation.log.size() - std::min(derivation.log.size(), kShownLines);
  const auto first = derivation.log.begin() + static_cast<std::ptrdiff_t>(skipped);
  return fmt::format("{}\n{}",
                     derivation.why.empty() ? "its builder failed" : derivation.why,
                     fmt::join(first, derivation.log.end(), "\n"));
}

}  // namespace

std::vector<TestCase> test_cases(const SeedRecord& record) {
  std::vector<TestCase> cases = cases_of(record.derivations);
  cases.push_back({.name = "seed " + record.system, .seconds = seconds_of(record.timings)});
  return cases;
}

std::vector<TestCase> test_cases(const BuildRecord& record) {
  std::vector<TestCase> cases = cases_of(record.derivations);
  for (const BuildResult& result : record.results) {
    cases.push_back({.name = result.attribute + "^" + result.output});
  }
  return cases;
}

std::vector<TestCase> test_cases(const Failure& failure) {
  std::vector<TestCase> cases = cases_of(failure.derivations);
  for (const FailedDerivation& derivation : failure.failed) {
    const std::string name = derivation_name(derivation.path);
    const auto known = std::ranges::find(cases, name, &TestCase::name);
    if (known != cases.end()) {
      known->failure = log_of(derivation);
    } else {
      cases.push_back({.name = name, .failure = log_of(derivation)});
    }
  }
  if (failure.failed.empty()) {
    cases.push_back({.name = failure.command,
                     .seconds = seconds_of(failure.timings),
                     .failure = failure.hint.empty()
                                    ? failure.message
                                    : fmt::format("{}\n{}", failure.message, failure.hint)});
  }
  return cases;
}

}  // namespace seed::report
