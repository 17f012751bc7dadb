#include "app/publish_report.hpp"

namespace seed::app {

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
