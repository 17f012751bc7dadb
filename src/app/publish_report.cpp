#include "app/publish_report.hpp"

#include <algorithm>
#include <array>

namespace seed::app {
namespace {

/// What Nix says while it builds for the user is not among them: it is what they came for.
constexpr std::array<std::string_view, 6> kFolded{"find and enter the seed",
                                                  "evaluate",
                                                  "realise inputs",
                                                  "read the closure",
                                                  "pack and push",
                                                  "attest and tag"};

std::string capitalised(std::string_view step) {
  std::string title(step);
  title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

}  // namespace

const ci::Facts& facts_of(const World& world) {
  return world.ci == nullptr ? ci::no_host().facts() : world.ci->facts();
}

report::RunContext context_of(const World& world, const std::string& source) {
  const ci::Facts& facts = facts_of(world);
  return {.version = NIX_SEED_VERSION,
          .run_url = facts.run_url,
          .source_url = facts.repository_url.empty() ? source : facts.repository_url};
}

OpenGroup groups_of(const World& world) {
  if (world.ci == nullptr) {
    return {};
  }
  return [ci = world.ci, &clock = world.clock](std::string_view step) -> std::shared_ptr<void> {
    if (std::ranges::find(kFolded, step) != kFolded.end()) {
      return ci->open_group(capitalised(step), clock);
    }
    if (step == "build") {
      ci->heading(capitalised(step));
    }
    return nullptr;
  };
}

void expect_outputs(const World& world, std::vector<ci::Output> outputs) {
  if (world.ci != nullptr) {
    world.ci->expect(std::move(outputs));
  }
}

void publish(const World& world, ci::Report report) {
  if (world.ci != nullptr) {
    world.ci->deliver(std::move(report));
  }
}

void tell(const World& world, ci::Level level, const std::string& message) {
  if (world.ci != nullptr) {
    world.ci->tell(level, message);
  } else {
    world.progress.notice(message);
  }
}

void print_result(const World& world, const std::string& text) {
  if (world.ci != nullptr) {
    world.ci->console().result(text);
  }
}

}  // namespace seed::app
