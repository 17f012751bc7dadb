#include "image/tags.hpp"

#include <atomic>
#include <functional>
#include <utility>

#include "base/error.hpp"
#include "image/rootfs.hpp"
#include "support/catch.hpp"
#include "unit/image/pushed_images.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

/// A repository in which something happens right before or after a manifest gets a tag.
class Watched final : public oci::Repository {
 public:
  explicit Watched(oci::Repository& inner) : inner_(inner) {}

  std::function<void(const std::string&)> before = [](const std::string&) {};
  std::function<void(const std::string&)> after = [](const std::string&) {};
  std::atomic<int> looks{0};  ///< at tags and manifests

  std::string name() const override { return inner_.name(); }

  std::optional<oci::RawManifest> get_manifest(const oci::Target& target) override {
    ++looks;
    return inner_.get_manifest(target);
  }

  std::optional<oci::Descriptor> head_manifest(const oci::Target& target) override {
    ++looks;
    return inner_.head_manifest(target);
  }

  oci::Descriptor put_manifest(std::string_view media_type,
                               std::string_view bytes,
                               const std::optional<std::string>& tag) override {
    before(tag.value_or(""));
    oci::Descriptor written = inner_.put_manifest(media_type, bytes, tag);
    after(tag.value_or(""));
    return written;
  }

  bool has_blob(const oci::Descriptor& blob) override { return inner_.has_blob(blob); }

  void get_blob(const oci::Descriptor& blob, const Sink& sink) override {
    inner_.get_blob(blob, sink);
  }

  void get_blob_range(const oci::Descriptor& blob,
                      std::uint64_t offset,
                      std::uint64_t length,
                      const Sink& sink) override {
    inner_.get_blob_range(blob, offset, length, sink);
  }

  oci::Pushed put_blob(const oci::Descriptor& blob,
                       const fs::path& file,
                       const std::optional<std::string>& from) override {
    return inner_.put_blob(blob, file, from);
  }

  oci::Pushed put_blob(const oci::Descriptor& blob, std::string_view content) override {
    return inner_.put_blob(blob, content);
  }

  void check_push() override { inner_.check_push(); }

  std::vector<std::string> tags() override { return inner_.tags(); }

  std::vector<oci::Descriptor> referrers(const Digest& subject, const std::string& type) override {
    return inner_.referrers(subject, type);
  }

  oci::ReferrerList list_referrers(const Digest& subject) override {
    return inner_.list_referrers(subject);
  }

  oci::Descriptor put_referrer(const oci::Manifest& manifest) override {
    return inner_.put_referrer(manifest);
  }

  oci::Descriptor put_raw_referrer(std::string_view manifest) override {
    return inner_.put_raw_referrer(manifest);
  }

 private:
  oci::Repository& inner_;
};

}  // namespace

TEST_CASE("two systems share one index, and a new image replaces its own system's only") {
  PushedImages t;
  const Image x86 = t.push(kX86, "one");
  const Image arm = t.push(kArm, "two");
  write_tags(*t.layout, x86, kX86, {"tag"}, "");
  write_tags(*t.layout, arm, kArm, {"tag"}, "");
  CHECK(t.systems("tag") == std::vector{kArm, kX86});
  const Image newer = t.push(kX86, "three");
  const oci::Descriptor index = write_tags(*t.layout, newer, kX86, {"tag"}, "");
  CHECK(t.systems("tag") == std::vector{kArm, kX86});
  CHECK(t.layout->head_manifest("tag")->digest == index.digest);
  CHECK(find_seed(*t.layout, "tag", kX86)->manifest.digest == newer.descriptor.digest);
  CHECK(find_seed(*t.layout, "tag", kArm)->manifest.digest == arm.descriptor.digest);
}

TEST_CASE("the order in which systems come does not show in the index") {
  PushedImages first;
  write_tags(*first.layout, first.push(kX86, "one"), kX86, {"tag"}, "");
  const auto a = write_tags(*first.layout, first.push(kArm, "two"), kArm, {"tag"}, "");
  PushedImages second;
  write_tags(*second.layout, second.push(kArm, "two"), kArm, {"tag"}, "");
  const auto b = write_tags(*second.layout, second.push(kX86, "one"), kX86, {"tag"}, "");
  CHECK(a == b);
}

TEST_CASE("a job of another system that writes meanwhile is lost at no moment") {
  PushedImages t;
  const Image x86 = t.push(kX86, "one");
  const Image arm = t.push(kArm, "two");
  Watched watched(*t.layout);
  bool once = false;
  const auto interfere = [&](const std::string& tag) {
    if (tag == "tag" && !std::exchange(once, true)) {
      write_tags(*t.layout, arm, kArm, {"tag"}, "");
    }
  };
  SECTION("after we read the index and before we write it") {
    watched.before = interfere;
  }
  SECTION("right after we wrote it") {
    watched.after = interfere;
  }
  SECTION("with an index of its own alone, as if it had read before us") {
    watched.after = [&](const std::string& tag) {
      if (tag == "tag" && !std::exchange(once, true)) {
        t.layout->put_manifest(oci::kManifestType, arm.manifest, "tag-aarch64-linux");
        t.layout->put_manifest(
            oci::kIndexType, oci::to_json(make_index({arm.descriptor}, "")), "tag");
      }
    };
  }
  const oci::Descriptor index = write_tags(watched, x86, kX86, {"tag"}, "");
  CHECK(once);
  CHECK(t.systems("tag") == std::vector{kArm, kX86});
  CHECK(t.layout->head_manifest("tag")->digest == index.digest);
}

TEST_CASE("a job that never stops writing the tag is an error and no endless loop") {
  PushedImages t;
  const Image x86 = t.push(kX86, "one");
  const Image arm = t.push(kArm, "two");
  Watched watched(*t.layout);
  int writes = 0;
  watched.after = [&](const std::string& tag) {
    if (tag == "tag") {
      ++writes;
      t.layout->put_manifest(
          oci::kIndexType, oci::to_json(make_index({arm.descriptor}, "")), "tag");
    }
  };
  CHECK_THROWS_WITH(write_tags(watched, x86, kX86, {"tag"}, ""),
                    "writing the tag tag: other jobs keep writing this tag");
  CHECK(writes == 5);
}

TEST_CASE("an image without a tag is an error") {
  PushedImages t;
  const Image image = t.push(kX86, "one");
  CHECK_THROWS_WITH(write_tags(*t.layout, image, kX86, {}, ""), "an image needs at least one tag");
}

TEST_CASE("indexes are stored before any tag names them, each once") {
  PushedImages t;
  const Image arm = t.push(kArm, "two");
  const Image x86 = t.push(kX86, "one");
  write_tags(*t.layout, arm, kArm, {"other"}, "");
  const auto before = t.layout->tags();
  const auto coming = coming_tags(*t.layout, x86, kX86, {"tag", "k-1", "other"}, "");
  const auto indexes = put_indexes(*t.layout, coming);
  CHECK(t.layout->tags() == before);
  REQUIRE(indexes.size() == 2);
  CHECK(find_digest(*t.layout, indexes[0].digest, kX86) == x86.descriptor.digest);
  CHECK_FALSE(find_digest(*t.layout, indexes[0].digest, kArm));
  CHECK(find_digest(*t.layout, indexes[1].digest, kArm) == arm.descriptor.digest);
  CHECK(write_coming_tags(*t.layout, x86, kX86, coming, "") == indexes[1]);
  CHECK(t.layout->head_manifest("tag")->digest == indexes[0].digest);
  CHECK(t.layout->head_manifest("k-1")->digest == indexes[0].digest);
}

TEST_CASE("a tag is looked at once before it is written, and once after") {
  PushedImages t;
  const Image x86 = t.push(kX86, "one");
  Watched watched(*t.layout);
  const auto others = static_cast<int>(known_systems().size()) - 1;
  const auto coming = coming_tags(watched, x86, kX86, {"tag"}, "");
  CHECK(watched.looks == 1 + others);
  watched.looks = 0;
  write_coming_tags(watched, x86, kX86, coming, "");
  // Whether it still names what it did; then the others' tags once more.
  CHECK(watched.looks == 1 + 1 + others);
}

TEST_CASE("a system that came after the tag was looked at is at no moment left out of the index") {
  PushedImages t;
  const Image x86 = t.push(kX86, "one");
  const Image arm = t.push(kArm, "two");
  const auto coming = coming_tags(*t.layout, x86, kX86, {"tag"}, "");
  write_tags(*t.layout, arm, kArm, {"tag"}, "");
  Watched watched(*t.layout);
  int writes = 0;
  watched.after = [&](const std::string& tag) {
    if (tag == "tag") {
      ++writes;
      CHECK(t.systems("tag") == std::vector{kArm, kX86});
    }
  };
  write_coming_tags(watched, x86, kX86, coming, "");
  CHECK(writes == 1);
}

}  // namespace seed::image
