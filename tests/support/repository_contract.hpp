#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "oci/repository.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"

namespace seed::test {

/// What every Repository does, whatever is behind it: run against the fake registry, the image
/// layout directory and real registries. `repo` starts empty; `other` is a second one on the same
/// registry, or null where mounting makes no sense.
struct ContractSubject {
  std::unique_ptr<oci::Repository> repo;
  std::unique_ptr<oci::Repository> other;
  std::string other_name;
};

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 12345;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

inline std::string read_blob(oci::Repository& repo, const oci::Descriptor& blob) {
  std::string text;
  repo.get_blob(blob, [&](ByteView chunk) { text += text_of(chunk); });
  return text;
}

inline std::string read_range(oci::Repository& repo,
                              const oci::Descriptor& blob,
                              std::uint64_t offset,
                              std::uint64_t length) {
  std::string text;
  repo.get_blob_range(blob, offset, length, [&](ByteView chunk) { text += text_of(chunk); });
  return text;
}

/// std::string would be a path as well as a text.
inline oci::Pushed put(oci::Repository& repo,
                       const oci::Descriptor& blob,
                       std::string_view content) {
  return repo.put_blob(blob, content);
}

inline void check_blobs(const ContractSubject& subject) {
  oci::Repository& repo = *subject.repo;
  const std::string content = pattern(100'000);
  const auto blob = oci::describe("application/octet-stream", content);
  CHECK_FALSE(repo.has_blob(blob));
  CHECK_THROWS_AS(read_blob(repo, blob), Error);
  CHECK(put(repo, blob, content) == oci::Pushed::sent);
  CHECK(repo.has_blob(blob));
  CHECK(put(repo, blob, content) == oci::Pushed::already_there);
  CHECK(read_blob(repo, blob) == content);
  CHECK(read_range(repo, blob, 0, 10) == content.substr(0, 10));
  CHECK(read_range(repo, blob, 99'990, 10) == content.substr(99'990));
  CHECK(read_range(repo, blob, 1234, 50'000) == content.substr(1234, 50'000));
  CHECK(read_range(repo, blob, 5, 0).empty());
  CHECK_THROWS_AS(read_range(repo, blob, 99'991, 10), Error);

  const auto empty = oci::describe("application/octet-stream", "");
  CHECK(put(repo, empty, "") == oci::Pushed::sent);
  CHECK(read_blob(repo, empty).empty());

  // A blob must be its digest's.
  const auto other = oci::describe("application/octet-stream", "something else");
  CHECK_THROWS_AS(put(repo, other, "something_else"), Error);
  CHECK_FALSE(repo.has_blob(other));
}

inline void check_trying_to_push(const ContractSubject& subject) {
  subject.repo->check_push();
  CHECK(subject.repo->tags().empty());
}

inline void check_files_and_mounts(const ContractSubject& subject) {
  const os::TempDir folder;
  const auto file = folder.path() / "layer";
  const std::string content = pattern(6'000'000);
  os::atomic_write(file, content);
  const auto blob = oci::describe(oci::kLayerZstdType, content);
  if (subject.other) {
    CHECK(subject.other->put_blob(blob, file) == oci::Pushed::sent);
    const auto pushed = subject.repo->put_blob(blob, file, subject.other_name);
    // A registry may decline to mount; then the file was sent.
    CHECK(pushed != oci::Pushed::already_there);
  } else {
    CHECK(subject.repo->put_blob(blob, file) == oci::Pushed::sent);
  }
  CHECK(read_blob(*subject.repo, blob) == content);
  const auto absent = oci::describe(oci::kLayerZstdType, "absent");
  CHECK(put(*subject.repo, absent, "absent") == oci::Pushed::sent);
}

inline oci::Manifest sample_manifest(oci::Repository& repo, const std::string& layer) {
  oci::Manifest manifest{.config = oci::describe(oci::kEmptyType, "{}"),
                         .layers = {oci::describe("text/plain", layer)},
                         .artifact_type = "application/vnd.example+type",
                         .subject = std::nullopt,
                         .annotations = {{"key", "value"}}};
  put(repo, manifest.config, "{}");
  put(repo, manifest.layers.front(), layer);
  return manifest;
}

inline void check_manifests(const ContractSubject& subject) {
  oci::Repository& repo = *subject.repo;
  CHECK_FALSE(repo.get_manifest(std::string("absent")));
  CHECK_FALSE(repo.head_manifest(std::string("absent")));
  CHECK_FALSE(repo.get_manifest(Digest::of("absent")));
  const std::string first = oci::to_json(sample_manifest(repo, "first"));
  const std::string second = oci::to_json(sample_manifest(repo, "second"));
  const auto stored = repo.put_manifest(oci::kManifestType, first, "v1.0");
  CHECK(stored == oci::describe(oci::kManifestType, first));
  for (const oci::Target& target : {oci::Target("v1.0"), oci::Target(stored.digest)}) {
    const auto manifest = repo.get_manifest(target);
    REQUIRE(manifest);
    CHECK(manifest->bytes == first);
    CHECK(manifest->descriptor == stored);
    const auto head = repo.head_manifest(target);
    REQUIRE(head);
    CHECK(head->digest == stored.digest);
    CHECK(head->size_bytes == stored.size_bytes);
  }
  // A tag moves, a digest stays.
  const auto moved = repo.put_manifest(oci::kManifestType, second, "v1.0");
  CHECK(repo.head_manifest(std::string("v1.0"))->digest == moved.digest);
  CHECK(repo.get_manifest(stored.digest)->bytes == first);
  const auto untagged =
      repo.put_manifest(oci::kManifestType, oci::to_json(sample_manifest(repo, "third")), {});
  CHECK(repo.head_manifest(untagged.digest));

  oci::Index index;
  index.manifests = {stored, moved};
  const auto listed = repo.put_manifest(oci::kIndexType, oci::to_json(index), "all");
  CHECK(repo.get_manifest(std::string("all"))->descriptor == listed);

  oci::Manifest hollow = sample_manifest(repo, "fourth");
  hollow.layers.push_back(oci::describe("text/plain", "never pushed"));
  CHECK_THROWS_AS(repo.put_manifest(oci::kManifestType, oci::to_json(hollow), "hollow"), Error);
  CHECK_FALSE(repo.head_manifest(std::string("hollow")));
  CHECK_THROWS_AS(repo.put_manifest(oci::kManifestType, first, "bad tag"), FormatError);
  for (int i = 0; i < 5; ++i) {
    repo.put_manifest(oci::kManifestType, first, "t" + std::to_string(i));
  }
  CHECK(repo.tags() == std::vector<std::string>{"all", "t0", "t1", "t2", "t3", "t4", "v1.0"});
}

inline void check_referrers(const ContractSubject& subject) {
  oci::Repository& repo = *subject.repo;
  const auto target =
      repo.put_manifest(oci::kManifestType, oci::to_json(sample_manifest(repo, "seed")), "seed");
  CHECK(repo.referrers(target.digest, "").empty());
  std::vector<oci::Descriptor> pushed;
  for (const char* type : {"application/vnd.a", "application/vnd.b", "application/vnd.a"}) {
    oci::Manifest referrer = sample_manifest(repo, "statement " + std::to_string(pushed.size()));
    referrer.artifact_type = type;
    referrer.subject = target;
    pushed.push_back(repo.put_referrer(referrer));
    CHECK(repo.put_referrer(referrer).digest == pushed.back().digest);
  }
  CHECK(repo.referrers(target.digest, "").size() == 3);
  const auto only = repo.referrers(target.digest, "application/vnd.b");
  REQUIRE(only.size() == 1);
  CHECK(only.front().digest == pushed.at(1).digest);
  CHECK(only.front().artifact_type == "application/vnd.b");
  CHECK(only.front().media_type == oci::kManifestType);
  CHECK(only.front().annotations == oci::Annotations{{"key", "value"}});
  CHECK(repo.referrers(target.digest, "application/vnd.c").empty());
  // What others wrote keeps their bytes, and so its digest.
  oci::Manifest theirs = sample_manifest(repo, "statement of others");
  theirs.artifact_type = "application/vnd.c";
  theirs.subject = target;
  const std::string bytes = " " + oci::to_json(theirs) + "\n";
  CHECK(repo.put_raw_referrer(bytes).digest == Digest::of(bytes));
  CHECK(repo.referrers(target.digest, "application/vnd.c").size() == 1);
  CHECK(repo.get_manifest(Digest::of(bytes))->bytes == bytes);
  theirs.subject.reset();
  CHECK_THROWS_AS(repo.put_raw_referrer(oci::to_json(theirs)), FormatError);
  CHECK(repo.referrers(Digest::of("nothing refers to it"), "").empty());
}

/// `make` gives a fresh, empty subject each time.
template <class Make>
void check_repository_contract(const Make& make) {
  check_trying_to_push(make());
  check_blobs(make());
  check_files_and_mounts(make());
  check_manifests(make());
  check_referrers(make());
}

}  // namespace seed::test
