#include "trust/discovery.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "oci/layout.hpp"
#include "oci/registry.hpp"
#include "os/file.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/limits.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"

namespace seed::trust {
namespace {

using test::FakeRegistry;
using test::Fault;

const std::string kBundle(sigstore::kBundleMediaType);

struct Rig {
  explicit Rig(bool api = true) : registry({.referrers_api = api}, clock) {
    repo = oci::open_registry(
        oci::Reference::parse("registry.test/a/b"), registry, credentials, {.clock = &clock});
    subject = put(oci::Manifest{.config = blob("{}", oci::kEmptyType)}, "image");
  }

  oci::Descriptor blob(std::string_view content, std::string_view type) {
    oci::Descriptor descriptor = oci::describe(type, content);
    repo->put_blob(descriptor, content);
    return descriptor;
  }

  oci::Descriptor put(const oci::Manifest& manifest, const std::string& tag) {
    return repo->put_manifest(oci::kManifestType, oci::to_json(manifest), tag);
  }

  oci::Manifest artifact(std::string_view content) {
    return {.config = blob("{}", oci::kEmptyType),
            .layers = {blob(content, kBundle)},
            .artifact_type = kBundle,
            .subject = subject};
  }

  oci::Descriptor attach(std::string_view content) { return repo->put_referrer(artifact(content)); }

  Discovery look() {
    Discovery discovery;
    look_in(*repo, subject->digest, discovery);
    return discovery;
  }

  test::FakeClock clock;
  test::FakeCredentials credentials;
  FakeRegistry registry;
  std::unique_ptr<oci::Repository> repo;
  std::optional<oci::Descriptor> subject;
};

}  // namespace

TEST_CASE("attached bundles are found with the referrers API and without") {
  for (const bool api : {true, false}) {
    Rig rig(api);
    const auto first = rig.attach(R"({"n":1})");
    rig.attach(R"({"n":2})");
    const Discovery discovery = rig.look();
    REQUIRE(discovery.candidates.size() == 2);
    CHECK(discovery.candidates.front().bytes == R"({"n":1})");
    CHECK(discovery.candidates.front().from == "registry.test/a/b@" + first.digest.to_string());
    CHECK(discovery.complete());
    CHECK(to_text(discovery) == fmt::format("looked in registry.test/a/b ({}): 2 bundles\n",
                                            api ? "referrers API" : "referrers tag"));
  }
}

// go-containerregistry and cosign list bundles so where there is no API.
TEST_CASE("a list may be wrong about a bundle's type, its manifest may not") {
  Rig rig(false);
  const auto attached = rig.attach(R"({"n":1})");
  oci::Manifest other = rig.artifact(R"({"n":2})");
  other.artifact_type = "application/vnd.other";
  const auto lying = rig.put(other, "lying");
  oci::Index index;
  index.manifests = {attached, lying};
  index.manifests.at(0).artifact_type = std::string(oci::kEmptyType);
  index.manifests.at(1).artifact_type = kBundle;
  rig.repo->put_manifest(
      oci::kIndexType, oci::to_json(index), "sha256-" + rig.subject->digest.hex());
  const Discovery discovery = rig.look();
  REQUIRE(discovery.candidates.size() == 1);
  CHECK(discovery.candidates.front().bytes == R"({"n":1})");
  REQUIRE(discovery.ignored.size() == 1);
  CHECK(discovery.ignored.front().why == "its artifact type is 'application/vnd.other'");
  CHECK(discovery.ignored.front().claims);
}

TEST_CASE("what is attached and is no bundle is told and not read") {
  Rig rig;
  oci::Manifest other = rig.artifact("statement");
  other.artifact_type = "application/vnd.in-toto+json";
  rig.repo->put_referrer(other);
  const Discovery discovery = rig.look();
  CHECK(discovery.candidates.empty());
  REQUIRE(discovery.ignored.size() == 1);
  CHECK(discovery.ignored.front().why == "it is listed as 'application/vnd.in-toto+json'");
  CHECK_FALSE(discovery.ignored.front().claims);
}

TEST_CASE("one bad referrer does not keep others out, and is named") {
  struct Case {
    std::string why;
    std::function<void(Rig&, oci::Manifest&)> spoil;
  };

  const std::vector<Case> cases{
      {"it does not have one layer that is a bundle",
       [](Rig& rig, oci::Manifest& manifest) {
         manifest.layers.push_back(rig.blob("more", kBundle));
       }},
      {"it does not have one layer that is a bundle",
       [](Rig&, oci::Manifest& manifest) { manifest.layers.clear(); }},
      {"it does not have one layer that is a bundle",
       [](Rig& rig, oci::Manifest& manifest) {
         manifest.layers = {rig.blob("text", "text/plain")};
       }},
  };
  for (const Case& bad : cases) {
    Rig rig;
    oci::Manifest manifest = rig.artifact("spoilt");
    bad.spoil(rig, manifest);
    rig.repo->put_referrer(manifest);
    rig.attach(R"({"n":1})");
    const Discovery discovery = rig.look();
    CHECK(discovery.candidates.size() == 1);
    REQUIRE(discovery.ignored.size() == 1);
    CHECK(discovery.ignored.front().why == bad.why);
    CHECK(discovery.ignored.front().claims);
    CHECK(discovery.complete());
  }
}

TEST_CASE("a listed manifest that is about something else is no candidate") {
  Rig rig(false);
  const auto ours = rig.attach(R"({"n":1})");
  oci::Manifest other = rig.artifact(R"({"n":2})");
  other.subject->digest = Digest::of("something else");
  const auto swapped = rig.put(other, "swapped");
  oci::Index index;
  index.manifests = {ours, swapped};
  index.manifests.at(1).artifact_type = kBundle;
  rig.repo->put_manifest(
      oci::kIndexType, oci::to_json(index), "sha256-" + rig.subject->digest.hex());
  const Discovery discovery = rig.look();
  CHECK(discovery.candidates.size() == 1);
  REQUIRE(discovery.ignored.size() == 1);
  CHECK(discovery.ignored.front().why == "it is about something else");
}

TEST_CASE(
    "a bundle too long to read, or with other bytes, is ignored; one that can't be had is "
    "unknown") {
  {
    Rig rig;
    oci::Manifest manifest = rig.artifact("x");
    manifest.layers.front() = rig.blob(std::string(sigstore::kMaxBundleBytes + 1, 'x'), kBundle);
    rig.repo->put_referrer(manifest);
    const Discovery discovery = rig.look();
    REQUIRE(discovery.ignored.size() == 1);
    CHECK(discovery.ignored.front().why ==
          "its bundle has 10.0 MiB, and at most 10.0 MiB are read");
    CHECK(discovery.complete());
  }
  {
    Rig rig;
    rig.attach(R"({"n":1})");
    rig.registry.inject(Fault::wrong_bytes, http::Method::get, "/blobs/");
    const Discovery discovery = rig.look();
    CHECK(discovery.candidates.empty());
    REQUIRE(discovery.ignored.size() == 1);
    CHECK(discovery.ignored.front().claims);
  }
  {
    Rig rig;
    rig.attach(R"({"n":1})");
    rig.attach(R"({"n":2})");
    rig.registry.inject(Fault::server_error, http::Method::get, "/blobs/");
    const Discovery discovery = rig.look();
    CHECK(discovery.candidates.size() == 1);
    CHECK_FALSE(discovery.complete());
  }
}

TEST_CASE("a list that can't be had is unknown, not empty") {
  for (const Fault fault : {Fault::forbidden, Fault::server_error, Fault::unauthorized}) {
    Rig rig;
    rig.registry.inject(fault, http::Method::get, "/referrers/", 5);
    const Discovery discovery = rig.look();
    CHECK(discovery.candidates.empty());
    CHECK_FALSE(discovery.complete());
  }
}

TEST_CASE("no more bundles are read than the cap, and bundles before the rest") {
  Rig rig(false);
  oci::Index index;
  oci::Manifest manifest = rig.artifact("x");
  for (std::size_t i = 0; i <= kMaxCandidates; ++i) {
    manifest.layers.front() = rig.blob(fmt::format(R"({{"n":{}}})", i), kBundle);
    index.manifests.push_back(rig.put(manifest, "x"));
    index.manifests.back().artifact_type = i < 100 ? std::string(oci::kEmptyType) : kBundle;
  }
  rig.repo->put_manifest(
      oci::kIndexType, oci::to_json(index), "sha256-" + rig.subject->digest.hex());
  const Discovery discovery = rig.look();
  CHECK(discovery.candidates.size() == kMaxCandidates);
  CHECK(discovery.candidates.front().bytes == R"({"n":100})");
  REQUIRE(discovery.ignored.size() == 1);
  CHECK(discovery.ignored.front().claims);
}

TEST_CASE("the same bytes are one candidate, and no candidate is too long") {
  Discovery discovery;
  add_candidate(discovery, "{}", "here");
  add_candidate(discovery, "{}", "there");
  add_candidate(discovery, std::string(sigstore::kMaxBundleBytes + 1, 'x'), "long");
  CHECK(discovery.candidates.size() == 1);
  REQUIRE(discovery.ignored.size() == 2);
  CHECK_FALSE(discovery.ignored.at(0).claims);
  CHECK(discovery.ignored.at(1).claims);
  for (char c = 'a'; c < 'k'; ++c) {
    add_candidate(discovery, std::string(sigstore::kMaxBundleBytes, c), "much");
  }
  CHECK(discovery.candidates.size() == 7);
}

TEST_CASE("a file holds one bundle, or one on each line") {
  Discovery discovery;
  look_in_file("one.sigstore.json", "{\n \"n\": 1\n}\n", discovery);
  look_in_file("more.jsonl", "{\"n\":2}\n\n{\"n\":3}\n", discovery);
  look_in_file("empty", "", discovery);
  REQUIRE(discovery.candidates.size() == 3);
  CHECK(discovery.candidates.at(0).bytes == "{\n \"n\": 1\n}\n");
  CHECK(discovery.candidates.at(1).bytes == R"({"n":2})");
  CHECK(discovery.candidates.at(2).from == "more.jsonl, line 2");
  CHECK(to_text(discovery) ==
        "looked in one.sigstore.json (file): 1 bundle\nlooked in more.jsonl (file): 2 bundles\n"
        "looked in empty (file): 0 bundles\n");
}

TEST_CASE("a bundle in an image layout directory is found") {
  const os::TempDir folder;
  const auto layout = oci::open_layout(folder.path() / "layout");
  const oci::Descriptor empty = oci::describe(oci::kEmptyType, "{}");
  const oci::Descriptor bundle = oci::describe(kBundle, R"({"n":1})");
  layout->put_blob(empty, std::string_view("{}"));
  layout->put_blob(bundle, std::string_view(R"({"n":1})"));
  const oci::Descriptor subject = layout->put_manifest(
      oci::kManifestType, oci::to_json(oci::Manifest{.config = empty}), "image");
  layout->put_referrer(
      {.config = empty, .layers = {bundle}, .artifact_type = kBundle, .subject = subject});
  Discovery discovery;
  look_in(*layout, subject.digest, discovery);
  REQUIRE(discovery.candidates.size() == 1);
  CHECK(discovery.looked.front().how == "index.json");
}

}  // namespace seed::trust
