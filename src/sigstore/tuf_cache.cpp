#include "sigstore/tuf_cache.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "os/file.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/tuf_rules.hpp"

namespace seed::sigstore::tuf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kStateName = "state.json";
// Texts within JSON: each character may take two.
constexpr std::uint64_t kMaxStateBytes =
    2 * (kMaxTufTimestampBytes + kMaxTufSnapshotBytes + kMaxTufTargetsBytes) + 4096;

fs::path root_file(const Repository& repository, std::int64_t version) {
  return repository.cache / fmt::format("{}.root.json", version);
}

fs::path target_file(const Repository& repository, const Target& target) {
  return repository.cache / ("target-" + (target.hashes.sha256 ? target.hashes.sha256->hex()
                                                               : to_hex(*target.hashes.sha512)));
}

/// The file's text, where there is one that can be read.
std::optional<std::string> read_if_there(const fs::path& file, std::uint64_t limit_bytes) {
  std::error_code code;
  if (!fs::is_regular_file(file, code)) {
    return std::nullopt;
  }
  return os::read_file(file, limit_bytes);
}

/// The roots that the cache has, each vouched for by the one before; at least the first.
std::vector<Root> load_roots(const Repository& repository) {
  std::vector<Root> roots{first_root(repository.root)};
  for (int i = 0; i < kMaxTufRootRotations; ++i) {
    try {
      const auto text =
          read_if_there(root_file(repository, roots.back().file.version + 1), kMaxTufRootBytes);
      if (!text) {
        break;
      }
      roots.push_back(next_root(roots.back(), *text));
    } catch (const Error&) {
      break;  // not what we wrote: the repository is asked for it again
    }
  }
  return roots;
}

/// Whether the keys of the online roles are others than at the root that vouched for the state.
/// Where that root is older than the one we start from nobody can tell; then the signatures do.
bool keys_rotated(const std::vector<Root>& roots, std::int64_t version) {
  for (const Root& root : roots) {
    if (root.file.version == version) {
      return keys_changed(root, roots.back(), "timestamp") ||
             keys_changed(root, roots.back(), "snapshot");
    }
  }
  return false;
}

/// Fills `state` in the order in which each vouches for the next, until one does not hold.
void load_metadata(State& state, const json& saved, const std::vector<Root>& roots) {
  if (keys_rotated(roots, integer_member(saved, "root"))) {
    return;
  }
  const std::string& timestamp = string_member(saved, "timestamp");
  state.timestamp = {timestamp, next_timestamp(state.root, std::nullopt, timestamp)};
  const std::string& snapshot = string_member(saved, "snapshot");
  state.snapshot = {snapshot,
                    next_snapshot(state.root, state.timestamp->value, std::nullopt, snapshot)};
  const std::string& targets = string_member(saved, "targets");
  state.targets = {targets, next_targets(state.root, state.snapshot->value, targets)};
  state.checked = parse_rfc3339(string_member(saved, "checked"));
}

}  // namespace

State load_state(const Repository& repository) {
  if (repository.cache.empty()) {
    return {.root = first_root(repository.root)};
  }
  const std::vector<Root> roots = load_roots(repository);
  State state{.root = roots.back(), .from_cache = roots.size() > 1};
  const fs::path file = repository.cache / kStateName;
  std::error_code code;
  state.from_cache = state.from_cache || fs::exists(file, code);
  try {
    if (const auto text = read_if_there(file, kMaxStateBytes)) {
      load_metadata(state, parse_json(*text, kMaxStateBytes, kStateName), roots);
    }
  } catch (const Error&) {
    // What held up to here still serves to tell an older version from a newer one.
  }
  return state;
}

std::optional<std::string> load_target(const Repository& repository, const Target& target) {
  if (repository.cache.empty()) {
    return std::nullopt;
  }
  try {
    auto bytes = read_if_there(target_file(repository, target), kMaxTufTargetBytes);
    if (bytes) {
      check_target(target, "in the cache", *bytes);
    }
    return bytes;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void save_root(const Repository& repository, const Root& root, std::string_view text) {
  if (!repository.cache.empty()) {
    os::atomic_write(root_file(repository, root.file.version), text);
  }
}

void save_state(const Repository& repository, const State& state) {
  if (!repository.cache.empty()) {
    const json saved{{"checked", to_rfc3339(state.checked)},
                     {"root", state.root.file.version},
                     {"timestamp", state.timestamp->text},
                     {"snapshot", state.snapshot->text},
                     {"targets", state.targets->text}};
    os::atomic_write(repository.cache / kStateName, saved.dump() + "\n");
  }
}

void save_target(const Repository& repository, const Target& target, std::string_view bytes) {
  if (!repository.cache.empty()) {
    os::atomic_write(target_file(repository, target), bytes);
  }
}

}  // namespace seed::sigstore::tuf
