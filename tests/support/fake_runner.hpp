#pragma once

#include <functional>
#include <string>
#include <vector>

#include "os/process.hpp"

namespace seed::test {

/// Answers commands without running them, and remembers them.
class FakeRunner final : public os::Runner {
 public:
  struct Answer {
    int code = 0;
    std::string out;
    std::string err;
  };

  std::function<Answer(const os::Command&)> answer;
  std::vector<os::Command> seen;

  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override {
    seen.push_back(command);
    const Answer result = answer(command);
    out(bytes_of(result.out));
    err(bytes_of(result.err));
    return {result.code};
  }
};

}  // namespace seed::test
