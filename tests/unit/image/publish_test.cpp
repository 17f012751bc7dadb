#include "image/publish.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "image/tags.hpp"
#include "nix/nar.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/quiet.hpp"
#include "unit/image/pushed_images.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

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
  PushedImages t;
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
    CHECK(find_digest(*t.layout, target, kX86) == image.descriptor.digest);
  }
  CHECK_FALSE(find_digest(*t.layout, "tag", kArm));
  CHECK_FALSE(find_digest(*t.layout, "other", kX86));
}

TEST_CASE("an image that is no seed is refused and not taken for one") {
  PushedImages t;
  const oci::Descriptor config = oci::describe(oci::kConfigType, "{}");
  t.layout->put_blob(config, std::string_view("{}"));
  t.layout->put_manifest(oci::kManifestType, oci::to_json(oci::Manifest{.config = config}), "tag");
  CHECK_THROWS_AS(find_seed(*t.layout, "tag", kX86), FormatError);
  CHECK(find_digest(*t.layout, "tag", kX86));  // which looks no further
}

TEST_CASE("a seed whose config counts other layers than its manifest is none") {
  PushedImages t;
  Image image = t.push(kX86, "one");
  image.parsed.layers.pop_back();
  t.layout->put_manifest(oci::kManifestType, oci::to_json(image.parsed), "tag");
  CHECK_FALSE(find_seed(*t.layout, "tag", kX86));
}

TEST_CASE("layers that a repository has lost are not planned with") {
  PushedImages t;
  t.push(kX86, "one");
  const LayerPlan plan{{.paths = {}, .reuse = blob_of("gone")},
                       {.paths = {}, .reuse = blob_of("one")},
                       {.paths = {}, .reuse = std::nullopt},
                       {.paths = {}, .reuse = blob_of("one own")}};
  CHECK(present_layers(*t.layout, plan) == LayerPlan{plan[1], plan[3]});
}

TEST_CASE("layers are packed and pushed once, in the plan's order, and reused ones not read") {
  PushedImages t;
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
  alone.waiting = 0;
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
  PushedImages t;
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

TEST_CASE("layers are packed while what comes before sending is waited for") {
  PushedImages t;
  const Store store;
  test::Quiet progress;
  PushOptions options = store.options();
  options.pack.workers = 1;
  options.connections = 0;
  options.waiting = 1;
  // The first that is packed waits here for the second.
  std::atomic<int> packed{0};
  options.before_sending = [&] {
    ++packed;
    for (int i = 0; i < 1000 && packed < 2; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (packed < 2) {
      throw Error("nothing is packed meanwhile");
    }
  };
  const auto sent = pack_and_push(
      {store.layer(0), store.layer(1)}, store.closure, *t.layout, t.temp.path(), options, progress);
  CHECK(sent[0].state == LayerState::sent);
  CHECK(sent[1].state == LayerState::sent);
}

TEST_CASE("a path that is not what the closure says ends the push and names its layer") {
  PushedImages t;
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
  PushedImages t;
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
