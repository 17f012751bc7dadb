#include "nix/build_log.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::nix {
namespace {

/// A clock that is a second later whenever it is asked.
BuildLog ticking() {
  return BuildLog([seconds = 0.0]() mutable { return seconds += 1; });
}

const std::string kStart =
    R"(@nix {"action":"start","fields":["/nix/store/00000000000000000000000000000000-a-1.drv"],)"
    R"("id":7,"level":3,"text":"building","type":105})"
    "\n";
const std::string kLine = R"(@nix {"action":"result","fields":["hello"],"id":7,"type":101})"
                          "\n";
const std::string kStop = R"(@nix {"action":"stop","id":7})"
                          "\n";

}  // namespace

// From nix build of two derivations, one of which fails, in three versions: see the README there.
TEST_CASE("what each Nix says of a failed build is understood") {
  const std::string version = GENERATE("2.8.0", "2.26.3", "2.34.8");
  BuildLog log = ticking();
  const std::string shown = log.take(test::golden("nix/" + version + "/build-failed.txt"));
  CHECK(log.finish().empty());
  CHECK_THAT(shown,
             Catch::Contains("building '/nix/store/iz08aalz4b0sdkgxrw6k5z639i4kbpn6-docs-1"));
  CHECK_THAT(shown, Catch::Contains("docs-1> line 12\n"));
  CHECK_THAT(shown, Catch::Contains("docs-1> red no newline\n"));
  CHECK_THAT(shown, Catch::Contains("error: "));
  CHECK_THAT(shown, !Catch::Contains("\x1b"));
  CHECK_THAT(shown, !Catch::Contains("@nix"));
  CHECK_THAT(shown, !Catch::Contains("querying info"));
  REQUIRE(!log.activities().empty());
  const BuildActivity& docs = log.activities().front();
  CHECK(docs.derivation == "/nix/store/iz08aalz4b0sdkgxrw6k5z639i4kbpn6-docs-1.drv");
  CHECK(docs.failed);
  CHECK(docs.why == "exit code 3");
  CHECK(docs.log_lines == 13);
  CHECK(docs.log.front() == "line 1");
  CHECK(docs.seconds >= 1);
  for (std::size_t i = 1; i < log.activities().size(); ++i) {
    CHECK_FALSE(log.activities()[i].failed);
  }
}

TEST_CASE("lines are understood however they arrive") {
  const std::string all = kStart + kLine + kStop + "warning: plain\n";
  BuildLog whole = ticking();
  const std::string shown = whole.take(all);
  CHECK(shown ==
        "building '/nix/store/00000000000000000000000000000000-a-1.drv'...\na-1> hello\n"
        "warning: plain\n");
  BuildLog parts = ticking();
  std::string collected;
  for (const char c : all) {
    collected += parts.take(std::string_view(&c, 1));
  }
  CHECK(collected == shown);
  CHECK(parts.activities().front().seconds == whole.activities().front().seconds);
}

TEST_CASE("what is not Nix's own form is shown as it is") {
  BuildLog log = ticking();
  CHECK(log.take("@nix {\n") == "@nix {\n");
  CHECK(log.take("@nix []\n") == "@nix []\n");
  CHECK(log.take("half") == "");
  CHECK(log.finish() == "half\n");
  CHECK(log.take(R"(@nix {"action":7,"id":"x","fields":{}})"
                 "\n") == "");
  CHECK(log.take(R"(@nix {"action":"result","id":99,"type":101,"fields":["of nobody"]})"
                 "\n") == "of nobody\n");
  const std::string longer(BuildLog::kMaxInputLineBytes + 1, 'x');
  CHECK(log.take("@nix " + longer + "\n") == "@nix " + longer + "\n");
  CHECK(log.take("next\n") == "next\n");
}

TEST_CASE("a log's end is kept, and cut between characters") {
  BuildLog log = ticking();
  log.take(kStart);
  for (int i = 0; i < 150; ++i) {
    log.take(kLine);
  }
  log.take(R"(@nix {"action":"result","id":7,"type":101,"fields":["a)" +
           std::string(BuildLog::kMaxLineBytes - 2, 'b') + "\xc3\xa9\"]}\n");
  log.finish();
  const BuildActivity& activity = log.activities().front();
  CHECK(activity.log.size() == BuildLog::kKeptLines);
  CHECK(activity.log_lines == 151);
  CHECK(activity.log.back().size() == BuildLog::kMaxLineBytes - 1);
}

TEST_CASE("only what failed itself is called failed") {
  BuildLog log = ticking();
  log.take(kStart);
  const auto say = [&](const std::string& message) {
    log.take(R"(@nix {"action":"msg","level":0,"msg":")" + message + "\"}\n");
    return log.activities().front().failed;
  };
  const std::string quoted = "'/nix/store/00000000000000000000000000000000-a-1.drv'";
  CHECK_FALSE(say("error: 1 dependencies of derivation " + quoted + " failed to build"));
  CHECK_FALSE(say("error: Cannot build " + quoted + ".\\nReason: 1 dependency failed."));
  CHECK_FALSE(say("error: builder for '/nix/store/other.drv' failed with exit code 1"));
  CHECK_FALSE(say("error: it's odd"));
  CHECK(say("error: builder for " + quoted + " failed due to signal 9 (Killed)"));
  CHECK(log.activities().front().why == "signal 9");
}

}  // namespace seed::nix
