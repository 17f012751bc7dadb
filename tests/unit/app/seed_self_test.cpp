#include "unit/app/seed_self_job.hpp"

namespace seed::app {
namespace {

TEST_CASE("mode ref records the seed on a branch of its own, once") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  const std::string built = backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  const SeedSelfResult result = job.publish(SeedSelf::ref);
  CHECK(result.reason.empty());
  CHECK(result.status == Status::recorded);
  CHECK(result.record == backend.id_of("nix-seed"));
  const Project project = job.project();
  CHECK(recorded(backend) == nix::SeedRecord{.key = project.key,
                                             .lock = project.tag,
                                             .rev = built,
                                             .image = "registry.test/app-seed",
                                             .systems = {{kSystem, job.digest}},
                                             .built_at = 1'795'190'000});
  CHECK(backend.id_of("main") == built);
  CHECK(backend.git(backend.repository(), {"ls-tree", "-r", "--name-only", "nix-seed"}) ==
        "seed.json");
  CHECK(job.publish(SeedSelf::ref).status == Status::unchanged);
  CHECK(count(backend, "nix-seed") == "1");
  job.digest = Digest::of("another");
  CHECK(job.publish(SeedSelf::ref).status == Status::recorded);
  CHECK(count(backend, "nix-seed") == "2");
}

TEST_CASE("mode commit moves flake.lock to what Nix would lock, behind its tag") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  const std::string built =
      backend.commit("main", {{"flake.lock", lock_with("")}, {"main.cpp", "int x;"}});
  Job job(backend);
  bool landed_first = false;
  job.on_alias = [&] { landed_first = backend.id_of("main") != built; };
  const SeedSelfResult result = job.publish(SeedSelf::commit);
  CHECK(result.reason.empty());
  REQUIRE(result.status == Status::committed);
  CHECK_FALSE(landed_first);
  CHECK(backend.git(backend.repository(), {"rev-parse", "main^"}) == built);
  CHECK(backend.git(backend.repository(), {"diff", "--name-only", "main^", "main"}) ==
        "flake.lock");
  CHECK(backend.git(backend.repository(), {"log", "-1", "--format=%an <%ae> %s", "main"}) ==
        "nix-seed <noreply@nix-seed.invalid> flake.lock: name seed " + job.project().key +
            " [skip ci]");
  const std::string lock = backend.read("main", "flake.lock");
  const auto input = nix::find_seed_self(lock);
  REQUIRE(input.has_value());
  CHECK(input->revision == result.record);
  CHECK(input->nar_hash == nix::nar_hash_of_record(backend.read("nix-seed", "seed.json")));
  CHECK(lock.find("\"revCount\": 1,") != std::string::npos);
  CHECK(lock.find("\"lastModified\": 1795190000,") != std::string::npos);
  CHECK(job.tags.contains(nix::lock_tag(lock)));
  CHECK(nix::lock_key(nix::parse_flake_lock(lock)) == job.project().key);
  backend.git(backend.repository(), {"fsck", "--strict"});
  // The run of that commit finds nothing to do.
  job.check_out();
  CHECK(job.publish(SeedSelf::commit).status == Status::unchanged);
  CHECK(backend.read("main", "flake.lock") == lock);
}

TEST_CASE("ten commits in a row keep their key, and the tag of each is there") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  const std::string key = job.project().key;
  for (int i = 0; i < 10; ++i) {
    if (i % 3 == 2) {
      job.digest = Digest::of(std::to_string(i));  // flake.nix asks for more
    }
    backend.commit("main", {{"main.cpp", std::to_string(i)}});
    job.check_out();
    job.publish(SeedSelf::commit);
    job.check_out();
    CHECK(job.publish(SeedSelf::commit).status == Status::unchanged);
    CHECK(job.project().key == key);
    CHECK(job.tags.contains(job.project().tag));
    const SeedHint hint = job.hint();
    CHECK(hint.reason.empty());
    CHECK(hint.manifest == job.digest);
  }
  CHECK(count(backend, "nix-seed") == "4");
  CHECK(count(backend, "main") == "15");
}

struct Killed {};

// Only what writes can leave something half done.
TEST_CASE("a run killed before or after any write is carried on by the next") {
  if (skipped()) {
    return;
  }
  const SeedSelf mode = GENERATE(SeedSelf::commit, SeedSelf::pr);
  const bool answered = GENERATE(false, true);
  const std::string target = mode == SeedSelf::commit ? "main" : "nix-seed-update/main";
  constexpr int kWrites = 3;  // seed.json, the tag, flake.lock
  for (int write = 0; write <= kWrites; ++write) {
    INFO("write " << write << (answered ? ", which was done" : ", which was not"));
    test::GitBackend backend;
    backend.commit("main", {{"flake.lock", lock_with("")}});
    Job job(backend);
    int left = write;
    const auto kill = [&] {
      if (left-- == 0) {
        throw Killed{};
      }
    };
    (answered ? backend.after : backend.before) = [&](const http::Request& request) {
      if (request.url.ends_with("/git-receive-pack")) {
        kill();
      }
    };
    (answered ? job.after_alias : job.on_alias) = kill;
    bool killed = false;
    try {
      job.publish(mode);
    } catch (const Killed&) {
      killed = true;
    }
    CHECK(killed == (write < kWrites));
    backend.before = backend.after = nullptr;
    job.on_alias = job.after_alias = nullptr;
    // Whatever was reached: a lock that can be seen has its tag.
    const std::string seen = backend.read(target, "flake.lock");
    CHECK((seen.empty() || job.tags.contains(nix::lock_tag(seen))));
    job.check_out();
    const SeedSelfResult result = job.publish(mode);
    CHECK(result.status != Status::left);
    const std::string lock = backend.read(target, "flake.lock");
    CHECK(nix::find_seed_self(lock)->revision == backend.id_of("nix-seed"));
    CHECK(job.tags.contains(nix::lock_tag(lock)));
    CHECK(count(backend, "nix-seed") == "1");
    CHECK(count(backend, target) == "2");
  }
}

TEST_CASE("a branch that moved is committed to where its lock has the same key") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  SECTION("the application changed") {
    const std::string head = backend.commit("main", {{"main.cpp", "later"}});
    CHECK(job.publish(SeedSelf::commit).status == Status::committed);
    CHECK(backend.git(backend.repository(), {"rev-parse", "main^"}) == head);
    CHECK(backend.read("main", "main.cpp") == "later");
  }
  SECTION("an input changed") {
    const std::string head =
        backend.commit("main", {{"flake.lock", lock_with(",\"lastModified\":7")}});
    const SeedSelfResult result = job.publish(SeedSelf::commit);
    CHECK(result.status == Status::left);
    CHECK(result.reason == "main has another flake.lock by now, whose own run records its seed");
    CHECK(backend.id_of("main") == head);
  }
  SECTION("it moves at the very last moment") {
    std::string head;
    backend.before = [&](const http::Request& request) {
      if (request.url.ends_with("/git-receive-pack") &&
          !backend.read("nix-seed", "seed.json").empty() && head.empty()) {
        head = "moving";
        head = backend.commit("main", {{"main.cpp", "later"}});
      }
    };
    CHECK(job.publish(SeedSelf::commit).status == Status::committed);
    CHECK(backend.git(backend.repository(), {"rev-parse", "main^"}) == head);
    CHECK(count(backend, "main") == "3");
  }
}

TEST_CASE("systems under one key are recorded together, those of another are dropped") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  job.publish(SeedSelf::commit);
  job.system = "aarch64-linux";
  CHECK(job.publish(SeedSelf::commit).status == Status::committed);
  CHECK(recorded(backend).systems.size() == 2);
  CHECK(nix::find_seed_self(backend.read("main", "flake.lock"))->revision ==
        backend.id_of("nix-seed"));
  backend.commit("main", {{"flake.lock", lock_with(",\"lastModified\":7")}});
  job.check_out();
  CHECK(job.publish(SeedSelf::commit).status == Status::committed);
  CHECK(recorded(backend).systems.size() == 1);
}

TEST_CASE("mode pr makes a branch of its own and a pull request, once") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  const std::string built = backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  job.environment()["GITHUB_SERVER_URL"] = "https://git.test";
  job.environment()["GITHUB_API_URL"] = "https://api.test";
  std::string pull;
  backend.elsewhere = [&](const http::Request& request) -> http::Response {
    CHECK(request.url.starts_with("https://api.test/repos/acme/app/pulls"));
    CHECK(request.headers.get("Authorization") == "Bearer s3cret-token");
    const bool opens = request.method == http::Method::post;
    if (opens) {
      pull = R"({"html_url":"https://git.test/1","base":{"ref":"main"},"head":{"ref":)"
             R"("nix-seed-update/main","repo":{"full_name":"acme/app"}}})";
    }
    return {.status = opens ? 201 : 200, .headers = {}, .body = opens ? pull : "[" + pull + "]"};
  };
  const SeedSelfResult first = job.publish(SeedSelf::pr);
  CHECK(first.reason.empty());
  CHECK(first.status == Status::proposed);
  CHECK(first.url == "https://git.test/1");
  CHECK(backend.id_of("main") == built);
  CHECK(backend.id_of("nix-seed-update/main") == first.commit);
  CHECK(backend.git(backend.repository(), {"log", "-1", "--format=%P %s", first.commit}) ==
        built + " flake.lock: name seed " + job.project().key);
  const SeedSelfResult second = job.publish(SeedSelf::pr);
  CHECK(second.status == Status::proposed);
  CHECK(second.url == "https://git.test/1");
  CHECK(second.commit == first.commit);
  // A person's commit there is not lost.
  const std::string theirs = backend.commit("nix-seed-update/main", {{"x", "y"}});
  const SeedSelfResult third = job.publish(SeedSelf::pr);
  CHECK(third.status == Status::left);
  CHECK(third.reason ==
        "branch nix-seed-update/main has a commit that is not nix-seed's: merge it or delete the "
        "branch");
  CHECK(backend.id_of("nix-seed-update/main") == theirs);
}

TEST_CASE("GitLab opens the merge request while it takes the push") {
  if (skipped()) {
    return;
  }
  test::GitBackend backend;
  backend.git(backend.repository(), {"config", "receive.advertisePushOptions", "true"});
  backend.commit("main", {{"flake.lock", lock_with("")}});
  Job job(backend);
  job.environment()["CI_SERVER_URL"] = "https://git.test";
  job.environment()["NIX_SEED_GIT_USER"] = "x-access-token";
  const fs::path hook = backend.repository() / "hooks/pre-receive";
  os::atomic_write(hook,
                   "#!/bin/sh\n[ -z \"$GIT_PUSH_OPTION_COUNT\" ] || "
                   "printenv | grep GIT_PUSH_OPTION_ | sort > options\n",
                   0755);
  CHECK(job.publish(SeedSelf::pr).status == Status::proposed);
  const Digest seed = job.digest;
  const std::string record = backend.id_of("nix-seed").substr(0, 12);
  CHECK(os::read_file(backend.repository() / "options", 1 << 16) ==
        "GIT_PUSH_OPTION_0=merge_request.create\n"
        "GIT_PUSH_OPTION_1=merge_request.target=main\n"
        "GIT_PUSH_OPTION_2=merge_request.title=flake.lock: name seed " +
            job.project().key +
            "\nGIT_PUSH_OPTION_3=merge_request.description=seed-self moves to " + record +
            ", which names registry.test/app-seed@" + seed.to_string() +
            " for x86_64-linux.\nGIT_PUSH_OPTION_4=merge_request.remove_source_branch\n"
            "GIT_PUSH_OPTION_COUNT=5\n");
}

}  // namespace
}  // namespace seed::app
