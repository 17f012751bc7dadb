#pragma once

#include "base/progress.hpp"

namespace seed::test {

/// Progress that nobody watches.
class Quiet final : public Progress {
 public:
  void step(std::string_view) override {}

  void notice(std::string_view) override {}

  void bytes(std::uint64_t, std::uint64_t) override {}

  void output(std::string_view) override {}
};

}  // namespace seed::test
