#include <array>
#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/project.hpp"
#include "base/error.hpp"

namespace seed::app {
namespace {

constexpr std::array kOptions{
    OptionSpec{"lock", "FILE", "the lock file; default: flake.lock here"},
    OptionSpec{"json", "", "print the result as JSON"},
};

int run_tag(const World& world, const Options& options) {
  const std::filesystem::path file = world.directory / options.get("lock").value_or("flake.lock");
  const std::string text = read_lock(file);
  const std::string key = nix::lock_key(parse_lock(file, text));
  const std::string tag = nix::lock_tag(text);
  const std::string out = options.flag("json")
                              ? nlohmann::json{{"tag", tag}, {"key", key}}.dump() + "\n"
                              : fmt::format("{}\n{}\n", tag, key);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}

}  // namespace

const Command kTagCommand{
    "tag",
    "",
    "print the lock tag and the key of a flake.lock",
    "The first line is the tag: GitHub's hashFiles('flake.lock'). The second is the key: the same\n"
    "for every lock that differs in its seed-self input only.",
    kOptions,
    run_tag,
    "nix-seed tag --lock flake.lock"};

}  // namespace seed::app
