#include "nix/nix.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/need.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

StorePath path(const char* base_name) {
  return StorePath::from_base_name(base_name);
}

constexpr const char* kApp = "5nwqivkl2mkcblqbndsxic915qd1hz7f-app";
constexpr const char* kLib = "w3zvg3i28nb50vlvyhfpp8rzkqym97vw-lib";
constexpr const char* kAppDrv = "zcyhlhv60qs3vshg0q80dkshmj58gp4f-app.drv";
constexpr const char* kLibDrv = "zfr39wpnwpnlgfhika4fg62s5lfiq29l-lib.drv";

TEST_CASE("version lines of Nix, Lix and others are read") {
  const auto [line, is_lix, major, minor, patch] =
      GENERATE(table<std::string, bool, int, int, int>({
          {test::golden("nix/2.8.0/version.txt"), false, 2, 8, 0},
          {test::golden("nix/2.26.3/version.txt"), false, 2, 26, 3},
          {test::golden("nix/2.34.8/version.txt"), false, 2, 34, 8},
          // From descriptions and sources; not run.
          {"nix (Lix, like Nix) 2.96.0\n", true, 2, 96, 0},
          {"nix (Lix, like Nix) 2.93.3-pre20250720-dev_049cc4e", true, 2, 93, 3},
          {"nix (Determinate Nix 3.5.2) 2.28.3", false, 2, 28, 3},
          {"nix (Nix) 2.34.0pre20260101_0123abc", false, 2, 34, 0},
          {"nix (Nix) 2.4", false, 2, 4, 0},
          {"nix (Nix) 2.4.-8", false, 2, 4, 0},
      }));
  const NixVersion version = parse_nix_version(line);
  CHECK(version.is_lix == is_lix);
  CHECK(version.major == major);
  CHECK(version.minor == minor);
  CHECK(version.patch == patch);
  CHECK(version.text.find('\n') == std::string::npos);
}

TEST_CASE("what is not a version line is refused") {
  const auto line = GENERATE(as<std::string>{},
                             "",
                             "nix",
                             "nix (Nix) x",
                             "nix (Nix) 2",
                             "nix (Nix) 99999999999.1",
                             "nix (Nix) -2.-8",
                             "sh: 1: nix: not found 1.2");
  CHECK_THROWS_AS(parse_nix_version(line), FormatError);
}

TEST_CASE("flake metadata of three versions is read") {
  const auto [version, ref] = GENERATE(table<std::string, std::string>(
      {{"2.8.0", "main"}, {"2.26.3", "refs/heads/main"}, {"2.34.8", "refs/heads/main"}}));
  const FlakeMetadata clean =
      parse_flake_metadata(test::golden("nix/" + version + "/metadata.json"));
  CHECK(clean.reference == "git+file:///srv/app?ref=" + ref + "&rev=" + clean.revision);
  CHECK(clean.revision.size() == 40);
  CHECK(clean.dirty_revision.empty());
  CHECK(clean.source == path("nbi5zjr76wvd3kymbcb4l14z66b0fazy-source"));
  CHECK(clean.subdir.empty());
  CHECK(clean.last_modified == 1767225600);
  const FlakeMetadata dirty =
      parse_flake_metadata(test::golden("nix/" + version + "/metadata-dirty.json"));
  CHECK(dirty.reference == "git+file:///srv/app");
  CHECK(dirty.revision.empty());
  CHECK(dirty.dirty_revision == (version == "2.8.0" ? "" : clean.revision + "-dirty"));
  CHECK(dirty.source != clean.source);
}

TEST_CASE("flake metadata without url falls back to what names the flake") {
  const std::string head = R"({"path":"/nix/store/nbi5zjr76wvd3kymbcb4l14z66b0fazy-source",)";
  CHECK(parse_flake_metadata(head + R"("lockedUrl":"a","resolvedUrl":"b"})").reference == "a");
  CHECK(parse_flake_metadata(head + R"("url":null,"resolvedUrl":"b"})").reference == "b");
  CHECK(parse_flake_metadata(head + R"("url":"u","locked":{"dir":"sub"}})").subdir == "sub");
  CHECK_THROWS_WITH(parse_flake_metadata(head + R"("x":1})"),
                    "nix flake metadata: member 'url' is missing");
  CHECK_THROWS_AS(parse_flake_metadata(head + R"("url":"u","lastModified":1e3})"), FormatError);
  CHECK_THROWS_AS(parse_flake_metadata(head + R"("url":"u","lastModified":18446744073709551615})"),
                  FormatError);
  CHECK_THROWS_AS(parse_flake_metadata(R"({"url":"u"})"), FormatError);
}

TEST_CASE("the inputs of a flake are listed once and its own source is not") {
  const auto version = GENERATE(as<std::string>{}, "2.8.0", "2.26.3", "2.34.8");
  CHECK(parse_flake_archive(test::golden("nix/" + version + "/archive.json")) ==
        std::vector{path("kk095rba1lyhn2drj84c9d6rb2zkvx7x-source"),
                    path("x0hrbv5ypmvrz3432rcg8gc9q62ipkl9-source")});
}

TEST_CASE("inputs of inputs are found, also below one without a path") {
  const std::string a = "/nix/store/kk095rba1lyhn2drj84c9d6rb2zkvx7x-source";
  CHECK(parse_flake_archive(R"({"path":")" + a +
                            R"(","inputs":{"r":{"path":null,"inputs":{"x":{"path":")" + a +
                            R"("}}},"s":{"inputs":{"x":{"path":")" + a +
                            R"(","inputs":{}}}},"n":null}})") == std::vector{StorePath::parse(a)});
  CHECK(parse_flake_archive("{}").empty());
  CHECK_THROWS_AS(parse_flake_archive("[]"), FormatError);
  CHECK_THROWS_AS(parse_flake_archive(R"({"inputs":{"x":{"path":"/tmp"}}})"), FormatError);
}

TEST_CASE("path infos are read in each shape that Nix prints") {
  const auto file = GENERATE(as<std::string>{},
                             "2.8.0/path-info.json",      // a list
                             "2.26.3/path-info.json",     // an object by path
                             "2.34.8/path-info.json",     // with storeDir and version
                             "2.34.8/path-info-2.json");  // `info` by base name
  const std::vector<PathInfo> infos = parse_path_info(test::golden("nix/" + file));
  const std::vector<PathInfo> expected{
      {.path = path(kApp),
       .nar_hash =
           Digest::from_hex("be672e72249e9411d78fff7eb5b8fe43e69352c79d148315ef17b5358057ef30"),
       .nar_size = 208,
       .references = {path(kApp), path(kLib)}},
      {.path = path(kLib),
       .nar_hash =
           Digest::from_hex("23bf4004cfccb8c9254b3b13c10e66d7188f76af7b368e218babe98159989f0f"),
       .nar_size = 120,
       .references = {}}};
  CHECK(infos == expected);
}

TEST_CASE("a path info of a path that is not valid is an error that names it") {
  const auto version = GENERATE(as<std::string>{}, "2.8.0", "2.26.3", "2.34.8");
  CHECK_THROWS_WITH(parse_path_info(test::golden("nix/" + version + "/missing-info.json")),
                    "/nix/store/zzli50xq0nl4q5lxdyinb8w8y13my9s0-f is not valid in this store");
}

TEST_CASE("path infos with one thing wrong are refused") {
  const std::string good =
      R"("narHash":"sha256-vmcuciSelBHXj/9+tbj+Q+aTUsedFIMV7xe1NYBX7zA=","narSize":1)";
  const std::string head = R"([{"path":"/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app",)";
  REQUIRE(parse_path_info(head + good + R"(,"references":[]}])").size() == 1);
  const auto text = GENERATE_COPY(
      as<std::string>{},
      head + good + "}]",
      head + good + R"(,"references":{}}])",
      head + good + R"(,"references":[1]}])",
      head + R"("narHash":"sha512-vmcu","narSize":1,"references":[]}])",
      head + R"("narHash":"sha256-vmcu","narSize":1,"references":[]}])",
      head +
          R"("narHash":"sha256-vmcuciSelBHXj/9+tbj+Q+aTUsedFIMV7xe1NYBX7zA=","narSize":-1,"references":[]}])",
      R"([{"narHash":"x"}])",
      R"([1])",
      R"({"info":[]})",
      R"({"storeDir":"/other","info":{}})",
      "1");
  CHECK_THROWS_AS(parse_path_info(text), FormatError);
}

TEST_CASE("dry runs of three versions are read") {
  const std::string version = GENERATE(as<std::string>{}, "2.8.0", "2.26.3", "2.34.8");
  const auto read = [&](const std::string& name) {
    return parse_dry_run(test::golden("nix/" + version + "/" + name + ".txt"));
  };
  CHECK(read("dry-many").will_build == std::vector{path(kLibDrv), path(kAppDrv)});
  CHECK(read("dry-one").will_build == std::vector{path(kAppDrv)});
  CHECK(read("dry-one").will_fetch.empty());
  CHECK(read("dry-fetch-one").will_fetch == std::vector{path(kApp)});
  CHECK(read("dry-fetch").will_fetch == std::vector{path(kApp), path(kLib)});
  CHECK(read("dry-fetch").will_build.empty());
  CHECK(read("dry-unknown").unknown == std::vector{path("zzli50xq0nl4q5lxdyinb8w8y13my9s0-f")});
}

TEST_CASE("a dry run may have every section and other lines between them") {
  const std::string a = "  /nix/store/" + std::string(kAppDrv) + "\n";
  const std::string b = "  /nix/store/" + std::string(kLib) + "\n";
  const DryRun dry =
      parse_dry_run("warning: Git tree '/x' is dirty\n" + a + "this derivation will be built:\n" +
                    a + "warning: something\n" + b +
                    "this path will be fetched (1.00 MiB download, 2 MiB unpacked):\n" + b +
                    "don't know how to build these paths:\n" + b);
  CHECK(dry.will_build.size() == 1);
  CHECK(dry.will_fetch.size() == 1);
  CHECK(dry.unknown.size() == 1);
  CHECK(parse_dry_run("").will_build.empty());
}

class Quiet final : public Progress {
 public:
  std::string text;

  void step(std::string_view) override {}

  void notice(std::string_view) override {}

  void bytes(std::uint64_t, std::uint64_t) override {}

  void output(std::string_view chunk) override { text += chunk; }
};

/// Answers each command with what `answer` makes of it.
class FakeRunner final : public os::Runner {
 public:
  struct Answer {
    int code = 0;
    std::string out;
    std::string err;
  };

  std::function<Answer(const os::Command&)> answer;
  std::vector<std::vector<std::string>> seen;

  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override {
    seen.push_back(command.argv);
    const Answer result = answer(command);
    out(bytes_of(result.out));
    err(bytes_of(result.err));
    return {result.code};
  }
};

TEST_CASE("nix is called with the features it needs and its environment") {
  FakeRunner runner;
  Quiet progress;
  runner.answer = [](const os::Command& command) {
    CHECK(os::get(command.extra, "NIX_CONFIG") == "x = y");
    return FakeRunner::Answer{0, "nix (Nix) 2.8.0\n", "warning: hm\n"};
  };
  Nix nix(runner, progress, "/opt/nix/bin/nix", {{"NIX_CONFIG", "x = y"}});
  CHECK(nix.version().minor == 8);
  CHECK(nix.version().minor == 8);
  CHECK(runner.seen == std::vector<std::vector<std::string>>{{"/opt/nix/bin/nix",
                                                              "--extra-experimental-features",
                                                              "nix-command flakes",
                                                              "--version"}});
  CHECK(progress.text == "warning: hm\n");
  CHECK(nix.store_command({"-q"}).argv == std::vector<std::string>{"/opt/nix/bin/nix-store", "-q"});
  CHECK(Nix(runner, progress, "nix").store_command({}).argv ==
        std::vector<std::string>{"nix-store"});
}

TEST_CASE("an attribute that the flake lacks is nothing, and other failures are errors") {
  const auto version = GENERATE(as<std::string>{}, "2.8.0", "2.26.3", "2.34.8");
  FakeRunner runner;
  Quiet progress;
  Nix nix(runner, progress, "nix");
  std::string name = "eval-missing";
  runner.answer = [&](const os::Command&) {
    return FakeRunner::Answer{1, "", test::golden("nix/" + version + "/" + name + ".txt")};
  };
  CHECK_FALSE(nix.eval_json("f#x").has_value());
  name = "eval-bad";
  CHECK_THROWS_WITH(nix.eval_json("f#x"), "evaluating f#x: nope");
  name = "no-flake";
  try {
    nix.flake_metadata("f");
    FAIL();
  } catch (const Error& error) {
    CHECK(error.message().starts_with("reading the metadata of flake f: "));
    CHECK(error.hint().starts_with("name a flake that has a flake.nix"));
  }
}

TEST_CASE("a failure without a word of Nix names its status and the command") {
  FakeRunner runner;
  Quiet progress;
  Nix nix(runner, progress, "nix");
  runner.answer = [&](const os::Command&) { return FakeRunner::Answer{137, "", ""}; };
  try {
    BuildLog log([] { return 0; });
    nix.realise({{path(kAppDrv), {"out"}}}, log);
    FAIL();
  } catch (const Error& error) {
    CHECK(error.message() == "building what the flake needs: it ended with status 137");
    CHECK(error.hint() ==
          "run it yourself: nix-store --realise --no-gc-warning --log-format internal-json "
          "'/nix/store/" +
              std::string(kAppDrv) + "!out'");
  }
}

TEST_CASE("a Nix that is not installed is an error that says what to do") {
  os::SystemRunner runner;
  Quiet progress;
  Nix nix(runner, progress, "/nonexistent/nix");
  try {
    nix.version();
    FAIL();
  } catch (const Error& error) {
    CHECK(error.message() ==
          "asking Nix for its version: starting /nonexistent/nix: No such file or directory");
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("many derivations are realised in several commands and none is lost") {
  FakeRunner runner;
  Quiet progress;
  Nix nix(runner, progress, "nix");
  runner.answer = [](const os::Command&) { return FakeRunner::Answer{}; };
  std::map<StorePath, std::set<std::string>> wanted;
  for (int n = 1000; n < 5000; ++n) {
    wanted[StorePath::from_base_name(std::to_string(n) + std::string(28, 'a') + "-x.drv")] = {
        "dev", "out"};
  }
  BuildLog log([] { return 0; });
  nix.realise(wanted, log);
  std::size_t arguments = 0;
  for (const auto& argv : runner.seen) {
    CHECK(argv[1] == "--realise");
    CHECK(argv[2] == "--no-gc-warning");
    CHECK(argv[3] == "--log-format");
    CHECK(argv[5].ends_with("-x.drv!dev,out"));
    arguments += argv.size() - 5;
  }
  CHECK(arguments == 4000);
  CHECK(runner.seen.size() == 2);
  runner.seen.clear();
  nix.realise({}, log);
  CHECK(runner.seen.empty());
}

// One flake built by the Nix that is installed, in a /nix of its own.
TEST_CASE("a real Nix evaluates, builds, adds and describes") {
  if (!test::have_private_nix()) {
    return;
  }
  const os::TempDir temp;
  fs::create_directories(temp.path() / "root");
  for (const char* program : {"nix", "nix-store"}) {
    const std::string script =
        "#!/bin/sh\nexec unshare -m --propagation private sh -c 'mount "
        "--bind " +
        (temp.path() / "root").string() + " /nix; exec " + program + " \"$@\"' " + program +
        " \"$@\"\n";
    os::atomic_write(temp.path() / program, script, 0755);
  }
  fs::create_directory(temp.path() / "flake");
  os::atomic_write(temp.path() / "flake" / "flake.nix", R"nix({
    outputs = { self }: { attr = [ 1 "two" ]; bad = throw "on purpose";
      packages.x86_64-linux.breaks = derivation { name = "breaks"; system = "x86_64-linux";
        builder = "/bin/sh"; args = [ "-c" "echo on its way; echo no further >&2; exit 3" ]; };
      packages.x86_64-linux.default = derivation { name = "app"; system = "x86_64-linux";
        builder = "/bin/sh"; outputs = [ "out" "dev" ];
        args = [ "-c" "echo $out > $out; echo > $dev" ]; }; }; })nix");
  os::SystemRunner runner;
  Quiet progress;
  Nix nix(
      runner,
      progress,
      temp.path() / "nix",
      {{"NIX_CONFIG", "build-users-group =\nsandbox = false\nsubstituters =\nflake-registry =\n"},
       {"HOME", temp.path().string()}});
  const std::string flake = "path:" + (temp.path() / "flake").string();

  CHECK(nix.version().major >= 2);
  CHECK(nix.eval_json(flake + "#attr") == R"([1,"two"])");
  CHECK(nix.eval_json(flake + "#attr", "builtins.length") == "2");
  CHECK_FALSE(nix.eval_json(flake + "#nothere").has_value());
  CHECK_THROWS_WITH(nix.eval_json(flake + "#bad"), Catch::EndsWith("on purpose"));
  CHECK(nix.flake_metadata(flake).reference.starts_with(flake));
  CHECK(nix.flake_archive(flake).empty());
  CHECK_FALSE(fs::exists(temp.path() / "flake" / "flake.lock"));

  const std::string drv = nix.eval_json(flake + "#packages.x86_64-linux.default.drvPath").value();
  const std::string out = nix.eval_json(flake + "#packages.x86_64-linux.default.outPath").value();
  double now = 0;
  BuildLog log([&now] { return ++now; });
  nix.realise({{StorePath::parse(drv.substr(1, drv.size() - 2)), {"dev", "out"}}}, log);
  REQUIRE(log.activities().size() == 1);
  CHECK("\"" + log.activities()[0].derivation + "\"" == drv);
  CHECK_FALSE(log.activities()[0].failed);

  const std::string breaks = nix.eval_json(flake + "#packages.x86_64-linux.breaks.drvPath").value();
  CHECK_THROWS_WITH(
      nix.realise({{StorePath::parse(breaks.substr(1, breaks.size() - 2)), {"out"}}}, log),
      Catch::StartsWith("building what the flake needs: ") &&
          Catch::Contains("failed with exit code 3"));
  REQUIRE(log.activities().size() == 2);
  CHECK(log.activities()[1].failed);
  CHECK(log.activities()[1].why == "exit code 3");
  CHECK(log.activities()[1].log == std::deque<std::string>{"on its way", "no further"});
  const std::vector roots{StorePath::parse(out.substr(1, out.size() - 2))};
  const Closure closure = nix.closure(roots);
  REQUIRE(closure.paths().size() == 1);
  CHECK(closure.paths()[0].references == std::set{roots[0]});

  os::atomic_write(temp.path() / "some file", "hi\n");
  // nix store add-path --name hello of the same file, with Nix 2.8.0, 2.26.3 and 2.34.8
  CHECK(nix.add_path(temp.path() / "some file", "hello").base_name() ==
        "a5izqk5bgpxcrrnrm1m8n1fvyq2jlc52-hello");
  CHECK_THROWS_AS(nix.closure(std::vector{path(kLib)}), Error);
}

}  // namespace
}  // namespace seed::nix
