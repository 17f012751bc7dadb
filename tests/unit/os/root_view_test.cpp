#include "os/root_view.hpp"

#include <cstdio>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::os {
namespace {

TEST_CASE("a view comes back from its arguments as it was") {
  RootView view{.lower = "/seeds/a b",
                .store_lower = "/nix/store",
                .upper = "/tmp/u,p:er",
                .binds = {{"/src", "/src", true}, {"/etc/resolv.conf", "/etc/resolv.conf", false}},
                .network = Network::host,
                .writes = Writes::dropped,
                .directory = "/src/sub",
                .invoker = Invoker{1001, 118, {4, 27}},
                .mounts = "/proc/1/fd/3"};
  const RootView back = root_view_from_arguments(to_arguments(view));
  CHECK(back.lower == view.lower);
  CHECK(back.store_lower == view.store_lower);
  CHECK(back.upper == view.upper);
  CHECK(back.network == Network::host);
  CHECK(back.writes == Writes::dropped);
  CHECK(back.directory == view.directory);
  CHECK(back.invoker == view.invoker);
  CHECK(back.mounts == view.mounts);
  REQUIRE(back.binds.size() == 2);
  CHECK(back.binds[0].writable);
  CHECK(back.binds[1].from == "/etc/resolv.conf");
  CHECK(back.binds[1].to == "/etc/resolv.conf");
  CHECK_FALSE(back.binds[1].writable);
  CHECK(to_arguments(back) == to_arguments(view));
  view.writes = Writes::unsynced;
  CHECK(root_view_from_arguments(to_arguments(view)).writes == Writes::unsynced);
}

TEST_CASE("a view has no network and no store of its own, and keeps writes, unless it is said") {
  const RootView view = root_view_from_arguments({"--lower", "/l", "--upper", "/u"});
  CHECK(view.network == Network::none);
  CHECK(view.writes == Writes::kept);
  CHECK_FALSE(view.store_lower);
  CHECK_FALSE(view.invoker);
  CHECK_FALSE(view.mounts);
  CHECK(view.directory == "/");
}

TEST_CASE("arguments of a view with one thing wrong are refused") {
  using Arguments = std::vector<std::string>;
  const auto [arguments, message] = GENERATE(table<Arguments, std::string>({
      {Arguments{}, "enter: --lower and --upper are needed"},
      {Arguments{"--lower", "/l"}, "enter: --lower and --upper are needed"},
      {Arguments{"--upper", "/u"}, "enter: --lower and --upper are needed"},
      {Arguments{"--lower", "/l", "--upper"}, "enter: an argument is missing at the end"},
      {Arguments{"--ro-bind", "/a"}, "enter: an argument is missing at the end"},
      {Arguments{"--lower", "/l", "--upper", "/u", "\x1b"}, "enter: unknown argument \\x1b"},
      {Arguments{"--network", "hosts"}, "enter: --network is host or none, not hosts"},
      {Arguments{"--as", "1001"}, "'1001' is no user as UID:GID:GROUPS"},
  }));
  CHECK_THROWS_AS(root_view_from_arguments(arguments), UsageError);
  CHECK_THROWS_WITH(root_view_from_arguments(arguments), message);
}

struct Outcome {
  int status = -1;
  std::string text;  ///< stdout and stderr
};

/// A root that has this machine's programs (bound read-only) and nothing else.
struct Fixture {
  TempDir temp;
  RootView view{.lower = temp.path() / "lower",
                .store_lower = std::nullopt,
                .upper = temp.path() / "upper",
                .binds = {},
                .network = Network::none,
                .writes = Writes::kept,
                .directory = "/"};

  Fixture() {
    make_dirs(view.lower);
    for (const char* folder : {"/usr", "/bin", "/lib", "/lib64", "/nix/store"}) {
      if (fs::is_directory(folder) && !fs::is_symlink(folder)) {
        view.binds.push_back({folder, folder, false});
      } else if (fs::is_symlink(folder)) {
        fs::create_symlink(fs::read_symlink(folder), view.lower / fs::path(folder).relative_path());
      }
    }
    atomic_write(view.lower / "old", "old\n");
  }

  /// In a child, since run_in_view() takes its process into the namespaces.
  Outcome run(const std::string& script, const std::vector<std::string>& environment = {}) const {
    const fs::path log = temp.path() / "log";
    const File file = File::create(log);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(file.fd(), 1);
      ::dup2(file.fd(), 2);
      int status = 124;
      try {
        std::vector<std::string> all{"PATH=/usr/bin:/bin"};
        all.insert(all.end(), environment.begin(), environment.end());
        status = run_in_view(view, {"sh", "-c", script}, all);
      } catch (const Error& error) {
        std::ignore = ::write(2, error.message().data(), error.message().size());
      }
      ::_exit(status);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
            read_file(log, 1 << 20)};
  }
};

/// Whether views can be shown here at all; a sandbox may allow namespaces and refuse mounts.
bool views_work() {
  static const std::string reason = [] {
    if (const auto why = why_no_namespaces()) {
      return *why;
    }
    const Outcome outcome = Fixture().run("true");
    return outcome.status == 0 ? std::string() : outcome.text;
  }();
  return reason.empty() || test::missing("namespaces", reason);
}

TEST_CASE("what an unsynced view wrote is there until the machine is started anew") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  const fs::path boot = t.view.upper / "root" / "boot";
  t.view.writes = Writes::unsynced;
  CHECK(t.run("echo 1 >new").status == 0);
  CHECK(t.run("cat new && echo 2 >>new").text == "1\n");
  t.view.writes = Writes::kept;
  CHECK(t.run("cat new && echo 3 >>new").text == "1\n2\n");

  SECTION("a start after a view that was synced loses nothing") {
    atomic_write(boot, "another\n");
    CHECK(t.run("cat new").text == "1\n2\n3\n");
  }
  SECTION("a start after one that was not begins anew") {
    t.view.writes = Writes::unsynced;
    CHECK(t.run("echo 4 >>new").status == 0);
    atomic_write(boot, "another\n");
    CHECK(t.run("test ! -e new && cat old").text == "old\n");
  }
  SECTION("so does one that nothing is known of") {
    t.view.writes = Writes::unsynced;
    CHECK(t.run("echo 4 >>new").status == 0);
    fs::remove(boot);
    CHECK(t.run("test ! -e new && cat old").text == "old\n");
  }
}

TEST_CASE("what is written in a view stays in upper") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  const Outcome outcome = t.run("echo new >new && echo more >>old && cat old && rm -f gone");
  INFO(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(outcome.text == "old\nmore\n");
  CHECK(read_file(t.view.lower / "old", 100) == "old\n");
  CHECK_FALSE(fs::exists(t.view.lower / "new"));
  CHECK(read_file(t.view.upper / "root/data/new", 100) == "new\n");
  CHECK(read_file(t.view.upper / "root/data/old", 100) == "old\nmore\n");
  CHECK(t.run("cat new").text == "new\n");
}

TEST_CASE("a view shows another folder as its store and keeps writes to it apart") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  std::erase_if(t.view.binds, [](const Bind& bind) { return bind.to == "/nix/store"; });
  t.view.store_lower = t.temp.path() / "store";
  atomic_write((make_dirs(*t.view.store_lower), *t.view.store_lower / "a"), "in store\n");
  const Outcome outcome = t.run("cat /nix/store/a && echo b >/nix/store/b");
  CHECK(outcome.status == 0);
  CHECK(outcome.text == "in store\n");
  CHECK(fs::exists(t.view.upper / "store/data/b"));
  CHECK_FALSE(fs::exists(*t.view.store_lower / "b"));
}

TEST_CASE("what is written in a view that drops it is gone with its process") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  std::erase_if(t.view.binds, [](const Bind& bind) { return bind.to == "/nix/store"; });
  t.view.store_lower = t.temp.path() / "store";
  make_dirs(*t.view.store_lower / "folder");
  t.view.writes = Writes::dropped;
  const Outcome outcome = t.run(
      "echo new >new && echo more >>old && cat new old && rm -r /nix/store/folder && "
      "mkdir /nix/store/folder && echo a >/nix/store/folder/a && cat /nix/store/folder/a && "
      "stat -f -c %T /new");
  INFO(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(outcome.text == "new\nold\nmore\na\noverlayfs\n");
  CHECK(fs::is_empty(*t.view.store_lower / "folder"));
  CHECK(fs::is_empty(t.view.upper));
  CHECK(t.run("cat new").status != 0);
}

TEST_CASE("the exit status of a view's process is passed on") {
  if (!views_work()) {
    return;
  }
  const Fixture t;
  CHECK(t.run("exit 7").status == 7);
  CHECK(t.run("sh -c 'kill -9 $$'; exit $?").status == 137);
  const Outcome absent = t.run("exec /not/there");
  CHECK(absent.status == 127);
}

TEST_CASE("a view sees only its own processes, environment and working directory") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  make_dirs(t.view.lower / "work dir");
  t.view.directory = "/work dir";
  const Outcome outcome = t.run(
      "echo $$; pwd; env | grep -v '^PWD=\\|^_=\\|^SHLVL=' | sort; "
      "ls -d /proc/[0-9]* | head -n 1; ls -A /.old 2>/dev/null",
      {"GREETING=hello world"});
  CHECK(outcome.text == "1\n/work dir\nGREETING=hello world\nPATH=/usr/bin:/bin\n/proc/1\n");
}

TEST_CASE("a view has loopback and no other network") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  const std::string names = "tail -n +3 /proc/net/dev | sed 's/:.*//; s/ //g' | sort";
  const Outcome inside = t.run(names + "; tail -n +2 /proc/net/route");
  CHECK(inside.status == 0);
  // Some kernels put fallback tunnels, which lead nowhere, into every namespace.
  CHECK_THAT(inside.text, Catch::Contains("lo\n"));
  CHECK_THAT(inside.text, !Catch::Contains("eth") && !Catch::Contains("00000000"));
  t.view.network = Network::host;
  SystemRunner runner;
  Command outside;
  outside.argv = {"sh", "-c", names};
  CHECK(t.run(names).text == capture(runner, outside).out);
}

TEST_CASE("a read-only bind refuses writing and a writable one takes it") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  make_dirs(t.temp.path() / "source");
  atomic_write(t.temp.path() / "file", "from outside\n");
  t.view.binds.push_back({t.temp.path() / "source", "/deep/read", false});
  t.view.binds.push_back({t.temp.path() / "source", "/write", true});
  t.view.binds.push_back({t.temp.path() / "file", "/etc/some/file", false});
  const Outcome refused = t.run("echo x >/deep/read/x");
  CHECK(refused.status != 0);
  CHECK_THAT(refused.text, Catch::Contains("Read-only file system"));
  CHECK_FALSE(fs::exists(t.temp.path() / "source/x"));
  CHECK(t.run("cat /etc/some/file && echo y >/write/y").text == "from outside\n");
  CHECK(read_file(t.temp.path() / "source/y", 10) == "y\n");
  CHECK(t.run("echo z >/etc/some/file").status != 0);
}

TEST_CASE("a view that can't be shown says why and ends with 125") {
  if (!views_work()) {
    return;
  }
  Fixture t;
  SECTION("a lower folder that is not there") {
    t.view.lower = t.temp.path() / "gone";
  }
  SECTION("a bind of what is not there") {
    t.view.binds.push_back({t.temp.path() / "gone", "/x", false});
  }
  SECTION("a working directory that is not there") {
    t.view.directory = "/gone";
  }
  const Outcome outcome = t.run("true");
  CHECK(outcome.status == 125);
  CHECK_THAT(outcome.text,
             Catch::StartsWith("error: entering " + t.view.lower.string() + ": ") &&
                 Catch::Contains("No such file or directory") && Catch::Contains("/"));
}

}  // namespace
}  // namespace seed::os
