#include "nix/build_log.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

// libutil/logging.hh of Nix, the same since 2.0; Lix has them too.
constexpr int kActivityBuild = 105;
constexpr int kResultLogLine = 101;
constexpr int kResultPostLogLine = 107;
constexpr int kLevelInfo = 3;

constexpr std::string_view kMark = "@nix ";

template <class Value>
Value member(const json& object, const char* name, Value otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) {
    return otherwise;
  }
  if constexpr (std::is_same_v<Value, std::string>) {
    return found->is_string() ? found->get<std::string>() : otherwise;
  } else {
    return found->is_number_integer() ? found->get<Value>() : otherwise;
  }
}

/// The first of `fields`, where it is a text.
std::string first_field(const json& event) {
  const auto fields = event.find("fields");
  return fields != event.end() && fields->is_array() && !fields->empty() &&
                 fields->front().is_string()
             ? fields->front().get<std::string>()
             : "";
}

/// Without colours, as Nix itself shows it to whom is no terminal.
std::string uncoloured(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\x1b[")) {
      at = std::min(text.find_first_not_of("0123456789;", at + 2), text.size());
    } else {
      out += text[at];
    }
  }
  return out;
}

std::string_view name_of(std::string_view derivation) {
  constexpr std::string_view kSuffix = ".drv";
  constexpr std::size_t kHash = 33;  // with the dash after it
  std::string_view name = derivation.substr(derivation.rfind('/') + 1);
  name = name.size() > kHash ? name.substr(kHash) : name;
  return name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
}

/// "exit code 3", "signal 9", "timed out" of Nix's words on a failed build.
std::string reason_of(std::string_view message) {
  for (const std::string_view word : {"exit code ", "signal "}) {
    const std::size_t at = message.find(word);
    if (at != message.npos) {
      const std::size_t end = message.find_first_not_of("0123456789", at + word.size());
      return std::string(message.substr(at, std::min(end, message.size()) - at));
    }
  }
  return message.find("timed out") != message.npos ? "timed out" : "";
}

/// Whether Nix says with `message` that a builder failed, rather than that something it needs did:
/// "builder for 'X' failed …" to 2.28, "Cannot build 'X'. Reason: builder failed …" since.
bool is_failure(std::string_view message) {
  return message.find("failed") != message.npos && message.find("dependenc") == message.npos;
}

}  // namespace

std::string BuildLog::take(std::string_view chunk) {
  std::string shown;
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\n');
    line_ += chunk.substr(0, end);
    if (passing_ || line_.size() > kMaxInputLineBytes) {
      passing_ = true;
      shown += std::exchange(line_, {});
    }
    if (end == chunk.npos) {
      break;
    }
    shown += passing_ ? "\n" : show(std::exchange(line_, {}));
    passing_ = false;
    chunk.remove_prefix(end + 1);
  }
  return shown;
}

std::string BuildLog::finish() {
  const std::string shown = line_.empty() ? "" : show(std::exchange(line_, {}));
  passing_ = false;
  while (!running_.empty()) {
    end(running_.begin()->first);
  }
  return shown;
}

std::string BuildLog::show(std::string_view line) {
  if (!line.starts_with(kMark)) {
    return std::string(line) + "\n";
  }
  const json event = json::parse(line.substr(kMark.size()), nullptr, false);
  if (!event.is_object()) {
    return std::string(line) + "\n";
  }
  const auto action = member<std::string>(event, "action", "");
  const auto id = member<std::uint64_t>(event, "id", 0);
  const int type = member(event, "type", 0);
  if (action == "msg") {
    const std::string message = uncoloured(member<std::string>(event, "msg", ""));
    const int level = member(event, "level", 0);
    if (level == 0) {
      note_failure(message);
    }
    return level <= kLevelInfo ? message + "\n" : "";
  }
  if (action == "start" && type == kActivityBuild) {
    return begin(first_field(event), id);
  }
  if (action == "start") {
    const std::string text = member<std::string>(event, "text", "");
    return member(event, "level", 0) <= kLevelInfo && !text.empty() ? text + "...\n" : "";
  }
  if (action == "result" && (type == kResultLogLine || type == kResultPostLogLine)) {
    return add_line(id, uncoloured(first_field(event)));
  }
  if (action == "stop") {
    end(id);
  }
  return {};
}

std::string BuildLog::begin(const std::string& derivation, std::uint64_t id) {
  if (activities_.size() < kMaxActivities) {
    running_[id] = activities_.size();
    activities_.push_back({.derivation = derivation, .start = now_()});
  }
  return fmt::format("building '{}'...\n", derivation);
}

std::string BuildLog::add_line(std::uint64_t id, const std::string& line) {
  const auto running = running_.find(id);
  if (running == running_.end()) {
    return line + "\n";
  }
  BuildActivity& activity = activities_[running->second];
  activity.log.emplace_back(utf8_prefix(line, kMaxLineBytes));
  ++activity.log_lines;
  if (activity.log.size() > kKeptLines) {
    activity.log.pop_front();
  }
  return fmt::format("{}> {}\n", name_of(activity.derivation), line);
}

void BuildLog::end(std::uint64_t id) {
  const auto running = running_.find(id);
  if (running == running_.end()) {
    return;
  }
  BuildActivity& activity = activities_[running->second];
  activity.seconds = now_() - activity.start;
  ended_.push_back(running->second);
  running_.erase(running);
  // Nix says that a builder failed before or soon after it says that it ended.
  while (ended_.size() > kKeptLogs) {
    BuildActivity& oldest = activities_[ended_.front()];
    if (!oldest.failed) {
      oldest.log.clear();
    }
    ended_.pop_front();
  }
}

void BuildLog::note_failure(const std::string& message) {
  const std::size_t start = message.find('\'');
  const std::size_t end = message.find('\'', start + 1);
  if (start == message.npos || end == message.npos || !is_failure(message)) {
    return;
  }
  const std::string_view named = std::string_view(message).substr(start + 1, end - start - 1);
  for (auto it = activities_.rbegin(); it != activities_.rend(); ++it) {
    if (it->derivation == named) {
      it->failed = true;
      it->why = reason_of(std::string_view(message).substr(end));
      return;
    }
  }
}

}  // namespace seed::nix
