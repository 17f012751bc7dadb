#include "app/policy.hpp"

#include <fmt/core.h>

#include "base/text.hpp"

namespace seed::app {
namespace {

PushMode push_of(const Options& options) {
  const std::string word = options.get("push").value_or("auto");
  if (word == "auto") {
    return PushMode::automatic;
  }
  if (word == "always") {
    return PushMode::always;
  }
  if (word == "never") {
    return PushMode::never;
  }
  throw UsageError(fmt::format("--push is '{}'", printable(word)), "say auto, always or never");
}

Fallback fallback_of(const Options& options, Fallback otherwise) {
  const auto word = options.get("fallback");
  if (!word) {
    return otherwise;
  }
  if (*word == "seedless") {
    return Fallback::seedless;
  }
  if (*word == "fail") {
    return Fallback::fail;
  }
  throw UsageError(fmt::format("--fallback is '{}'", printable(*word)), "say seedless or fail");
}

}  // namespace

Policy policy_of(const Options& options, const ci::Facts& facts, Fallback without_ci) {
  Policy policy{.push = push_of(options),
                .fallback = fallback_of(
                    options, facts.kind == ci::HostKind::none ? without_ci : Fallback::seedless),
                .untrusted = facts.untrusted};
  if (policy.push == PushMode::always && !policy.untrusted.empty()) {
    throw UsageError(
        fmt::format("--push always, but this run must not push: {} (NS004)", policy.untrusted),
        "leave --push out: an untrusted run reads seeds, and runs of trusted branches make them");
  }
  return policy;
}

Verdict decide(const Policy& policy, const Situation& situation) {
  if (situation.fits) {
    return !situation.named && policy.may_push() ? Verdict::alias : Verdict::reuse;
  }
  if (policy.may_push()) {
    switch (situation.rights) {
      case Situation::Rights::not_asked:
        return Verdict::ask;
      case Situation::Rights::granted:
        return Verdict::make;
      case Situation::Rights::refused:
        if (policy.push == PushMode::always) {
          return Verdict::refused;
        }
        break;
    }
  }
  return situation.older ? Verdict::use_older : Verdict::missing;
}

bool is_down(const NetworkError& error) {
  return error.status() == 0 || error.status() == 408 || error.status() == 429 ||
         error.status() >= 500;
}

bool is_denied(const NetworkError& error) {
  return error.status() == 401 || error.status() == 403;
}

NetworkError push_refused(const NetworkError& refusal, const ci::Facts& facts) {
  std::string hint = refusal.hint();
  if (facts.kind == ci::HostKind::github) {
    hint = fmt::format(
        "add 'permissions: packages: write' to the job; if the package exists, add "
        "{} in its settings under Manage Actions access, with the role Write",
        facts.repository);
  }
  return NetworkError(fmt::format("the registry refuses a push: {} (NS002)", refusal.message()),
                      hint,
                      refusal.status());
}

std::string why_missing(const Policy& policy) {
  if (!policy.untrusted.empty()) {
    return fmt::format(
        "there is no seed for this flake.lock, and this run must not make one, since "
        "{} (NS004); a run of a trusted branch will",
        policy.untrusted);
  }
  return "there is no seed for this flake.lock, and --push never keeps this run from making one";
}

}  // namespace seed::app
