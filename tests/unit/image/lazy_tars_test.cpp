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
#include "image/layer.hpp"
#include "image/layer_cache.hpp"
#include "image/mount.hpp"
#include "oci/layout.hpp"
#include "os/parallel.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"
#include "support/quiet.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

struct Names final : TarHandler {
  std::vector<TarEntry> entries;

  void entry(const TarEntry& entry) override { entries.push_back(entry); }

  void data(ByteView) override {}

  void end_data() override {}
};

std::string noise(unsigned number, std::size_t size) {
  std::mt19937 random(number);
  std::string text(size, 0);
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

/// One layer of several frames in a layout directory, and a cache beside it.
struct Fixture {
  os::TempDir temp{fs::path("/var/tmp")};
  fs::path registry = temp.path() / "registry";
  std::unique_ptr<oci::Repository> repository = oci::open_layout(registry);
  LayerCache cache{temp.path() / "cache/layers"};
  oci::Descriptor layer = oci::describe(oci::kEmptyType, "{}");
  LayerBlob blob;
  std::string tar;

  Fixture() : blob(make()) {
    layer.media_type = blob.media_type;
    layer.digest = blob.digest;
    layer.size_bytes = blob.size_bytes;
    annotate(layer, blob.toc.value());
    repository->put_blob(layer, temp.path() / "layer");
    const auto decoder = make_decompressor(
        Compression::zstd, [&](ByteView bytes) { tar += text_of(bytes); }, 64 << 20);
    decoder->write(bytes_of(os::read_file(blob_file(), 64 << 20)));
    decoder->finish();
  }

  LayerBlob make() const {
    return write_layer(
        [](TarWriter& writer) {
          writer.directory("nix", 0755);
          writer.file("nix/empty", 0444, "");
          for (unsigned i = 0; i < 9; ++i) {
            writer.file("nix/" + std::to_string(i), i % 2 == 0 ? 0444 : 0555, noise(i, 1'200'001));
          }
          writer.symlink("nix/link", std::string(300, 'l'));
        },
        temp.path() / "layer",
        Compression::zstd);
  }

  /// What is before the table of contents.
  std::uint64_t frame_bytes() const { return blob.size_bytes - blob.toc->size_bytes - 8; }

  fs::path blob_file() const { return registry / "blobs/sha256" / blob.digest.hex(); }

  fs::path cached(const char* kind) const { return cache.folder() / (blob.digest.hex() + kind); }

  Toc toc(TarHandler& handler) {
    return parse_toc(
        cache.toc(*repository, layer, toc_place(layer).value()), layer.size_bytes, handler);
  }

  std::unique_ptr<LazyTars> open() {
    Names ignored;
    std::vector<LazyTars::Layer> layers;
    layers.push_back({layer, toc(ignored), cache.open_blob(layer)});
    return std::make_unique<LazyTars>(*repository, std::move(layers));
  }

  std::string read(LazyTars& tars, std::size_t offset, std::size_t size) const {
    Bytes bytes(size);
    tars.read(0, offset, bytes);
    return std::string(text_of(bytes));
  }

  void read_all(LazyTars& tars) const {
    if (read(tars, 0, tar.size()) != tar) {
      throw Error("the tar has other bytes");
    }
  }
};

void flip(const fs::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace

TEST_CASE("a layer's table of contents says what its tar says") {
  Fixture fixture;
  Names from_toc;
  const Toc toc = fixture.toc(from_toc);
  Names from_tar;
  TarReader reader(from_tar);
  reader.write(bytes_of(fixture.tar));
  reader.finish();
  REQUIRE(from_toc.entries.size() == 12);
  for (std::size_t i = 0; i < from_tar.entries.size(); ++i) {
    const TarEntry& a = from_toc.entries.at(i);
    const TarEntry& b = from_tar.entries[i];
    CHECK(std::tie(a.path, a.kind, a.mode, a.mtime, a.size_bytes, a.link, a.data_offset) ==
          std::tie(b.path, b.kind, b.mode, b.mtime, b.size_bytes, b.link, b.data_offset));
  }
  CHECK(toc.tar_bytes == fixture.tar.size());
  REQUIRE(toc.frames.size() == 6);
  const std::string blob = os::read_file(fixture.blob_file(), 64 << 20);
  std::string content;
  for (std::size_t i = 0; i < toc.frames.size(); ++i) {
    const auto frame = bytes_of(blob).subspan(toc.frames[i].offset, toc.frames[i].size_bytes);
    CHECK(Digest::of(frame) == toc.frames[i].digest);
    Bytes bytes(toc.content_bytes(i));
    decode_frame(frame, bytes);
    content += text_of(bytes);
  }
  CHECK(content == fixture.tar);
  Bytes short_of(5);
  const auto first = bytes_of(blob).first(toc.frames[0].size_bytes);
  CHECK_THROWS_AS(decode_frame(first, short_of), FormatError);
  Bytes too_long(toc.frame_bytes + 1);
  CHECK_THROWS_AS(decode_frame(first, too_long), FormatError);
}

TEST_CASE("a table of contents that can't be is refused") {
  Fixture fixture;
  const Bytes good =
      fixture.cache.toc(*fixture.repository, fixture.layer, fixture.blob.toc.value());
  Names names;
  const auto refused = [&](const Bytes& toc, std::uint64_t blob_bytes) {
    CHECK_THROWS_AS(parse_toc(toc, blob_bytes, names), FormatError);
  };
  refused({}, fixture.layer.size_bytes);
  refused(good, fixture.layer.size_bytes + 1);
  refused(good, 10);
  const auto changed = [&](std::size_t from_end, int byte) {
    Bytes toc = good;
    toc[toc.size() - from_end] = static_cast<std::byte>(byte);
    refused(toc, fixture.layer.size_bytes);
  };
  changed(1, '2');    // the version
  changed(12, 7);     // number of frames
  changed(14, 0xff);  // size of frames
  changed(14, 0);
  changed(24, 1);   // size of the tar
  changed(60, 0);   // size of the last frame
  changed(57, 99);  // the same, far too large
  Bytes cut = good;
  cut.erase(cut.begin(), cut.begin() + 20);  // headers that end too early
  refused(cut, fixture.layer.size_bytes - 20);

  oci::Descriptor layer = fixture.layer;
  const auto impossible = [&](const char* size) {
    layer.annotations[std::string(kTocSizeAnnotation)] = size;
    CHECK_THROWS_AS(toc_place(layer), FormatError);
  };
  impossible("");
  impossible("-1");
  impossible("23");
  impossible("18446744073709551615");
  impossible(std::to_string(layer.size_bytes).c_str());
  layer.annotations.erase(std::string(kTocSizeAnnotation));
  CHECK_THROWS_AS(toc_place(layer), FormatError);
  layer.annotations.clear();
  CHECK_FALSE(toc_place(layer));
}

TEST_CASE("parts of a tar are fetched once, and checked, as they are read") {
  Fixture fixture;
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
  Fixture fixture;
  const auto tars = fixture.open();
  tars->start({}, [](std::size_t, std::uint64_t, ByteView) {});
  for (int i = 0; i < 600 && tars->fetched_bytes() < fixture.frame_bytes(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(tars->fetched_bytes() == fixture.frame_bytes());
}

TEST_CASE("what is likely to be read is given before anybody reads it, and what was read, then") {
  Fixture fixture;
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
  Fixture fixture;
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
  Fixture fixture;
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
  Fixture fixture;
  const auto tars = fixture.open();
  CHECK(fixture.read(*tars, 100, 1000) == fixture.tar.substr(100, 1000));
  fs::remove_all(fixture.registry);
  CHECK_THROWS_AS(fixture.read_all(*tars), Error);
  CHECK(fixture.read(*tars, 100, 1000) == fixture.tar.substr(100, 1000));
}

TEST_CASE("a flipped byte of a part is mended from the registry, or refused") {
  Fixture fixture;
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
  Fixture fixture;
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
  Fixture fixture;
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
