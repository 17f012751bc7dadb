#include "image/lazy_tars.hpp"

#include <atomic>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <unistd.h>

#include "base/error.hpp"
#include "image/mount.hpp"
#include "os/parallel.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"
#include "support/quiet.hpp"
#include "unit/image/lazy_layer.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

void flip(const fs::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace

TEST_CASE("parts of a tar are fetched once, and checked, as they are read") {
  LazyLayer fixture;
  {
    const auto tars = fixture.open();
    CHECK(tars->fetched_bytes() == 0);
    CHECK(fixture.read(*tars, 5'000'000, 1000) == fixture.tar.substr(5'000'000, 1000));
    std::mt19937 random(7);
    for (int i = 0; i < 200; ++i) {
      const std::size_t offset = random() % fixture.tar.size();
      const std::size_t size =
          std::min<std::size_t>(random() % 3'000'000, fixture.tar.size() - offset);
      REQUIRE(fixture.read(*tars, offset, size) == fixture.tar.substr(offset, size));
    }
    fixture.read_all(*tars);
    CHECK(tars->fetched_bytes() == fixture.frame_bytes());
  }
  fs::remove_all(fixture.registry);
  const auto again = fixture.open();
  fixture.read_all(*again);
  CHECK(again->fetched_bytes() == 0);
}

TEST_CASE("what nobody reads comes too, when nobody waits") {
  LazyLayer fixture;
  const auto tars = fixture.open();
  tars->start({}, [](std::size_t, std::uint64_t, ByteView) {});
  for (int i = 0; i < 600 && tars->fetched_bytes() < fixture.frame_bytes(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(tars->fetched_bytes() == fixture.frame_bytes());
}

TEST_CASE("what is likely to be read is given before anybody reads it, and what was read, then") {
  LazyLayer fixture;
  std::mutex mutex;
  std::map<std::uint64_t, std::string> given;
  const auto has = [&](std::size_t count) {
    for (int i = 0; i < 600; ++i) {
      {
        const std::lock_guard lock(mutex);
        if (given.size() >= count) {
          return given.size() == count;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  };
  const auto tars = fixture.open();
  tars->start({{0, 4}, {0, 1}, {0, 2}, {0, 5}},
              [&](std::size_t layer, std::uint64_t offset, ByteView bytes) {
                const std::lock_guard lock(mutex);
                given[offset] = text_of(bytes);
                given[offset] += std::string(layer, 'x');
              });
  REQUIRE(has(4));
  fs::remove_all(fixture.registry);
  const std::size_t frame = 2 << 20;
  CHECK(fixture.read(*tars, 4 * frame + 1, 1000) == fixture.tar.substr(4 * frame + 1, 1000));
  CHECK(given.size() == 4);
  for (const auto& [offset, bytes] : given) {
    CHECK((offset / frame == 1 || offset / frame == 2 || offset / frame >= 4));
    CHECK(bytes == fixture.tar.substr(offset, frame));
  }
}

TEST_CASE("who is given a frame may wait for whoever reads there and farther on") {
  LazyLayer fixture;
  std::promise<void> read_it;
  std::atomic<int> given = 0;
  const auto tars = fixture.open();
  tars->start({{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}},
              [&](std::size_t, std::uint64_t, ByteView) {
                fixture.read_all(*tars);
                if (++given == 6) {
                  read_it.set_value();
                }
              });
  CHECK(read_it.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}

TEST_CASE("what somebody has read is given then") {
  LazyLayer fixture;
  std::promise<std::string> given;
  const auto tars = fixture.open();
  tars->start({}, [&](std::size_t, std::uint64_t offset, ByteView bytes) {
    given.set_value(std::to_string(offset) + std::string(text_of(bytes)));
  });
  const std::size_t frame = 2 << 20;
  CHECK(fixture.read(*tars, 3 * frame + 9, 10) == fixture.tar.substr(3 * frame + 9, 10));
  CHECK(given.get_future().get() ==
        std::to_string(3 * frame) + fixture.tar.substr(3 * frame, frame));
}

TEST_CASE("a repository that has gone is an error of who reads what has not come") {
  LazyLayer fixture;
  const auto tars = fixture.open();
  CHECK(fixture.read(*tars, 100, 1000) == fixture.tar.substr(100, 1000));
  fs::remove_all(fixture.registry);
  CHECK_THROWS_AS(fixture.read_all(*tars), Error);
  CHECK(fixture.read(*tars, 100, 1000) == fixture.tar.substr(100, 1000));
}

TEST_CASE("a flipped byte of a part is mended from the registry, or refused") {
  LazyLayer fixture;
  fixture.read_all(*fixture.open());
  Names ignored;
  const Toc toc = fixture.toc(ignored);
  std::mt19937 random(3);
  const std::uint64_t end = fixture.frame_bytes();
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t at = random() % end;
    const auto frame = std::find_if(toc.frames.begin(), toc.frames.end(), [&](const auto& each) {
      return at < each.offset + each.size_bytes;
    });
    flip(fixture.cached(".blob"), at);
    {
      const auto tars = fixture.open();
      fixture.read_all(*tars);
      REQUIRE(tars->fetched_bytes() == frame->size_bytes);
    }
    // not in the cache, and wrong in the registry
    fs::remove(fixture.cached(".blob"));
    flip(fixture.blob_file(), at);
    {
      const auto tars = fixture.open();
      REQUIRE_THROWS_AS(fixture.read_all(*tars), IntegrityError);
      const std::size_t whole = frame == toc.frames.begin() ? toc.frame_bytes : 0;
      REQUIRE(fixture.read(*tars, whole, 100) == fixture.tar.substr(whole, 100));
    }
    flip(fixture.blob_file(), at);
    fixture.read_all(*fixture.open());
  }
  flip(fixture.cached(".toc"), 30);
  fixture.read_all(*fixture.open());  // fetched anew
  fs::remove(fixture.cached(".toc"));
  flip(fixture.blob_file(), fixture.blob.size_bytes - 20);
  CHECK_THROWS_AS(fixture.open(), IntegrityError);
}

TEST_CASE("jobs at the same time fetch each part once") {
  LazyLayer fixture;
  std::vector<std::unique_ptr<LazyTars>> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(fixture.open());
  }
  os::for_each_index(8, 8, [&](std::size_t i) { fixture.read_all(*jobs[i % 4]); });
  std::uint64_t fetched = 0;
  for (const auto& job : jobs) {
    fetched += job->fetched_bytes();
  }
  CHECK(fetched == fixture.frame_bytes());
}

TEST_CASE(
    "a seed is mounted before its layers have come, and a damaged part is an error of whoever "
    "reads it") {
  LazyLayer fixture;
  const MountSupport support = mount_support(fixture.cache.folder(), nullptr);
  if (!support.lazily) {
    WARN("files can't be served here");
    return;
  }
  const auto mount = [&](const std::function<void(const MountedSeed&)>& use) {
    std::exception_ptr failure;
    std::thread([&] {
      try {
        const FoundSeed seed{.manifest = oci::describe(oci::kEmptyType, "{}"),
                             .parsed = {.config = oci::describe(oci::kEmptyType, "{}"),
                                        .layers = {fixture.layer},
                                        .artifact_type = {},
                                        .subject = std::nullopt,
                                        .annotations = {}},
                             .config = {.system = "x86_64-linux",
                                        .closure = Digest::of("closure"),
                                        .diff_ids = {fixture.blob.diff_id},
                                        .environment = {},
                                        .plan = {},
                                        .first_reads = {"/nix/7", "/nix/8"}}};
        test::Quiet progress;
        use(mount_seed(*fixture.repository,
                       seed,
                       fixture.temp.path() / "cache",
                       {.backing = *support.backing, .lazily = true, .limit_bytes = 1 << 30},
                       progress));
      } catch (...) {
        failure = std::current_exception();
      }
    }).join();
    if (failure) {
      std::rethrow_exception(failure);
    }
  };
  mount([&](const MountedSeed& mounted) {
    CHECK(mounted.lazy_bytes == fixture.blob.size_bytes);
    CHECK(mounted.fetched_bytes == 0);
    for (const unsigned i : {7U, 0U, 3U}) {
      REQUIRE(os::read_file(mounted.root / "nix" / std::to_string(i), 2 << 20) ==
              noise(i, 1'200'001));
    }
    CHECK(fs::read_symlink(mounted.root / "nix/link") == std::string(300, 'l'));
    mounted.rethrow_failure();
  });
  fs::remove(fixture.cached(".blob"));
  flip(fixture.blob_file(), 20);
  mount([&](const MountedSeed& mounted) {
    CHECK(os::read_file(mounted.root / "nix/7", 2 << 20) == noise(7, 1'200'001));
    CHECK_THROWS_AS(os::read_file(mounted.root / "nix/0", 2 << 20), Error);
    CHECK_THROWS_AS(mounted.rethrow_failure(), IntegrityError);
  });
}

}  // namespace seed::image
