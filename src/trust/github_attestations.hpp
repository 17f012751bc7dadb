#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "http/http.hpp"
#include "trust/discovery.hpp"

namespace seed::trust {

/// A repository whose attestations GitHub keeps (REST API, "Repository attestations").
struct GithubRepository {
  std::string api = "https://api.github.com";  ///< GITHUB_API_URL
  std::string name;                            ///< owner/name
  std::string token;                           ///< empty: public repositories only
};

/// Throws UsageError unless it is OWNER/NAME, which goes into a path.
void check_github_name(const std::string& name);

/// One row of the answer: GitHub gives the bundle, or since July 2026 only where it is.
struct GithubAttestation {
  std::string bundle;  ///< JSON; empty: absent
  std::string bundle_url;
};

/// Throws FormatError.
std::vector<GithubAttestation> parse_github_attestations(std::string_view json);

/// Adds the bundles that GitHub keeps for `subject`. The token goes to the API alone, never to
/// where a bundle is kept. Failures are said in `discovery`.
void look_in_github(http::Transport& transport,
                    const GithubRepository& repository,
                    const Digest& subject,
                    Discovery& discovery);

/// Gives GitHub a bundle to keep; returns its id there. Needs a token with the permission
/// `attestations: write`. Throws NetworkError.
std::string store_in_github(http::Transport& transport,
                            const GithubRepository& repository,
                            std::string_view bundle);

}  // namespace seed::trust
