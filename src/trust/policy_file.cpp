#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "trust/policy.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;
using sigstore::Identity;

constexpr std::uint64_t kMaxPolicyBytes = 1 << 20;
constexpr std::size_t kMaxEntries = 1000;
constexpr unsigned kMaxThreshold = 100;
constexpr const char* kHint = "docs/verify.md has the form of a policy file";

struct Member {
  const char* name;
  std::optional<std::string> Identity::* value;
};

constexpr std::array kMembers{
    Member{"subject", &Identity::subject},
    Member{"buildSignerUri", &Identity::build_signer_uri},
    Member{"runnerEnvironment", &Identity::runner_environment},
    Member{"sourceRepositoryUri", &Identity::source_repository_uri},
    Member{"sourceDigest", &Identity::source_digest},
    Member{"sourceRef", &Identity::source_ref},
    Member{"sourceRepositoryId", &Identity::source_repository_id},
    Member{"sourceOwnerUri", &Identity::source_owner_uri},
    Member{"sourceOwnerId", &Identity::source_owner_id},
    Member{"buildTrigger", &Identity::build_trigger},
};

/// A text to compare with. What looks like a pattern would never be equal to anything, and whoever
/// wrote it would learn of it too late.
std::string exact(const json& value, std::string_view name) {
  const std::string* text = value.get_ptr<const std::string*>();
  if (text == nullptr || text->empty()) {
    throw FormatError(fmt::format("'{}' is no text, or an empty one", printable(name)), kHint);
  }
  if (text->find('*') != std::string::npos || text->front() == '^') {
    throw FormatError(
        fmt::format("'{}' is '{}', which looks like a pattern", printable(name), printable(*text)),
        "values are compared whole: write out what is to be equal, one entry for each");
  }
  return *text;
}

Identity parse_identity(const json& object) {
  if (!object.is_object()) {
    throw FormatError("an entry of 'identities' is no object", kHint);
  }
  Identity identity;
  for (const auto& [name, value] : object.items()) {
    const auto* member =
        std::find_if(kMembers.begin(), kMembers.end(), [&, &name = name](const Member& candidate) {
          return candidate.name == name;
        });
    if (name == "issuer") {
      identity.issuer = exact(value, name);
    } else if (member != kMembers.end()) {
      identity.*(member->value) = exact(value, name);
    } else {
      throw FormatError(fmt::format("an identity has no member '{}'", printable(name)), kHint);
    }
  }
  sigstore::check_identity(identity);
  return identity;
}

const json& list_of(const json& value, std::string_view name) {
  if (!value.is_array() || value.empty() || value.size() > kMaxEntries) {
    throw FormatError(
        fmt::format("'{}' is no list of 1 to {} entries", printable(name), kMaxEntries), kHint);
  }
  return value;
}

std::vector<std::string> texts(const json& value, std::string_view name) {
  std::vector<std::string> list;
  for (const json& entry : list_of(value, name)) {
    list.push_back(exact(entry, name));
  }
  return list;
}

unsigned threshold(const json& value, std::string_view name) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMaxThreshold) {
    throw FormatError(
        fmt::format("'{}' is no whole number from 0 to {}", printable(name), kMaxThreshold), kHint);
  }
  return value.get<unsigned>();
}

void read_member(Policy& policy, const std::string& name, const json& value) {
  if (name == "identities") {
    for (const json& entry : list_of(value, name)) {
      policy.identities.push_back(parse_identity(entry));
    }
  } else if (name == "keys") {
    for (const std::string& pem : texts(value, name)) {
      policy.keys.push_back(
          while_doing("reading 'keys'", [&] { return sigstore::PublicKey::parse_pem(pem); }));
    }
  } else if (name == "predicateTypes") {
    policy.predicate_types = texts(value, name);
  } else if (name == "buildTypes") {
    policy.build_types = texts(value, name);
  } else if (name == "builderIds") {
    policy.builder_ids = texts(value, name);
  } else if (name == "source") {
    policy.source = exact(value, name);
  } else if (name == "logs") {
    policy.logs = threshold(value, name);
  } else if (name == "times") {
    policy.times = threshold(value, name);
  } else if (name == "certificateLogs") {
    policy.certificate_logs = threshold(value, name);
  } else {
    throw FormatError(fmt::format("a policy has no member '{}'", printable(name)), kHint);
  }
}

json to_json(const Identity& identity) {
  json object{{"issuer", identity.issuer}};
  for (const Member& member : kMembers) {
    if (const auto& value = identity.*(member.value)) {
      object[member.name] = *value;
    }
  }
  return object;
}

}  // namespace

Policy parse_policy(std::string_view text) {
  const json object = oci::parse_json(text, kMaxPolicyBytes, "policy");
  const json* version = object.is_object() ? oci::find_member(object, "version") : nullptr;
  if (version == nullptr || *version != 1) {
    throw FormatError("the policy has no version 1", kHint);
  }
  Policy policy;
  for (const auto& [name, value] : object.items()) {
    if (name != "version") {
      read_member(policy, name, value);
    }
  }
  if (policy.identities.empty() && policy.keys.empty()) {
    throw FormatError("the policy believes nobody: it has neither 'identities' nor 'keys'", kHint);
  }
  // A certificate lives ten minutes: without a proven time, whoever finds its key later could use
  // it.
  if (policy.times == 0 && !policy.identities.empty()) {
    throw FormatError("'times' is 0, and identities need a proven time",
                      "leave 'times' out, or believe keys alone");
  }
  return policy;
}

std::string to_json(const Policy& policy) {
  json object{{"version", 1}, {"logs", policy.logs}, {"times", policy.times}};
  object["certificateLogs"] = policy.certificate_logs;
  object["predicateTypes"] = policy.predicate_types;
  for (const Identity& identity : policy.identities) {
    object["identities"].push_back(to_json(identity));
  }
  for (const sigstore::PublicKey& key : policy.keys) {
    object["keys"].push_back(key.pem());
  }
  if (!policy.build_types.empty()) {
    object["buildTypes"] = policy.build_types;
  }
  if (!policy.builder_ids.empty()) {
    object["builderIds"] = policy.builder_ids;
  }
  if (!policy.source.empty()) {
    object["source"] = policy.source;
  }
  return oci::to_canonical_json(object);
}

}  // namespace seed::trust
