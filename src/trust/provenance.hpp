#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "nix/flake_lock.hpp"

namespace seed::trust {

inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kProvenanceType = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view kStatementMediaType = "application/vnd.in-toto+json";
inline constexpr std::string_view kSeedBuildType =
    "https://github.com/0compute/nix-seed/blob/main/docs/provenance.md#seed-v1";
inline constexpr std::string_view kResultBuildType =
    "https://github.com/0compute/nix-seed/blob/main/docs/provenance.md#build-v1";

/// What a statement is about: bytes with this SHA-256, under the name people know them by.
struct Subject {
  std::string name;
  Digest sha256;
};

/// Something the build read, with the digest it was fixed by.
struct Material {
  std::string name;
  std::string uri;
  std::map<std::string, std::string> digest;  ///< algorithm -> hex
};

/// Where and by what a build ran.
struct Builder {
  std::string id;                              ///< a URI; local runs say so
  std::map<std::string, std::string> version;  ///< program -> version
};

/// Everything provenance says. Facts only: nothing here is decided, and nothing is left out because
/// it is unknown; an unknown text is empty.
struct BuildFacts {
  std::string build_type;
  std::vector<Subject> subjects;
  std::map<std::string, std::string> external;  ///< what the caller chose
  std::vector<std::string> targets;             ///< attributes
  std::map<std::string, std::string> internal;  ///< what the builder chose
  std::map<std::string, std::string> nix_settings;
  std::vector<Material> materials;
  std::vector<Subject> byproducts;
  Builder builder;
  std::string invocation_id;
  std::optional<Time> started;
  std::optional<Time> finished;
};

/// in-toto Statement v1 with an SLSA v1 provenance predicate; canonical JSON.
std::string provenance_statement(const BuildFacts& facts);

/// The inputs of flake.lock as materials: uri, and the hash and revision that the lock fixes.
std::vector<Material> materials_of(const nix::FlakeLock& lock);

}  // namespace seed::trust
