#include "app/project.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// "exit code: message | hint" of what `step` throws.
template <class Step>
std::string failure_of(Step&& step) {
  try {
    step();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.message() + " | " +
           error.hint();
  }
  return "no failure";
}

}  // namespace

TEST_CASE("a lock that can't be read is named once, with what to do") {
  const std::string hint =
      " | take the file from git, or write it anew: remove it, then 'nix flake lock'";
  CHECK(failure_of([] { parse_lock("/p/flake.lock", R"({"nodes": {)"); }) ==
        "2: reading /p/flake.lock: the text ends in the middle of a JSON value (truncated?)" +
            hint);
  CHECK(failure_of([] {
          parse_lock("/p/flake.lock", R"({"nodes":{"root":{}},"root":"root","version":9})");
        }) == "2: reading /p/flake.lock: version 9 is not known (5 to 7 are)" + hint);
  CHECK(parse_lock("x", R"({"nodes":{"root":{}},"root":"root","version":7})").version == 7);
}

TEST_CASE("a lock that is not there, and one that is a folder, are usage errors") {
  const os::TempDir temp;
  const fs::path lock = temp.path() / "flake.lock";
  CHECK(failure_of([&] { read_lock(lock); }) ==
        "2: there is no flake.lock at " + lock.string() +
            " (NS001) | run 'nix flake lock' and commit flake.lock");
  fs::create_directory(lock);
  CHECK(failure_of([&] { read_lock(lock); }) ==
        "2: " + lock.string() + " is no file | name a flake.lock");
}

TEST_CASE("the cache is where its variables say, as an absolute path") {
  CHECK(cache_folder({{"NIX_SEED_CACHE", "/a"}, {"XDG_CACHE_HOME", "/b"}, {"HOME", "/c"}}) == "/a");
  CHECK(cache_folder({{"XDG_CACHE_HOME", "/b"}, {"HOME", "/c"}}) == "/b/nix-seed");
  CHECK(cache_folder({{"HOME", "/c"}}) == "/c/.cache/nix-seed");
  CHECK(cache_folder({{"NIX_SEED_CACHE", "rel"}}) == fs::current_path() / "rel");
  CHECK(failure_of([] { cache_folder({}); }) ==
        "2: there is no place for a cache: HOME is not set | set NIX_SEED_CACHE to a folder");
}

TEST_CASE("a cache that can't be made is a usage error that names the variable") {
  CHECK(failure_of([] { usable_cache({{"NIX_SEED_CACHE", "/dev/null/cache"}}); }) ==
        "2: the cache folder can't be used: creating the folder /dev/null/cache: Not a directory"
        " | set NIX_SEED_CACHE to a folder that can be written");
  const os::TempDir temp;
  const fs::path folder = temp.path() / "a/b";
  CHECK(usable_cache({{"NIX_SEED_CACHE", folder.string()}}) == folder);
  CHECK(fs::is_directory(folder));
}

TEST_CASE("without an option the registry is the CI host's own, and a layout elsewhere") {
  CHECK(default_registry({{"GITHUB_ACTIONS", "true"}, {"GITHUB_REPOSITORY", "Acme/App"}}, "app") ==
        "ghcr.io/acme/app-seed");
  CHECK(default_registry(
            {{"GITLAB_CI", "true"}, {"CI_REGISTRY_IMAGE", "registry.gitlab.com/Acme/App"}},
            "app") == "registry.gitlab.com/acme/app/seed");
  CHECK(default_registry({{"HOME", "/c"}}, "app") == "oci:/c/.cache/nix-seed/registry/app");
}

}  // namespace seed::app
