#include "app/usable_sudo.hpp"

#include <unistd.h>

#include "app/publish_report.hpp"

namespace seed::app {

std::optional<os::Sudo> usable_sudo(const World& world, const Options& options) {
  const bool wanted =
      facts_of(world).kind != ci::HostKind::none || options.get("delivery").value_or("") == "mount";
  if (::geteuid() == 0 || !wanted || !os::find_program(world.environment, "sudo")) {
    return std::nullopt;
  }
  return os::Sudo(world.runner, world.self);
}

}  // namespace seed::app
