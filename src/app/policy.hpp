#pragma once

#include <string>

#include "app/options.hpp"
#include "base/error.hpp"
#include "ci/host.hpp"

namespace seed::app {

enum class PushMode { automatic, always, never };
enum class Fallback { seedless, fail };

/// What a run may do, and what it does where there is no seed.
struct Policy {
  PushMode push = PushMode::automatic;
  Fallback fallback = Fallback::seedless;
  std::string untrusted;  ///< why the run must not push; empty: it may

  bool may_push() const { return untrusted.empty() && push != PushMode::never; }
};

/// `--push` and `--fallback`. On a person's machine, where no later job waits for an answer, `seed`
/// fails by default where it has no seed. Throws UsageError, also for a push that is asked for
/// where it must not be.
Policy policy_of(const Options& options, const ci::Facts& facts, Fallback without_ci);

/// What is there to be used, and what this run may do, as far as it is known.
struct Situation {
  enum class Rights { not_asked, granted, refused };
  bool fits = false;   ///< a seed that was made of these very inputs
  bool named = false;  ///< and it has this lock's tags
  bool older = false;  ///< another one under the lock's tag or its key
  Rights rights = Rights::not_asked;
};

enum class Verdict {
  reuse,      ///< as it is
  alias,      ///< give it this lock's tags
  ask,        ///< for the right to push, and decide again
  make,       ///< evaluate, pack and push
  use_older,  ///< it may lack something, which a build will say
  missing,    ///< no seed: an empty image, so that later jobs build without
  refused,    ///< to fail, since a push was asked for
};

/// The decision table of docs/ci.md.
Verdict decide(const Policy& policy, const Situation& situation);

/// Whether the registry can't be used at present, whoever asks.
bool is_down(const NetworkError& error);

/// Whether the registry said no to who we are.
bool is_denied(const NetworkError& error);

/// NS002: the refusal, with the way out.
NetworkError push_refused(const NetworkError& refusal, const ci::Facts& facts);

/// Why there is no seed and will be none; NS004 in an untrusted run.
std::string why_missing(const Policy& policy);

}  // namespace seed::app
