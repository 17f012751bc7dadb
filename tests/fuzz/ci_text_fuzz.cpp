// Of text from outside, no CI host sees a command: a value comes back out of the file of outputs as
// it went in, a line of a log has no command in it, a cut summary keeps its limit, and redacted
// text has no secret in it.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "ci/adapters.hpp"
#include "ci/escape.hpp"
#include "ci/file_command.hpp"
#include "ci/junit.hpp"
#include "ci/secrets.hpp"

using namespace seed;

namespace {

void expect(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// The reader of GITHUB_OUTPUT, for one heredoc in front of a plain pair.
void check_output(const std::string& value) {
  const std::vector<ci::Output> outputs{{"a", value}, {"b", "1"}};
  try {
    const std::string text = ci::file_commands(outputs, "END");
    expect(text == "a<<END\n" + value + "\nEND\nb<<END\n1\nEND\n");
    expect(value.find("END") == value.npos);
  } catch (const FormatError&) {
    expect(value.find("END") != value.npos);
  }
}

void check_lines(const std::string& line) {
  const os::Environment none;
  for (const ci::HostKind kind : {ci::HostKind::github, ci::HostKind::azure}) {
    const auto host = ci::make_host(kind, none, {.event = {}, .nonce = {}});
    const std::string shown = host->harmless(line);
    expect(shown.find("##[") == shown.npos);
    if (kind == ci::HostKind::azure) {
      expect(shown.find("##vso[") == shown.npos);
    } else {
      expect(!shown.starts_with("::") && shown.find("\r::") == shown.npos);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_output(text);
  check_lines(text);
  expect(ci::fit_summary(text, 8 << 10).size() <= (8 << 10));
  expect(ci::shortened(text, 100).size() <= 100);
  expect(ci::workflow_data(text).find_first_of("\r\n") == text.npos);
  expect(ci::xml(text).find_first_of("<>\"") == text.npos);
  static_cast<void>(ci::junit(text, {}));
  static_cast<void>(ci::secrets_of({{"DOCKER_AUTH_CONFIG", text}, {"NIX_CONFIG", text}}));
  const ci::Redactor redact({text.substr(0, 8)});
  expect(size < 8 || text.substr(0, 8).find('*') != text.npos ||
         !redact.finds_one_in(redact("x" + text + "y")));
  return 0;
}
