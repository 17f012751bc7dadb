#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/policy.hpp"

namespace seed::trust {

/// What can be asked at the door of a Kubernetes cluster.
enum class Cluster {
  kyverno,            ///< ClusterPolicy, kyverno.io/v1
  kyverno_images,     ///< ImageValidatingPolicy, policies.kyverno.io/v1
  policy_controller,  ///< ClusterImagePolicy, policy.sigstore.dev/v1beta1
};

std::string_view to_string(Cluster cluster);
std::optional<Cluster> parse_cluster(std::string_view name);

/// A TUF repository that says whom to believe, instead of Sigstore's public one.
struct TufRepository {
  std::string mirror;  ///< its URL
  std::string root;    ///< the root.json that its answers are held to
};

/// What a cluster has to be told beside a policy.
struct Admission {
  std::string name = "nix-seed";    ///< of the manifest
  std::vector<std::string> images;  ///< repositories, or what they begin with and `/*`
  unsigned quorum = 1;              ///< so many of those whom the policy believes must have signed
  std::optional<TufRepository> tuf;
};

/// What the policy asks, and a cluster of that kind can't: one line each, for people.
std::vector<std::string> unasked(Cluster cluster, const Policy& policy);

/// YAML, with unasked() in comments at its top. Throws UsageError where the cluster could not ask
/// what the policy is about, naming what to change.
std::string cluster_manifest(Cluster cluster, const Policy& policy, const Admission& admission);

}  // namespace seed::trust
