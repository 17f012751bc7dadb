#include "app/gate.hpp"

#include <fmt/core.h>

#include "app/attest.hpp"
#include "app/ci_run.hpp"
#include "app/publish_report.hpp"
#include "app/quorum_policy.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/store_db.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// A line of 150 bytes for each of some hundred thousand paths.
constexpr std::uint64_t kMaxClosureBytes = 64 << 20;
constexpr const char* kNameThem =
    "name whom to believe with --policy FILE (docs/verify.md), or say --verify off";

VerifyMode mode_of(const Options& options) {
  const std::string word = options.get("verify").value_or("auto");
  if (word == "auto" || word.empty()) {
    return VerifyMode::automatic;
  }
  if (word == "require") {
    return VerifyMode::require;
  }
  if (word == "off") {
    return VerifyMode::off;
  }
  throw UsageError(fmt::format("--verify is '{}'", printable(word)), "say auto, require or off");
}

/// The repository's number, which a rename or a new owner of its name does not change.
std::string repository_id(const World& world, ci::HostKind kind) {
  const char* variable = kind == ci::HostKind::github   ? "GITHUB_REPOSITORY_ID"
                         : kind == ci::HostKind::gitlab ? "CI_PROJECT_ID"
                                                        : nullptr;
  return variable == nullptr ? "" : os::get(world.environment, variable).value_or("");
}

std::string believed(const Gate& gate) {
  return fmt::format("this run believes {}", gate.origin);
}

/// A directory of this machine: what is in it was made here or brought here by its user.
bool is_local(const oci::Repository& repository) {
  return repository.name().starts_with("oci:");
}

bool asks_for_quorum(const Gate& gate) {
  return gate.policy && std::holds_alternative<trust::QuorumPolicy>(*gate.policy);
}

/// Whether a seed that nothing proves is refused: who asks for a quorum does not mean none.
bool must_prove(const Gate& gate) {
  return gate.mode == VerifyMode::require || asks_for_quorum(gate);
}

/// What a search for proof came to, in words.
struct Outcome {
  trust::Standing standing;
  std::string proof;     ///< who vouches for it
  std::string refusals;  ///< a line for each
};

Outcome outcome_of(const trust::Discovery& discovery,
                   const sigstore::TrustedRoot& root,
                   const Digest& manifest,
                   const trust::Policy& policy,
                   const trust::Expected& expected) {
  const trust::Weighing weighing = trust::weigh(discovery, root, manifest, policy, expected);
  const trust::Accepted* proof = weighing.proof();
  return {.standing = weighing.standing,
          .proof = proof == nullptr ? "" : "made by " + trust::describe(*proof),
          .refusals = trust::refusals_of(weighing, discovery)};
}

Outcome outcome_of(const trust::Discovery& discovery,
                   const sigstore::TrustedRoot& root,
                   const Digest& manifest,
                   const trust::QuorumPolicy& policy,
                   const trust::Expected& expected) {
  const trust::QuorumVerdict verdict = trust::weigh(discovery, root, manifest, policy, expected);
  const trust::Tally& tally = trust::tally_of(verdict.decision);
  std::string count = trust::describe(tally, policy);
  return {.standing = verdict.standing,
          .proof = count,
          .refusals = "\n  " + count + trust::refusals_of(tally)};
}

std::string nothing_proves(const Gate& gate, const trust::Discovery& discovery) {
  std::string places;
  for (const trust::Looked& place : discovery.looked) {
    places += fmt::format("{}{} ({})", places.empty() ? "" : ", ", place.where, place.how);
  }
  return fmt::format("nothing proves who made the seed: {} has no attestation of a seed; {}",
                     places,
                     believed(gate));
}

}  // namespace

Gate gate_of(const World& world, const Options& options, const Project& project) {
  Gate gate{.mode = mode_of(options), .policy = std::nullopt, .origin = {}};
  if (gate.mode == VerifyMode::off) {
    return gate;
  }
  if (const auto file = options.get("policy")) {
    const bool of_flake = *file == kFlakePolicy;
    gate.policy = of_flake ? quorum_policy_of(world, project) : read_policy(world, *file);
    gate.origin =
        of_flake ? "the builders of the flake's seedCfg" : "whom " + printable(*file) + " names";
    return gate;
  }
  const ci::Facts& facts = facts_of(world);
  const std::string source =
      facts.repository_url.empty() ? source_of(project) : facts.repository_url;
  if (auto identity = trust::identity_of_source(source, repository_id(world, facts.kind))) {
    trust::Policy policy;
    policy.identities.push_back(*std::move(identity));
    policy.build_types = {std::string(trust::kSeedBuildType)};
    gate.policy = std::move(policy);
    gate.origin = "the CI of " + printable(source);
    return gate;
  }
  gate.origin = source.empty() ? "the checkout has no remote repository"
                               : printable(source) + " is at neither github.com nor gitlab.com";
  if (gate.mode == VerifyMode::require) {
    throw UsageError(
        fmt::format("--verify require, and nobody is known to be believed: {}", gate.origin),
        kNameThem);
  }
  return gate;
}

trust::Expected expected_of(const Project& project,
                            const std::string& system,
                            const Digest& closure,
                            bool named) {
  trust::Expected expected{.lock = std::nullopt, .key = {}, .closure = closure, .system = system};
  if (!named) {
    expected.lock = Digest::of(project.lock_text);
    expected.key = project.key;
  }
  return expected;
}

std::string pass_gate(const World& world,
                      const Options& options,
                      const Gate& gate,
                      oci::Repository& repository,
                      const Digest& manifest,
                      const trust::Expected& expected) {
  if (gate.mode == VerifyMode::off) {
    return {};
  }
  if (!gate.policy) {
    if (!is_local(repository)) {
      world.progress.notice(
          fmt::format("the seed is not verified: {}, so nobody is known to be believed; {}",
                      gate.origin,
                      kNameThem));
    }
    return {};
  }
  trust::Discovery discovery;
  trust::look_in(repository, manifest, discovery);
  // Whom to believe may be asked of the network: not for a seed that nobody has signed.
  const sigstore::TrustedRoot root =
      discovery.candidates.empty() ? sigstore::TrustedRoot{} : trusted_root_for(world, options);
  const Outcome outcome = std::visit(
      [&](const auto& policy) { return outcome_of(discovery, root, manifest, policy, expected); },
      *gate.policy);
  const std::string image = fmt::format("{}@{}", repository.name(), manifest.to_string());
  switch (outcome.standing) {
    case trust::Standing::proven:
      world.progress.step("the seed is verified: " + outcome.proof);
      return outcome.proof;
    case trust::Standing::refused:
      throw Error(
          fmt::format("the seed is refused: {}; {}{}",
                      asks_for_quorum(gate) ? fmt::format("no quorum of builders attests {}", image)
                                            : fmt::format("no attestation of {} holds", image),
                      believed(gate),
                      outcome.refusals),
          "'nix-seed verify IMAGE --explain' shows each check; make the seed anew with "
          "'nix-seed seed --refresh', or name others with --policy",
          ExitCode::refused);
    case trust::Standing::unknown:
      throw NetworkError(
          fmt::format("whether {} is attested can't be told:\n{}", image, to_text(discovery)),
          "try again later; --verify off does without");
    case trust::Standing::unattested:
      break;
  }
  const std::string why = nothing_proves(gate, discovery);
  if (must_prove(gate)) {
    throw Error(fmt::format("the seed {} is refused: {}", image, why),
                asks_for_quorum(gate)
                    ? "let the builders attest it (docs/quorum.md), or say --verify off"
                    : "sign seeds where they are made (docs/verify.md), or say --verify auto",
                ExitCode::refused);
  }
  if (!is_local(repository)) {
    world.progress.notice(why + "; --verify require refuses such a seed");
  }
  return {};
}

namespace {

/// The state folder of Nix below a root. SQLite resolves links by their text, and what the text of
/// /proc/self/fd/N names is not there for this process where the root is another namespace's: then
/// it is a copy.
class NixState {
 public:
  explicit NixState(const fs::path& root) : folder_(root / "nix/var/nix") {
    if (!root.string().starts_with("/proc/self/fd/")) {
      return;
    }
    copy_.emplace();
    const fs::path database = copy_->path() / "db";
    os::make_dirs(database);
    for (const char* name : {"db.sqlite", "schema"}) {
      fs::copy_file(folder_ / "db" / name, database / name);
    }
    folder_ = copy_->path();
  }

  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
  std::optional<os::TempDir> copy_;
};

}  // namespace

Digest check_closure(const fs::path& root, const std::optional<Digest>& expected) {
  return while_doing("checking the closure of the seed", [&] {
    const std::string list = os::read_file(root / "etc/nix-seed/closure", kMaxClosureBytes);
    const Digest listed = Digest::of(list);
    if (expected && listed != *expected) {
      throw IntegrityError(fmt::format("the image lists the closure {}, and its config names {}",
                                       listed.to_string(),
                                       expected->to_string()));
    }
    const NixState state(root);
    const auto database = nix::open_store_database(state.folder());
    std::vector<nix::StorePath> names;
    for (const std::string_view line : split(list, '\n')) {
      if (!line.empty()) {
        names.push_back(nix::StorePath::parse(line.substr(line.rfind(' ') + 1)));
      }
    }
    std::vector<nix::PathInfo> paths;
    for (auto& info : database->query(names)) {
      if (!info) {
        throw IntegrityError(fmt::format("the image lists {}, and its store lacks it",
                                         names[paths.size()].to_string()));
      }
      paths.push_back(*std::move(info));
    }
    const Digest stored = nix::make_closure(std::move(paths)).digest();
    if (stored != listed) {
      throw IntegrityError(fmt::format("the image lists the closure {}, and its store has {}",
                                       listed.to_string(),
                                       stored.to_string()));
    }
    return listed;
  });
}

namespace {

/// The seed that a container's job names as its image; nothing where it names none by digest.
struct NamedSeed {
  OpenRepository open;
  image::FoundSeed seed;
};

std::optional<NamedSeed> named_seed(const World& world,
                                    const Options& options,
                                    const std::string& system) {
  const auto image = options.get("image");
  if (!image || !oci::Reference::parse(*image).digest()) {
    return std::nullopt;
  }
  OpenRepository open = open_repository(world, options, *image);
  auto seed = image::find_seed(*open.repository, *open.reference.digest(), system);
  if (!seed) {
    return std::nullopt;
  }
  return NamedSeed{std::move(open), *std::move(seed)};
}

std::string check_inside(const World& world,
                         const Options& options,
                         const Gate& gate,
                         const std::string& system,
                         const fs::path& root) {
  const Digest closure = check_closure(root, std::nullopt);
  world.progress.step("in the seed's container: its list and its store agree on the closure " +
                      closure.to_string());
  const auto named = named_seed(world, options, system);
  if (!named) {
    if (must_prove(gate)) {
      throw UsageError(
          fmt::format("{} in a container, which can't tell which image it was started from",
                      asks_for_quorum(gate) ? "a quorum is asked for" : "--verify require"),
          "name it by digest: --image, or NIX_SEED_IMAGE from the seed job's output");
    }
    world.progress.step(
        "who made the image was for the seed job to check; --image NAME@DIGEST has it checked "
        "here");
    return {};
  }
  if (named->seed.config.closure != closure) {
    throw IntegrityError(fmt::format("this container has the closure {}, and {} the closure {}",
                                     closure.to_string(),
                                     named->open.reference.to_string(),
                                     named->seed.config.closure.to_string()),
                         "start the job's container from the image that the seed job names");
  }
  std::string who =
      pass_gate(world,
                options,
                gate,
                *named->open.repository,
                named->seed.manifest.digest,
                {.lock = std::nullopt, .key = {}, .closure = closure, .system = system});
  world.progress.step(
      "the container has the closure of that image; that it has its other files is the word of the "
      "runtime that started it");
  return who;
}

}  // namespace

std::string pass_gate_inside(const World& world,
                             const Options& options,
                             const Gate& gate,
                             const std::string& system,
                             const fs::path& root) {
  if (gate.mode == VerifyMode::off) {
    return {};
  }
  try {
    return check_inside(world, options, gate, system, root);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    // The seed job has verified the image by its digest. What contradicts that ends the run; that
    // something can't be looked at from here does not, unless it has to be.
    if (must_prove(gate) || error.code() == ExitCode::refused) {
      throw;
    }
    world.progress.notice(
        fmt::format("the seed can't be checked from inside its container: {}", error.message()));
  }
  return {};
}

}  // namespace seed::app
