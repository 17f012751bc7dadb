#include "app/help.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace seed::app {

std::span<const Command* const> commands() {
  static const std::array kCommands{&kSeedCommand,
                                    &kBuildCommand,
                                    &kRunCommand,
                                    &kPlanCommand,
                                    &kTagCommand,
                                    &kAttestCommand,
                                    &kVerifyCommand,
                                    &kInspectCommand,
                                    &kBundleCommand,
                                    &kPromoteCommand,
                                    &kBuildersCommand,
                                    &kPolicyCommand,
                                    &kMonitorCommand,
                                    &kDoctorCommand};
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found =
      std::ranges::find(all, name, [](const Command* command) { return command->name; });
  return found == all.end() ? nullptr : *found;
}

std::string overview() {
  std::string text =
      "nix-seed packs a flake's build inputs as OCI layers and builds offline from them.\n\n"
      "usage: nix-seed COMMAND [OPTIONS]\n\n";
  for (const Command* command : commands()) {
    text += fmt::format("  {:<9} {}\n", command->name, command->help);
  }
  return text +
         "\n'nix-seed COMMAND --help' says more. Every option is also a variable: --registry is\n"
         "NIX_SEED_REGISTRY. Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused,\n"
         "4 too few builders agree, 5 registry or network, 130 interrupted.\n";
}

std::string help_of(const Command& command) {
  return fmt::format("usage: nix-seed {} [OPTIONS]{}{}\n\n{}\n\n{}\nexample: {}\n",
                     command.name,
                     command.arguments.empty() ? "" : " ",
                     command.arguments,
                     command.description,
                     options_help(command.options),
                     command.example);
}

}  // namespace seed::app
