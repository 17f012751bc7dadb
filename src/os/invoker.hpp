#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace seed::os {

/// The user for whom root does something.
struct Invoker {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< the others

  bool operator==(const Invoker&) const = default;
};

/// Whom this process runs as.
Invoker current_invoker();

/// UID:GID, or UID:GID:GROUP,GROUP. Throws UsageError for what is none.
std::string to_text(const Invoker& invoker);
Invoker parse_invoker(std::string_view text);

/// From root to that user, for good. Of root's rights this process keeps those to make namespaces
/// and mounts (CAP_SYS_ADMIN); what it starts has none.
void become_invoker(const Invoker& invoker);

}  // namespace seed::os
