#include "app/publish_report.hpp"

#include <fstream>

#include <fmt/core.h>

namespace seed::app {

void append_summary(const World& world, const Options& options, const std::string& markdown) {
  auto file = options.get("summary");
  if (!file) {
    file = os::get(world.environment, "GITHUB_STEP_SUMMARY");
  }
  if (!file) {
    return;
  }
  std::ofstream stream(*file, std::ios::app | std::ios::binary);
  stream << markdown;
  stream.close();
  if (!stream) {
    world.progress.notice(fmt::format("the summary can't be written to {}", *file));
  }
}

}  // namespace seed::app
