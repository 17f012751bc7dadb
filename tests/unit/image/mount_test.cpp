#include "image/mount.hpp"

#include <fstream>
#include <map>
#include <random>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "image/layer.hpp"
#include "image/layer_cache.hpp"
#include "image/tar.hpp"
#include "oci/layout.hpp"
#include "oci/types.hpp"
#include "os/parallel.hpp"
#include "support/catch.hpp"
#include "support/quiet.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

/// Three layers in a layout directory, and a cache beside it.
struct Fixture {
  os::TempDir temp{fs::path("/var/tmp")};
  fs::path cache = temp.path() / "cache";
  fs::path registry = temp.path() / "registry";
  std::unique_ptr<oci::Repository> repository = oci::open_layout(registry);
  FoundSeed seed{.manifest = oci::describe(oci::kEmptyType, "{}"),
                 .parsed = {.config = oci::describe(oci::kEmptyType, "{}"),
                            .layers = {},
                            .artifact_type = {},
                            .subject = std::nullopt,
                            .annotations = {}},
                 .config = {.system = "x86_64-linux",
                            .closure = Digest::of("closure"),
                            .diff_ids = {},
                            .environment = {},
                            .plan = {}}};

  Fixture() {
    os::make_dirs(cache);
    for (int i = 0; i < 3; ++i) {
      const fs::path file = temp.path() / std::to_string(i);
      const LayerBlob blob = write_layer(
          [&](TarWriter& tar) {
            tar.directory("nix", 0755);
            tar.file(fmt::format("nix/{}", i), 0444, content(i));
          },
          file,
          Compression::zstd);
      oci::Descriptor layer = seed.parsed.config;
      layer.media_type = blob.media_type;
      layer.digest = blob.digest;
      layer.size_bytes = blob.size_bytes;
      seed.parsed.layers.push_back(layer);
      seed.config.diff_ids.push_back(blob.diff_id);
      repository->put_blob(seed.parsed.layers.back(), file);
    }
  }

  static std::string content(int i) {
    std::mt19937 random(static_cast<unsigned>(i));
    std::string text(100'000, 0);
    for (char& c : text) {
      c = static_cast<char>(random());
    }
    return text;
  }

  fs::path blob(std::size_t i) const {
    return registry / "blobs/sha256" / seed.parsed.layers[i].digest.hex();
  }

  fs::path tar(std::size_t i) const {
    return cache / "layers" / (seed.config.diff_ids[i].hex() + ".tar");
  }

  /// What one more file of the cache would be, if a run had left it.
  std::vector<std::string> cached() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(cache / "layers")) {
      if (!entry.is_directory()) {
        names.push_back(entry.path().extension());
      }
    }
    return names;
  }

  /// Mounts in a thread of its own and looks whether all is there; returns bytes fetched and bytes
  /// at hand.
  std::pair<std::uint64_t, std::uint64_t> mount(const fs::path& other_cache = {}) {
    std::exception_ptr failure;
    std::pair<std::uint64_t, std::uint64_t> bytes;
    std::thread([&] {
      try {
        const MountedSeed mounted =
            mount_seed(*repository,
                       seed,
                       other_cache.empty() ? cache : other_cache,
                       {.backing = os::Backing::file, .connections = 3, .limit_bytes = 1 << 30},
                       progress);
        for (int i = 0; i < 3; ++i) {
          if (os::read_file(mounted.root / "nix" / std::to_string(i), 1 << 20) != content(i)) {
            throw Error("a mounted file has other bytes");
          }
        }
        bytes = {mounted.fetched_bytes, mounted.cached_bytes};
      } catch (...) {
        failure = std::current_exception();
      }
    }).join();
    if (failure) {
      std::rethrow_exception(failure);
    }
    return bytes;
  }

  test::Quiet progress;
};

bool can_mount(const fs::path& cache) {
  const MountSupport support = mount_support(cache, nullptr);
  if (support.backing != os::Backing::file) {
    WARN("erofs images are not mounted here: " << support.why_not);
    return false;
  }
  return true;
}

void flip(const fs::path& path, std::uint64_t at, unsigned mask) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(static_cast<unsigned>(byte) ^ mask));
}

struct Ignore final : TarHandler {
  void entry(const TarEntry&) override {}

  void data(ByteView) override {}

  void end_data() override {}
};

}  // namespace

TEST_CASE("a seed is mounted from its layers, and the second time from the cache") {
  Fixture fixture;
  if (!can_mount(fixture.cache)) {
    return;
  }
  std::uint64_t total = 0;
  for (const oci::Descriptor& layer : fixture.seed.parsed.layers) {
    total += layer.size_bytes;
  }
  CHECK(fixture.mount() == std::pair(total, std::uint64_t{0}));
  CHECK(fixture.mount() == std::pair(std::uint64_t{0}, total));
  CHECK(fixture.cached() == std::vector<std::string>(3, ".tar"));
  // Nothing is mounted where the others are.
  CHECK(fs::is_empty(fixture.cache / "root"));
  fs::remove_all(fixture.registry);
  CHECK(fixture.mount().first == 0);
}

TEST_CASE("a byte that flips in a tar of the cache is noticed, and the layer is fetched again") {
  Fixture fixture;
  if (!can_mount(fixture.cache)) {
    return;
  }
  fixture.mount();
  std::mt19937 random(1);
  for (int n = 0; n < 200; ++n) {
    const std::size_t layer = random() % 3;
    flip(fixture.tar(layer), random() % fs::file_size(fixture.tar(layer)), 1U << random() % 8);
    INFO("flip " << n << " in layer " << layer);
    REQUIRE(fixture.mount().first == fixture.seed.parsed.layers[layer].size_bytes);
  }
  // A crash may leave a file short, or empty.
  fs::resize_file(fixture.tar(1), 1000);
  fs::resize_file(fixture.tar(2), 0);
  CHECK(fixture.mount().first ==
        fixture.seed.parsed.layers[1].size_bytes + fixture.seed.parsed.layers[2].size_bytes);
  CHECK(fixture.mount().first == 0);
}

TEST_CASE("a byte that flips in a blob is refused, and nothing of it stays in the cache") {
  Fixture fixture;
  if (!can_mount(fixture.cache)) {
    return;
  }
  std::mt19937 random(2);
  for (int n = 0; n < 200; ++n) {
    const std::uint64_t at = random() % fs::file_size(fixture.blob(1));
    const unsigned mask = 1U << random() % 8;
    flip(fixture.blob(1), at, mask);
    INFO("flip " << n << " at " << at);
    REQUIRE_THROWS_AS(fixture.mount(), IntegrityError);
    REQUIRE_FALSE(fs::exists(fixture.tar(1)));
    flip(fixture.blob(1), at, mask);
  }
  CHECK(fixture.mount().first == fixture.seed.parsed.layers[1].size_bytes);
  CHECK(fixture.cached() == std::vector<std::string>(3, ".tar"));
}

TEST_CASE("a damaged tar whose blob is damaged too is refused") {
  Fixture fixture;
  if (!can_mount(fixture.cache)) {
    return;
  }
  fixture.mount();
  flip(fixture.tar(0), 5000, 1);
  flip(fixture.blob(0), 5000, 1);
  CHECK_THROWS_AS(fixture.mount(), IntegrityError);
}

TEST_CASE("a tar that is not the diff_id's is refused, as are layers without one") {
  Fixture fixture;
  if (!can_mount(fixture.cache)) {
    return;
  }
  std::swap(fixture.seed.config.diff_ids[0], fixture.seed.config.diff_ids[1]);
  CHECK_THROWS_AS(fixture.mount(), IntegrityError);
  fixture.seed.config.diff_ids.pop_back();
  CHECK_THROWS_WITH(fixture.mount(), "manifest has 3 layers, its config 2 diff_ids");
}

TEST_CASE("jobs at the same time fetch each layer once") {
  const Fixture fixture;
  const LayerCache cache(fixture.cache / "layers");
  std::atomic<int> fetched{0};
  os::for_each_index(30, 10, [&](std::size_t n) {
    LayerCache own(fixture.cache / "layers");
    Ignore ignore;
    const std::size_t i = n % 3;
    const CachedTar tar = own.get(*fixture.repository,
                                  fixture.seed.parsed.layers[i],
                                  fixture.seed.config.diff_ids[i],
                                  ignore);
    fetched += tar.fetched ? 1 : 0;
  });
  CHECK(fetched == 3);
}

TEST_CASE("the cache keeps what was used last, and what is in use") {
  const Fixture fixture;
  LayerCache cache(fixture.cache / "layers");
  const auto get = [&](std::size_t i) {
    Ignore ignore;
    return cache.get(*fixture.repository,
                     fixture.seed.parsed.layers[i],
                     fixture.seed.config.diff_ids[i],
                     ignore);
  };
  const auto there = [&] {
    std::string text;
    for (std::size_t i = 0; i < 3; ++i) {
      text += fs::exists(fixture.tar(i)) ? std::to_string(i) : "";
    }
    return text;
  };
  const auto age = [&](std::size_t i, int hours) {
    fs::last_write_time(fixture.tar(i),
                        fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  for (const std::size_t i : {0U, 1U, 2U}) {
    get(i);
    age(i, static_cast<int>(3 - i));
  }
  const std::uint64_t size = fs::file_size(fixture.tar(0));
  cache.trim(3 * size);
  CHECK(there() == "012");
  get(0);  // now 1 is the oldest
  cache.trim(3 * size - 1);
  CHECK(there() == "02");
  {
    const CachedTar in_use = get(0);
    age(0, 100);
    cache.trim(0);
    CHECK(there() == "0");
  }
  std::ofstream(cache.folder() / (fixture.seed.config.diff_ids[1].hex() + ".partial")) << "x";
  std::ofstream(cache.folder() / "of somebody else") << "x";
  cache.trim(0);
  CHECK(fixture.cached() == std::vector<std::string>{""});
}

TEST_CASE("who is not root, or has no place for it, is told why a seed is not mounted") {
  const os::TempDir temp;
  if (::geteuid() != 0) {
    CHECK(mount_support(temp.path(), nullptr).why_not == "only root may mount");
    return;
  }
  const MountSupport support = mount_support(temp.path() / "absent", nullptr);
  CHECK_FALSE(support.backing);
  CHECK(support.why_not.find("absent") != std::string::npos);
}

}  // namespace seed::image
