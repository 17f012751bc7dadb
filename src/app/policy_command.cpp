#include <array>
#include <cstdio>

#include <fmt/core.h>

#include "app/commands.hpp"
#include "app/quorum_policy.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sigstore/tuf_rules.hpp"
#include "trust/cluster_policy.hpp"

namespace seed::app {
namespace {

constexpr std::uint64_t kMaxPolicyBytes = 1 << 20;

constexpr std::array kOptions{
    OptionSpec{
        "images", "LIST", "whose images: repositories, or ghcr.io/acme/*; with commas between"},
    OptionSpec{"name", "NAME", "of the manifest; default: nix-seed"},
    OptionSpec{
        "quorum", "N", "so many of those the policy believes must have attested; default: 1"}};

trust::Cluster cluster_named(const std::string& word) {
  const auto cluster = trust::parse_cluster(word);
  if (!cluster) {
    throw UsageError(fmt::format("'{}' is no kind of cluster policy", printable(word)),
                     "name kyverno, kyverno-images or policy-controller");
  }
  return *cluster;
}

trust::Admission admission_of(const World& world, const Options& options) {
  trust::Admission admission{.name = options.get("name").value_or("nix-seed"),
                             .quorum = options.number("quorum", 1, 1000).value_or(1)};
  const std::string images = options.get("images").value_or("");
  for (const std::string_view part : split(images, ',')) {
    if (const std::string_view image = trim(part); !image.empty()) {
      admission.images.emplace_back(image);
    }
  }
  if (const auto own = own_tuf_repository(world)) {
    sigstore::tuf::parse_root(own->root);
    admission.tuf = trust::TufRepository{.mirror = own->url, .root = own->root};
  }
  return admission;
}

/// The quorum policy of a file, or of the flake here, in plain words.
int explain(const World& world, const Options& options) {
  const std::vector<std::string>& words = options.positional();
  const std::string text =
      trust::explain(words.size() == 1 ? quorum_policy_for(world, options)
                                       : while_doing("reading " + words[1], [&] {
                                           return trust::QuorumPolicy::parse(os::read_file(
                                               world.directory / words[1], kMaxPolicyBytes));
                                         }));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

int run_policy(const World& world, const Options& options) {
  if (!options.positional().empty() && options.positional()[0] == "explain" &&
      options.positional().size() <= 2) {
    return explain(world, options);
  }
  if (options.positional().size() != 2) {
    throw UsageError(
        "a kind of cluster policy and a policy file were expected",
        "such as: nix-seed policy kyverno-images policy.json --images ghcr.io/acme/app-seed");
  }
  const trust::Cluster cluster = cluster_named(options.positional()[0]);
  const std::string& name = options.positional()[1];
  const trust::Policy policy = while_doing("reading " + name, [&] {
    return trust::parse_policy(os::read_file(world.directory / name, kMaxPolicyBytes));
  });
  const std::string manifest =
      trust::cluster_manifest(cluster, policy, admission_of(world, options));
  std::fwrite(manifest.data(), 1, manifest.size(), stdout);
  return 0;
}

}  // namespace

const Command kPolicyCommand{
    .name = "policy",
    .arguments = "KIND FILE",
    .help = "print a policy file as what a Kubernetes cluster asks at its door",
    .description =
        "Prints manifests that admit images only where somebody whom the policy file\n"
        "believes has attested them. KIND is kyverno-images (ImageValidatingPolicy), kyverno\n"
        "(ClusterPolicy) or policy-controller (ClusterImagePolicy). What the cluster can't ask\n"
        "is in comments at the top.\n"
        "explain: FILE is a quorum policy (docs/quorum.md; without, the flake's own): prints in\n"
        "plain words what has to be subverted to forge a promotion.",
    .options = kOptions,
    .run = run_policy,
    .example =
        "nix-seed policy kyverno-images policy.json --images 'ghcr.io/acme/*' | kubectl apply -f "
        "-"};

}  // namespace seed::app
