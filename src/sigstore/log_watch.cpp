#include "sigstore/log_watch.hpp"

#include <algorithm>
#include <bit>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/merkle.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

constexpr std::int64_t kTileWidth = 256;
constexpr std::uint64_t kTileBytes = 8192;
constexpr std::uint64_t kMaxEntryBundleBytes = 256 * 65537;
constexpr std::uint64_t kMaxAnswerBytes = 1 << 20;
constexpr std::size_t kMaxCachedTiles = 4096;
constexpr std::size_t kMaxLogs = 100;
constexpr std::uint64_t kMaxStateBytes = 16 << 20;

/// Without its scheme: the name in notes.
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  url.remove_prefix(scheme == std::string_view::npos ? 0 : scheme + 3);
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  return url;
}

[[noreturn]] void refuse_log(std::string_view what,
                             const LogCheckpoint& before,
                             const LogCheckpoint& now) {
  throw IntegrityError(
      fmt::format("the log {} {}: it signed\n\n{}\nand then\n\n{}",
                  printable(before.origin()),
                  what,
                  before.note(),
                  now.note()),
      "keep both notes: each is signed by the log, and together they prove that it showed two "
      "different histories; publish them, and believe no entry of it until it is explained");
}

/// What was kept of the log. It is known by its key: the name of Rekor v1 has the number of its
/// tree, and with another number the log could begin another past.
std::optional<LogCheckpoint> kept_of(const LogState& state,
                                     const std::string& origin,
                                     const TrustedLog& log) {
  if (const auto known = state.find(origin); known != state.end()) {
    return while_doing("reading the checkpoint that was kept",
                       [&] { return verify_checkpoint(known->second, log); });
  }
  for (const auto& [other, note] : state) {
    try {
      return verify_checkpoint(note, log);
    } catch (const Error&) {
      continue;  // of another log
    }
  }
  return std::nullopt;
}

}  // namespace

LogCheckpoint verify_checkpoint(std::string_view text, const TrustedLog& log) {
  const SignedNote note = parse_note(text);
  const Checkpoint checkpoint = parse_checkpoint(note.text);
  std::string name(origin_of(log.base_url));
  // Rekor v1 has the number of its tree behind a name of its own: its key says who it is. The name
  // of v2 is where it is.
  if (const std::size_t dash = checkpoint.origin.find(" - "); dash != std::string::npos) {
    name = checkpoint.origin.substr(0, dash);
  } else if (checkpoint.origin != name) {
    throw IntegrityError(fmt::format("the checkpoint is of the log '{}', not of '{}'",
                                     printable(checkpoint.origin),
                                     printable(name)));
  }
  if (!is_signed_by(note, name, ByteView(log.log_id).first(4), log.key)) {
    throw IntegrityError(
        fmt::format("the checkpoint is not signed by the log '{}'", printable(name)));
  }
  LogCheckpoint verified(checkpoint.root);
  verified.origin_ = checkpoint.origin;
  verified.size_ = checkpoint.size;
  verified.note_ = text;
  return verified;
}

LogReader::LogReader(http::Transport& transport, const TrustedLog& log)
    : transport_(transport), log_(log) {}

std::string LogReader::get(const std::string& path, std::uint64_t limit_bytes) {
  const std::string url = log_.base_url + path;
  const http::Response response =
      transport_.send({.method = http::Method::get, .url = url, .max_response_bytes = limit_bytes});
  if (response.status != 200) {
    throw NetworkError(fmt::format("GET {} gives {}", http::redact_url(url), response.status),
                       "",
                       response.status);
  }
  return response.body;
}

LogCheckpoint LogReader::checkpoint() {
  cache_.clear();
  try {
    const std::string note = get("/api/v2/checkpoint", kMaxNoteBytes);
    tiles_ = true;
    return verify_checkpoint(note, log_);
  } catch (const NetworkError& error) {
    if (error.status() != 404 && error.status() != 405 && error.status() != 501) {
      throw;
    }
  }
  tiles_ = false;
  const json answer =
      parse_json(get("/api/v1/log", kMaxAnswerBytes), kMaxAnswerBytes, "the log's answer");
  const auto head = answer.find("signedTreeHead");
  if (head == answer.end() || !head->is_string()) {
    throw FormatError("the log's answer has no signedTreeHead");
  }
  return verify_checkpoint(head->get<std::string>(), log_);
}

void LogReader::check_grown(const LogCheckpoint& before, const LogCheckpoint& now) {
  if (before.origin() != now.origin()) {
    throw IntegrityError(
        fmt::format("'{}' and '{}' are two logs by one key: it signed\n\n{}\nand then\n\n{}",
                    printable(before.origin()),
                    printable(now.origin()),
                    before.note(),
                    now.note()),
        "a log that ended is followed by another: where its operator says so, begin a new state; "
        "if not, publish both notes, for they show two histories");
  }
  if (now.size() < before.size()) {
    refuse_log("has lost entries (a rollback)", before, now);
  }
  if (now.size() == before.size()) {
    if (now.root() != before.root()) {
      refuse_log("has two contents of one size (a split view)", before, now);
    }
    return;
  }
  if (before.size() == 0) {
    return;  // every log begins with nothing
  }
  try {
    check_consistency(before.size(), before.root(), now.size(), now.root(), proof(before, now));
  } catch (const IntegrityError&) {
    refuse_log("is not the one it was (a fork)", before, now);
  } catch (const FormatError&) {
    refuse_log("proves nothing of its growth", before, now);
  }
}

std::vector<Bytes> LogReader::proof(const LogCheckpoint& before, const LogCheckpoint& now) {
  std::vector<Bytes> hashes;
  if (tiles_) {
    subproof(before.size(), 0, now.size(), true, now.size(), hashes);
    return hashes;
  }
  std::string path =
      fmt::format("/api/v1/log/proof?firstSize={}&lastSize={}", before.size(), now.size());
  if (const std::size_t dash = now.origin().find(" - "); dash != std::string::npos) {
    const std::string tree = now.origin().substr(dash + 3);
    if (!tree.empty() && tree.find_first_not_of("0123456789") == std::string::npos) {
      path += "&treeID=" + tree;
    }
  }
  const json answer = parse_json(get(path, kMaxAnswerBytes), kMaxAnswerBytes, "the log's proof");
  const auto list = answer.find("hashes");
  if (list == answer.end() || !list->is_array() || list->size() > 2 * kMaxProofHashes) {
    throw FormatError("the log's proof has no hashes");
  }
  for (const json& one : *list) {
    const auto bytes = one.is_string() ? from_hex(one.get<std::string>()) : std::nullopt;
    if (!bytes) {
      throw FormatError("a hash of the log's proof is not hexadecimal");
    }
    hashes.push_back(*bytes);
  }
  return hashes;
}

/// The root of the complete subtree `index` at `level`, out of the tile that has its leaves.
Digest LogReader::node(unsigned level, std::int64_t index, std::int64_t size) {
  const unsigned tile_level = level / 8;
  const unsigned above = level % 8;
  const std::int64_t first = index << above;
  const std::string path =
      tile_path(static_cast<int>(tile_level), first / kTileWidth, size >> (8 * tile_level));
  auto cached = cache_.find(path);
  if (cached == cache_.end()) {
    if (cache_.size() >= kMaxCachedTiles) {
      cache_.clear();
    }
    cached = cache_.emplace(path, get("/api/v2/" + path, kTileBytes)).first;
  }
  const std::string& tile = cached->second;
  std::vector<Digest> row;
  for (std::int64_t i = 0; i < (std::int64_t{1} << above); ++i) {
    const auto at = static_cast<std::size_t>((first % kTileWidth + i) * 32);
    if (at + 32 > tile.size()) {
      throw FormatError(fmt::format("the log's {} is too short", path));
    }
    row.push_back(digest_of(bytes_of(std::string_view(tile).substr(at, 32))));
  }
  while (row.size() > 1) {
    for (std::size_t i = 0; i < row.size() / 2; ++i) {
      row[i] = node_hash(row[2 * i], row[2 * i + 1]);
    }
    row.erase(row.begin() + static_cast<std::ptrdiff_t>(row.size() / 2), row.end());
  }
  return row.front();
}

namespace {

/// The largest power of two below `size`, which is 2 or more.
std::int64_t left_part(std::int64_t size) {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(size - 1)));
}

}  // namespace

/// MTH(D[from:to]) (RFC 6962 §2.1); `from` is where a subtree begins.
Digest LogReader::range(std::int64_t from, std::int64_t to, std::int64_t size) {
  const std::int64_t count = to - from;
  if (std::has_single_bit(static_cast<std::uint64_t>(count))) {
    const auto level = static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(count)));
    return node(level, from / count, size);
  }
  const std::int64_t left = left_part(count);
  return node_hash(range(from, from + left, size), range(from + left, to, size));
}

/// SUBPROOF (RFC 6962 §2.1.2)
void LogReader::subproof(std::int64_t old_size,
                         std::int64_t from,
                         std::int64_t to,
                         bool whole,
                         std::int64_t size,
                         std::vector<Bytes>& hashes) {
  const auto add = [&](const Digest& digest) {
    hashes.emplace_back(digest.raw().begin(), digest.raw().end());
  };
  if (old_size == to - from) {
    if (!whole) {
      add(range(from, to, size));
    }
    return;
  }
  const std::int64_t left = left_part(to - from);
  if (old_size <= left) {
    subproof(old_size, from, from + left, whole, size, hashes);
    add(range(from + left, to, size));
  } else {
    subproof(old_size - left, from + left, to, false, size, hashes);
    add(range(from, from + left, size));
  }
}

namespace {

/// The complete subtrees of a tree, from the left, with their sizes: what can be added to.
class Frontier {
 public:
  void add_subtree(const Digest& digest, std::int64_t count) {
    parts_.emplace_back(count, digest);
    while (parts_.size() > 1 && parts_[parts_.size() - 2].first == parts_.back().first) {
      const auto right = parts_.back();
      parts_.pop_back();
      parts_.back() = {2 * right.first, node_hash(parts_.back().second, right.second)};
    }
  }

  Digest root() const {
    Digest digest = parts_.empty() ? Digest::of("") : parts_.back().second;
    for (std::size_t i = parts_.size(); i-- > 1;) {
      digest = node_hash(parts_[i - 1].second, digest);
    }
    return digest;
  }

 private:
  std::vector<std::pair<std::int64_t, Digest>> parts_;
};

}  // namespace

void LogReader::read_entries(const LogCheckpoint& before,
                             const LogCheckpoint& now,
                             std::int64_t limit,
                             const std::function<void(std::int64_t, std::string_view)>& entry) {
  const std::int64_t size = now.size();
  if (size - before.size() > limit) {
    throw Error(
        fmt::format(
            "the log has {} new entries, and {} are read in one run", size - before.size(), limit),
        "run more often, or begin a new state");
  }
  Frontier frontier;
  std::int64_t at = 0;
  for (std::int64_t rest = before.size(); rest > 0;) {
    const auto part = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rest)));
    frontier.add_subtree(range(at, at + part, size), part);
    at += part;
    rest -= part;
  }
  while (at < size) {
    const std::int64_t number = at / kTileWidth;
    const std::vector<std::string> bundle =
        parse_entry_bundle(get("/api/v2/" + tile_path(-1, number, size), kMaxEntryBundleBytes));
    const std::int64_t end = std::min(size, (number + 1) * kTileWidth);
    for (; at < end; ++at) {
      const auto offset = static_cast<std::size_t>(at % kTileWidth);
      if (offset >= bundle.size()) {
        throw FormatError("the log's bundle of entries is too short");
      }
      frontier.add_subtree(leaf_hash(bytes_of(bundle[offset])), 1);
      entry(at, bundle[offset]);
    }
  }
  if (frontier.root() != now.root()) {
    refuse_log("shows entries that are not in its tree", before, now);
  }
}

std::string tile_path(int level, std::int64_t number, std::int64_t size) {
  std::string path = fmt::format("{:03}", number % 1000);
  for (std::int64_t rest = number / 1000; rest > 0; rest /= 1000) {
    path = fmt::format("x{:03}/{}", rest % 1000, path);
  }
  const std::int64_t width = std::min(kTileWidth, size - number * kTileWidth);
  const std::string partial = width < kTileWidth ? fmt::format(".p/{}", width) : "";
  return level < 0 ? fmt::format("tile/entries/{}{}", path, partial)
                   : fmt::format("tile/{}/{}{}", level, path, partial);
}

std::vector<std::string> parse_entry_bundle(std::string_view bytes) {
  std::vector<std::string> entries;
  while (!bytes.empty()) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
    };
    if (bytes.size() < 2 || bytes.size() - 2 < byte(0) * 256 + byte(1) ||
        entries.size() == static_cast<std::size_t>(kTileWidth)) {
      throw FormatError("a bundle of log entries is cut short, or has more than 256");
    }
    const std::size_t length = byte(0) * 256 + byte(1);
    entries.emplace_back(bytes.substr(2, length));
    bytes.remove_prefix(2 + length);
  }
  return entries;
}

LogState parse_log_state(std::string_view text) {
  const json object = parse_json(text, kMaxStateBytes, "the state of the logs");
  const auto logs = object.is_object() ? object.find("checkpoints") : object.end();
  if (!object.is_object() || logs == object.end() || !logs->is_object() ||
      logs->size() > kMaxLogs) {
    throw FormatError("the state of the logs has no checkpoints",
                      "it is a file that nix-seed writes: take a new one where it is damaged");
  }
  LogState state;
  for (const auto& [origin, note] : logs->items()) {
    if (!note.is_string() || note.get_ref<const std::string&>().size() > kMaxNoteBytes) {
      throw FormatError(fmt::format("the checkpoint of '{}' is no text", printable(origin)));
    }
    state.emplace(origin, note.get<std::string>());
  }
  return state;
}

std::string to_json(const LogState& state) {
  return json{{"checkpoints", state}}.dump(2) + "\n";
}

LogGrowth watch(LogReader& reader, LogState& state) {
  LogGrowth growth{.now = reader.checkpoint()};
  growth.before = kept_of(state, growth.now.origin(), reader.log());
  if (growth.before) {
    reader.check_grown(*growth.before, growth.now);
  }
  state[growth.now.origin()] = growth.now.note();
  return growth;
}

}  // namespace seed::sigstore
