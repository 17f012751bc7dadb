#include "trust/cluster_policy.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "trust/cluster_manifests.hpp"
#include "trust/yaml.hpp"

namespace seed::trust {
namespace {

using sigstore::Identity;

struct Name {
  Cluster cluster;
  std::string_view text;
};

constexpr std::array kNames{Name{Cluster::kyverno, "kyverno"},
                            Name{Cluster::kyverno_images, "kyverno-images"},
                            Name{Cluster::policy_controller, "policy-controller"}};

void add_if(std::vector<std::string>& lines,
            const char* name,
            const std::optional<std::string>& value) {
  if (value) {
    lines.push_back(fmt::format("{} '{}'", name, printable(*value)));
  }
}

/// What of an identity no cluster compares: all but the issuer and the subject.
std::vector<std::string> uncompared(const Identity& identity) {
  std::vector<std::string> lines;
  add_if(lines, "buildSignerUri", identity.build_signer_uri);
  add_if(lines, "runnerEnvironment", identity.runner_environment);
  add_if(lines, "sourceRepositoryUri", identity.source_repository_uri);
  add_if(lines, "sourceDigest", identity.source_digest);
  add_if(lines, "sourceRef", identity.source_ref);
  add_if(lines, "sourceRepositoryId", identity.source_repository_id);
  add_if(lines, "sourceOwnerUri", identity.source_owner_uri);
  add_if(lines, "sourceOwnerId", identity.source_owner_id);
  add_if(lines, "buildTrigger", identity.build_trigger);
  return lines;
}

/// Those that clusters can tell apart, each once.
std::vector<Signatory> signatories_of(const Policy& policy) {
  std::vector<Signatory> signatories;
  std::set<std::pair<std::string, std::string>> seen;
  for (const Identity& identity : policy.identities) {
    if (!identity.subject) {
      throw UsageError(
          fmt::format("an identity of '{}' has no 'subject', and clusters compare nothing else",
                      printable(identity.issuer)),
          "add the subject: of a workflow, "
          "https://github.com/OWNER/REPO/.github/workflows/FILE@REF");
    }
    // Kyverno and policy-controller take both for patterns, one of them even in `subject`.
    if (identity.subject->find_first_of("*?") != std::string::npos) {
      throw UsageError(fmt::format("the subject '{}' has a '*' or '?', which clusters take for a "
                                   "pattern",
                                   printable(*identity.subject)),
                       "name an identity without them");
    }
    if (seen.emplace(identity.issuer, *identity.subject).second) {
      signatories.push_back({.issuer = identity.issuer, .subject = *identity.subject});
    }
  }
  for (const sigstore::PublicKey& key : policy.keys) {
    signatories.push_back({.key = key.pem()});
  }
  return signatories;
}

/// Lower-case labels (RFC 1123), as Kubernetes wants names.
bool is_name(const std::string& name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 63 && fits(name.front()) && fits(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return fits(c) || c == '-'; });
}

/// Kyverno puts something else in the place of these, wherever they are.
void check_literal(const std::string& text) {
  if (text.find("{{") != std::string::npos || text.find("$(") != std::string::npos) {
    throw UsageError(
        fmt::format("'{}' has '{{{{' or '$(', which clusters take for a variable", printable(text)),
        "name it without them");
  }
}

Images parse_images(const std::string& pattern) {
  Images images{.prefix = pattern, .below = pattern.ends_with("/*")};
  if (images.below) {
    images.prefix.erase(images.prefix.size() - 2);
  }
  const bool fits = std::ranges::all_of(images.prefix, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == '/' || c == ':';
  });
  // Clusters compare full names: without a host another registry's would fit.
  const auto slash = images.prefix.find('/');
  const std::string host = images.prefix.substr(0, slash);
  const bool has_tag =
      slash != std::string::npos && images.prefix.find(':', slash) != std::string::npos;
  if (!fits || has_tag || host.find_first_of(".:") == std::string::npos ||
      (slash == std::string::npos && !images.below)) {
    throw UsageError(fmt::format("'{}' is no repository with its registry, nor the start of some",
                                 printable(pattern)),
                     "write ghcr.io/acme/app-seed, or ghcr.io/acme/* for all below");
  }
  return images;
}

Question question_of(const Policy& policy, const Admission& admission) {
  if (!is_name(admission.name)) {
    throw UsageError(fmt::format("'{}' is no name for a manifest", printable(admission.name)),
                     "use lower-case letters, digits and '-'");
  }
  Question question{.name = admission.name, .signatories = signatories_of(policy)};
  for (const std::string& pattern : admission.images) {
    question.images.push_back(parse_images(pattern));
  }
  if (question.images.empty()) {
    throw UsageError("no images are named", "say which with --images ghcr.io/acme/app-seed");
  }
  if (policy.predicate_types.size() != 1) {
    throw UsageError(
        fmt::format("the policy takes {} types of predicates, and clusters ask for one",
                    policy.predicate_types.size()),
        "leave one in 'predicateTypes'");
  }
  question.predicate_type = policy.predicate_types.front();
  question.build_types = policy.build_types;
  check_literal(question.predicate_type);
  std::ranges::for_each(question.build_types, check_literal);
  for (const Signatory& who : question.signatories) {
    check_literal(who.issuer);
    check_literal(who.subject);
  }
  question.logged = policy.logs > 0;
  question.timed = policy.times > 0;
  question.tuf = admission.tuf;
  if (admission.quorum < 1 || admission.quorum > question.signatories.size()) {
    throw UsageError(fmt::format("a quorum of {} can't be had of {}, which clusters can tell apart",
                                 admission.quorum,
                                 question.signatories.size()),
                     "clusters know builders by issuer and subject");
  }
  question.quorum = admission.quorum;
  return question;
}

/// Where whom to believe is no part of the manifest, what has to be done for it; one line.
std::string beside(Cluster cluster, const TufRepository& tuf) {
  switch (cluster) {
    case Cluster::kyverno:
      return fmt::format(
          "Kyverno's controllers have to be started with --enableTuf "
          "--tufMirror={} --tufRootRaw={}",
          printable(tuf.mirror),
          to_base64(bytes_of(tuf.root)));
    case Cluster::policy_controller:
      return fmt::format("Give each authority a trustRootRef: to a TrustRoot of {}",
                         printable(tuf.mirror));
    case Cluster::kyverno_images:
      break;
  }
  return "";
}

}  // namespace

std::string_view to_string(Cluster cluster) {
  return std::ranges::find(kNames, cluster, &Name::cluster)->text;
}

std::optional<Cluster> parse_cluster(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &Name::text);
  return found == kNames.end() ? std::nullopt : std::optional(found->cluster);
}

std::vector<std::string> unasked(Cluster cluster, const Policy& policy) {
  std::vector<std::string> lines;
  for (const Identity& identity : policy.identities) {
    for (const std::string& line : uncompared(identity)) {
      lines.push_back(
          fmt::format("{} of {}", line, printable(identity.subject.value_or(identity.issuer))));
    }
  }
  for (const std::string& id : policy.builder_ids) {
    lines.push_back(fmt::format("the builder '{}' that a statement names", printable(id)));
  }
  if (policy.builder_ids.empty()) {
    lines.emplace_back("that the builder a statement names is who signed it");
  }
  lines.push_back(policy.source.empty()
                      ? std::string("that the source a statement names is the signer's")
                      : fmt::format("the source '{}'", printable(policy.source)));
  if (policy.logs > 1) {
    lines.push_back(fmt::format("{} independent logs instead of one", policy.logs));
  }
  if (cluster == Cluster::kyverno && policy.certificate_logs > 0 && !policy.identities.empty()) {
    lines.emplace_back("that a certificate is in a certificate log");
  } else if (policy.certificate_logs > 1) {
    lines.push_back(fmt::format("{} certificate logs instead of one", policy.certificate_logs));
  }
  if (policy.times > 1) {
    lines.push_back(fmt::format("{} proven times instead of one", policy.times));
  }
  return lines;
}

std::string cluster_manifest(Cluster cluster, const Policy& policy, const Admission& admission) {
  // "when using the new bundle format, the authority must be keyless" (its validator.go, v0.15.1)
  if (cluster == Cluster::policy_controller && !policy.keys.empty()) {
    throw UsageError(
        "policy-controller can't verify a bundle by a key, and admits no image for one",
        "leave 'keys' out of the policy, or print another kind");
  }
  const Question question = question_of(policy, admission);
  std::string text = "# What 'nix-seed verify' asks by the same policy, and this does not:\n";
  for (const std::string& line : unasked(cluster, policy)) {
    text += "#   " + line + "\n";
  }
  if (const std::string line = admission.tuf ? beside(cluster, *admission.tuf) : "";
      !line.empty()) {
    text += "# " + line + "\n";
  }
  return text + to_yaml(document(cluster, question));
}

}  // namespace seed::trust
