#include "sigstore/tuf.hpp"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/tuf_cache.hpp"
#include "sigstore/tuf_rules.hpp"

namespace seed::sigstore::tuf {
namespace {

/// For all of a refresh, which is about ten small files.
constexpr std::chrono::seconds kPatience{120};

/// Gets files of one repository: none longer than asked for, all of them within kPatience.
class Fetcher {
 public:
  Fetcher(http::Transport& transport, Clock& clock, const std::string& url, http::OnFault on_fault)
      : transport_(transport),
        clock_(clock),
        base_(url),
        deadline_(clock.now() + kPatience),
        on_fault_(on_fault) {
    if (!base_.ends_with('/')) {
      base_ += '/';
    }
  }

  /// Nothing where the repository has none. Throws Refused beyond `limit_bytes`.
  std::optional<std::string> get_if_there(const std::string& name, std::uint64_t limit_bytes) {
    return while_doing(fmt::format("getting {}", name), [&]() -> std::optional<std::string> {
      std::string text;
      http::Request request{.url = base_ + name, .on_fault = on_fault_};
      // Our own limit refuses, and a refusal is no fault of the network's to be got over.
      request.max_response_bytes = UINT64_MAX;
      request.into = [&](const http::Response&) {
        text.clear();
        return [&](ByteView bytes) {
          if (bytes.size() > limit_bytes - text.size()) {
            throw Refused(Rule::length,
                          fmt::format("the answer has more than {} bytes", limit_bytes));
          }
          text += text_of(bytes);
          check_patience();
        };
      };
      check_patience();
      const http::Response response = transport_.send(request);
      check_patience();
      if (response.status == 200) {
        return text;
      }
      // Some storage says 403 of what is not there and may not be listed.
      if (response.status == 404 || response.status == 403) {
        return std::nullopt;
      }
      throw NetworkError(
          fmt::format("{} answered {}", http::redact_url(request.url), response.status),
          {},
          response.status);
    });
  }

  std::string get(const std::string& name, std::uint64_t limit_bytes) {
    auto text = get_if_there(name, limit_bytes);
    if (!text) {
      throw NetworkError(fmt::format("{} has no {}", http::redact_url(base_), name), {}, 404);
    }
    return std::move(*text);
  }

 private:
  void check_patience() const {
    if (clock_.now() > deadline_) {
      throw NetworkError(fmt::format("{} has not given all that is needed in {} s",
                                     http::redact_url(base_),
                                     kPatience.count()));
    }
  }

  http::Transport& transport_;
  Clock& clock_;
  std::string base_;
  Time deadline_;
  http::OnFault on_fault_;
};

std::string metadata_name(const Root& root, std::int64_t version, std::string_view name) {
  return root.consistent_snapshot ? fmt::format("{}.{}", version, name) : std::string(name);
}

/// "targets/a/<hash>.b" for a/b.
std::string target_name(const Root& root, const Target& target, const std::string& path) {
  if (!root.consistent_snapshot) {
    return "targets/" + path;
  }
  const auto at = path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1;
  const std::string hash =
      target.hashes.sha256 ? target.hashes.sha256->hex() : to_hex(*target.hashes.sha512);
  return fmt::format("targets/{}{}.{}", path.substr(0, at), hash, path.substr(at));
}

/// A length that was signed, where it is not more than anybody needs.
std::uint64_t limit_of(const std::optional<std::uint64_t>& length, std::uint64_t most) {
  return std::min(length.value_or(most), most);
}

template <class Metadata>
std::optional<Metadata> value_of(const std::optional<Checked<Metadata>>& checked) {
  return checked ? std::optional(checked->value) : std::nullopt;
}

/// What is believed, and every step to the next thing (§5.3 to §5.7). `now` is one time for all.
class Refresh {
 public:
  Refresh(Fetcher& fetcher, const Repository& repository, State state, Time now)
      : fetcher_(fetcher), repository_(repository), state_(std::move(state)), now_(now) {}

  Found run(const std::string& path) {
    update_root();
    update_timestamp();
    update_snapshot();
    update_targets();
    const Target& target = target_named(state_.targets->value, path);
    Found found{.bytes = target_bytes(target, path), .checked = now_, .expires = expiry_of(state_)};
    state_.checked = now_;
    save_state(repository_, state_);
    return found;
  }

  static Time expiry_of(const State& state) {
    return std::min({state.root.file.expires,
                     state.timestamp->value.file.expires,
                     state.snapshot->value.file.expires,
                     state.targets->value.file.expires});
  }

 private:
  void update_root() {
    for (int i = 0; i < kMaxTufRootRotations; ++i) {
      const auto name = fmt::format("{}.root.json", state_.root.file.version + 1);
      const auto text = fetcher_.get_if_there(name, kMaxTufRootBytes);
      if (!text) {
        // Those on the way may have expired; the last one may not.
        check_unexpired(state_.root.file, now_);
        return;
      }
      Root root = next_root(state_.root, *text);
      if (keys_changed(state_.root, root, "timestamp") ||
          keys_changed(state_.root, root, "snapshot")) {
        state_.timestamp.reset();
        state_.snapshot.reset();
      }
      save_root(repository_, root, *text);
      state_.root = std::move(root);
    }
    throw Refused(Rule::length,
                  fmt::format("there are more than {} roots to follow", kMaxTufRootRotations));
  }

  void update_timestamp() {
    std::string text = fetcher_.get("timestamp.json", kMaxTufTimestampBytes);
    Timestamp timestamp = next_timestamp(state_.root, value_of(state_.timestamp), text);
    check_unexpired(timestamp.file, now_);
    if (!state_.timestamp || timestamp.file.version != state_.timestamp->value.file.version) {
      state_.timestamp = {std::move(text), std::move(timestamp)};
    }
  }

  void update_snapshot() {
    const FileInfo& info = state_.timestamp->value.snapshot;
    std::string text = state_.snapshot && state_.snapshot->value.file.version == info.version
                           ? state_.snapshot->text
                           : fetcher_.get(metadata_name(state_.root, info.version, "snapshot.json"),
                                          limit_of(info.length, kMaxTufSnapshotBytes));
    Snapshot snapshot =
        next_snapshot(state_.root, state_.timestamp->value, value_of(state_.snapshot), text);
    check_unexpired(snapshot.file, now_);
    state_.snapshot = {std::move(text), std::move(snapshot)};
  }

  void update_targets() {
    const FileInfo& info = state_.snapshot->value.meta.at("targets.json");
    std::string text = state_.targets && state_.targets->value.file.version == info.version
                           ? state_.targets->text
                           : fetcher_.get(metadata_name(state_.root, info.version, "targets.json"),
                                          limit_of(info.length, kMaxTufTargetsBytes));
    Targets targets = next_targets(state_.root, state_.snapshot->value, text);
    check_unexpired(targets.file, now_);
    state_.targets = {std::move(text), std::move(targets)};
  }

  std::string target_bytes(const Target& target, const std::string& path) {
    if (auto cached = load_target(repository_, target)) {
      return std::move(*cached);
    }
    std::string bytes = fetcher_.get(target_name(state_.root, target, path),
                                     limit_of(target.length, kMaxTufTargetBytes));
    check_target(target, path, bytes);
    save_target(repository_, target, bytes);
    return bytes;
  }

  Fetcher& fetcher_;
  const Repository& repository_;
  State state_;
  Time now_;
};

/// What `state` and the cache say of a target.
std::optional<Found> found_in(const Repository& repository,
                              const State& state,
                              const std::string& path) {
  if (!state.targets) {
    return std::nullopt;
  }
  const auto target = state.targets->value.targets.find(path);
  if (target == state.targets->value.targets.end()) {
    return std::nullopt;
  }
  auto bytes = load_target(repository, target->second);
  if (!bytes) {
    return std::nullopt;
  }
  return Found{
      .bytes = std::move(*bytes), .checked = state.checked, .expires = Refresh::expiry_of(state)};
}

}  // namespace

Known known_target(const Repository& repository, const std::string& path) {
  const State state = load_state(repository);
  return {.found = found_in(repository, state, path), .anything = state.from_cache};
}

Found find_target(http::Transport& transport,
                  Clock& clock,
                  const Repository& repository,
                  const std::string& path,
                  std::chrono::seconds max_age,
                  http::OnFault on_fault) {
  return while_doing(fmt::format("asking {} for {}", http::redact_url(repository.url), path), [&] {
    std::optional<os::FileLock> lock;
    if (!repository.cache.empty()) {
      os::make_dirs(repository.cache);
      lock.emplace(repository.cache / "lock");
    }
    State state = load_state(repository);
    const Time now = clock.now();
    if (auto found = found_in(repository, state, path);
        found && now < found->expires && found->checked <= now && now - found->checked < max_age) {
      return std::move(*found);
    }
    Fetcher fetcher(transport, clock, repository.url, on_fault);
    return Refresh(fetcher, repository, std::move(state), now).run(path);
  });
}

}  // namespace seed::sigstore::tuf
