#include "image/publish.hpp"

#include "base/error.hpp"
#include "nix/nar.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/quiet.hpp"
#include "unit/image/image_parts.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  os::TempDir temp;
  std::unique_ptr<oci::Repository> layout = oci::open_layout(temp.path() / "layout");

  Image push(const std::string& system, const std::string& content) {
    for (const std::string& text : {content, content + " own"}) {
      const LayerBlob blob = blob_of(text);
      layout->put_blob(
          {.media_type = blob.media_type, .digest = blob.digest, .size_bytes = blob.size_bytes},
          std::string_view(text));
    }
    Image image = assemble(parts_of(system, content));
    push_image(*layout, image);
    return image;
  }

  std::vector<std::string> systems(const std::string& tag) {
    std::vector<std::string> found;
    for (const auto& manifest : oci::parse_index(layout->get_manifest(tag)->bytes).manifests) {
      found.push_back(manifest.annotations.at(std::string(kSystemAnnotation)));
    }
    return found;
  }
};

/// A repository in which something happens right before or after a manifest gets a tag.
class Watched final : public oci::Repository {
 public:
  explicit Watched(oci::Repository& inner) : inner_(inner) {}

  std::function<void(const std::string&)> before = [](const std::string&) {};
  std::function<void(const std::string&)> after = [](const std::string&) {};

  std::string name() const override { return inner_.name(); }

  std::optional<oci::RawManifest> get_manifest(const oci::Target& target) override {
    return inner_.get_manifest(target);
  }

  std::optional<oci::Descriptor> head_manifest(const oci::Target& target) override {
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

/// A store of two paths, and its closure.
struct Store {
  os::TempDir temp;
  nix::Closure closure = make();

  nix::Closure make() const {
    std::vector<nix::PathInfo> infos;
    for (const auto& [digit, text] : {std::pair('a', "small"), std::pair('b', "somewhat larger")}) {
      const nix::StorePath store_path = path(digit, text[1] == 'm' ? "small" : "large");
      const fs::path folder = temp.path() / store_path.base_name();
      os::make_dirs(folder);
      os::atomic_write(folder / "file", text);
      nix::NarHasher hasher;
      nix::visit_tree(folder, hasher);
      const auto nar = hasher.finish();
      infos.push_back({store_path, nar.hash, nar.size_bytes, {}});
    }
    return nix::make_closure(std::move(infos));
  }

  PlannedLayer layer(std::size_t i) const {
    const nix::PathInfo& info = closure.paths()[i];
    return {.paths = {{info.path, info.nar_hash, info.nar_size}}, .reuse = std::nullopt};
  }

  PushOptions options() const {
    return {.pack = {.workers = 2, .store_dir = temp.path()}, .mount_from = std::nullopt};
  }
};

}  // namespace

TEST_CASE("a pushed image is found under its tags and its digest, for its system only") {
  Fixture t;
  CHECK_FALSE(find_seed(*t.layout, "tag", kX86));
  const Image image = t.push(kX86, "one");
  CHECK(t.layout->tags().empty());
  const oci::Descriptor index = write_tags(*t.layout, image, kX86, {"tag", "k-1"}, "");
  CHECK(t.layout->tags() ==
        std::vector<std::string>{"k-1", "k-1-x86_64-linux", "tag", "tag-x86_64-linux"});
  for (const oci::Target& target : std::vector<oci::Target>{
           "tag", "k-1", "tag-x86_64-linux", index.digest, image.descriptor.digest}) {
    const auto found = find_seed(*t.layout, target, kX86);
    REQUIRE(found);
    CHECK(found->manifest.digest == image.descriptor.digest);
    CHECK(found->parsed == image.parsed);
    CHECK_FALSE(find_seed(*t.layout, target, kArm));
    CHECK(find_manifest(*t.layout, target, kX86)->descriptor.digest == image.descriptor.digest);
  }
  CHECK_FALSE(find_manifest(*t.layout, "tag", kArm));
  CHECK_FALSE(find_manifest(*t.layout, "other", kX86));
}

TEST_CASE("an image that is no seed is refused and not taken for one") {
  Fixture t;
  const oci::Descriptor config = oci::describe(oci::kConfigType, "{}");
  t.layout->put_blob(config, std::string_view("{}"));
  t.layout->put_manifest(oci::kManifestType, oci::to_json(oci::Manifest{.config = config}), "tag");
  CHECK_THROWS_AS(find_seed(*t.layout, "tag", kX86), FormatError);
  CHECK(find_manifest(*t.layout, "tag", kX86));  // which looks no further
}

TEST_CASE("a seed whose config counts other layers than its manifest is none") {
  Fixture t;
  Image image = t.push(kX86, "one");
  image.parsed.layers.pop_back();
  t.layout->put_manifest(oci::kManifestType, oci::to_json(image.parsed), "tag");
  CHECK_FALSE(find_seed(*t.layout, "tag", kX86));
}

TEST_CASE("two systems share one index, and a new image replaces its own system's only") {
  Fixture t;
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
  Fixture first;
  write_tags(*first.layout, first.push(kX86, "one"), kX86, {"tag"}, "");
  const auto a = write_tags(*first.layout, first.push(kArm, "two"), kArm, {"tag"}, "");
  Fixture second;
  write_tags(*second.layout, second.push(kArm, "two"), kArm, {"tag"}, "");
  const auto b = write_tags(*second.layout, second.push(kX86, "one"), kX86, {"tag"}, "");
  CHECK(a == b);
}

TEST_CASE("a job of another system that writes meanwhile is lost at no moment") {
  Fixture t;
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
  Fixture t;
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
  Fixture t;
  const Image image = t.push(kX86, "one");
  CHECK_THROWS_WITH(write_tags(*t.layout, image, kX86, {}, ""), "an image needs at least one tag");
}

TEST_CASE("layers that a repository has lost are not planned with") {
  Fixture t;
  t.push(kX86, "one");
  const LayerPlan plan{{.paths = {}, .reuse = blob_of("gone")},
                       {.paths = {}, .reuse = blob_of("one")},
                       {.paths = {}, .reuse = std::nullopt},
                       {.paths = {}, .reuse = blob_of("one own")}};
  CHECK(present_layers(*t.layout, plan) == LayerPlan{plan[1], plan[3]});
}

TEST_CASE("layers are packed and pushed once, in the plan's order, and reused ones not read") {
  Fixture t;
  const Store store;
  test::Quiet progress;
  const fs::path scratch = t.temp.path() / "scratch";
  os::make_dirs(scratch);
  const PlannedLayer reused{.paths = {layer_path('z', "gone", 7)}, .reuse = blob_of("old")};
  const LayerPlan plan{store.layer(0), reused, store.layer(1)};
  const auto first =
      pack_and_push(plan, store.closure, *t.layout, scratch, store.options(), progress);
  REQUIRE(first.size() == 3);
  CHECK(first[0].title == "small");
  CHECK(first[0].state == LayerState::sent);
  CHECK(first[1].title == "gone");
  CHECK(first[1].state == LayerState::reused);
  CHECK(first[1].blob == blob_of("old"));
  CHECK(first[1].nar_size == 7);
  CHECK(first[2].title == "large");
  CHECK(first[2].state == LayerState::sent);
  CHECK_FALSE(first[0].packed.has_value());
  CHECK(fs::is_empty(scratch));
  const auto second =
      pack_and_push(plan, store.closure, *t.layout, scratch, store.options(), progress);
  CHECK(second[0].state == LayerState::present);
  CHECK(second[0].blob == first[0].blob);
  CHECK(second[2].blob == first[2].blob);
  PushOptions alone = store.options();
  alone.pack.workers = 1;
  alone.connections = 0;
  double now = 0;
  alone.elapsed = [&] { return ++now; };
  const auto third = pack_and_push(plan, store.closure, *t.layout, scratch, alone, progress);
  CHECK(third[0].blob == first[0].blob);
  CHECK(third[2].blob == first[2].blob);
  // One after another: the large one, then the small one, each asked for its time four times.
  CHECK(third[2].packed->start == 1);
  CHECK(third[2].pushed->start == 3);
  CHECK(third[0].packed->start == 5);
  CHECK(third[0].packed->seconds == 1);
  CHECK(third[0].pushed->start == 7);
  CHECK_FALSE(third[1].packed.has_value());
}

TEST_CASE("nothing is sent where what comes before sending fails") {
  Fixture t;
  const Store store;
  test::Quiet progress;
  PushOptions options = store.options();
  options.before_sending = [] { throw Error("the seed is not closed"); };
  CHECK_THROWS_WITH(pack_and_push({store.layer(0), store.layer(1)},
                                  store.closure,
                                  *t.layout,
                                  t.temp.path(),
                                  options,
                                  progress),
                    Catch::Contains("the seed is not closed"));
  options.before_sending = nullptr;
  const auto sent = pack_and_push(
      {store.layer(0), store.layer(1)}, store.closure, *t.layout, t.temp.path(), options, progress);
  CHECK(sent[0].state == LayerState::sent);
  CHECK(sent[1].state == LayerState::sent);
}

TEST_CASE("a path that is not what the closure says ends the push and names its layer") {
  Fixture t;
  const Store store;
  test::Quiet progress;
  os::atomic_write(store.temp.path() / path('b', "large").base_name() / "file", "changed content");
  CHECK_THROWS_WITH(pack_and_push({store.layer(0), store.layer(1)},
                                  store.closure,
                                  *t.layout,
                                  t.temp.path(),
                                  store.options(),
                                  progress),
                    Catch::StartsWith("packing large: "));
  CHECK(t.layout->tags().empty());
}

TEST_CASE("the image's own layer is pushed as it is described") {
  Fixture t;
  const auto fill = [](TarWriter& tar) { tar.file("etc/x", 0644, "content"); };
  const auto push = [&] {
    return push_own_layer("files", fill, *t.layout, t.temp.path(), Compression::zstd);
  };
  const LayerReceipt first = push();
  CHECK(first.title == "files");
  CHECK(first.state == LayerState::sent);
  CHECK(first.nar_size == 0);
  const LayerReceipt second = push();
  CHECK(second.state == LayerState::present);
  CHECK(second.blob == first.blob);
  CHECK_FALSE(fs::exists(t.temp.path() / "own-layer"));
}

}  // namespace seed::image
