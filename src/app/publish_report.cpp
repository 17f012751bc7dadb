#include "app/publish_report.hpp"

namespace seed::app {

const ci::Facts& facts_of(const World& world) {
  return world.ci == nullptr ? ci::no_host().facts() : world.ci->facts();
}

report::RunContext context_of(const World& world, const std::string& source) {
  const ci::Facts& facts = facts_of(world);
  return {.version = NIX_SEED_VERSION,
          .run_url = facts.run_url,
          .source_url = facts.repository_url.empty() ? source : facts.repository_url};
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
