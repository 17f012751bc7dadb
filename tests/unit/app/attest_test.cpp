#include "app/attest.hpp"

#include "base/error.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"
#include "support/golden.hpp"
#include "support/quiet.hpp"

namespace seed::app {
namespace {

using nix::StorePath;

constexpr std::string_view kLock =
    R"({"nodes":{"nixpkgs":{"locked":{"narHash":"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",)"
    R"("owner":"NixOS","repo":"nixpkgs","rev":"89ab","type":"github"}},)"
    R"("root":{"inputs":{"nixpkgs":"nixpkgs"}}},"root":"root","version":7})";

class StoppedClock final : public Clock {
 public:
  Time now() const override { return Time(std::chrono::seconds(1'767'225'661)); }

  void sleep(std::chrono::milliseconds) override {}
};

class NoNetwork final : public http::Transport {
 public:
  http::Response send(const http::Request&) override { throw NetworkError("no network here"); }
};

/// A world in which nothing is real but the files below `temp`.
struct Stage {
  os::TempDir temp;
  StoppedClock clock;
  test::Quiet progress;
  test::FakeRunner runner;
  NoNetwork transport;

  Journal journal;

  World world(os::Environment environment = {}) {
    environment["NIX_SEED_CACHE"] = (temp.path() / "cache").string();
    runner.answer = [](const os::Command&) {
      return test::FakeRunner::Answer{0, "sandbox = true\nsystem = x86_64-linux\nother = 1\n", ""};
    };
    return {.environment = std::move(environment),
            .directory = temp.path(),
            .self = {},
            .clock = clock,
            .progress = progress,
            .runner = runner,
            .transport = transport,
            .journal = journal};
  }
};

Project project() {
  Project project;
  project.name = "app";
  project.lock_text = kLock;
  project.lock = nix::parse_flake_lock(kLock);
  project.tag = nix::lock_tag(kLock);
  project.key = nix::lock_key(project.lock);
  project.git = os::GitState{.root = "/src/app",
                             .commit = std::string(40, 'c'),
                             .dirty = false,
                             .branch = "main",
                             .remote_url = "git@github.com:acme/app.git"};
  return project;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

const os::Environment kGithub{
    {"GITHUB_SERVER_URL", "https://github.com"},
    {"GITHUB_REPOSITORY", "acme/app"},
    {"GITHUB_WORKFLOW_REF", "acme/app/.github/workflows/ci.yml@refs/heads/main"},
    {"GITHUB_RUN_ID", "17"}};

const Signing kUnsigned{.why_not = "there is no token", .remedy = "get one"};

}  // namespace

TEST_CASE("a seed's statement is the golden one, in its file and attached to the image") {
  Stage stage;
  const World world = stage.world(kGithub);
  const auto repository = oci::open_layout(stage.temp.path() / "registry");
  const StorePath tools = StorePath::from_base_name("00000000000000000000000000000000-tools");
  Contents contents{.inputs = {.metadata = {.source = tools}},
                    .tools = {.tools = {.nix = tools}, .roots = {}, .origin = "x"}};
  contents.inputs.targets.wanted.push_back({"packages.x86_64-linux.default", {}, {}});
  contents.nix.text = "nix (Nix) 2.8.0";
  image::ImageParts parts{.system = "x86_64-linux",
                          .plan = {},
                          .closure = contents.closure.digest(),
                          .environment = {},
                          .command = {"/bin/sh"}};
  const image::Image image = image::assemble(parts);
  image::push_image(*repository, image);
  nix::Nix nix(stage.runner, stage.progress, "nix");
  const std::string index = oci::to_json(image::make_index({image.descriptor}, "x"));
  const Attested attested = attest_seed(
      world,
      {},
      project(),
      {.contents = contents,
       .image = image,
       .layers = {{.blob = {.digest = Digest::of("layer"), .diff_id = Digest::of("tar")},
                   .title = "nix-seed"}},
       .indexes = {repository->put_manifest(oci::kIndexType, index, std::nullopt)},
       .compression = image::Compression::gzip,
       .started = Time(std::chrono::seconds(1'767'225'600))},
      kUnsigned,
      nix,
      *repository);
  const std::string& file = attested.file;
  CHECK(attested.bundle.empty());
  CHECK(attested.on.size() == 2);
  CHECK(file == (stage.temp.path() / "cache/provenance/app/seed.intoto.json").string());
  const std::string statement = os::read_file(file, 1 << 20);
  const std::string compression = image::describe(image::Compression::gzip);
  CHECK(test::golden(
      "app/seed.intoto.json",
      replaced(replaced(statement, stage.temp.path().string(), "/temp"), compression, "gzip")));
  const auto referrers = repository->referrers(image.descriptor.digest, "");
  REQUIRE(referrers.size() == 1);
  CHECK(referrers.front().artifact_type == "application/vnd.in-toto+json");
  const auto manifest =
      oci::parse_manifest(repository->get_manifest(referrers.front().digest)->bytes);
  std::string attached;
  repository->get_blob(manifest.layers.at(0), [&](ByteView chunk) { attached += text_of(chunk); });
  CHECK(attached == statement);
}

TEST_CASE("a build's statement is the golden one; without a seed it is a file only") {
  Stage stage;
  const World world = stage.world();
  Project checkout = project();
  checkout.git->remote_url.clear();
  checkout.git->dirty = true;
  report::BuildRecord record{.mode = report::BuildMode::seedless, .system = "x86_64-linux"};
  record.results.push_back({.attribute = "default",
                            .output = "out",
                            .store_path = "/nix/store/00000000000000000000000000000000-app-1.0"});
  const std::string file = attest_build(world,
                                        {},
                                        checkout,
                                        {.record = record,
                                         .nix_version = "nix (Nix) 2.8.0",
                                         .nix_settings = {{"sandbox", "true"}},
                                         .nar_hashes = {Digest::of("nar")},
                                         .started = Time(std::chrono::seconds(1'767'225'600))},
                                        kUnsigned,
                                        nullptr)
                               .file;
  CHECK(test::golden("app/build.intoto.json", os::read_file(file, 1 << 20)));
}

TEST_CASE("a project without remote or commit gives a statement without empty claims of them") {
  Stage stage;
  const World world = stage.world();
  Project checkout = project();
  checkout.git = os::GitState{};
  const report::BuildRecord record;
  const std::string file =
      attest_build(
          world, {}, checkout, {.record = record, .nix_version = "nix"}, kUnsigned, nullptr)
          .file;
  const std::string statement = os::read_file(file, 1 << 20);
  CHECK(statement.find(R"({"name":"source"})") != std::string::npos);
  CHECK(statement.find("gitCommit\":\"\"") == std::string::npos);
  CHECK(statement.find("git+\"") == std::string::npos);
}

TEST_CASE("a statement's file in a folder that is not there is refused before any work") {
  Stage stage;
  const World world = stage.world();
  constexpr OptionSpec kSpec{"provenance", "FILE", "x"};
  const auto with = [&](const std::string& file) {
    check_provenance_file(
        world, Options::parse("build", std::span(&kSpec, 1), {"--provenance", file}, {}));
  };
  CHECK_NOTHROW(with("here.json"));
  CHECK_THROWS_WITH(with("/nowhere/x.json"),
                    "--provenance: there is no folder for /nowhere/x.json");
}

}  // namespace seed::app
