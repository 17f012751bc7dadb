#pragma once

#include <set>
#include <string>

#include <fmt/core.h>

#include "app/seed_self.hpp"
#include "nix/seed_record.hpp"
#include "nix/seed_self.hpp"
#include "os/git_repository.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"
#include "support/git_backend.hpp"
#include "support/need.hpp"
#include "support/quiet.hpp"

namespace seed::app {

namespace fs = std::filesystem;
using Status = SeedSelfResult::Status;

inline constexpr const char* kPage = "https://git.test/acme/app";
inline constexpr const char* kSystem = "x86_64-linux";

/// A lock whose seed-self is a branch of the repository, as Nix 2.8 to 2.34 write it.
inline std::string lock_with(const std::string& members, const std::string& url = kPage) {
  return nix::with_seed_self(
      fmt::format(
          R"({{"nodes":{{"dep":{{"locked":{{"type":"path","path":"/x","narHash":"sha256-x"{}}}}},)"
          R"("root":{{"inputs":{{"dep":"dep","seed-self":"seed-self"}}}},)"
          R"("seed-self":{{"flake":false,"locked":{{"lastModified":1,"narHash":"sha256-y",)"
          R"("ref":"nix-seed","rev":"0123456789012345678901234567890123456789","revCount":1,)"
          R"("type":"git","url":"{}"}},)"
          R"("original":{{"ref":"nix-seed","type":"git","url":"{}"}}}}}},)"
          R"("root":"root","version":7}})",
          members,
          url,
          url),
      {.revision = "0123456789012345678901234567890123456789",
       .nar_hash = "sha256-y",
       .last_modified = 1,
       .revision_count = 1});
}

inline constexpr const char* kNoInput = R"({"nodes":{"root":{}},"root":"root","version":7})";

/// One job in a checkout of the branch, with git behind the wire and a registry that is a list.
class Job {
 public:
  explicit Job(test::GitBackend& backend, std::string branch = "main")
      : backend_(backend),
        branch_(std::move(branch)),
        world_{.environment = {{"NIX_SEED_CACHE", (temp_.path() / "cache").string()},
                               {"NIX_SEED_GIT_TOKEN", "s3cret-token"}},
               .directory = temp_.path(),
               .self = {},
               .clock = clock_,
               .progress = progress_,
               .runner = runner_,
               .transport = backend,
               .journal = journal_} {
    clock_.advance(std::chrono::seconds(95'190'000));
    backend.authorization = "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0LXRva2Vu";
    check_out();
  }

  void check_out() { checkout_ = backend_.check_out(branch_); }

  const fs::path& checkout() const { return checkout_; }

  Project project(const fs::path& below = {}) const {
    Project project;
    project.folder = checkout_ / below;
    project.lock_text = os::read_file(project.folder / "flake.lock", 1 << 20);
    project.lock = nix::parse_flake_lock(project.lock_text);
    project.tag = nix::lock_tag(project.lock_text);
    project.key = nix::lock_key(project.lock);
    project.git = os::inspect_git(checkout_);
    return project;
  }

  GitPlace place() const {
    return git_place(world_.environment, backend_.kUrl, "refs/heads/" + branch_);
  }

  SeedSelfResult publish(SeedSelf mode, const fs::path& below = {}) {
    const Project built = project(below);
    PublishedSeed seed{.image = "registry.test/app-seed",
                       .system = system,
                       .manifest = digest,
                       .publish_alias = [&](const std::string& tag) {
                         if (on_alias) {
                           on_alias();
                         }
                         tags.insert(tag);
                         if (after_alias) {
                           after_alias();
                         }
                       }};
    tags.insert(built.tag);
    return publish_seed_self(world_, mode, place(), built, seed);
  }

  SeedHint hint() const { return hinted_seed(world_, place(), project(), system); }

  const World& world() const { return world_; }

  os::Environment& environment() { return world_.environment; }

  std::string system = kSystem;
  Digest digest = Digest::of("manifest");
  std::set<std::string> tags;
  std::function<void()> on_alias;
  std::function<void()> after_alias;

 private:
  test::GitBackend& backend_;
  std::string branch_;
  os::TempDir temp_;
  test::FakeClock clock_;
  test::Quiet progress_;
  os::SystemRunner runner_;
  Journal journal_;
  World world_;
  fs::path checkout_;
};

inline bool skipped() {
  return !test::have_program("git");
}

inline nix::SeedRecord recorded(const test::GitBackend& backend) {
  return nix::parse_seed_record(backend.read("nix-seed", "seed.json"));
}

inline std::string count(const test::GitBackend& backend, const std::string& branch) {
  return backend.git(backend.repository(), {"rev-list", "--count", branch});
}

}  // namespace seed::app
