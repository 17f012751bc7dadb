#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "http/http.hpp"
#include "oci/repository.hpp"
#include "sigstore/trusted_root.hpp"
#include "trust/builders.hpp"

namespace seed::trust {

/// One place in a log: the log's id, and the index.
using LogPlace = std::pair<Bytes, std::int64_t>;

/// Entries that bundles in `repository` have: of everything that its tags name. Nothing is
/// verified: an entry whose bundle lies in the open is no secret.
std::set<LogPlace> known_entries(oci::Repository& repository);

/// Which builder a log entry was signed by; nothing where it is none of ours, or can't be read.
std::optional<std::string> builder_of_entry(const QuorumPolicy& policy, std::string_view body);

/// An entry that one of our builders signed.
struct BuilderEntry {
  std::string builder;
  std::int64_t index = 0;
};

/// What Rekor v1's search has of our builders: a hint, which it marks as experimental and may leave
/// entries out of. Each is read and looked at; what the search says of them is not believed. Throws
/// NetworkError.
std::vector<BuilderEntry> search_entries(http::Transport& transport,
                                         const sigstore::TrustedLog& log,
                                         const QuorumPolicy& policy);

}  // namespace seed::trust
