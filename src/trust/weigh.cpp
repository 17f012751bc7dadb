#include "trust/weigh.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::trust {
namespace {

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::ranges::find(values, value) != values.end();
}

bool names(const sigstore::Statement& statement, const Digest& artifact) {
  return std::ranges::any_of(statement.subjects, [&](const sigstore::Subject& subject) {
    const auto found = subject.digests.find("sha256");
    return found != subject.digests.end() && found->second == artifact.hex();
  });
}

/// By its own words, which nobody has verified: they can only take it out of the count. Empty for
/// what has to be judged, which what can't be read has.
std::string why_aside(const Candidate& candidate, const Digest& artifact, const Policy& policy) {
  try {
    const sigstore::Bundle bundle = sigstore::parse_bundle(candidate.bytes);
    const auto* envelope = std::get_if<sigstore::DsseEnvelope>(&bundle.content);
    if (envelope == nullptr) {
      return "it is a signature alone";
    }
    const sigstore::Statement statement = sigstore::parse_statement(envelope->payload);
    if (!contains(policy.predicate_types, statement.predicate_type)) {
      return fmt::format("it says '{}'", printable(statement.predicate_type));
    }
    if (!names(statement, artifact)) {
      return "it is about something else";
    }
    if (!policy.build_types.empty() && statement.predicate_type == kProvenanceType) {
      const std::string type = read_provenance(statement.predicate).build_type;
      if (!contains(policy.build_types, type)) {
        return fmt::format("it is of a build of type '{}'", printable(type));
      }
    }
  } catch (const FormatError&) {
    return {};
  }
  return {};
}

Weighed weigh(const Candidate& candidate,
              const sigstore::TrustedRoot& root,
              const Digest& artifact,
              const Policy& policy,
              const Expected& expected) {
  Weighed weighed{.bundle = candidate.digest,
                  .from = candidate.from,
                  .accepted = std::nullopt,
                  .refusal = std::nullopt,
                  .aside = why_aside(candidate, artifact, policy)};
  if (weighed.aside.empty()) {
    Judgement judgement = assess(candidate.bytes, root, artifact, policy, expected);
    if (auto* accepted = std::get_if<Accepted>(&judgement)) {
      weighed.accepted = std::move(*accepted);
    } else {
      weighed.refusal = std::get<Refusal>(std::move(judgement));
    }
  }
  return weighed;
}

/// The term, and of a signature the check.
std::string place_of(const Refusal& refusal) {
  return refusal.check ? fmt::format("signature, {}", sigstore::to_string(*refusal.check))
                       : std::string(to_string(refusal.term));
}

std::string lines_of(const std::vector<sigstore::Evidence>& evidence,
                     const std::vector<Finding>& findings) {
  std::string text;
  for (const sigstore::Evidence& held : evidence) {
    text +=
        fmt::format("  ok    {:<12} {}\n", sigstore::to_string(held.check), printable(held.text));
  }
  for (const Finding& finding : findings) {
    text += fmt::format("  ok    {:<12} {}\n", to_string(finding.term), printable(finding.text));
  }
  return text;
}

nlohmann::json checks_of(const std::vector<sigstore::Evidence>& evidence,
                         const std::vector<Finding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const sigstore::Evidence& held : evidence) {
    list.push_back(
        {{"check", sigstore::to_string(held.check)}, {"evidence", printable(held.text)}});
  }
  for (const Finding& finding : findings) {
    list.push_back({{"check", to_string(finding.term)}, {"evidence", printable(finding.text)}});
  }
  return list;
}

nlohmann::json to_json(const Accepted& accepted) {
  const sigstore::Verified& verified = accepted.verified();
  nlohmann::json object{{"predicateType", verified.statement()->predicate_type}};
  if (const auto& signer = verified.signer()) {
    object["issuer"] = signer->issuer;
    object["subject"] = signer->subject;
    object["sourceRepository"] = signer->source_repository_uri;
    object["sourceRef"] = signer->source_ref;
    object["commit"] = signer->source_digest;
  }
  object["times"] = nlohmann::json::array();
  for (const Time time : verified.times()) {
    object["times"].push_back(sigstore::to_rfc3339(time));
  }
  object["logs"] = nlohmann::json::array();
  for (const sigstore::LoggedIn& log : verified.logs()) {
    object["logs"].push_back({{"url", log.log}, {"index", log.index}});
  }
  return object;
}

nlohmann::json to_json(const Weighed& weighed) {
  nlohmann::json object{{"bundle", weighed.bundle.to_string()}, {"from", weighed.from}};
  if (weighed.accepted) {
    object["verdict"] = "accepted";
    object["signer"] = to_json(*weighed.accepted);
    object["checks"] =
        checks_of(weighed.accepted->verified().evidence(), weighed.accepted->findings());
  } else if (weighed.refusal) {
    object["verdict"] = "refused";
    object["refused"] = place_of(*weighed.refusal);
    object["why"] = weighed.refusal->why;
    object["checks"] = checks_of(weighed.refusal->evidence, weighed.refusal->findings);
  } else {
    object["verdict"] = "aside";
    object["why"] = weighed.aside;
    object["checks"] = nlohmann::json::array();
  }
  return object;
}

}  // namespace

std::string_view to_string(Standing standing) {
  constexpr std::array<std::string_view, 4> kNames{"proven", "refused", "unknown", "unattested"};
  return kNames.at(static_cast<std::size_t>(standing));
}

const Accepted* Weighing::proof() const {
  const auto found = std::ranges::find_if(
      candidates, [](const Weighed& weighed) { return weighed.accepted.has_value(); });
  return found == candidates.end() ? nullptr : &*found->accepted;
}

Weighing weigh(const Discovery& discovery,
               const sigstore::TrustedRoot& root,
               const Digest& artifact,
               const Policy& policy,
               const Expected& expected) {
  Weighing weighing;
  for (const Candidate& candidate : discovery.candidates) {
    weighing.candidates.push_back(weigh(candidate, root, artifact, policy, expected));
  }
  const bool refused =
      std::ranges::any_of(weighing.candidates,
                          [](const Weighed& weighed) { return weighed.refusal.has_value(); }) ||
      std::ranges::any_of(discovery.ignored, [](const Ignored& ignored) { return ignored.claims; });
  if (weighing.proof() != nullptr) {
    weighing.standing = Standing::proven;
  } else if (refused) {
    weighing.standing = Standing::refused;
  } else if (!discovery.complete()) {
    weighing.standing = Standing::unknown;
  }
  return weighing;
}

std::string checks_that_held(const Accepted& accepted) {
  return lines_of(accepted.verified().evidence(), accepted.findings());
}

std::string explain(const Weighing& weighing) {
  std::string text;
  for (const Weighed& weighed : weighing.candidates) {
    text += fmt::format("bundle {} from {}\n", weighed.bundle.to_string(), printable(weighed.from));
    if (weighed.accepted) {
      text += checks_that_held(*weighed.accepted);
      text += "  accepted\n";
    } else if (weighed.refusal) {
      text += lines_of(weighed.refusal->evidence, weighed.refusal->findings);
      text += fmt::format(
          "  FAIL  {:<12} {}\n", place_of(*weighed.refusal), printable(weighed.refusal->why));
    } else {
      text += fmt::format("  aside: {}\n", weighed.aside);
    }
  }
  return text;
}

std::string refusals_of(const Weighing& weighing, const Discovery& discovery) {
  std::string text;
  for (const Weighed& weighed : weighing.candidates) {
    if (weighed.refusal) {
      text += fmt::format("\n  bundle {}: {}: {}",
                          weighed.bundle.to_string(),
                          place_of(*weighed.refusal),
                          printable(weighed.refusal->why));
    }
  }
  for (const Ignored& ignored : discovery.ignored) {
    if (ignored.claims) {
      text += fmt::format("\n  {}: {}", printable(ignored.what), printable(ignored.why));
    }
  }
  return text;
}

std::string to_json(const Weighing& weighing, const Discovery& discovery, const Digest& artifact) {
  nlohmann::json object{{"artifact", artifact.to_string()},
                        {"standing", to_string(weighing.standing)}};
  object["bundles"] = nlohmann::json::array();
  for (const Weighed& weighed : weighing.candidates) {
    object["bundles"].push_back(to_json(weighed));
  }
  object["looked"] = nlohmann::json::array();
  for (const Looked& place : discovery.looked) {
    object["looked"].push_back({{"where", place.where},
                                {"how", place.how},
                                {"found", place.found},
                                {"failure", printable(place.failure)}});
  }
  object["ignored"] = nlohmann::json::array();
  for (const Ignored& ignored : discovery.ignored) {
    object["ignored"].push_back(
        {{"what", printable(ignored.what)}, {"why", printable(ignored.why)}});
  }
  return oci::to_canonical_json(object);
}

std::string describe(const Accepted& proof) {
  const sigstore::Verified& verified = proof.verified();
  std::string text = verified.signer() ? fmt::format("{} ({})",
                                                     printable(verified.signer()->subject),
                                                     printable(verified.signer()->issuer))
                                       : "a key that is believed";
  for (const sigstore::LoggedIn& log : verified.logs()) {
    text += fmt::format(", entry {} of {}", log.index, printable(log.log));
  }
  if (!verified.times().empty()) {
    text += ", at " + sigstore::to_rfc3339(verified.times().front());
  }
  return text;
}

}  // namespace seed::trust
