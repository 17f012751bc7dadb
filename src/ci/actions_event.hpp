#pragma once

#include <string>
#include <string_view>

namespace seed::ci {

/// Of what started a run, only who can have written the code that it works on.
struct ActionsEvent {
  bool pull_request = false;    ///< the event is about a pull request
  std::string head_repository;  ///< owner/name; empty where the fork is gone, or no pull request
};

/// Reads the file that GITHUB_EVENT_PATH names. Throws FormatError.
ActionsEvent parse_event(std::string_view text);

/// Why a run of this kind must not push; empty where it may. `event` is null where the file can't
/// be read, which makes the runs untrusted that need it.
std::string why_untrusted(std::string_view event_name,
                          std::string_view actor,
                          std::string_view repository,
                          const ActionsEvent* event);

}  // namespace seed::ci
