#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "git/pkt_line.hpp"

namespace seed::git {

/// The texts of git's HTTP protocol (gitprotocol-http, -pack and -v2), without any connection.

/// 40 zeros: no commit, where a branch is made.
inline constexpr const char* kNoCommit = "0000000000000000000000000000000000000000";

/// 40 lower-case hex digits.
bool is_object_id(std::string_view text);

/// Whether git takes the name for a branch's (git-check-ref-format, with a leading refs/heads/).
bool is_branch_name(std::string_view name);

/// What a server says before a push: every branch with its commit, and what it can do.
struct Advertisement {
  std::map<std::string, std::string> branches;  ///< without refs/heads/
  std::set<std::string> capabilities;

  /// The commit of a branch; nothing where there is no such branch.
  std::optional<std::string> branch(const std::string& name) const;
};

/// The body of info/refs?service=git-receive-pack. Throws FormatError.
Advertisement parse_advertisement(std::string_view body);

/// The body of info/refs?service=git-upload-pack, asked for in version 2. Throws FormatError, also
/// where the server speaks no version 2 or names objects by other hashes than SHA-1.
struct FetchCapabilities {
  bool filter = false;
  bool names_format = false;  ///< it has to be told object-format
};

FetchCapabilities parse_fetch_capabilities(std::string_view body);

struct FetchRequest {
  std::vector<std::string> wants;  ///< object names
  bool shallow = true;             ///< no parents of the commits
  std::string filter;              ///< e.g. tree:0; empty: none
};

std::string fetch_body(const FetchRequest& request, const FetchCapabilities& capabilities);

/// Reads the answer to a fetch and passes on the pack in it.
class FetchReader {
 public:
  explicit FetchReader(Sink pack);

  /// Throws FormatError; NetworkError with the server's own words where it refuses.
  void feed(ByteView chunk) { packets_.feed(chunk); }

  /// Throws FormatError where the answer was cut short.
  void finish() const;

 private:
  void section(std::string_view line);
  void take(Packet kind, std::string_view payload);

  enum class State { header, body, pack, done };
  State state_ = State::header;
  Sink pack_;
  PacketReader packets_;
};

/// One branch that a push moves.
struct RefUpdate {
  std::string name;    ///< refs/heads/...
  std::string before;  ///< what it must be at: the server compares, and swaps or refuses
  std::string after;
};

/// What precedes the pack of a push.
std::string push_head(const RefUpdate& update,
                      const std::vector<std::string>& options,
                      const Advertisement& advertisement);

struct PushReport {
  bool moved = false;
  std::string reason;    ///< the server's, where it refused
  std::string messages;  ///< what the server says to people
};

/// The server's answer to push_head() and a pack. Throws FormatError.
PushReport parse_push_report(std::string_view body, const std::string& ref, bool sideband);

}  // namespace seed::git
