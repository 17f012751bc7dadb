#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "http/http.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/keys.hpp"

namespace seed::sigstore {

/// What a log is to keep: the content with its signature, and what it is verified with.
struct LogProposal {
  const Bundle& bundle;                 ///< without this log's entry
  const std::optional<PublicKey>& key;  ///< where the bundle's material is the hint of a key
};

/// Rekor v1: `dsse/0.0.1` for an envelope, `hashedrekord/0.0.1` for a message signature; the body
/// of POST /api/v1/log/entries, and what the log keeps of it (RFC 8785), byte by byte.
std::string rekor_v1_request(const LogProposal& proposal);
std::string rekor_v1_body(const LogProposal& proposal);

/// Rekor v2: `hashedrekord/0.0.2` in either case; the body of POST /api/v2/log/entries.
std::string rekor_v2_request(const LogProposal& proposal);
std::string rekor_v2_body(const LogProposal& proposal);

/// The one entry of a reply of Rekor v1 (openapi.yaml, LogEntry). Throws FormatError.
LogEntry parse_rekor_v1_entry(std::string_view json);

/// The identifier of the entry that was there before us: of the Location header, else of the
/// message of a 409. Nothing where neither has one.
std::optional<std::string> existing_entry(const http::Response& conflict);

/// Logs it, or finds it logged by an earlier try of ours whose answer got lost. What comes back is
/// about this very proposal; that the log signed it is for the verifier to check. Throws
/// NetworkError, and IntegrityError where the log has something else.
LogEntry log_with_rekor_v1(http::Transport& transport,
                           std::string_view base_url,
                           const LogProposal& proposal);

/// The same with Rekor v2, where nobody can ask for an entry that is there already: nothing, and a
/// fresh signature makes another one.
std::optional<LogEntry> log_with_rekor_v2(http::Transport& transport,
                                          std::string_view base_url,
                                          const LogProposal& proposal);

}  // namespace seed::sigstore
