#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "trust/cluster_policy.hpp"

namespace seed::trust {

/// One of whom a cluster can tell apart: by issuer and subject, or by key.
struct Signatory {
  std::string issuer;
  std::string subject;
  std::string key;  ///< PEM; empty: keyless
};

struct Images {
  std::string prefix;  ///< a repository
  bool below = false;  ///< or all that are below it
};

/// A policy as far as clusters can ask it.
struct Question {
  std::string name;
  std::vector<Images> images;
  std::vector<Signatory> signatories;
  unsigned quorum = 1;
  std::string predicate_type;
  std::vector<std::string> build_types;
  bool logged = true;
  bool timed = true;
  std::optional<TufRepository> tuf;
};

/// What a cluster of that kind takes.
nlohmann::ordered_json document(Cluster cluster, const Question& question);

}  // namespace seed::trust
