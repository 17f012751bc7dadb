#include "app/world.hpp"

#include <unistd.h>

#include <fmt/core.h>

#include "base/text.hpp"

namespace seed::app {

TerminalProgress::TerminalProgress(Console& console)
    : console_(console), terminal_(::isatty(2) != 0) {}

TerminalProgress::~TerminalProgress() {
  console_.foreign(filter_.rest());
  console_.end_foreign();
}

void TerminalProgress::clear_bar() {
  if (bar_shown_) {
    console_.control("\r\x1b[K");
    bar_shown_ = false;
  }
}

void TerminalProgress::step(std::string_view what) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  console_.say(fmt::format("nix-seed: {}", what));
}

void TerminalProgress::notice(std::string_view what) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  console_.say(fmt::format("nix-seed: note: {}", what));
}

void TerminalProgress::bytes(std::uint64_t done, std::uint64_t total) {
  constexpr std::chrono::milliseconds kBetween{100};
  constexpr std::uint64_t kWidth = 30;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || total == 0 || (now - last_bar_ < kBetween && done != total)) {
    return;
  }
  last_bar_ = now;
  const std::uint64_t filled = done * kWidth / total;
  console_.control(fmt::format("\r\x1b[K[{:#<{}}{:.<{}}] {} of {}",
                               "",
                               filled,
                               "",
                               kWidth - filled,
                               human_size(done),
                               human_size(total)));
  bar_shown_ = true;
  if (done == total) {
    console_.control("\n");
    bar_shown_ = false;
  }
}

void TerminalProgress::output(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const std::string shown = filter_.take(text);
  if (!shown.empty()) {
    clear_bar();
    console_.foreign(shown);
  }
}

}  // namespace seed::app
