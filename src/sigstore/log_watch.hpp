#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "http/http.hpp"
#include "sigstore/note.hpp"
#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

/// What a log signed of itself. Only verify_checkpoint() makes one.
class LogCheckpoint {
 public:
  const std::string& origin() const { return origin_; }

  std::int64_t size() const { return size_; }

  const Digest& root() const { return root_; }

  const std::string& note() const { return note_; }  ///< whole, as it was signed

 private:
  explicit LogCheckpoint(const Digest& root) : root_(root) {}

  friend LogCheckpoint verify_checkpoint(std::string_view note, const TrustedLog& log);

  std::string origin_;
  std::int64_t size_ = 0;
  Digest root_;
  std::string note_;
};

/// Throws FormatError, or IntegrityError where it is not the log's own.
LogCheckpoint verify_checkpoint(std::string_view note, const TrustedLog& log);

/// A log over HTTP: Rekor v1, or the tiles of Rekor v2 (C2SP tlog-tiles).
class LogReader {
 public:
  LogReader(http::Transport& transport, const TrustedLog& log);

  const TrustedLog& log() const { return log_; }

  /// The newest one. Finds out which version the log speaks.
  LogCheckpoint checkpoint();

  /// Whether it has tiles, and so every entry can be read in order. After checkpoint().
  bool has_tiles() const { return tiles_; }

  /// Proves that the log at `now` is the log at `before` with more entries. Throws IntegrityError,
  /// with both notes, where it is smaller, or another one.
  void check_grown(const LogCheckpoint& before, const LogCheckpoint& now);

  /// Calls `entry(index, body)` for the entries [before.size, now.size), which are proven to be
  /// those of the log. At most `limit` of them: IntegrityError never, Error for more.
  void read_entries(const LogCheckpoint& before,
                    const LogCheckpoint& now,
                    std::int64_t limit,
                    const std::function<void(std::int64_t, std::string_view)>& entry);

 private:
  std::string get(const std::string& path, std::uint64_t limit_bytes);
  std::vector<Bytes> proof(const LogCheckpoint& before, const LogCheckpoint& now);
  Digest node(unsigned level, std::int64_t index, std::int64_t size);
  Digest range(std::int64_t from, std::int64_t to, std::int64_t size);
  void subproof(std::int64_t old_size,
                std::int64_t from,
                std::int64_t to,
                bool whole,
                std::int64_t size,
                std::vector<Bytes>& hashes);

  http::Transport& transport_;
  const TrustedLog& log_;
  bool tiles_ = false;
  std::map<std::string, std::string> cache_;  ///< tiles of one run
};

/// The path of tile or entry bundle `number` of a log of `size` leaves at `level` (tiles; -1:
/// entries), C2SP tlog-tiles: tile/0/x001/234 and .p/WIDTH for the last one.
std::string tile_path(int level, std::int64_t number, std::int64_t size);

/// Entries of a bundle: u16 length and bytes. Throws FormatError.
std::vector<std::string> parse_entry_bundle(std::string_view bytes);

/// The last checkpoint of each log, by origin, as a file keeps it.
using LogState = std::map<std::string, std::string>;

/// Throws FormatError.
LogState parse_log_state(std::string_view json);
std::string to_json(const LogState& state);

/// Checks that the log has only grown since `state`, and puts its newest checkpoint there. Returns
/// what it was before and is now.
struct LogGrowth {
  std::optional<LogCheckpoint> before;
  LogCheckpoint now;
};

LogGrowth watch(LogReader& reader, LogState& state);

}  // namespace seed::sigstore
