#include "image/mount.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/erofs.hpp"
#include "image/layer_cache.hpp"
#include "image/tar.hpp"
#include "image/toc.hpp"
#include "os/parallel.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStoreFolder = "nix/store/";
/// How often a damaged cache is mended before the disk is given up.
constexpr int kMaxTries = 3;

/// Which files and folders of the image are wanted first: path as in a tar -> its place in the
/// list.
using FirstReads = std::map<std::string, std::size_t, std::less<>>;

/// Bytes of a tar that are wanted first.
struct FirstRead {
  std::size_t rank = 0;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

FirstReads first_reads_of(const SeedImageConfig& config) {
  // What Nix opens before anything else.
  FirstReads ranks{{"nix/var/nix/db/db.sqlite", 0}};
  for (const std::string& path : config.first_reads) {
    ranks.emplace(path.substr(path.starts_with('/') ? 1 : 0), ranks.size());
  }
  return ranks;
}

/// The place of a file in the list, by its own name or by that of its store path.
std::optional<std::size_t> rank_of(const FirstReads& ranks, std::string_view path) {
  auto found = ranks.find(path);
  if (found == ranks.end() && path.starts_with(kStoreFolder)) {
    found = ranks.find(path.substr(0, path.find('/', kStoreFolder.size())));
  }
  return found == ranks.end() ? std::nullopt : std::optional(found->second);
}

/// Puts one layer's entries into the index.
class Indexer final : public TarHandler {
 public:
  Indexer(ErofsIndex& index, std::size_t layer, const FirstReads& ranks)
      : index_(index), layer_(static_cast<std::uint16_t>(layer)), ranks_(ranks) {}

  void entry(const TarEntry& entry) override {
    index_.add(entry, layer_);
    if (entry.size_bytes == 0) {
      return;
    }
    if (const auto rank = rank_of(ranks_, entry.path)) {
      first_.push_back({*rank, entry.data_offset, entry.size_bytes});
    }
  }

  std::vector<FirstRead> take_first() { return std::move(first_); }

  void data(ByteView) override {}

  void end_data() override {}

 private:
  ErofsIndex& index_;
  std::uint16_t layer_;
  const FirstReads& ranks_;
  std::vector<FirstRead> first_;
};

/// For this process and others.
fs::path path_of(const os::File& file) {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), file.fd());
}

/// How to mount, and who does it: this process, which is root then, or `sudo`.
struct Mounter {
  os::Backing backing;
  bool lazily;
  const os::Sudo* sudo;
};

std::unique_ptr<os::ServedFiles> serve(const Mounter& mounter,
                                       std::vector<std::uint64_t> sizes,
                                       os::ServedFiles::Read read) {
  return std::make_unique<os::ServedFiles>(
      mounter.sudo != nullptr ? mounter.sudo->make_served_mount() : os::make_served_mount(),
      std::move(sizes),
      std::move(read));
}

/// Shows the tars below `target`. The index is in a file without a name, on their file system.
std::optional<os::LentMount> show(const ErofsIndex& index,
                                  std::span<const ErofsDevice> devices,
                                  std::span<const os::File> tars,
                                  const fs::path& folder,
                                  const Mounter& mounter,
                                  const fs::path& target) {
  os::File file = os::File::create_unnamed(folder);
  // Whoever builds owns what is there, as where it had been unpacked.
  index.write(devices, {::geteuid(), ::getegid()}, [&](ByteView bytes) { file.write(bytes); });
  const os::File image = file.reopen_read();
  file.close();
  os::ImageMount mount{.image = path_of(image), .devices = {}};
  for (const os::File& tar : tars) {
    mount.devices.push_back(path_of(tar));
  }
  if (mounter.sudo != nullptr) {
    return mounter.sudo->mount(mount, mounter.backing, target);
  }
  os::leave_shared_mounts();
  os::mount_image(mount, mounter.backing, target);
  return std::nullopt;
}

fs::path root_of(const os::LentMount& lent) {
  return fmt::format("/proc/self/fd/{}", lent.root.get());
}

/// Mounts a tar of one file and reads it. Throws where that fails.
void try_mount(const fs::path& folder, const Mounter& mounter) {
  const os::TempDir temp(folder);
  Bytes bytes;
  ErofsIndex index;
  const FirstReads none;
  Indexer indexer(index, 0, none);
  TarReader reader(indexer);
  TarWriter writer([&](ByteView part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
    reader.write(part);
  });
  writer.file("probe", 0444, "whole");
  writer.finish();
  std::unique_ptr<os::ServedFiles> served;
  std::vector<os::File> tars;
  if (mounter.lazily) {
    served = serve(
        mounter, {bytes.size()}, [&](std::size_t, std::uint64_t offset, std::span<std::byte> into) {
          std::copy_n(bytes.begin() + static_cast<long>(offset), into.size(), into.begin());
        });
    tars.push_back(served->open(0));
  } else {
    os::File tar = os::File::create_unnamed(folder);
    tar.write(bytes);
    tars.push_back(tar.reopen_read());
  }
  const ErofsDevice device{Digest::of("probe"), bytes.size()};
  const auto lent = show(index, {&device, 1}, tars, folder, mounter, temp.path());
  const std::string text = os::read_file((lent ? root_of(*lent) : temp.path()) / "probe", 64);
  if (!lent) {
    os::unmount(temp.path());
  }
  if (text != "whole") {
    throw Error("mounting an erofs image: a file reads as something else");
  }
}

std::vector<std::size_t> largest_first(const std::vector<oci::Descriptor>& layers) {
  std::vector<std::size_t> order(layers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, std::greater<>(), [&](std::size_t i) { return layers[i].size_bytes; });
  return order;
}

struct Work {
  oci::Repository& repository;
  const FoundSeed& seed;
  LayerCache& cache;
  const MountOptions& options;
  Progress& progress;
  const FirstReads& first_reads;
};

/// A layer's tar: whole, or to be read as it is needed.
struct ReadLayer {
  std::optional<CachedTar> tar;
  std::optional<LazyTars::Layer> lazy;
  std::vector<FirstRead> first;
  bool fetched = false;  ///< by this run, now or before
};

/// Puts the entries of layer `i` into the index.
void read_layer_into(const Work& work, ErofsIndex& index, std::size_t i, ReadLayer& read) {
  const oci::Descriptor& layer = work.seed.parsed.layers[i];
  Indexer indexer(index, i, work.first_reads);
  if (const auto place = work.options.lazily ? toc_place(layer) : std::nullopt) {
    const Bytes toc = work.cache.toc(work.repository, layer, *place);
    read.lazy = LazyTars::Layer{.descriptor = layer,
                                .toc = parse_toc(toc, layer.size_bytes, indexer),
                                .blob = work.cache.open_blob(layer)};
    read.first = indexer.take_first();
    return;
  }
  read.tar.reset();
  read.tar = work.cache.get(work.repository, layer, work.seed.config.diff_ids[i], indexer);
  read.fetched |= read.tar->fetched;
}

/// Fills the index from all layers. False where a tar of the cache was damaged: what it said of
/// itself is in the index, which is of no use then; the tar has been fetched anew.
bool read_layers(const Work& work, ErofsIndex& index, std::vector<ReadLayer>& read) {
  const std::vector<oci::Descriptor>& layers = work.seed.parsed.layers;
  const std::vector<std::size_t> order = largest_first(layers);
  std::uint64_t total = 0;
  for (const oci::Descriptor& layer : layers) {
    total += layer.size_bytes;
  }
  std::mutex mutex;
  std::uint64_t done = 0;
  os::for_each_index(order.size(), work.options.connections, [&](std::size_t n) {
    const std::size_t i = order[n];
    while_doing("fetching layer " + layers[i].digest.to_string(),
                [&] { read_layer_into(work, index, i, read[i]); });
    if (!read[i].lazy) {
      const std::lock_guard lock(mutex);
      done += layers[i].size_bytes;
      work.progress.bytes(done, total);
    }
  });
  return std::ranges::none_of(
      read, [](const ReadLayer& layer) { return layer.tar && layer.tar->was_damaged; });
}

/// The frames that are wanted first, in the list's order, each once. Layers are numbered as those
/// of LazyTars are.
std::vector<LazyTars::Key> first_frames(const std::vector<ReadLayer>& layers) {
  std::vector<std::pair<std::size_t, LazyTars::Key>> ranked;
  std::uint32_t number = 0;
  for (const ReadLayer& layer : layers) {
    if (!layer.lazy) {
      continue;
    }
    const std::uint64_t frame_bytes = layer.lazy->toc.frame_bytes;
    for (const FirstRead& read : layer.first) {
      const std::uint64_t last = (read.offset + read.size_bytes - 1) / frame_bytes;
      for (std::uint64_t frame = read.offset / frame_bytes; frame <= last; ++frame) {
        ranked.push_back({read.rank, {number, static_cast<std::uint32_t>(frame)}});
      }
    }
    ++number;
  }
  std::ranges::stable_sort(ranked, {}, [](const auto& each) { return each.first; });
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  std::vector<LazyTars::Key> keys;
  for (const auto& [rank, key] : ranked) {
    if (seen.insert({key.layer, key.frame}).second) {
      keys.push_back(key);
    }
  }
  return keys;
}

/// Opens what the kernel is to read the layers from, in their order.
std::vector<ErofsDevice> open_devices(oci::Repository& repository,
                                      const FoundSeed& seed,
                                      const Mounter& mounter,
                                      std::vector<ReadLayer>& read,
                                      MountedSeed& mounted) {
  std::vector<ErofsDevice> devices;
  std::vector<LazyTars::Layer> lazy;
  std::vector<std::uint64_t> sizes;
  std::vector<LazyTars::Key> first = first_frames(read);
  for (std::size_t i = 0; i < read.size(); ++i) {
    const std::uint64_t blob_bytes = seed.parsed.layers[i].size_bytes;
    if (read[i].lazy) {
      sizes.push_back(read[i].lazy->toc.tar_bytes);
      lazy.push_back(std::move(*read[i].lazy));
      mounted.lazy_bytes += blob_bytes;
      devices.push_back({seed.config.diff_ids[i], sizes.back()});
    } else {
      (read[i].fetched ? mounted.fetched_bytes : mounted.cached_bytes) += blob_bytes;
      devices.push_back({seed.config.diff_ids[i], read[i].tar->size_bytes});
    }
  }
  if (!lazy.empty()) {
    mounted.lazy_tars = std::make_unique<LazyTars>(repository, std::move(lazy));
    mounted.served = serve(mounter,
                           std::move(sizes),
                           [&tars = *mounted.lazy_tars](
                               std::size_t file, std::uint64_t offset, std::span<std::byte> into) {
                             tars.read(file, offset, into);
                           });
  }
  std::size_t next = 0;
  for (ReadLayer& layer : read) {
    mounted.tars.push_back(layer.lazy ? mounted.served->open(next++) : std::move(layer.tar->file));
  }
  if (mounted.lazy_tars) {
    mounted.lazy_tars->start(std::move(first), mounted.served->giver());
  }
  return devices;
}

}  // namespace

MountSupport mount_support(const fs::path& cache, const os::Sudo* sudo) {
  if (::geteuid() != 0 && sudo == nullptr) {
    return {.backing = std::nullopt, .why_not = "only root may mount"};
  }
  MountSupport support;
  // The thread's namespace, and with it the mounts, go when it ends.
  std::thread([&] {
    for (const os::Backing backing : {os::Backing::file, os::Backing::loop}) {
      for (const bool lazily : {true, false}) {
        try {
          try_mount(cache, {backing, lazily, ::geteuid() == 0 ? nullptr : sudo});
          support.backing = backing;
          support.lazily = lazily;
          return;
        } catch (const std::exception& error) {
          if (lazily) {
            continue;  // whole layers need less
          }
          support.why_not += support.why_not.empty() ? "" : "; by loop device: ";
          support.why_not += error.what();
        }
      }
    }
  }).join();
  return support;
}

MountedSeed mount_seed(oci::Repository& repository,
                       const FoundSeed& seed,
                       const fs::path& cache,
                       const MountOptions& options,
                       Progress& progress) {
  const std::vector<oci::Descriptor>& layers = seed.parsed.layers;
  if (layers.size() != seed.config.diff_ids.size()) {
    throw FormatError(fmt::format("manifest has {} layers, its config {} diff_ids",
                                  layers.size(),
                                  seed.config.diff_ids.size()));
  }
  LayerCache layer_cache(cache / "layers");
  std::vector<ReadLayer> read(layers.size());
  std::optional<ErofsIndex> index;
  progress.step(
      fmt::format("mounting the seed: {} layers from {}", layers.size(), repository.name()));
  const FirstReads first_reads = first_reads_of(seed.config);
  const Work work{repository, seed, layer_cache, options, progress, first_reads};
  bool whole = false;
  for (int tries = 0; !whole; ++tries) {
    if (tries == kMaxTries) {
      throw IntegrityError(fmt::format("{} gives other bytes than were written there",
                                       layer_cache.folder().string()),
                           "check the disk, or point NIX_SEED_CACHE at another one");
    }
    index.emplace();
    whole = read_layers(work, *index, read);
  }

  MountedSeed mounted{.root = cache / "root", .shown_at = cache / "root"};
  const Mounter mounter{options.backing, options.lazily, ::geteuid() == 0 ? nullptr : options.sudo};
  const std::vector<ErofsDevice> devices = open_devices(repository, seed, mounter, read, mounted);
  os::make_dirs(mounted.root);
  mounted.lent =
      show(*index, devices, mounted.tars, layer_cache.folder(), mounter, mounted.shown_at);
  if (mounted.lent) {
    mounted.root = root_of(*mounted.lent);
  }
  layer_cache.trim(options.limit_bytes);
  return mounted;
}

void MountedSeed::rethrow_failure() const {
  if (served) {
    served->rethrow_failure();
  }
}

}  // namespace seed::image
