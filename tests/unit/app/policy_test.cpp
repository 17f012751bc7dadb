#include "app/policy.hpp"

#include "support/catch.hpp"

namespace seed::app {
namespace {

using Rights = Situation::Rights;

const std::vector<OptionSpec> kSpecs{{"push", "WHEN", ""}, {"fallback", "HOW", ""}};

Policy policy(const os::Environment& environment,
              const ci::Facts& facts = {.kind = ci::HostKind::github}) {
  return policy_of(Options::parse("seed", kSpecs, {}, environment), facts, Fallback::fail);
}

std::string failure_of(const os::Environment& environment, const ci::Facts& facts = {}) {
  try {
    policy(environment, facts);
  } catch (const UsageError& error) {
    return error.message() + " | " + error.hint();
  }
  return "no failure";
}

const Policy kTrusted;
const Policy kUntrusted{.untrusted = "the pull request is of the fork eve/app"};
const Policy kNever{.push = PushMode::never};
const Policy kAlways{.push = PushMode::always};

}  // namespace

TEST_CASE("a seed that fits is used, and gets the lock's tags from runs that may push") {
  CHECK(decide(kTrusted, {.fits = true, .named = true}) == Verdict::reuse);
  CHECK(decide(kUntrusted, {.fits = true, .named = true}) == Verdict::reuse);
  CHECK(decide(kTrusted, {.fits = true, .named = false}) == Verdict::alias);
  CHECK(decide(kAlways, {.fits = true, .named = false}) == Verdict::alias);
  CHECK(decide(kUntrusted, {.fits = true, .named = false}) == Verdict::reuse);
  CHECK(decide(kNever, {.fits = true, .named = false}) == Verdict::reuse);
}

TEST_CASE("without a fitting seed a run asks for the right to push before it makes one") {
  CHECK(decide(kTrusted, {}) == Verdict::ask);
  CHECK(decide(kTrusted, {.older = true}) == Verdict::ask);
  CHECK(decide(kTrusted, {.rights = Rights::granted}) == Verdict::make);
  CHECK(decide(kTrusted, {.older = true, .rights = Rights::granted}) == Verdict::make);
}

TEST_CASE("a refused push leaves what is there, unless a push was asked for") {
  CHECK(decide(kTrusted, {.rights = Rights::refused}) == Verdict::missing);
  CHECK(decide(kTrusted, {.older = true, .rights = Rights::refused}) == Verdict::use_older);
  CHECK(decide(kAlways, {.rights = Rights::refused}) == Verdict::refused);
  CHECK(decide(kAlways, {.older = true, .rights = Rights::refused}) == Verdict::refused);
}

TEST_CASE("an untrusted run never asks, makes or names, whatever it would be granted") {
  for (const bool fits : {false, true}) {
    for (const bool named : {false, true}) {
      for (const bool older : {false, true}) {
        for (const Rights rights : {Rights::not_asked, Rights::granted, Rights::refused}) {
          for (const Policy& policy : {kUntrusted, kNever}) {
            const Verdict verdict =
                decide(policy, {.fits = fits, .named = named, .older = older, .rights = rights});
            CHECK(verdict == (fits    ? Verdict::reuse
                              : older ? Verdict::use_older
                                      : Verdict::missing));
          }
        }
      }
    }
  }
}

TEST_CASE("push and fallback are words, and empty is not given") {
  CHECK(policy({}).push == PushMode::automatic);
  CHECK(policy({{"NIX_SEED_PUSH", ""}}).push == PushMode::automatic);
  CHECK(policy({{"NIX_SEED_PUSH", "auto"}}).push == PushMode::automatic);
  CHECK(policy({{"NIX_SEED_PUSH", "always"}}).push == PushMode::always);
  CHECK(policy({{"NIX_SEED_PUSH", "never"}}).push == PushMode::never);
  CHECK(failure_of({{"NIX_SEED_PUSH", "yes"}}) == "--push is 'yes' | say auto, always or never");
  CHECK(failure_of({{"NIX_SEED_FALLBACK", "x\n"}}) ==
        "--fallback is 'x\\x0a' | say seedless or fail");
}

TEST_CASE("in CI a run goes on without a seed, on a person's machine it fails, by default") {
  CHECK(policy({}).fallback == Fallback::seedless);
  CHECK(policy({}, {.kind = ci::HostKind::none}).fallback == Fallback::fail);
  CHECK(policy({{"NIX_SEED_FALLBACK", "fail"}}).fallback == Fallback::fail);
  CHECK(policy({{"NIX_SEED_FALLBACK", "seedless"}}, {.kind = ci::HostKind::none}).fallback ==
        Fallback::seedless);
}

TEST_CASE("a push that is asked for in an untrusted run is refused before any work") {
  CHECK(failure_of({{"NIX_SEED_PUSH", "always"}},
                   {.kind = ci::HostKind::github, .untrusted = "it is of a fork"})
            .starts_with("--push always, but this run must not push: it is of a fork (NS004) | "));
}

TEST_CASE("a registry is down for everybody, or says no to us") {
  for (const int status : {0, 408, 429, 500, 503}) {
    CHECK(is_down(NetworkError("x", "", status)));
    CHECK_FALSE(is_denied(NetworkError("x", "", status)));
  }
  for (const int status : {401, 403}) {
    CHECK(is_denied(NetworkError("x", "", status)));
    CHECK_FALSE(is_down(NetworkError("x", "", status)));
  }
  CHECK_FALSE(is_down(NetworkError("x", "", 404)));
}

TEST_CASE(
    "a refused push says on GitHub which permission is missing, elsewhere what the registry "
    "said") {
  const NetworkError refusal("ghcr.io answers 403", "docker login", 403);
  const NetworkError told =
      push_refused(refusal, {.kind = ci::HostKind::github, .repository = "Acme/App"});
  CHECK(told.message() == "the registry refuses a push: ghcr.io answers 403 (NS002)");
  CHECK(told.hint() ==
        "add 'permissions: packages: write' to the job; if the package exists, add Acme/App in its "
        "settings under Manage Actions access, with the role Write");
  CHECK(push_refused(refusal, {}).hint() == "docker login");
  CHECK(told.code() == ExitCode::network);
}

}  // namespace seed::app
