#include <array>

#include <fmt/core.h>

#include "app/attest.hpp"
#include "app/borrowed_nix.hpp"
#include "app/changed_inputs.hpp"
#include "app/commands.hpp"
#include "app/disk_space.hpp"
#include "app/gate.hpp"
#include "app/github_keeping.hpp"
#include "app/make_seed.hpp"
#include "app/outputs.hpp"
#include "app/policy.hpp"
#include "app/publish_report.hpp"
#include "app/registry.hpp"
#include "app/seed_lookup.hpp"
#include "app/seed_self_step.hpp"
#include "app/seeding.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "report/record.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array kOptions{
    OptionSpec{"registry", "REF", "repository for seeds: HOST/NAME or oci:PATH"},
    OptionSpec{"system", "SYSTEM", "Nix system of the seed; default: this machine's"},
    OptionSpec{"previous", "REF", "tag or digest of the seed to plan layers against"},
    OptionSpec{"compression", "ALGORITHM", "zstd (default) or gzip"},
    OptionSpec{"layers", "N", "at most N layers for store paths; default 96"},
    OptionSpec{"workers", "N", "threads that pack; default: the CPUs, at most 8"},
    OptionSpec{"runtime", "FILE", "static nix-seed to put into the image; default: this program"},
    OptionSpec{"push", "WHEN", "auto (default), always, or never; an untrusted run never pushes"},
    OptionSpec{"fallback", "HOW", "with no seed: seedless (default in CI), or fail"},
    OptionSpec{"refresh", "", "evaluate even where a seed for the same inputs is there"},
    OptionSpec{"unchecked", "", "push without the proof that the seed is closed"},
    OptionSpec{"seed-self", "MODE", "record the seed in git: off (default), ref, commit or pr"},
    kVerifyOption,
    kSeedPolicyOption,
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"summary", "FILE", "append a Markdown summary; default: the CI host's; false: none"},
    OptionSpec{"provenance", "FILE", "write the provenance statement here as well"},
    kSignOption,
    kSigningKeyOption,
    kSignerOption,
    kRekorOption,
    kTrustedRootOption,
    kSigningConfigOption,
    kGithubAttestationsOption,
    OptionSpec{"json", "", "print the result as JSON"},
};

report::SeedRecord use(SeedJob& job, const KnownSeed& known, report::SeedStatus status) {
  report::SeedRecord record = record_of(job, status);
  record.index = known.index;
  record.manifest = known.seed.manifest.digest;
  record.closure = known.seed.config.closure;
  for (const oci::Descriptor& layer : known.seed.parsed.layers) {
    job.reused_bytes += layer.size_bytes;
  }
  return record;
}

/// A seed that is there is used only as a build would use it: later jobs start containers from it.
void check_known(const SeedJob& job, const KnownSeed& known) {
  pass_gate(job.world,
            job.options,
            job.gate,
            job.repository(),
            known.seed.manifest.digest,
            expected_of(job.project, job.system, known.seed.config.closure, false));
}

/// Gives a seed the lock's tags; where the registry lets us not, it is used by its digest.
report::SeedRecord alias(SeedJob& job, KnownSeed known) {
  try {
    known.index = add_tags(job.repository(), known, job.project, job.system);
  } catch (const NetworkError& error) {
    if (!is_denied(error) || job.policy.push == PushMode::always) {
      throw;
    }
    tell(job.world,
         ci::Level::notice,
         "the seed is used by its digest, and the lock's tag is not written: " + error.message());
    return use(job, known, report::SeedStatus::reused);
  }
  return use(job, known, report::SeedStatus::aliased);
}

/// What `find` finds; nothing where the registry says that it is not for us to see.
template <class Find>
auto readable(const SeedJob& job, Find&& find) -> decltype(find()) {
  try {
    return while_doing("looking for a seed in " + job.repository().name(), find);
  } catch (const NetworkError& error) {
    if (!is_denied(error)) {
      throw;
    }
    job.world.progress.notice(error.message());
    return std::nullopt;
  }
}

/// Compares what is free with what the seed before took, where there was one.
void check_space(const SeedJob& job) {
  const World& world = job.world;
  const fs::path cache = usable_cache(world.environment);
  const fs::path store(nix::kStoreDir);
  for (const fs::path& folder : {cache, store}) {
    if (const auto free = free_below(folder)) {
      world.progress.step(fmt::format("free below {}: {}", folder.string(), human_size(*free)));
    }
  }
  if (!job.previous) {
    return;
  }
  if (const auto warning = shortage("the inputs take",
                                    missing_from_store(job.previous->config.plan, store),
                                    store,
                                    free_below(store),
                                    "free some, or Nix will stop in the middle")) {
    tell(world, ci::Level::warning, *warning);
  }
}

/// What long work needs, asked for before it: the refusal of a push, where there is one.
std::optional<NetworkError> preflight(SeedJob& job, nix::Nix& nix) {
  const World& world = job.world;
  std::optional<NetworkError> refusal;
  const auto ask = [&] {
    world.progress.step("Nix: " + nix.version().text);
    try {
      job.repository().check_push();
      world.progress.step(fmt::format("push to {}: granted", job.repository().name()));
    } catch (const NetworkError& error) {
      if (is_down(error)) {
        throw;
      }
      refusal = push_refused(error, facts_of(world));
      world.progress.step(fmt::format("push to {}: refused", job.repository().name()));
      return;
    }
    job.previous = find_previous(job.repository(), job.options, job.project, job.system);
    check_space(job);
    world.progress.step("signing: " + who_signs(world, job.signing));
  };
  const auto group = world.ci == nullptr ? nullptr : world.ci->open_group("Preflight", world.clock);
  ask();
  return refusal;
}

/// A later job starts with an empty image then, and builds without a seed.
report::SeedRecord missing(const SeedJob& job, const std::optional<NetworkError>& refusal) {
  if (job.policy.fallback == Fallback::fail) {
    if (refusal) {
      throw NetworkError(*refusal);
    }
    throw UsageError(why_missing(job.policy), "let a trusted run make the seed first");
  }
  report::SeedRecord record = record_of(job, report::SeedStatus::missing);
  record.reason = refusal ? fmt::format("{}; {}", refusal->message(), refusal->hint())
                          : why_missing(job.policy);
  tell(job.world, refusal ? ci::Level::warning : ci::Level::notice, record.reason);
  return record;
}

report::SeedRecord use_older(SeedJob& job, const KnownSeed& known) {
  report::SeedRecord record = use(job, known, report::SeedStatus::stale);
  record.reason =
      "the seed was made of other inputs than these files describe, and this run may not make "
      "another; 'nix-seed build' says whether it lacks anything (NS009)";
  record.changed = changed_inputs(job.repository(), known.seed.manifest.digest, job.project.lock);
  tell(job.world, ci::Level::notice, record.reason);
  return record;
}

report::SeedRecord seed(SeedJob& job) {
  nix::Nix nix(job.world.runner, job.world.progress, "nix");
  const Workspace workspace(usable_cache(job.world.environment));
  const nix::FlakeMetadata metadata = nix.flake_metadata(job.project.flake);
  const std::string fingerprint =
      fingerprint_of(metadata.source.to_string(), job.project, job.system, job.options);
  oci::Repository& repository = job.repository();
  std::optional<KnownSeed> known;
  if (!job.options.flag("refresh") || !job.policy.may_push()) {
    known = readable(
        job, [&] { return find_fitting(repository, job.project, job.system, fingerprint); });
  }
  Situation situation{.fits = known.has_value(), .named = known && known->named};
  std::optional<NetworkError> refusal;
  Verdict verdict = decide(job.policy, situation);
  if (verdict == Verdict::ask) {
    refusal = preflight(job, nix);
    situation.rights = refusal ? Situation::Rights::refused : Situation::Rights::granted;
    verdict = decide(job.policy, situation);
  }
  if (verdict == Verdict::missing) {
    known = readable(job, [&] { return find_older(repository, job.project, job.system); });
    situation.older = known.has_value();
    verdict = decide(job.policy, situation);
  }
  switch (verdict) {
    case Verdict::reuse:
      check_known(job, *known);
      return use(job, *known, report::SeedStatus::reused);
    case Verdict::alias:
      check_known(job, *known);
      return alias(job, *known);
    case Verdict::use_older:
      check_known(job, *known);
      return use_older(job, *known);
    case Verdict::refused:
      throw NetworkError(*refusal);
    case Verdict::ask:
    case Verdict::make:
      return make_seed(job, nix, fingerprint, workspace.path());
    case Verdict::missing:
      break;
  }
  return missing(job, refusal);
}

/// NS011: the tag that users write as hashFiles('flake.lock') must be ours.
void check_lock_hash(const World& world, const Project& project) {
  const auto given = os::get(world.environment, "NIX_SEED_LOCK_HASH");
  if (given && *given != project.tag) {
    tell(world,
         ci::Level::warning,
         fmt::format("hashFiles gave {} for flake.lock, and here it is {} (NS011): the file has "
                     "other line ends here (put 'flake.lock -text' into .gitattributes), is a "
                     "link, or is not at the root of the workspace",
                     printable(*given),
                     project.tag));
  }
}

std::vector<ci::Link> links_of(const ci::Facts& facts, const report::SeedRecord& record) {
  if (facts.kind != ci::HostKind::gitlab || facts.repository_url.empty() || !record.index) {
    return {};
  }
  return {{"nix-seed: " + std::string(report::to_string(record.status)),
           facts.repository_url + "/container_registry"}};
}

void finish(SeedJob& job, report::SeedRecord& record) {
  using report::SeedStatus;
  job.stopwatch.stop();
  complete(record, job.world.journal);
  record.run = context_of(job.world, source_of(job.project));
  job.world.progress.output(report::to_text(record));
  LayerBytes bytes = bytes_of_layers(record.layers);
  bytes.reused += job.reused_bytes;
  const bool made = record.status == SeedStatus::built || record.status == SeedStatus::refreshed;
  publish(job.world,
          {.outputs = outputs_of(record, bytes),
           .summary = report::to_markdown(record),
           .checks = checks_of(report::test_cases(record)),
           .links = links_of(facts_of(job.world), record),
           .artifact = made ? record.image() : ""});
  print_result(job.world,
               job.options.flag("json") ? report::to_json(record) + "\n" : record.image() + "\n");
}

int seed_with_nix(const World& world, const Options& options) {
  SeedJob job{.world = world,
              .options = options,
              .policy = policy_of(options, facts_of(world), Fallback::fail),
              .started = world.clock.now()};
  if (job.policy.may_push()) {
    job.signing = prepare_signing(world, options, {});
    github_keeper(world, options);  // so that what it lacks is said before any work
  }
  job.stopwatch.start("look for a seed");
  job.project = find_project(world, options.positional());
  job.gate = gate_of(world, options, job.project);
  job.system = options.get("system").value_or(machine_system());
  world.journal.flake = job.project.flake;
  world.journal.system = job.system;
  expect_outputs(world, outputs_of(record_of(job, report::SeedStatus::missing), {}));
  check_options(world, options, job.system);
  check_lock_hash(world, job.project);
  const SeedSelfStep seed_self = prepare_seed_self(world, options, job.policy, job.project);
  job.open = open_repository(world, options, registry_for(world, options, job.project));
  report::SeedRecord record = record_of(job, report::SeedStatus::missing);
  try {
    record = seed(job);
  } catch (const NetworkError& error) {
    if (job.policy.fallback == Fallback::fail || !is_down(error)) {
      throw;
    }
    record.reason = fmt::format("the registry can't be used: {}", error.message());
    tell(world, ci::Level::warning, record.reason + "; later jobs build without a seed");
  }
  take_seed_self_step(world, seed_self, job.project, job.repository(), record);
  finish(job, record);
  return 0;
}

int run_seed(const World& world, const Options& options) {
  if (os::find_program(world.environment, "nix")) {
    return seed_with_nix(world, options);
  }
  const BorrowedNix nix(world, options);
  return seed_with_nix(nix.world(), options);
}

}  // namespace

const Command kSeedCommand{
    "seed",
    "[FLAKE[#ATTR]...]",
    "pack the flake's build inputs and push them",
    "Reuses, aliases, refreshes or builds the seed for a flake: everything its own derivations "
    "need,\n"
    "with Nix itself, as an OCI image under the tag of flake.lock. Without an attribute the seed\n"
    "serves every package, check, app and dev shell. Prints the image by digest.",
    kOptions,
    run_seed,
    "nix-seed seed --registry ghcr.io/acme/app-seed",
    true};

}  // namespace seed::app
