#include "ci/actions_event.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"

namespace seed::ci {
namespace {

using nlohmann::json;

/// GitHub delivers no larger ones.
constexpr std::uint64_t kMaxEventBytes = 25 << 20;

/// The object at `key`; null where it is absent or null.
const json* object_at(const json* object, const char* key) {
  const json* member = object == nullptr ? nullptr : oci::find_member(*object, key);
  if (member != nullptr && !member->is_object()) {
    throw FormatError(fmt::format("event: '{}' is not an object", key));
  }
  return member;
}

std::string full_name(const json* repository) {
  const json* name = repository == nullptr ? nullptr : oci::find_member(*repository, "full_name");
  if (name != nullptr && !name->is_string()) {
    throw FormatError("event: 'full_name' is not a string");
  }
  return name == nullptr ? "" : name->get<std::string>();
}

/// Whose events are about code that is not in the repository yet.
bool is_about_pull_request(std::string_view event_name) {
  return event_name.starts_with("pull_request") || event_name == "merge_request";
}

}  // namespace

ActionsEvent parse_event(std::string_view text) {
  const json document = oci::parse_json(text, kMaxEventBytes, "event");
  if (!document.is_object()) {
    throw FormatError("event: not a JSON object");
  }
  ActionsEvent event;
  if (const json* pull_request = object_at(&document, "pull_request")) {
    event.pull_request = true;
    event.head_repository = full_name(object_at(object_at(pull_request, "head"), "repo"));
  } else if (const json* run = object_at(&document, "workflow_run")) {
    const json* cause = oci::find_member(*run, "event");
    event.pull_request = cause != nullptr && cause->is_string() &&
                         is_about_pull_request(cause->get_ref<const std::string&>());
    event.head_repository = full_name(object_at(run, "head_repository"));
  } else if (const json* issue = object_at(&document, "issue")) {
    event.pull_request = object_at(issue, "pull_request") != nullptr;
  }
  return event;
}

std::string why_untrusted(std::string_view event_name,
                          std::string_view actor,
                          std::string_view repository,
                          const ActionsEvent* event) {
  if (actor == "dependabot[bot]") {
    return "Dependabot started it, whose token can only read";
  }
  if (event_name == "pull_request_target") {
    return "pull_request_target gives a token that can write to code of a pull request";
  }
  const bool from_comment = event_name == "issue_comment";
  if (!is_about_pull_request(event_name) && event_name != "workflow_run" && !from_comment) {
    return {};
  }
  if (event == nullptr) {
    return fmt::format("the event '{}' can't be read, so nothing says whose code this is",
                       printable(event_name));
  }
  if (from_comment) {
    return event->pull_request ? "a comment on a pull request started it" : "";
  }
  if (event_name == "workflow_run" && !event->pull_request) {
    return {};
  }
  if (event->head_repository.empty()) {
    return "the repository of the pull request is gone";
  }
  if (to_lower(event->head_repository) != to_lower(repository)) {
    return fmt::format("the pull request is of the fork {}", printable(event->head_repository));
  }
  return {};
}

}  // namespace seed::ci
