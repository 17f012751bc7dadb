#include "trust/cluster_manifests.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace seed::trust {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* kFulcio = "https://fulcio.sigstore.dev";
constexpr const char* kRekor = "https://rekor.sigstore.dev";

json list(json element) {
  return json::array({std::move(element)});
}

/// A repository by tag and by digest, or all below: `*` is any text for Kyverno.
json patterns(const std::vector<Images>& images) {
  json all = json::array();
  for (const Images& each : images) {
    if (each.below) {
      all.push_back(each.prefix + "/*");
    } else {
      all.push_back(each.prefix + ":*");
      all.push_back(each.prefix + "@*");
    }
  }
  return all;
}

/// For policy-controller `*` ends at a slash, and `**` does not.
json globs(const std::vector<Images>& images) {
  json all = json::array();
  for (const Images& each : images) {
    if (each.below) {
      all.push_back({{"glob", each.prefix + "/**"}});
    } else {
      all.push_back({{"glob", each.prefix + ":*"}});
      all.push_back({{"glob", each.prefix + "@*"}});
    }
  }
  return all;
}

json kyverno_entry(const Signatory& who, const Question& question) {
  if (who.key.empty()) {
    return {{"keyless",
             {{"issuer", who.issuer}, {"subject", who.subject}, {"rekor", {{"url", kRekor}}}}}};
  }
  json keys{{"publicKeys", who.key}};
  if (!question.logged) {
    keys["rekor"] = {{"ignoreTlog", true}};
  }
  if (!question.timed) {
    keys["ctlog"] = {{"ignoreSCT", true}};  // by which Kyverno means proven times, too
  }
  return {{"keys", std::move(keys)}};
}

json kyverno(const Question& question) {
  json entries = json::array();
  for (const Signatory& who : question.signatories) {
    entries.push_back(kyverno_entry(who, question));
  }
  json attestation{
      {"type", question.predicate_type},
      {"attestors", list({{"count", question.quorum}, {"entries", std::move(entries)}})}};
  if (!question.build_types.empty()) {
    attestation["conditions"] = list({{"all",
                                       list({{"key", "{{ buildDefinition.buildType }}"},
                                             {"operator", "AnyIn"},
                                             {"value", question.build_types}})}});
  }
  json verify{{"type", "SigstoreBundle"},
              {"failureAction", "Enforce"},
              {"imageReferences", patterns(question.images)},
              {"mutateDigest", true},
              {"verifyDigest", true},
              {"required", true},
              {"attestations", list(std::move(attestation))}};
  return {{"apiVersion", "kyverno.io/v1"},
          {"kind", "ClusterPolicy"},
          {"metadata", {{"name", question.name}}},
          {"spec",
           {{"background", false},
            {"webhookConfiguration", {{"failurePolicy", "Fail"}, {"timeoutSeconds", 30}}},
            {"rules",
             list({{"name", "attested"},
                   {"match", {{"any", list({{"resources", {{"kinds", list("Pod")}}}})}}},
                   {"verifyImages", list(std::move(verify))}})}}}};
}

/// The text in CEL's single quotes.
std::string cel_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "'";
}

std::string cel_list(const std::vector<std::string>& elements) {
  std::string text = "[";
  for (const std::string& element : elements) {
    text += (text.size() > 1 ? ", " : "") + element;
  }
  return text + "]";
}

/// Of every image of a pod, whoever attested it is counted, with the payload that he himself
/// signed.
std::string kyverno_expression(const Question& question) {
  std::vector<std::string> attestors;
  for (std::size_t i = 1; i <= question.signatories.size(); ++i) {
    attestors.push_back(fmt::format("attestors.builder{}", i));
  }
  std::string holds = "verifyAttestationSignatures(image, attestations.statement, [who]) > 0";
  if (!question.build_types.empty()) {
    std::vector<std::string> types;
    for (const std::string& type : question.build_types) {
      types.push_back(cel_text(type));
    }
    holds += fmt::format(
        " && extractPayload(image, attestations.statement).predicate"
        ".buildDefinition.buildType in {}",
        cel_list(types));
  }
  return fmt::format(
      "(images.containers + images.initContainers + images.ephemeralContainers)"
      ".all(image, {}.filter(who, {}).size() >= {})",
      cel_list(attestors),
      holds,
      question.quorum);
}

json kyverno_attestor(const Signatory& who, const Question& question, std::size_t number) {
  json cosign;
  if (who.key.empty()) {
    cosign["keyless"] = {{"identities", list({{"issuer", who.issuer}, {"subject", who.subject}})}};
    cosign["ctlog"] = {{"url", kRekor}};
  } else {
    cosign["key"] = {{"data", who.key}};
    cosign["ctlog"] = question.logged
                          ? json{{"url", kRekor}}
                          : json{{"insecureIgnoreTlog", true}, {"insecureIgnoreSCT", true}};
  }
  if (question.tuf) {
    cosign["tuf"] = {{"mirror", question.tuf->mirror},
                     {"root", {{"data", to_base64(bytes_of(question.tuf->root))}}}};
  }
  return {{"name", fmt::format("builder{}", number)}, {"cosign", std::move(cosign)}};
}

json kyverno_images(const Question& question) {
  json attestors = json::array();
  for (const Signatory& who : question.signatories) {
    attestors.push_back(kyverno_attestor(who, question, attestors.size() + 1));
  }
  json references = json::array();
  for (const json& pattern : patterns(question.images)) {
    references.push_back({{"glob", pattern}});
  }
  return {{"apiVersion", "policies.kyverno.io/v1"},
          {"kind", "ImageValidatingPolicy"},
          {"metadata", {{"name", question.name}}},
          {"spec",
           {{"failurePolicy", "Fail"},
            {"validationActions", list("Deny")},
            {"webhookConfiguration", {{"timeoutSeconds", 30}}},
            {"matchConstraints",
             {{"resourceRules",
               list({{"apiGroups", list("")},
                     {"apiVersions", list("v1")},
                     {"operations", {"CREATE", "UPDATE"}},
                     {"resources", list("pods")}})}}},
            {"matchImageReferences", std::move(references)},
            {"validationConfigurations",
             {{"mutateDigest", true}, {"verifyDigest", true}, {"required", true}}},
            {"attestors", std::move(attestors)},
            {"attestations",
             list({{"name", "statement"}, {"intoto", {{"type", question.predicate_type}}}})},
            {"validations",
             list({{"expression", kyverno_expression(question)},
                   {"message",
                    fmt::format("an image is not attested by {} of those who are believed",
                                question.quorum)}})}}}};
}

json authority(const Signatory& who, const Question& question, std::size_t number) {
  json result{{"name", fmt::format("builder-{}", number)}, {"signatureFormat", "bundle"}};
  result["keyless"] = {{"url", kFulcio},
                       {"identities", list({{"issuer", who.issuer}, {"subject", who.subject}})}};
  if (question.logged) {
    result["ctlog"] = {{"url", kRekor}};
  }
  json attestation{{"name", "statement"}, {"predicateType", question.predicate_type}};
  if (!question.build_types.empty()) {
    std::string types;  // CUE's texts are JSON's
    for (const std::string& type : question.build_types) {
      types += (types.empty() ? "" : " | ") + json(type).dump();
    }
    attestation["policy"] = {
        {"type", "cue"},
        {"data", fmt::format("predicate: buildDefinition: buildType: {}\n", types)}};
  }
  result["attestations"] = list(std::move(attestation));
  return result;
}

json policy_controller(const Question& question) {
  json authorities = json::array();
  for (const Signatory& who : question.signatories) {
    authorities.push_back(authority(who, question, authorities.size() + 1));
  }
  json spec{{"mode", "enforce"},
            {"images", globs(question.images)},
            {"authorities", std::move(authorities)}};
  // One authority is enough where nothing else is said; it sees all that matched.
  if (question.quorum > 1) {
    spec["policy"] = {{"type", "rego"},
                      {"data",
                       fmt::format("package sigstore\n\nisCompliant := "
                                   "count(input.authorityMatches) >= {}\n",
                                   question.quorum)}};
  }
  return {{"apiVersion", "policy.sigstore.dev/v1beta1"},
          {"kind", "ClusterImagePolicy"},
          {"metadata", {{"name", question.name}}},
          {"spec", std::move(spec)}};
}

}  // namespace

json document(Cluster cluster, const Question& question) {
  switch (cluster) {
    case Cluster::kyverno:
      return kyverno(question);
    case Cluster::kyverno_images:
      return kyverno_images(question);
    case Cluster::policy_controller:
      break;
  }
  return policy_controller(question);
}

}  // namespace seed::trust
