#include "trust/copy.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/layout.hpp"
#include "oci/registry.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"
#include "trust/discovery.hpp"

namespace seed::trust {
namespace {

using test::FakeRegistry;

/// An image of two systems in a layout, with evidence attached to one of them.
struct Fixture {
  Fixture() {
    std::vector<oci::Descriptor> images;
    for (const char* system : {"x86_64-linux", "aarch64-linux"}) {
      images.push_back(put_image(system));
    }
    amd64 = images.front();
    const std::string bytes = oci::to_json(oci::Index{.manifests = images});
    index = source->put_manifest(oci::kIndexType, bytes, "built");
  }

  oci::Descriptor put_blob(const std::string& content) {
    const auto blob = oci::describe("application/octet-stream", content);
    source->put_blob(blob, std::string_view(content));
    return blob;
  }

  oci::Manifest manifest(const std::string& content) {
    return {.config = put_blob("config of " + content),
            .layers = {put_blob("shared"), put_blob(content)}};
  }

  oci::Descriptor put_image(const std::string& content) {
    return source->put_manifest(oci::kManifestType, oci::to_json(manifest(content)), std::nullopt);
  }

  oci::Descriptor attach(const std::string& content, const std::string& around) {
    oci::Manifest evidence = manifest(content);
    evidence.artifact_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    evidence.subject = amd64;
    return source->put_raw_referrer(around + oci::to_json(evidence));
  }

  std::unique_ptr<oci::Repository> registry(FakeRegistry& fake) {
    return oci::open_registry(
        oci::Reference::parse("registry.test/acme/app"), fake, credentials, {.clock = &clock});
  }

  CopyReceipt copy_to(oci::Repository& to) {
    return copy_artifact(*source, to, index.digest, {.scratch = folder.path() / "scratch"});
  }

  os::TempDir folder;
  test::FakeClock clock;
  test::FakeCredentials credentials;
  std::unique_ptr<oci::Repository> source = oci::open_layout(folder.path() / "source");
  oci::Descriptor amd64{.digest = Digest::of("")};
  oci::Descriptor index{.digest = Digest::of("")};
};

}  // namespace

TEST_CASE("copy_artifact takes an index, its images and what refers to them along, and no tag") {
  const bool api = GENERATE(true, false);
  Fixture t;
  const auto ours = t.attach("bundle", "");
  const auto theirs = t.attach("their bundle", "\n ");
  FakeRegistry fake({.referrers_api = api}, t.clock);
  const auto to = t.registry(fake);
  const CopyReceipt receipt = t.copy_to(*to);
  CHECK(receipt.manifests == 3);
  CHECK(receipt.referrers == 2);
  CHECK(receipt.left.empty());
  CHECK(to->get_manifest(t.index.digest)->bytes == t.source->get_manifest(t.index.digest)->bytes);
  std::vector<Digest> listed;
  for (const auto& referrer : to->referrers(t.amd64.digest, "")) {
    listed.push_back(referrer.digest);
  }
  std::ranges::sort(listed);
  std::vector<Digest> wanted{ours.digest, theirs.digest};
  std::ranges::sort(wanted);
  CHECK(listed == wanted);
  const auto& tags = fake.repos.at("acme/app").tags;
  CHECK(tags.size() == (api ? 0 : 1));
  CHECK(tags.count("built") == 0);
}

TEST_CASE("a copy that was interrupted goes on where it was, and a second one sends nothing") {
  Fixture t;
  t.attach("bundle", "");
  FakeRegistry fake({}, t.clock);
  const auto to = t.registry(fake);
  fake.inject(test::Fault::server_error, http::Method::put, "/manifests/", 1);
  CHECK_THROWS_AS(t.copy_to(*to), NetworkError);
  CHECK(t.copy_to(*to).manifests == 3);
  const CopyReceipt again = t.copy_to(*to);
  CHECK(again.blobs_sent == 0);
  CHECK(again.bytes_sent == 0);
}

TEST_CASE("bytes that are not those of their digest end the copy before what they belong to") {
  Fixture t;
  const auto blob = oci::describe("application/octet-stream", "x86_64-linux");
  os::atomic_write(t.folder.path() / "source/blobs/sha256" / blob.digest.hex(), "x86_64-minix");
  FakeRegistry fake({}, t.clock);
  const auto to = t.registry(fake);
  CHECK_THROWS_AS(t.copy_to(*to), IntegrityError);
  CHECK_FALSE(to->head_manifest(t.amd64.digest));
  CHECK_FALSE(to->head_manifest(t.index.digest));
}

TEST_CASE("what is attached in a flood is left, and said to be") {
  Fixture t;
  for (std::size_t i = 0; i < kMaxCandidates + 3; ++i) {
    t.attach("bundle " + std::to_string(i), "");
  }
  const auto to = oci::open_layout(t.folder.path() / "to");
  const CopyReceipt receipt = t.copy_to(*to);
  CHECK(receipt.referrers == kMaxCandidates);
  REQUIRE(receipt.left.size() == 1);
  CHECK(receipt.left.front().starts_with("3 of the 203 that refer to oci:"));
}

}  // namespace seed::trust
