#include "oci/layout.hpp"

#include <algorithm>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::oci {
namespace {

using namespace std::literals;

namespace fs = std::filesystem;

std::string read(Repository& repository, const Descriptor& blob) {
  std::string text;
  repository.get_blob(blob, [&](ByteView bytes) { text += text_of(bytes); });
  return text;
}

std::string small_manifest(const std::string& note = "") {
  return to_json(Manifest{
      .config = describe(kEmptyType, "{}"),
      .layers = {},
      .artifact_type = "application/vnd.example",
      .subject = std::nullopt,
      .annotations = note.empty() ? Annotations{} : Annotations{{"note", note}},
  });
}

void overwrite(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::trunc) << text;
}

struct Fixture {
  os::TempDir temp;
  fs::path directory = temp.path() / "layout";
  std::unique_ptr<Repository> layout = open_layout(directory);
  Descriptor empty = describe(kEmptyType, "{}");
};

}  // namespace

TEST_CASE("a layout that is not there holds nothing and is not made by reading") {
  Fixture t;
  CHECK(t.layout->name() == "oci:" + t.directory.string());
  CHECK(t.layout->tags().empty());
  CHECK_FALSE(t.layout->get_manifest("latest"));
  CHECK_FALSE(t.layout->get_manifest(t.empty.digest));
  CHECK_FALSE(t.layout->has_blob(t.empty));
  CHECK(t.layout->referrers(t.empty.digest, "").empty());
  CHECK_FALSE(fs::exists(t.directory));
}

TEST_CASE("the files of a layout are what image-layout.md says") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  const Descriptor manifest = t.layout->put_manifest(kManifestType, small_manifest(), "v1");
  CHECK(os::read_file(t.directory / "oci-layout", 100) == R"({"imageLayoutVersion":"1.0.0"})");
  CHECK(os::read_file(t.directory / "index.json", 1000) ==
        R"({"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"v1"},)"
        R"("artifactType":"application/vnd.example","digest":")" +
            manifest.digest.to_string() +
            R"(","mediaType":"application/vnd.oci.image.manifest.v1+json","size":)" +
            std::to_string(manifest.size_bytes) +
            R"(}],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2})");
  CHECK(os::read_file(t.directory / "blobs" / "sha256" / t.empty.digest.hex(), 100) == "{}");
  // Nothing else is left behind.
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(t.directory)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{".lock", "blobs", "index.json", "oci-layout"});
}

TEST_CASE("a blob is stored once and read back verified") {
  Fixture t;
  CHECK(t.layout->put_blob(t.empty, "{}"sv) == Pushed::sent);
  CHECK(t.layout->put_blob(t.empty, "{}"sv) == Pushed::already_there);
  CHECK(t.layout->has_blob(t.empty));
  CHECK(read(*t.layout, t.empty) == "{}");
  const Descriptor large = describe(kLayerZstdType, std::string(3 << 20, 'x'));
  const std::string large_text(3 << 20, 'x');
  t.layout->put_blob(large, std::string_view(large_text));
  CHECK(read(*t.layout, large) == std::string(3 << 20, 'x'));
  std::string range;
  t.layout->get_blob_range(large, 5, 7, [&](ByteView bytes) { range += text_of(bytes); });
  CHECK(range == "xxxxxxx");
  CHECK_THROWS_AS(t.layout->get_blob_range(large, 3 << 20, 1, [](ByteView) {}), Error);
}

TEST_CASE("a blob from a file is linked where it can be, and has the size that was said") {
  Fixture t;
  const fs::path file = t.temp.path() / "file";
  overwrite(file, "content");
  const Descriptor blob = describe(kLayerZstdType, "content");
  Descriptor wrong = blob;
  ++wrong.size_bytes;
  CHECK_THROWS_AS(t.layout->put_blob(wrong, file), IntegrityError);
  CHECK(t.layout->put_blob(blob, file) == Pushed::sent);
  CHECK(t.layout->put_blob(blob, file) == Pushed::already_there);
  CHECK(fs::hard_link_count(file) == 2);
  CHECK(read(*t.layout, blob) == "content");
}

TEST_CASE("content with another digest than it was given leaves nothing behind") {
  Fixture t;
  CHECK_THROWS_AS(t.layout->put_blob(t.empty, "[]"sv), IntegrityError);
  CHECK_FALSE(t.layout->has_blob(t.empty));
  CHECK(fs::is_empty(t.directory / "blobs" / "sha256"));
}

TEST_CASE("a blob of the wrong size is not there and is replaced") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  const fs::path file = t.directory / "blobs" / "sha256" / t.empty.digest.hex();
  overwrite(file, "{");
  CHECK_FALSE(t.layout->has_blob(t.empty));
  CHECK_THROWS_AS(read(*t.layout, t.empty), IntegrityError);
  CHECK(t.layout->put_blob(t.empty, "{}"sv) == Pushed::sent);
  overwrite(file, "{");
  overwrite(t.temp.path() / "file", "{}");
  CHECK(t.layout->put_blob(t.empty, t.temp.path() / "file") == Pushed::sent);
  CHECK(read(*t.layout, t.empty) == "{}");
}

TEST_CASE("a blob with other bytes of the same size is refused when it is read") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  t.layout->put_manifest(kManifestType, small_manifest(), "v1");
  overwrite(t.directory / "blobs" / "sha256" / t.empty.digest.hex(), "[]");
  CHECK_THROWS_AS(read(*t.layout, t.empty), IntegrityError);
  const std::string other = small_manifest("x");
  const Descriptor manifest = describe(kManifestType, small_manifest());
  overwrite(t.directory / "blobs" / "sha256" / manifest.digest.hex(),
            other.substr(0, manifest.size_bytes));
  CHECK_THROWS_AS(t.layout->get_manifest("v1"), IntegrityError);
  CHECK_THROWS_AS(t.layout->get_manifest(manifest.digest), IntegrityError);
}

TEST_CASE("a manifest is refused until all its blobs are there") {
  Fixture t;
  CHECK_THROWS_AS(t.layout->put_manifest(kManifestType, small_manifest(), "v1"), Error);
  t.layout->put_blob(t.empty, "{}"sv);
  t.layout->put_manifest(kManifestType, small_manifest(), "v1");
  Index index{.manifests = {describe(kManifestType, small_manifest("other"))},
              .artifact_type = {},
              .subject = std::nullopt,
              .annotations = {}};
  CHECK_THROWS_AS(t.layout->put_manifest(kIndexType, to_json(index), "all"), Error);
  index.manifests = {describe(kManifestType, small_manifest())};
  const Descriptor put = t.layout->put_manifest(kIndexType, to_json(index), "all");
  CHECK(t.layout->get_manifest("all")->descriptor == put);
  CHECK_THROWS_AS(t.layout->put_manifest("text/plain", small_manifest(), "v2"), FormatError);
  CHECK_THROWS_AS(t.layout->put_manifest(kManifestType, "{}", "v2"), FormatError);
  CHECK_THROWS_AS(t.layout->put_manifest(kManifestType, small_manifest(), "a/b"), FormatError);
  CHECK(t.layout->tags() == std::vector<std::string>{"all", "v1"});
}

TEST_CASE("a tag moves, and its old manifest stays reachable by digest") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  const Descriptor one = t.layout->put_manifest(kManifestType, small_manifest("1"), "v");
  t.layout->put_manifest(kManifestType, small_manifest("1"), "alias");
  const Descriptor two = t.layout->put_manifest(kManifestType, small_manifest("2"), "v");
  CHECK(t.layout->head_manifest("v") == two);
  CHECK(t.layout->head_manifest("alias") == one);
  CHECK(t.layout->get_manifest(one.digest)->bytes == small_manifest("1"));
  CHECK(t.layout->head_manifest(two.digest) == two);
  CHECK(t.layout->tags() == std::vector<std::string>{"alias", "v"});
  // A blob that was never a manifest is none.
  CHECK_FALSE(t.layout->get_manifest(t.empty.digest));
}

TEST_CASE("referrers are found from index.json and from the fallback tag") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  const Descriptor subject = t.layout->put_manifest(kManifestType, small_manifest(), "v1");
  Manifest referrer{.config = t.empty,
                    .layers = {},
                    .artifact_type = "application/vnd.sig",
                    .subject = subject,
                    .annotations = {{"k", "v"}}};
  const Descriptor first = t.layout->put_referrer(referrer);
  CHECK(first.artifact_type == "application/vnd.sig");
  CHECK(first.annotations == Annotations{{"k", "v"}});
  referrer.artifact_type.clear();  // then the config's type counts
  referrer.annotations.clear();
  const Descriptor second = t.layout->put_referrer(referrer);
  CHECK(second.artifact_type == kEmptyType);
  t.layout->put_referrer(referrer);
  CHECK(t.layout->referrers(subject.digest, "") == std::vector{first, second});
  CHECK(t.layout->referrers(subject.digest, "application/vnd.sig") == std::vector{first});
  CHECK(t.layout->referrers(first.digest, "").empty());

  referrer.annotations = {{"n", "3"}};
  const std::string third = to_json(referrer);
  const Descriptor blob = describe(kManifestType, third);
  t.layout->put_blob(blob, std::string_view(third));
  t.layout->put_manifest(
      kIndexType,
      to_json(Index{
          .manifests = {blob}, .artifact_type = {}, .subject = std::nullopt, .annotations = {}}),
      "sha256-" + subject.digest.hex());
  CHECK(t.layout->referrers(subject.digest, "").size() == 3);

  referrer.subject.reset();
  CHECK_THROWS_AS(t.layout->put_referrer(referrer), Error);
}

TEST_CASE("members of index.json that we do not know survive a write") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  overwrite(t.directory / "index.json",
            R"({"schemaVersion":2,"future":1,"manifests":[{"mediaType":"a/b","digest":")" +
                t.empty.digest.to_string() + R"(","size":2,"urls":["x"]}]})");
  t.layout->put_manifest(kManifestType, small_manifest(), "v1");
  const std::string index = os::read_file(t.directory / "index.json", 10000);
  CHECK(index.find(R"("urls":["x"])") != std::string::npos);
  CHECK(index.find(R"("future":1)") != std::string::npos);
}

TEST_CASE("a folder that is something else is left alone") {
  Fixture t;
  fs::create_directory(t.directory);
  overwrite(t.directory / "thesis.txt", "years of work");
  CHECK_THROWS_AS(t.layout->put_blob(t.empty, "{}"sv), UsageError);
  fs::remove(t.directory / "thesis.txt");
  overwrite(t.directory / "oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  CHECK_THROWS_AS(t.layout->put_blob(t.empty, "{}"sv), FormatError);
}

TEST_CASE("what a killed writer left is removed by the next, what a living one writes is not") {
  Fixture t;
  t.layout->put_blob(t.empty, "{}"sv);
  overwrite(t.directory / ".tmp-dead-0", "half");
  overwrite(t.directory / ".tmp-alive-0", "half");
  const os::FileLock alive(t.directory / ".tmp-alive-0");
  open_layout(t.directory)->put_blob(describe(kEmptyType, "x"), "x"sv);
  CHECK_FALSE(fs::exists(t.directory / ".tmp-dead-0"));
  CHECK(fs::exists(t.directory / ".tmp-alive-0"));
}

TEST_CASE("processes that write one layout at the same time lose nothing") {
  Fixture t;
  constexpr int kWriters = 4;
  constexpr int kTags = 10;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 0;
      try {
        const auto layout = open_layout(t.directory);
        layout->put_blob(t.empty, "{}"sv);
        for (int n = 0; n < kTags; ++n) {
          const std::string tag = std::to_string(writer) + "-" + std::to_string(n);
          layout->put_manifest(kManifestType, small_manifest(tag), tag);
        }
      } catch (const std::exception&) {
        code = 1;
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(t.layout->tags().size() == kWriters * kTags);
  for (const std::string& tag : t.layout->tags()) {
    CHECK(t.layout->get_manifest(tag)->bytes == small_manifest(tag));
  }
}

TEST_CASE("skopeo reads a layout that was written here") {
  if (!test::have_program("skopeo")) {
    return;
  }
  Fixture t;
  const std::string config =
      R"({"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[],"type":"layers"}})";
  t.layout->put_blob(describe(kConfigType, config), std::string_view(config));
  const Manifest manifest{.config = describe(kConfigType, config),
                          .layers = {},
                          .artifact_type = {},
                          .subject = std::nullopt,
                          .annotations = {}};
  t.layout->put_manifest(kManifestType, to_json(manifest), "v1");
  t.layout->put_blob(t.empty, "{}"sv);
  t.layout->put_manifest(kManifestType, small_manifest(), "v2");
  os::SystemRunner runner;
  os::Command command;
  command.argv = {"skopeo", "inspect", "--raw", "oci:" + t.directory.string() + ":v1"};
  const auto raw = os::capture(runner, command);
  INFO(raw.err);
  CHECK(raw.exit.ok());
  CHECK(raw.out == to_json(manifest));
}

}  // namespace seed::oci
