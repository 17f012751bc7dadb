#include "hosts.hpp"

namespace seed::ci::test {
namespace {

struct Show {
  std::string operator()(const Print& print) const {
    return std::string("print to ") + (print.stream == Stream::out ? "stdout" : "stderr") +
           (print.secret ? ", unredacted" : "") + "\n" + print.line + "\n";
  }

  std::string operator()(const Append& append) const {
    return "append to " + append.path.string() +
           (append.limit_bytes == 0 ? "" : ", at most " + std::to_string(append.limit_bytes)) +
           "\n" + append.text;
  }

  std::string operator()(const Write& write) const {
    return "write " + write.path.string() + "\n" + write.text;
  }

  std::string operator()(const Run& run) const {
    std::string text = "run";
    for (const std::string& word : run.argv) {
      text += " [" + word + "]";
    }
    return text + "\n" + run.input + "\n";
  }
};

}  // namespace

std::string show(const Effects& effects) {
  std::string text;
  for (const Effect& effect : effects) {
    text += "---- " + std::visit(Show(), effect);
  }
  return text;
}

}  // namespace seed::ci::test
