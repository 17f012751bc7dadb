#include "os/sudo.hpp"

#include <unistd.h>

#include "base/error.hpp"
#include "os/root_view.hpp"
#include "support/catch.hpp"

namespace seed::os {
namespace {

TEST_CASE("a user comes back from its text as it was") {
  const Invoker invoker = GENERATE(
      Invoker{0, 0, {}}, Invoker{1001, 118, {4}}, Invoker{4294967294, 1, {4, 24, 27, 4294967294}});
  CHECK(parse_invoker(to_text(invoker)) == invoker);
  CHECK(to_text(Invoker{1001, 118, {4, 27}}) == "1001:118:4,27");
  CHECK(to_text(Invoker{1001, 118, {}}) == "1001:118");
}

TEST_CASE("text that is no user is refused") {
  const auto text = GENERATE("",
                             "1",
                             "1:",
                             ":1",
                             "1:2:",
                             "1:2:3,",
                             "1:2:3:4",
                             "-1:2",
                             "1:+2",
                             "1:2:x",
                             "4294967295:1",
                             "1:4294967295",
                             "1:2:4294967295",
                             "4294967296:1",
                             "1 :2",
                             "root:root");
  CHECK_THROWS_AS(parse_invoker(text), UsageError);
}

TEST_CASE("the current user is who this process runs as") {
  const Invoker invoker = current_invoker();
  CHECK(invoker.uid == ::geteuid());
  CHECK(invoker.gid == ::getegid());
}

TEST_CASE("what is to be lent is said whole or refused") {
  using Arguments = std::vector<std::string>;
  const auto [arguments, message] = GENERATE(table<Arguments, std::string>({
      {Arguments{}, "lend: --image with --target, or --as or --served alone"},
      {Arguments{"--image", "/i"}, "lend: --image with --target, or --as or --served alone"},
      {Arguments{"--target", "/t"}, "lend: --image with --target, or --as or --served alone"},
      {Arguments{"--image", "/i", "--target", "/t", "--as", "1:1"},
       "lend: --image with --target, or --as or --served alone"},
      {Arguments{"--image"}, "lend: an argument is missing at the end"},
      {Arguments{"--mount", "/i"}, "lend: unknown argument --mount"},
      {Arguments{"--as", "me"}, "'me' is no user as UID:GID:GROUPS"},
  }));
  CHECK_THROWS_AS(lend(arguments), UsageError);
  CHECK_THROWS_WITH(lend(arguments), message);
}

/// A sudo that says no, or runs nothing and says yes.
struct Pretender final : Runner {
  Exit exit;
  std::string words;
  std::vector<std::string> argv;

  Exit run(const Command& command, const Sink& out, const Sink& err) override {
    argv = command.argv;
    out(bytes_of("out"));
    err(bytes_of(words));
    return exit;
  }
};

TEST_CASE("what sudo says when it refuses is told") {
  Pretender runner;
  const Sudo sudo(runner, "/opt/nix-seed");
  runner.exit = {1};
  runner.words = "sudo: a password is required\n";
  CHECK_THROWS_WITH(sudo.try_namespaces(), "by sudo: a password is required");
  CHECK(runner.argv ==
        std::vector<std::string>{
            "sudo", "-n", "--", "/opt/nix-seed", "lend", "--as", to_text(current_invoker())});
  runner.words = "error: mounting an erofs image: no\nhint: try\n\n";
  CHECK_THROWS_WITH(sudo.mount({"/i", {"/a", "/b"}}, Backing::loop, "/t"),
                    "by sudo: mounting an erofs image: no");
  CHECK(std::vector(runner.argv.begin() + 4, runner.argv.end()) ==
        std::vector<std::string>{
            "lend", "--image-by-loop", "/i", "--target", "/t", "--device", "/a", "--device", "/b"});
  runner.words.clear();
  CHECK_THROWS_WITH(sudo.try_namespaces(), "by sudo: exit code 1");
}

TEST_CASE("a mount that is said to be made and is not handed over is refused") {
  Pretender runner;
  CHECK_THROWS_WITH(Sudo(runner, "/opt/nix-seed").mount({"/i", {}}, Backing::file, "/t"),
                    "by sudo: the mount was made and not handed over");
}

TEST_CASE("who can make a view asks nobody") {
  if (why_no_namespaces()) {
    WARN("no namespaces here");
    return;
  }
  Pretender runner;
  const Sudo sudo(runner, "/opt/nix-seed");
  CHECK_FALSE(who_needs_sudo(&sudo));
  CHECK(runner.argv.empty());
}

}  // namespace
}  // namespace seed::os
