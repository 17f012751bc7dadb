#include "app/warning_filter.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seed::app {
namespace {

constexpr std::string_view kWarning = "warning: ";
constexpr std::size_t kMaxLineBytes = 16 << 10;

constexpr std::array<std::string_view, 2> kOfNoUse{
    // what we realise is packed by this very run
    "you did not specify '--add-root'",
    // a seed has no network, and so needs no name service
    "unable to load nss_dns backend",
};

bool of_no_use(std::string_view line) {
  return std::ranges::any_of(kOfNoUse, [&](std::string_view words) {
    return line.substr(kWarning.size()).starts_with(words);
  });
}

}  // namespace

bool WarningFilter::may_be_warning() const {
  const std::size_t count = std::min(line_.size(), kWarning.size());
  return line_.size() < kMaxLineBytes && line_.compare(0, count, kWarning.substr(0, count)) == 0;
}

void WarningFilter::end_line(std::string& shown) {
  const bool warning = line_.starts_with(kWarning);
  if (!warning || (!of_no_use(line_) && seen_.insert(line_).second)) {
    shown += line_ + '\n';
  }
  line_.clear();
}

std::string WarningFilter::take(std::string_view chunk) {
  std::string shown;
  for (const char c : chunk) {
    if (passing_) {
      shown += c;
      passing_ = c != '\n';
    } else if (c == '\n') {
      end_line(shown);
    } else {
      line_ += c;
      if (!may_be_warning()) {
        shown += std::exchange(line_, {});
        passing_ = true;
      }
    }
  }
  return shown;
}

std::string WarningFilter::rest() {
  return std::exchange(line_, {});
}

}  // namespace seed::app
