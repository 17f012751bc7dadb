#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "oci/repository.hpp"

namespace seed::trust {

/// More is not looked at: whoever may push could attach any number.
inline constexpr std::size_t kMaxCandidates = 200;
/// All of them together; one is about 10 KiB.
inline constexpr std::size_t kMaxCandidateBytes = 64 << 20;

/// What may be a bundle about an artifact. Nothing of it is checked yet.
struct Candidate {
  std::string bytes;
  Digest digest;     ///< of the bytes
  std::string from;  ///< where it was, for people
};

/// One place that was asked, and what came of it.
struct Looked {
  std::string where;  ///< ghcr.io/acme/app-seed, a file, an API's address
  std::string how;    ///< "referrers API", "referrers tag", "file" ...
  std::size_t found = 0;
  std::string failure;  ///< why nothing can be said of it; empty: it answered
};

/// What was there and is no candidate.
struct Ignored {
  std::string what;
  std::string why;
  bool claims = false;  ///< it says of itself that it is a bundle
};

struct Discovery {
  std::vector<Candidate> candidates;  ///< no bytes twice
  std::vector<Looked> looked;
  std::vector<Ignored> ignored;

  /// Whether every place answered. Where one did not, what it has is unknown, not absent.
  bool complete() const;
};

/// Adds a bundle, unless its bytes are among the candidates, or too many, or too long.
void add_candidate(Discovery& discovery, std::string bytes, const std::string& from);

/// Adds what `repository` has attached to `subject`. A place that fails is in `looked`, a bundle
/// that fails in `ignored`; neither ends the search.
void look_in(oci::Repository& repository, const Digest& subject, Discovery& discovery);

/// Adds a file's bundles: one, or JSON Lines of them.
void look_in_file(const std::string& name, const std::string& text, Discovery& discovery);

/// What was found, one line for each place and each thing left out.
std::string to_text(const Discovery& discovery);

}  // namespace seed::trust
