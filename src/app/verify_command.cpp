#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/core.h>

#include "app/commands.hpp"
#include "app/gate.hpp"
#include "app/github_keeping.hpp"
#include "app/project.hpp"
#include "app/quorum_policy.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "report/decided.hpp"
#include "report/verdict.hpp"
#include "sigstore/limits.hpp"
#include "trust/promotion.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array kOptions{
    OptionSpec{"policy", "FILE", "whom to believe, and of what (docs/verify.md), or 'flake'"},
    OptionSpec{"source-repository", "URL", "believe the CI of this repository, instead"},
    OptionSpec{"source-ref", "REF", "and only of this branch or tag: refs/heads/main"},
    OptionSpec{"certificate-identity", "NAME", "believe this one name, whole"},
    OptionSpec{"certificate-oidc-issuer", "URL", "and who vouches for it"},
    OptionSpec{"key", "FILE", "believe this public key"},
    OptionSpec{"predicate-type", "URI", "what has to be stated; default: SLSA provenance v1"},
    OptionSpec{"lock", "FILE", "the flake.lock that a seed has to be of"},
    OptionSpec{"bundle", "FILE", "the proof: a bundle or JSON Lines of them; no registry is asked"},
    OptionSpec{"attestation-repository", "REF", "look for proof in this repository too"},
    OptionSpec{"github-attestations", "OWNER/NAME", "and in what GitHub keeps for this one"},
    kTrustedRootOption,
    OptionSpec{"system", "SYSTEM", "Nix system of a seed; default: this machine's"},
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"explain", "", "print where it looked, and each check with its evidence"},
    OptionSpec{"json", "", "print the result as JSON"},
};

/// What is to be verified.
struct Artifact {
  std::string name;
  Digest digest;
  trust::Expected expected;
  OpenRepository open;  ///< empty where no registry is asked
};

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

sigstore::Identity identity_from(const Options& options) {
  sigstore::Identity identity;
  const auto source = options.get("source-repository");
  if (source) {
    if (auto known = trust::identity_of_source(*source, "")) {
      identity = *std::move(known);
    }
    identity.source_repository_uri = source;
  }
  if (const auto issuer = options.get("certificate-oidc-issuer")) {
    identity.issuer = *issuer;
  }
  if (identity.issuer.empty()) {
    throw UsageError("verify: nobody is said to vouch for the signer",
                     "give --certificate-oidc-issuer; github.com and gitlab.com have one each, "
                     "https://token.actions.githubusercontent.com and https://gitlab.com");
  }
  identity.subject = options.get("certificate-identity");
  identity.source_ref = options.get("source-ref");
  sigstore::check_identity(identity);
  return identity;
}

trust::AnyPolicy policy_from(const World& world, const Options& options) {
  constexpr std::array kFlags{"source-repository",
                              "source-ref",
                              "certificate-identity",
                              "certificate-oidc-issuer",
                              "key",
                              "predicate-type"};
  const auto given = [&](const char* name) { return options.get(name).has_value(); };
  if (const auto file = options.get("policy")) {
    if (std::ranges::any_of(kFlags, given)) {
      throw UsageError("verify: --policy and a flag that says the same are both there",
                       "give one of them");
    }
    if (*file == kFlakePolicy) {
      return quorum_policy_of(world, find_project(world, {}));
    }
    return read_policy(world, *file);
  }
  trust::Policy policy;
  if (const auto type = options.get("predicate-type")) {
    policy.predicate_types = {*type};
  }
  if (const auto key = options.get("key")) {
    policy.keys.push_back(while_doing("reading --key " + printable(*key), [&] {
      return sigstore::PublicKey::parse_pem(
          os::read_file(world.directory / *key, sigstore::kMaxKeyBytes));
    }));
    policy.logs = 0;  // who has a key decides whether to log
    policy.times = 0;
  }
  if (std::ranges::any_of(std::span(kFlags).first(4), given)) {
    policy.identities.push_back(identity_from(options));
    policy.logs = 1;
    policy.times = 1;
  }
  if (policy.identities.empty() && policy.keys.empty()) {
    throw UsageError("verify: nobody is named to be believed",
                     "give --policy FILE, or --source-repository URL, or --certificate-identity "
                     "with --certificate-oidc-issuer, or --key FILE");
  }
  return policy;
}

Digest digest_of_file(const fs::path& path) {
  Sha256 hash;
  os::File file = os::File::open_read(path);
  std::vector<std::byte> buffer(1 << 20);
  for (std::size_t size = file.read(buffer); size != 0; size = file.read(buffer)) {
    hash.update(ByteView(buffer).first(size));
  }
  return hash.finish();
}

/// A file, a digest, or an image; of an index that is a seed's, the manifest of one system.
Artifact find_artifact(const World& world, const Options& options, const std::string& name) {
  const fs::path file = world.directory / name;
  std::error_code code;
  if (fs::is_regular_file(file, code)) {
    return {.name = name, .digest = digest_of_file(file)};
  }
  if (name.starts_with("sha256:")) {
    return {.name = name, .digest = Digest::parse(name)};
  }
  const oci::Reference reference = oci::Reference::parse(name);
  if (reference.digest() && options.get("bundle")) {
    return {.name = name, .digest = *reference.digest()};
  }
  OpenRepository open = open_repository(world, options, name);
  const oci::Target target = reference.digest() ? oci::Target(*reference.digest())
                                                : oci::Target(reference.tag().value_or("latest"));
  return while_doing("reading " + reference.to_string(), [&]() -> Artifact {
    const auto manifest = open.repository->head_manifest(target);
    if (!manifest) {
      throw UsageError(fmt::format("{} is not there", reference.to_string()),
                       "check the name and the tag");
    }
    Artifact artifact{.name = name, .digest = manifest->digest, .expected = {}, .open = {}};
    const std::string system = options.get("system").value_or(machine_system());
    std::optional<image::FoundSeed> seed;
    try {
      seed = image::find_seed(*open.repository, target, system);
    } catch (const FormatError&) {
      seed.reset();  // an image that is no seed
    }
    if (seed) {
      artifact.digest = seed->manifest.digest;
      artifact.expected.closure = seed->config.closure;
      artifact.expected.system = seed->config.system;
    }
    artifact.name = fmt::format("{}@{}", open.repository->name(), artifact.digest.to_string());
    artifact.open = std::move(open);
    return artifact;
  });
}

/// What has to have a quorum: the artifact, or of an index the images in it.
std::vector<Digest> images_of(const Artifact& artifact) {
  return artifact.open.repository
             ? trust::artifacts_below(*artifact.open.repository, artifact.digest)
             : std::vector<Digest>{artifact.digest};
}

/// Looks for proof of `digest`, which is the artifact or an image in it.
trust::Discovery look(const World& world,
                      const Options& options,
                      const Artifact& artifact,
                      const Digest& digest) {
  trust::Discovery discovery;
  if (const auto file = options.get("bundle")) {
    trust::look_in_file(
        *file,
        while_doing(
            "reading --bundle",
            [&] { return os::read_file(world.directory / *file, trust::kMaxCandidateBytes); }),
        discovery);
  } else if (artifact.open.repository) {
    trust::look_in(*artifact.open.repository, digest, discovery);
  }
  if (const auto other = options.get("attestation-repository")) {
    const OpenRepository open = open_repository(world, options, *other);
    trust::look_in(*open.repository, digest, discovery);
  }
  if (const auto repository = options.get("github-attestations")) {
    trust::look_in_github(
        world.transport, github_repository(world, *repository), digest, discovery);
  }
  if (discovery.looked.empty()) {
    throw UsageError("verify: nothing says where the proof is", "give --bundle FILE");
  }
  return discovery;
}

/// Throws unless the artifact is proven by one attestation.
void conclude(const Artifact& artifact,
              const trust::Discovery& discovery,
              const trust::Weighing& weighing) {
  constexpr const char* kHint = "--explain shows each check";
  switch (weighing.standing) {
    case trust::Standing::proven:
      return;
    case trust::Standing::refused:
      throw Error(fmt::format("{} is refused: no attestation holds{}",
                              artifact.name,
                              refusals_of(weighing, discovery)),
                  kHint,
                  ExitCode::refused);
    case trust::Standing::unattested:
      throw Error(
          fmt::format(
              "{} is refused: nothing attests it\n{}", artifact.name, trim(to_text(discovery))),
          "--attestation-repository, --github-attestations and --bundle name more places",
          ExitCode::refused);
    case trust::Standing::unknown:
      throw NetworkError(
          fmt::format(
              "whether {} is attested can't be told\n{}", artifact.name, trim(to_text(discovery))),
          "try again later");
  }
}

int verify_by_word(const World& world,
                   const Options& options,
                   const Artifact& artifact,
                   const trust::Policy& policy,
                   const sigstore::TrustedRoot& root) {
  const trust::Discovery discovery = look(world, options, artifact, artifact.digest);
  const trust::Weighing weighing =
      trust::weigh(discovery, root, artifact.digest, policy, artifact.expected);
  if (options.flag("json")) {
    put(to_json(weighing, discovery, artifact.digest) + "\n");
  } else if (options.flag("explain")) {
    put(to_text(discovery) + explain(weighing));
  }
  conclude(artifact, discovery, weighing);
  if (!options.flag("json")) {
    put(fmt::format("verified {}: made by {}\n", artifact.name, describe(*weighing.proof())));
  }
  return 0;
}

/// Of several images the one that is worst off decides.
trust::Standing worse_of(trust::Standing a, trust::Standing b) {
  using trust::Standing;
  constexpr std::array kOrder{
      Standing::proven, Standing::unknown, Standing::unattested, Standing::refused};
  return *std::max(std::ranges::find(kOrder, a), std::ranges::find(kOrder, b));
}

/// Throws unless enough builders attest the artifact.
void conclude(const Artifact& artifact, const report::VerdictRecord& record) {
  const std::string count = "\n" + report::to_text(record);
  if (record.standing == trust::Standing::unknown) {
    throw NetworkError(
        fmt::format("whether enough builders attest {} can't be told{}", artifact.name, count),
        "try again later");
  }
  if (record.standing != trust::Standing::proven) {
    throw Error(fmt::format("{} is refused: too few builders attest it{}", artifact.name, count),
                "--attestation-repository, --github-attestations and --bundle name more places; "
                "--explain shows each check",
                ExitCode::refused);
  }
}

/// As promote counts: an index has to have a quorum for each of its images.
int verify_by_quorum(const World& world,
                     const Options& options,
                     const Artifact& artifact,
                     const trust::QuorumPolicy& policy,
                     const sigstore::TrustedRoot& root) {
  report::VerdictRecord record{.digest = artifact.digest.to_string(),
                               .standing = trust::Standing::proven,
                               .trust = std::string(nix::to_string(policy.level())),
                               .quorum = policy.quorum(),
                               .builders = policy.builders().size(),
                               .log_quorum = policy.log_quorum()};
  std::string checks;
  for (const Digest& image : images_of(artifact)) {
    const trust::Discovery discovery = look(world, options, artifact, image);
    const trust::QuorumVerdict verdict =
        trust::weigh(discovery, root, image, policy, artifact.expected);
    checks += to_text(discovery) + explain(verdict);
    record.standing = worse_of(record.standing, verdict.standing);
    record.images.push_back(report::decided(image, verdict.decision));
    std::ranges::copy(discovery.looked, std::back_inserter(record.looked));
    std::ranges::copy(discovery.ignored, std::back_inserter(record.ignored));
  }
  if (options.flag("json")) {
    put(report::to_json(record) + "\n");
  } else if (options.flag("explain")) {
    put(checks);
  }
  conclude(artifact, record);
  if (!options.flag("json")) {
    put(fmt::format(
        "verified {}: enough builders attest it\n{}", artifact.name, report::to_text(record)));
  }
  return 0;
}

/// What the user says of the flake.lock that a seed has to be of.
void expect_lock(const World& world, const Options& options, Artifact& artifact) {
  if (const auto name = options.get("lock")) {
    const fs::path file = world.directory / *name;
    const std::string lock = read_lock(file);
    artifact.expected.lock = Digest::of(lock);
    artifact.expected.key = nix::lock_key(parse_lock(file, lock));
  }
}

int run_verify(const World& world, const Options& options) {
  if (options.positional().size() != 1) {
    throw UsageError("verify: name one image, file or digest",
                     "'nix-seed verify --help' shows an example");
  }
  const trust::AnyPolicy policy = policy_from(world, options);
  const sigstore::TrustedRoot root = trusted_root_for(world, options);
  Artifact artifact = find_artifact(world, options, options.positional().front());
  expect_lock(world, options, artifact);
  if (const auto* quorum = std::get_if<trust::QuorumPolicy>(&policy)) {
    return verify_by_quorum(world, options, artifact, *quorum, root);
  }
  return verify_by_word(world, options, artifact, std::get<trust::Policy>(policy), root);
}

}  // namespace

const Command kVerifyCommand{
    "verify",
    "IMAGE|FILE|DIGEST",
    "verify who made an image or a file",
    "Looks for Sigstore bundles about it, verifies each in full and holds it to what you believe.\n"
    "One that proves it is enough, or with a quorum's policy (docs/quorum.md) as many builders as "
    "it\n"
    "asks for; with less the exit code is 3. 5: a place that may have one did not answer. With\n"
    "--bundle and --trusted-root, a file or a digest is verified without a network.",
    kOptions,
    run_verify,
    "nix-seed verify ghcr.io/acme/app --source-repository https://github.com/acme/app"};

}  // namespace seed::app
