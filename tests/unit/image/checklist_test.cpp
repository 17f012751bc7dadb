#include "image/checklist.hpp"

#include <algorithm>
#include <atomic>

#include "base/error.hpp"
#include "image/assemble.hpp"
#include "image/rootfs.hpp"
#include "image/tar.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

LayerNames layer(const std::function<void(TarWriter&)>& fill) {
  std::atomic<std::int64_t> budget = 1 << 20;
  LayerNamesReader reader(budget);
  TarWriter tar([&](ByteView bytes) { reader.write(bytes); });
  fill(tar);
  tar.finish();
  return reader.finish();
}

const std::string kPackage = "/nix/store/" + std::string(32, 'a') + "-tools";
const std::string kLoaderBytes = std::string("ELF") + '\0' + "/lib/x86_64-linux-gnu/" + '\0';

/// What the tools of a seed lead to.
LayerNames store_layer() {
  return layer([](TarWriter& tar) {
    const std::string folder = kPackage.substr(1);
    for (const char* program : {"tail",
                                "bash",
                                "cat",
                                "grep",
                                "env",
                                "id",
                                "git",
                                "tar",
                                "nix",
                                "ld-linux-x86-64.so.2"}) {
      tar.file(folder + "/bin/" + program,
               0555,
               std::string_view(program).starts_with("ld-") ? kLoaderBytes : "x");
    }
    for (const char* library : {"libc.so.6",
                                "libm.so.6",
                                "libdl.so.2",
                                "libpthread.so.0",
                                "libgcc_s.so.1",
                                "libstdc++.so.6"}) {
      tar.file(folder + "/lib/" + library, 0444, "x");
    }
    tar.file(folder + "/ca-bundle.crt", 0444, "x");
  });
}

Tools tools() {
  Tools tools{.nix = nix::StorePath::parse(kPackage)};
  for (const char* program : {"tail", "bash", "cat", "grep", "env", "id", "git", "tar", "nix"}) {
    tools.programs[program] = kPackage + "/bin/" + program;
  }
  tools.programs["sh"] = kPackage + "/bin/bash";
  for (const char* library : {"libc.so.6",
                              "libm.so.6",
                              "libdl.so.2",
                              "libpthread.so.0",
                              "libgcc_s.so.1",
                              "libstdc++.so.6"}) {
    tools.libraries[library] = kPackage + "/lib/" + library;
  }
  tools.cacert = kPackage + "/ca-bundle.crt";
  tools.loader = kPackage + "/bin/ld-linux-x86-64.so.2";
  return tools;
}

/// A seed as rootfs and assemble make it; each test breaks one thing.
struct Subject {
  std::vector<RootEntry> entries =
      root_entries(tools(), {}, "x86_64-linux", R"({"nix":"x","system":"x86_64-linux"})", "");
  RunConfig config{.os = "linux",
                   .architecture = "amd64",
                   .environment = image_environment(tools()),
                   .user = "",
                   .entrypoint = {"/bin/nix-seed"},
                   .labels = {{"dev.nix-seed.closure", "x"}, {"dev.nix-seed.system", "x"}}};
  oci::Annotations annotations{{"org.opencontainers.image.source", "https://example.org/r"}};

  void remove(std::string_view path) {
    REQUIRE(std::erase_if(entries, [&](const RootEntry& entry) { return entry.path == path; }) ==
            1);
  }

  RootEntry& at(std::string_view path) {
    return *std::ranges::find(entries, path, &RootEntry::path);
  }

  std::vector<Check> check() const {
    ImageTree tree;
    tree.add(store_layer());
    tree.add(layer([&](TarWriter& tar) { write_entries(entries, tar); }));
    return check_job_image({.manifest = oci::describe(oci::kManifestType, ""),
                            .config = config,
                            .tree = std::move(tree),
                            .annotations = annotations});
  }

  /// "name: found", of every item that did not pass.
  std::vector<std::string> objections(CheckStatus status = CheckStatus::failed) const {
    std::vector<std::string> list;
    for (const Check& item : check()) {
      CHECK(item.fix.empty() == (item.status == CheckStatus::passed));
      if (item.status == status) {
        list.push_back(item.name + ": " + item.found);
      }
    }
    return list;
  }
};

using Objections = std::vector<std::string>;

}  // namespace

TEST_CASE("a seed with all its tools passes every check of a job container") {
  const Subject seed;
  CHECK(seed.objections() == Objections{});
  CHECK(seed.objections(CheckStatus::advised) == Objections{});
  CHECK(all_passed(seed.check()));
  CHECK(seed.check().size() == 24);
}

TEST_CASE("an image with one thing wrong fails in that item alone") {
  Subject seed;
  SECTION("a program that runners call is missing") {
    for (const std::string name : {"tail", "cat", "grep", "env", "id"}) {
      Subject without;
      without.remove("bin/" + name);
      CHECK(without.objections() == Objections{name + ": not found through PATH"});
    }
  }
  SECTION("bash is missing, and sh is not it") {
    seed.remove("bin/bash");
    CHECK(seed.objections() == Objections{"bash: not found through PATH"});
  }
  SECTION("a link leads to nothing") {
    seed.at("bin/tail").content = "/nix/store/gone";
    CHECK(seed.objections() == Objections{"tail: not found through PATH"});
  }
  SECTION("the loader") {
    seed.remove("lib64/ld-linux-x86-64.so.2");
    CHECK(seed.objections() ==
          Objections{"loader: there is no /lib64/ld-linux-x86-64.so.2: the runner's Node can't "
                     "start"});
  }
  SECTION("a library") {
    seed.remove("lib/x86_64-linux-gnu/libstdc++.so.6");
    CHECK(seed.objections() == Objections{"libraries: the loader does not find libstdc++.so.6, "
                                          "which the runner's Node needs"});
    seed.config.environment["LD_LIBRARY_PATH"] = kPackage + "/lib";
    CHECK(seed.objections() == Objections{});
  }
  SECTION("os-release") {
    seed.at("etc/os-release").content = "NAME=x\n";
    CHECK(seed.objections() == Objections{"os-release: no line ID=... in /etc/*release"});
    seed.at("etc/os-release").content = "ID=alpine\n";
    CHECK(seed.objections() ==
          Objections{"os-release: ID=alpine: runners start a Node for musl there"});
  }
  SECTION("passwd") {
    seed.at("etc/passwd").content = "toor:x:0:0\n";
    CHECK(seed.objections() == Objections{"passwd: no root in /etc/passwd"});
  }
  SECTION("tmp") {
    seed.at("tmp").mode = 0755;
    CHECK(seed.objections() == Objections{"tmp: /tmp has mode 0755"});
    seed.remove("tmp");
    CHECK(seed.objections() == Objections{"tmp: there is no folder /tmp"});
  }
  SECTION("git's trust") {
    seed.at("etc/gitconfig").content = "[safe]\n\tdirectory = /src\n[x]\ndirectory=*\n";
    const Objections expected{
        "safe-directory: git and Nix refuse a checkout that is another user's"};
    CHECK(seed.objections() == expected);
    seed.config.environment["GIT_CONFIG_KEY_0"] = "safe.directory";
    CHECK(seed.objections() == expected);
    seed.config.environment["GIT_CONFIG_VALUE_0"] = "*";
    CHECK(seed.objections() == Objections{});
  }
  SECTION("certificates") {
    seed.config.environment["NIX_SSL_CERT_FILE"] = "/gone.crt";
    CHECK(seed.objections() ==
          Objections{"certificates: NIX_SSL_CERT_FILE=/gone.crt leads nowhere"});
  }
  SECTION("the config") {
    Subject foreign;
    foreign.config.user = "1000";
    CHECK(foreign.objections() ==
          Objections{"user: 1000 can't write to the workspace, which is another user's"});
    foreign.config.user = "0:0";
    CHECK(foreign.objections() == Objections{});
    foreign.config.labels.erase("dev.nix-seed.closure");
    CHECK(foreign.objections() == Objections{"labels: no dev.nix-seed.closure"});
    seed.config.os = "windows";
    CHECK(seed.objections() == Objections{"platform: windows/amd64"});
    seed.config.os = "linux";
    seed.config.architecture = "arm64";
    CHECK(seed.objections() ==
          Objections{"loader: there is no /lib/ld-linux-aarch64.so.1: the runner's Node can't "
                     "start"});
  }
}

TEST_CASE("without a PATH in the config nothing is found") {
  Subject seed;
  seed.config.environment.erase("PATH");
  const Objections objections = seed.objections();
  REQUIRE(objections.size() == 8);
  CHECK(objections[0] == "path: the config's Env has no PATH");
  CHECK(objections[1] == "tail: not found through PATH");
}

TEST_CASE("an image that is no seed is advised, not refused") {
  Subject image;
  image.remove("etc/nix-seed/seed.json");
  image.config.labels.clear();
  image.annotations.clear();
  image.config.entrypoint = {"/docker-entrypoint.sh"};
  image.remove("bin/git");
  CHECK(image.objections() == Objections{});
  CHECK(image.objections(CheckStatus::advised) ==
        Objections{"git: not found through PATH; checkouts come without history",
                   "seed: no /etc/nix-seed/seed.json: the image holds no build inputs",
                   "labels: no org.opencontainers.image.source: ghcr.io links the package to no "
                   "repository",
                   "entrypoint: /docker-entrypoint.sh must start the command that it is given"});
}

TEST_CASE("the loader's own folders say where libraries are found") {
  Subject seed;
  for (RootEntry& entry : seed.entries) {
    if (entry.path.starts_with("lib/x86_64-linux-gnu/")) {
      entry.path.replace(0, 20, "usr/local/lib");
    }
  }
  REQUIRE(seed.objections().size() == 1);
  CHECK(seed.objections()[0].starts_with("libraries: the loader does not find libc.so.6, libm"));
}

TEST_CASE("an image's config is read, and one thing wrong with it is refused") {
  const RunConfig config = parse_run_config(R"({"os":"linux","architecture":"arm64","config":{
    "Env":["PATH=/bin","A=b=c","odd"],"User":"me","Entrypoint":["/e","x"],"Labels":{"k":"v"}}})");
  CHECK(config.architecture == "arm64");
  CHECK(config.environment == os::Environment{{"PATH", "/bin"}, {"A", "b=c"}});
  CHECK(config.user == "me");
  CHECK(config.entrypoint == std::vector<std::string>{"/e", "x"});
  CHECK(config.labels.at("k") == "v");
  CHECK(parse_run_config("{}").os.empty());
  CHECK(parse_run_config(R"({"config":{"Env":null,"Labels":null,"Entrypoint":null}})")
            .entrypoint.empty());
  for (const char* bad : {"[",
                          "[]",
                          R"({"os":1})",
                          R"({"config":1})",
                          R"({"config":{"Env":"x"}})",
                          R"({"config":{"Env":[1]}})",
                          R"({"config":{"User":1}})",
                          R"({"config":{"Labels":["x"]}})",
                          R"({"config":{"Entrypoint":"x"}})"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_run_config(bad), FormatError);
  }
}

TEST_CASE("an image is read out of a repository, by an index or by itself") {
  const os::TempDir folder;
  const auto repository = oci::open_layout(folder.path());
  std::string tar_bytes;
  TarWriter tar([&](ByteView bytes) { tar_bytes += text_of(bytes); });
  tar.file("etc/passwd", 0644, "root:x:0:0\n");
  tar.finish();
  const std::string config = R"({"os":"linux","architecture":"arm64"})";
  oci::Manifest manifest{
      .config = oci::describe(oci::kConfigType, config),
      .layers = {oci::describe("application/vnd.oci.image.layer.v1.tar", tar_bytes)}};
  repository->put_blob(manifest.config, std::string_view(config));
  repository->put_blob(manifest.layers[0], std::string_view(tar_bytes));
  auto put = repository->put_manifest(oci::kManifestType, oci::to_json(manifest), "alone");
  put.platform = oci::Platform{.os = "linux", .architecture = "arm64", .variant = ""};
  oci::Index index{.manifests = {put}};
  index.annotations["k"] = "v";
  repository->put_manifest(oci::kIndexType, oci::to_json(index), "index");
  for (const char* tag : {"alone", "index"}) {
    const JobImage image = read_job_image(*repository, std::string(tag), "aarch64-linux", 2);
    CHECK(image.manifest.digest == put.digest);
    CHECK(image.tree.find("/etc/passwd")->node->content == "root:x:0:0\n");
    CHECK(image.annotations.contains("k") == (std::string_view(tag) == "index"));
  }
  CHECK_THROWS_AS(read_job_image(*repository, std::string("index"), "x86_64-linux", 1), UsageError);
  CHECK_THROWS_AS(read_job_image(*repository, std::string("absent"), "x86_64-linux", 1),
                  UsageError);
}

}  // namespace seed::image
