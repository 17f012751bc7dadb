#include "image/rootfs.hpp"

#include <algorithm>

#include <sys/stat.h>

#include "base/error.hpp"
#include "image/tools.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

const std::string kNixHash(32, 'n');
const std::string kNix = "/nix/store/" + kNixHash + "-nix";

Tools tools() {
  return {.nix = nix::StorePath::parse(kNix),
          .programs = {{"bash", kNix + "/bin/bash"}, {"nix", kNix + "/bin/nix"}},
          .libraries = {{"libc.so.6", kNix + "/lib/libc.so.6"}},
          .sandbox_shell = kNix + "/bin/sh",
          .cacert = kNix + "/ca.crt",
          .loader = kNix + "/lib/ld.so",
          .config = "cores = 3"};
}

nix::Closure closure() {
  return nix::make_closure({{.path = nix::StorePath::parse(kNix),
                             .nar_hash = Digest::of("nar"),
                             .nar_size = 3,
                             .references = {}}});
}

std::vector<RootEntry> entries(std::string_view system = "x86_64-linux") {
  return root_entries(tools(), closure(), system, "{}", "database");
}

const RootEntry* find(const std::vector<RootEntry>& list, const std::string& path) {
  const auto found = std::ranges::find(list, path, &RootEntry::path);
  return found == list.end() ? nullptr : &*found;
}

std::string listing(const std::vector<RootEntry>& list) {
  std::string text;
  for (const RootEntry& entry : list) {
    const char kind = entry.kind == RootEntry::Kind::directory ? 'd'
                      : entry.kind == RootEntry::Kind::file    ? '-'
                                                               : 'l';
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", entry.mode);
    text += std::string(1, kind) + " " + mode + " " + entry.path;
    text += kind == 'l' ? " -> " + entry.content : "";
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the image's own files are these") {
  CHECK(test::golden("image/root-entries.txt", listing(entries())));
}

TEST_CASE("every folder comes before what is in it and nothing comes twice") {
  std::vector<std::string> seen;
  for (const RootEntry& entry : entries()) {
    CHECK(std::ranges::find(seen, entry.path) == seen.end());
    if (const std::size_t slash = entry.path.rfind('/'); slash != std::string::npos) {
      CHECK(std::ranges::find(seen, entry.path.substr(0, slash)) != seen.end());
    }
    seen.push_back(entry.path);
  }
}

TEST_CASE("the loader is where each platform's programs look for it") {
  const auto [system, loader, library] = GENERATE(table<std::string, std::string, std::string>({
      {"x86_64-linux", "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6"},
      {"aarch64-linux", "lib/ld-linux-aarch64.so.1", "lib/aarch64-linux-gnu/libc.so.6"},
      {"i686-linux", "lib/ld-linux.so.2", "lib/i386-linux-gnu/libc.so.6"},
      {"armv7l-linux", "lib/ld-linux-armhf.so.3", "lib/arm-linux-gnueabihf/libc.so.6"},
      {"riscv64-linux", "lib/ld-linux-riscv64-lp64d.so.1", "lib/riscv64-linux-gnu/libc.so.6"},
      {"powerpc64le-linux", "lib64/ld64.so.2", "lib/powerpc64le-linux-gnu/libc.so.6"},
  }));
  const auto list = entries(system);
  REQUIRE(find(list, loader) != nullptr);
  CHECK(find(list, loader)->content == kNix + "/lib/ld.so");
  CHECK(find(list, library) != nullptr);
}

TEST_CASE("systems have OCI's names or are refused") {
  CHECK(architecture_of("x86_64-linux") == "amd64");
  CHECK(architecture_of("aarch64-linux") == "arm64");
  CHECK(architecture_of("armv7l-linux") == "arm");
  CHECK(known_systems().size() == 6);
  CHECK_THROWS_AS(architecture_of("x86_64-darwin"), UsageError);
  CHECK_THROWS_WITH(architecture_of("x86_64-linux\n"),
                    "seeds for the system 'x86_64-linux\\x0a' can't be made");
  CHECK_THROWS_AS(library_triple(""), UsageError);
}

TEST_CASE("a seed's nix.conf reaches for nothing outside") {
  CHECK(test::golden("image/nix.conf", offline_nix_conf(tools(), "x86_64-linux")));
  Tools bare = tools();
  bare.sandbox_shell.reset();
  bare.config.clear();
  const std::string text = offline_nix_conf(bare, "aarch64-linux");
  CHECK_THAT(text, Catch::Contains("system = aarch64-linux\n") && Catch::EndsWith("cores = 0\n"));
  CHECK_THAT(text, !Catch::Contains("sandbox-paths"));
}

TEST_CASE("an image that is no seed has a nix.conf with a network, and no seed.json") {
  Tools online = tools();
  online.offline = false;
  CHECK(online_nix_conf(online) ==
        "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\n"
        "sandbox-paths = /bin/sh=" +
            kNix + "/bin/sh\ncores = 3\n");
  const auto list = root_entries(online, closure(), "x86_64-linux", "{}", "");
  CHECK(find(list, "etc/nix/nix.conf")->content == online_nix_conf(online));
  CHECK(find(list, "etc/nix-seed/seed.json") == nullptr);
  CHECK(find(list, "etc/nix-seed/registry.json") == nullptr);
  CHECK(find(list, "etc/nix-seed/closure") != nullptr);
}

TEST_CASE("the environment names the bundle and the helpers only where there are some") {
  const os::Environment full = image_environment(tools());
  CHECK(full.at("SSL_CERT_FILE") == "/etc/ssl/certs/ca-certificates.crt");
  CHECK_FALSE(full.contains("NIX_LIBEXEC_DIR"));
  Tools bare = tools();
  bare.cacert.reset();
  bare.nix_libexec = kNix + "/libexec";
  CHECK(image_environment(bare) == os::Environment{{"HOME", "/root"},
                                                   {"NIX_LIBEXEC_DIR", kNix + "/libexec"},
                                                   {"NIX_REMOTE", "local"},
                                                   {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                                   {"USER", "root"}});
}

TEST_CASE("entries become a folder with their modes, whatever the umask") {
  const os::TempDir temp;
  const mode_t before = ::umask(077);
  write_entries(entries(), temp.path() / "root");
  ::umask(before);
  const auto mode = [&](const char* path) {
    return static_cast<unsigned>(fs::status(temp.path() / "root" / path).permissions());
  };
  CHECK(mode("tmp") == 01777);
  CHECK(mode("root") == 0700);
  CHECK(mode("etc") == 0755);
  CHECK(mode("etc/passwd") == 0644);
  CHECK(fs::read_symlink(temp.path() / "root/bin/nix") == kNix + "/bin/nix");
  CHECK(os::read_file(temp.path() / "root/nix/var/nix/db/db.sqlite", 100) == "database");
  CHECK(os::read_file(temp.path() / "root/etc/nix-seed/closure", 1000) == closure().manifest());
}

TEST_CASE("the first folder that has a program gives it, and hidden files are none") {
  const os::TempDir temp;
  for (const char* folder : {"a/bin", "b/bin", "c"}) {
    os::make_dirs(temp.path() / folder);
  }
  for (const char* file : {"a/bin/x", "b/bin/x", "b/bin/y", "b/bin/.y-wrapped"}) {
    os::atomic_write(temp.path() / file, "");
  }
  const std::string a = (temp.path() / "a").string();
  const std::string b = (temp.path() / "b").string();
  const std::string c = (temp.path() / "c").string();
  CHECK(programs_in({c, a, b, temp.path() / "gone"}) ==
        std::map<std::string, std::string>{{"x", a + "/bin/x"}, {"y", b + "/bin/y"}});
  CHECK(programs_in({b, a}).at("x") == b + "/bin/x");
}

TEST_CASE("a loader that searches its own store path alone searches the image's folder too") {
  const std::string folder = "/nix/store/" + kNixHash + "-glibc-2.40-66/lib/";
  const auto loader = [](const std::string& text) {
    return std::string("\x7f") + "ELF" + '\0' + text + '\0' + "/nix/store/x/lib" + '\0' + "end";
  };
  const std::string ours = "/lib/x86_64-linux-gnu/";
  const std::string padded = ours + std::string(folder.size() - ours.size(), '/');
  CHECK(with_search_folder(loader(folder), ours) == loader(padded));
  CHECK(with_search_folder(loader(folder + '\0' + folder), ours) == loader(padded + '\0' + padded));
  // Not a folder of the search path, not in the store, or too short to be changed in place.
  for (const std::string& other : {folder + "ld.so",
                                   "x" + folder,
                                   std::string("/lib/x86_64-linux-gnu/"),
                                   std::string("/nix/store/x/")}) {
    CHECK(with_search_folder(loader(other), ours) == loader(other));
  }
  CHECK(with_search_folder(folder, ours) == folder);
  CHECK(with_search_folder("", ours).empty());

  Tools changed = tools();
  changed.loader_bytes = loader(folder);
  const auto list = root_entries(changed, closure(), "x86_64-linux", "{}", "");
  const RootEntry* entry = find(list, "lib64/ld-linux-x86-64.so.2");
  REQUIRE(entry != nullptr);
  CHECK(*entry ==
        RootEntry{"lib64/ld-linux-x86-64.so.2", RootEntry::Kind::file, 0755, loader(padded)});
}

TEST_CASE("libraries are shared objects that are there") {
  const os::TempDir temp;
  for (const char* file : {"libc.so.6", "libm.so", "notes.txt"}) {
    os::atomic_write(temp.path() / file, "");
  }
  fs::create_symlink("libc.so.6", temp.path() / "libc.so");
  fs::create_symlink("gone", temp.path() / "libgone.so");
  os::make_dirs(temp.path() / "folder.so");
  std::vector<std::string> names;
  for (const auto& [name, path] : libraries_in({temp.path()})) {
    names.push_back(name);
  }
  CHECK(names == std::vector<std::string>{"libc.so", "libc.so.6", "libm.so"});
}

TEST_CASE("programs that runners expect and tools lack are named") {
  const std::vector<std::string> missing = missing_programs(tools());
  CHECK(std::ranges::find(missing, "sh") != missing.end());
  CHECK(std::ranges::find(missing, "tail") != missing.end());
  CHECK(std::ranges::find(missing, "nix") == missing.end());
}

TEST_CASE("a host path is no tool of a seed") {
  CHECK_THROWS_WITH(tools_from_config({.nix = "/usr"}, "x"), "'/usr' is not in the store");
  CHECK_THROWS_AS(tools_from_config({.nix = "/nix/store/short"}, "x"), FormatError);
  CHECK_THROWS_WITH(tools_from_config({.nix = kNix, .contents = {"/nix/storeroom/x"}}, "x"),
                    "'/nix/storeroom/x' is not in the store");
}

TEST_CASE("everything that a seed attribute names is a root") {
  const std::string other = "/nix/store/" + std::string(32, '1') + "-other";
  const ResolvedTools resolved = tools_from_config({.nix = kNix,
                                                    .tools = {other},
                                                    .contents = {other + "/sub"},
                                                    .cacert = kNix + "/ca.crt",
                                                    .libs = {other + "/lib"},
                                                    .config = "x = y"},
                                                   "the flake's seed attribute");
  const auto nix_path = nix::StorePath::parse(kNix);
  const auto other_path = nix::StorePath::parse(other);
  CHECK(resolved.roots == std::vector{nix_path, other_path, other_path, other_path, nix_path});
  CHECK(resolved.tools.nix == nix_path);
  CHECK(resolved.tools.cacert == kNix + "/ca.crt");
  CHECK(resolved.tools.config == "x = y");
  CHECK(resolved.origin == "the flake's seed attribute");
}

}  // namespace seed::image
