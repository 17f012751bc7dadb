#include "app/console.hpp"

#include "support/actions_runner.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

/// A console of a GitHub job whose text is kept.
struct Rig {
  explicit Rig(ci::HostKind kind = ci::HostKind::github)
      : host(ci::make_host(kind, {{"GITHUB_ACTIONS", "true"}}, {.event = {}, .nonce = nonce})) {}

  static std::string nonce() { return "0badc0de"; }

  std::string log;
  std::string result;
  std::unique_ptr<ci::Host> host;
  Console console{*host,
                  ci::Redactor({"s3cret-word"}),
                  nonce,
                  [this](ci::Stream stream, std::string_view text) {
                    (stream == ci::Stream::out ? result : log) += text;
                  }};
};

}  // namespace

TEST_CASE("what other programs write is shown in whole lines, and no line of it is a command") {
  Rig rig;
  rig.console.foreign("build");
  CHECK(rig.log.empty());
  rig.console.foreign("ing\n::error::evil\n::add-ma");
  rig.console.foreign("sk::evil\nrest");
  rig.console.end_foreign();
  CHECK(rig.log ==
        "::stop-commands::0badc0de\nbuilding\n:\xe2\x80\x8b:error:\xe2\x80\x8b:evil\n"
        ":\xe2\x80\x8b:add-mask:\xe2\x80\x8b:evil\nrest\n");
  rig.console.command({.line = "::group::x"});
  const auto commands = test::read_log_commands(rig.log);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].name == "stop-commands");
  CHECK(commands[1].name == "group");
}

TEST_CASE("our own lines are no commands either, whatever is in them") {
  Rig rig;
  rig.console.say("nix-seed: in /p\n::error::x\r ::error::y ##[error]z");
  CHECK(test::read_log_commands(rig.log).empty());
}

TEST_CASE("commands go on when the console goes, so that those of a wrapper still count") {
  std::string log;
  {
    Rig rig;
    rig.console.foreign("x\n");
    log = rig.log;
    CHECK(log.find("::0badc0de::") == std::string::npos);
    rig.console.command({.line = "::debug::x"});
    rig.console.command({.line = "::debug::y"});
    log = rig.log;
  }
  CHECK(log == "::stop-commands::0badc0de\nx\n::0badc0de::\n::debug::x\n::debug::y\n");
}

TEST_CASE("a secret passes nowhere, even in parts, except to be masked") {
  Rig rig;
  rig.console.say("a s3cret-word b");
  rig.console.foreign("c s3cre");
  rig.console.foreign("t-word d\n");
  rig.console.result("e s3cret-word\n");
  rig.console.command({.line = "::notice::s3cret-word"});
  CHECK(rig.log.find("s3cret-word") == std::string::npos);
  CHECK(rig.result == "e ***\n");
  rig.console.command({.line = "::add-mask::s3cret-word", .secret = true});
  CHECK(rig.log.ends_with("::add-mask::s3cret-word\n"));
}

TEST_CASE("without a host text passes as it is") {
  Rig rig(ci::HostKind::none);
  rig.console.foreign("::error::x\n##[y]\n");
  CHECK(rig.log == "::error::x\n##[y]\n");
}

TEST_CASE("a line without an end is shown in parts, not kept for ever") {
  Rig rig(ci::HostKind::none);
  rig.console.foreign(std::string(70'000, 'x'));
  CHECK(rig.log.size() == 70'001);
}

}  // namespace seed::app
