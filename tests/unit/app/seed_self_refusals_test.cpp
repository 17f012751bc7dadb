#include "base/error.hpp"
#include "unit/app/seed_self_job.hpp"

namespace seed::app {
namespace {

TEST_CASE("without the input the branch is made once, and the line to add is said") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"flake.lock", kNoInput}});
  Job job(backend);
  const SeedSelfResult first = job.publish(SeedSelf::commit);
  CHECK(first.status == Status::recorded);
  CHECK(first.reason ==
        "flake.lock has no input seed-self: add to flake.nix\n"
        "  inputs.seed-self = { url = \"git+https://git.test/acme/app?ref=nix-seed\"; flake = "
        "false; };\n"
        "then run 'nix flake lock' and commit both files");
  job.digest = Digest::of("another");
  const SeedSelfResult second = job.publish(SeedSelf::commit);
  CHECK(second.status == Status::left);
  CHECK(second.reason == first.reason);
  CHECK(count(backend, "nix-seed") == "1");
  CHECK(count(backend, "main") == "1");
}

TEST_CASE("a flake.lock that can't be moved is left alone, and why is said") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  const auto reason = [&](Job& job) {
    const SeedSelfResult result = job.publish(SeedSelf::commit);
    CHECK(result.status == Status::left);
    return result.reason;
  };
  SECTION("it is of another project") {
    backend.commit("main",
                   {{"flake.lock", lock_with("", "https://user:pw@git.test/upstream/app")}});
    Job job(backend);
    CHECK(reason(job) ==
          "flake.lock's seed-self is https://git.test/upstream/app, which is not this project's "
          "repository https://git.test/acme/app");
    CHECK(backend.read("nix-seed", "seed.json").empty());
  }
  SECTION("the checkout's is not the committed one") {
    backend.commit("main", {{"flake.lock", lock_with("")}});
    Job job(backend);
    os::atomic_write(job.checkout() / "flake.lock", lock_with("") + "\r\n");
    CHECK(reason(job) ==
          "flake.lock of the checkout is not the committed one: commit it, or keep git from "
          "changing its line endings ('flake.lock -text' in .gitattributes)");
  }
  SECTION("it is a link") {
    backend.commit("main", {{"flake.lock", lock_with("")}, {"sub/flake.nix", "{}"}});
    Job job(backend);
    fs::create_symlink("../flake.lock", job.checkout() / "sub/flake.lock");
    backend.git(job.checkout(), {"add", "-A"});
    backend.git(job.checkout(), {"commit", "-qm", "link"});
    backend.git(job.checkout(), {"push", "-q", backend.repository().string(), "HEAD:main"});
    const SeedSelfResult result = job.publish(SeedSelf::commit, "sub");
    CHECK(result.reason == "sub/flake.lock is a link");
  }
  SECTION("its branch is gone") {
    backend.commit("main", {{"flake.lock", lock_with("")}});
    Job job(backend);
    backend.git(backend.repository(), {"update-ref", "-d", "refs/heads/main"});
    CHECK(reason(job) == "there is no branch main");
  }
  SECTION("the server refuses") {
    backend.commit("main", {{"flake.lock", lock_with("")}});
    Job job(backend);
    backend.git(backend.repository(), {"config", "receive.denyUpdates", "true"});
    const fs::path hook = backend.repository() / "hooks/update";
    os::atomic_write(
        hook,
        "#!/bin/sh\n[ \"$1\" != refs/heads/main ] || { echo protected: s3cret-token; exit 1; }\n",
        0755);
    CHECK(reason(job) ==
          "moving seed-self in flake.lock: https://git.test/acme/app.git does not let branch main "
          "move: hook declined; where the branch is protected, let the token's owner push to it, "
          "or say --seed-self pr or ref");
    CHECK(count(backend, "main") == "1");
  }
}

TEST_CASE("a flake in a folder of its repository, on a branch with a hostile name") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  const std::string branch = "x/$(touch${IFS}pwned);`id`'\"%0A::error::";
  backend.commit(branch.substr(0, branch.find("::")),
                 {{"services/api/flake.lock", lock_with("")},
                  {"services/api/main.cpp", "1"},
                  {"README", "2"}});
  Job job(backend, branch.substr(0, branch.find("::")));
  const SeedSelfResult result = job.publish(SeedSelf::commit, "services/api");
  CHECK(result.reason.empty());
  CHECK(result.status == Status::committed);
  const std::string name = branch.substr(0, branch.find("::"));
  CHECK(nix::find_seed_self(backend.read(name, "services/api/flake.lock"))->revision ==
        result.record);
  CHECK(backend.read(name, "README") == "2");
  CHECK(backend.read(name, "services/api/main.cpp") == "1");
}

TEST_CASE("a server without filters is read as well") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.git(backend.repository(), {"config", "uploadpack.allowFilter", "false"});
  backend.commit("main", {{"a/flake.lock", lock_with("")}});
  Job job(backend);
  backend.commit("main", {{"main.cpp", "later"}});
  CHECK(job.publish(SeedSelf::commit, "a").status == Status::committed);
}

TEST_CASE("before any work it is checked that the token may push") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  CHECK_NOTHROW(check_seed_self(job.world(), SeedSelf::ref, job.place(), job.project()));
  backend.authorization = "Basic other";
  CHECK_NOTHROW(check_seed_self(job.world(), SeedSelf::off, job.place(), job.project()));
  CHECK_THROWS_WITH(check_seed_self(job.world(), SeedSelf::ref, job.place(), job.project()),
                    "checking that seed-self may push: reading the refs of "
                    "https://git.test/acme/app.git: status 401 (who are you?)");
  GitPlace place = job.place();
  place.url = "git@git.test:acme/app";
  CHECK_THROWS_AS(check_seed_self(job.world(), SeedSelf::ref, place, job.project()), UsageError);
  place.url = "http://git.test/acme/app";
  CHECK_THROWS_AS(check_seed_self(job.world(), SeedSelf::ref, place, job.project()), UsageError);
}

TEST_CASE("the hint of flake.lock is taken for its key, its system and its hash alone") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  job.publish(SeedSelf::commit);
  job.check_out();
  CHECK(job.hint().manifest == job.digest);
  CHECK(job.hint().image == "registry.test/app-seed");
  job.system = "aarch64-linux";
  CHECK(job.hint().reason == "seed-self names no seed for aarch64-linux");
  job.system = kSystem;
  const std::string lock = backend.read("main", "flake.lock");
  const fs::path file = job.checkout() / "flake.lock";
  const std::string hash = nix::find_seed_self(lock)->nar_hash;
  std::string other = lock;
  other.replace(other.find(hash), hash.size(), "sha256-" + std::string(43, 'A') + "=");
  os::atomic_write(file, other);
  CHECK(job.hint().reason.ends_with("is not what flake.lock has the hash of"));
  other = lock;
  other.replace(other.find("/x"), 2, "/y");
  os::atomic_write(file, other);
  CHECK(job.hint().reason.starts_with("seed-self names a seed for other inputs (k-"));
  CHECK_FALSE(job.hint().manifest.has_value());
  os::atomic_write(file, lock_with(""));
  CHECK(job.hint().reason.starts_with("seed-self can't be read: the git server refuses: "));
  os::atomic_write(file, kNoInput);
  CHECK(job.hint().reason.empty());
  CHECK_FALSE(job.hint().manifest.has_value());
}

TEST_CASE("--seed-self takes four words") {
  const OptionSpec spec{"seed-self", "MODE", ""};
  const auto parse = [&](const std::string& word) {
    return seed_self_of(Options::parse("seed", {&spec, 1}, {"--seed-self", word}, {}));
  };
  CHECK(parse("off") == SeedSelf::off);
  CHECK(parse("ref") == SeedSelf::ref);
  CHECK(parse("commit") == SeedSelf::commit);
  CHECK(parse("pr") == SeedSelf::pr);
  CHECK(seed_self_of(Options::parse("seed", {&spec, 1}, {}, {})) == SeedSelf::off);
  CHECK_THROWS_WITH(parse("yes"), "--seed-self is 'yes'");
}

}  // namespace
}  // namespace seed::app
