#include "image/layer.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "image/unpack.hpp"
#include "nix/nar.hpp"
#include "nix/tree.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text, fs::perms mode = fs::perms(0644)) {
  std::ofstream(file) << text;
  fs::permissions(file, mode);
}

nix::PathInfo info_of(const fs::path& store, const std::string& name) {
  nix::NarHasher nar;
  nix::visit_tree(store / name, nar);
  const auto result = nar.finish();
  return {nix::StorePath::from_base_name(name), result.hash, result.size_bytes, {}};
}

/// A store of three paths: a folder, a file and a link.
struct Store {
  os::TempDir temp;
  fs::path dir = temp.path() / "store";
  std::string folder = std::string(32, 'a') + "-folder";
  std::string file = std::string(32, 'b') + "-file";
  std::string link = std::string(32, 'c') + "-link";

  explicit Store(bool backwards = false) {
    fs::create_directories(dir / folder / "bin");
    std::vector<std::string> names{"alpha", "beta", "gamma", "Delta", "a.b", "a-b"};
    if (backwards) {
      std::reverse(names.begin(), names.end());
    }
    for (const std::string& name : names) {
      write(dir / folder / name, "content of " + name, fs::perms(backwards ? 0600 : 0444));
    }
    write(dir / folder / "bin" / "tool", "#!/bin/sh\n", fs::perms(backwards ? 0700 : 0555));
    fs::create_symlink("bin/tool", dir / folder / "tool");
    fs::permissions(dir / folder, fs::perms(backwards ? 0700 : 0755));
    write(dir / file, std::string(5 << 20, 'f'));
    fs::create_symlink(folder, dir / link);
  }

  nix::Closure closure() const {
    return nix::make_closure({info_of(dir, folder), info_of(dir, file), info_of(dir, link)});
  }

  PackOptions options(Compression compression = Compression::zstd) const {
    return {.compression = compression, .workers = 1, .store_dir = dir};
  }

  LayerBlob pack(const PlannedLayer& layer, Compression compression = Compression::zstd) const {
    return write_store_layer(layer, closure(), temp.path() / "layer", options(compression));
  }
};

PlannedLayer layer_of(const nix::Closure& closure) {
  PlannedLayer layer;
  for (const nix::PathInfo& info : closure.paths()) {
    layer.paths.push_back({info.path, info.nar_hash, info.nar_size});
  }
  return layer;
}

}  // namespace

TEST_CASE("a layer's digests are those of its file and of its tar") {
  const Store store;
  for (const Compression compression : {Compression::zstd, Compression::gzip}) {
    const LayerBlob blob = store.pack(layer_of(store.closure()), compression);
    const std::string bytes = os::read_file(store.temp.path() / "layer", 64 << 20);
    CHECK(blob.digest == Digest::of(bytes));
    CHECK(blob.size_bytes == bytes.size());
    CHECK(blob.media_type == media_type_of(compression));
    Sha256 tar;
    const auto decoder =
        make_decompressor(compression, [&](ByteView view) { tar.update(view); }, 64 << 20);
    decoder->write(bytes_of(bytes));
    decoder->finish();
    CHECK(blob.diff_id == tar.finish());
  }
}

TEST_CASE("one tree gives one digest whatever its order, modes, umask and owner's times") {
  const Store store;
  const mode_t before = ::umask(077);
  const Store other(true);
  ::umask(before);
  CHECK(store.closure().digest() == other.closure().digest());
  const LayerBlob blob = store.pack(layer_of(store.closure()));
  CHECK(other.pack(layer_of(other.closure())) == blob);
  // A hash that stays the same as long as the tar does.
  CHECK(blob.diff_id.hex().size() == 64);
}

TEST_CASE("a path that is not what the database says is refused by name, with both hashes") {
  const Store store;
  const nix::Closure closure = store.closure();
  const std::string file = store.dir / store.file;
  const auto refusal = [&]() -> std::string {
    try {
      write_store_layer(layer_of(closure), closure, store.temp.path() / "layer", store.options());
      return "packed";
    } catch (const IntegrityError& error) {
      return error.message();
    }
  };
  const nix::PathInfo& good = *closure.find(nix::StorePath::from_base_name(store.file));
  write(file, std::string(5 << 20, 'g'));
  const nix::PathInfo bad = info_of(store.dir, store.file);
  CHECK(refusal() == "packing /nix/store/" + store.file + ": /nix/store/" + store.file +
                         " has the NAR hash " + bad.nar_hash.to_string() + " and size " +
                         std::to_string(bad.nar_size) + "; the store database says " +
                         good.nar_hash.to_string() + " and " + std::to_string(good.nar_size));
  fs::remove(file);
  CHECK_THROWS_AS(refusal(), Error);
}

TEST_CASE("layers that were packed unpack to the same store paths") {
  const Store store;
  const nix::Closure closure = store.closure();
  const auto layout = oci::open_layout(store.temp.path() / "layout");
  oci::Manifest manifest{.config = oci::describe(oci::kEmptyType, "{}"),
                         .layers = {},
                         .artifact_type = {},
                         .subject = std::nullopt,
                         .annotations = {}};
  std::vector<Digest> diff_ids;
  for (const nix::PathInfo& info : closure.paths()) {
    const PlannedLayer planned{.paths = {{info.path, info.nar_hash, info.nar_size}},
                               .reuse = std::nullopt};
    const fs::path file = store.temp.path() / ("packed-" + std::string(info.path.name()));
    const LayerBlob blob = write_store_layer(planned, closure, file, store.options());
    oci::Descriptor layer = manifest.config;
    layer.media_type = blob.media_type;
    layer.digest = blob.digest;
    layer.size_bytes = blob.size_bytes;
    layout->put_blob(layer, file);
    manifest.layers.push_back(layer);
    diff_ids.push_back(blob.diff_id);
  }
  const fs::path root = store.temp.path() / "root";
  unpack_image(*layout, manifest, diff_ids, root, 2);
  for (const nix::PathInfo& info : closure.paths()) {
    const nix::PathInfo found = info_of(root / "nix" / "store", info.path.base_name());
    CHECK(found == info);
  }
  struct stat status{};
  const std::string folder = root / "nix" / "store" / store.folder;
  CHECK(::stat(folder.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0555);
  CHECK(status.st_mtime == 1);
  CHECK(::stat((folder + "/alpha").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0444);
  CHECK(status.st_mtime == 1);
  CHECK(::stat((root / "nix" / "store").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0755);

  // One thing wrong at a time.
  const fs::path other = store.temp.path() / "other";
  auto swapped = diff_ids;
  std::swap(swapped[0], swapped[1]);
  CHECK_THROWS_AS(unpack_image(*layout, manifest, swapped, other, 2), IntegrityError);
  swapped.pop_back();
  CHECK_THROWS_AS(unpack_image(*layout, manifest, swapped, other, 2), FormatError);
  oci::Manifest strange = manifest;
  strange.layers[0].media_type = "application/vnd.oci.image.layer.v1.tar";
  CHECK_THROWS_AS(unpack_image(*layout, strange, diff_ids, other, 2), FormatError);
}

}  // namespace seed::image
