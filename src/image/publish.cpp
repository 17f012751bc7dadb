#include "image/publish.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <semaphore>

#include <fmt/core.h>

#include "base/error.hpp"
#include "oci/limits.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMaxThreads = 64;

using Permits = std::counting_semaphore<kMaxThreads>;

oci::Descriptor descriptor_of(const LayerBlob& blob) {
  return {.media_type = blob.media_type, .digest = blob.digest, .size_bytes = blob.size_bytes};
}

LayerState state_of(oci::Pushed pushed) {
  switch (pushed) {
    case oci::Pushed::already_there:
      return LayerState::present;
    case oci::Pushed::mounted:
      return LayerState::mounted;
    case oci::Pushed::sent:
      break;
  }
  return LayerState::sent;
}

std::string title_of(const PlannedLayer& layer) {
  const auto largest = std::ranges::max_element(layer.paths, {}, &LayerPath::nar_size);
  if (largest == layer.paths.end()) {
    return "empty";
  }
  std::string title(largest->path.name());
  if (layer.paths.size() > 1) {
    title += fmt::format(" +{}", layer.paths.size() - 1);
  }
  return title;
}

/// Holds a permit for as long as it lives.
class Permit {
 public:
  explicit Permit(Permits& semaphore) : semaphore_(semaphore) { semaphore_.acquire(); }

  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  ~Permit() { semaphore_.release(); }

 private:
  Permits& semaphore_;
};

/// Runs `step`, and notes when.
template <class Step>
auto timed(const Elapsed& elapsed, std::optional<Period>& period, Step&& step) {
  const double start = elapsed ? elapsed() : 0;
  auto result = step();
  if (elapsed) {
    period = Period{.start = start, .seconds = elapsed() - start};
  }
  return result;
}

/// A file that is gone when this goes.
struct ScratchFile {
  fs::path path;

  explicit ScratchFile(fs::path at) : path(std::move(at)) {}

  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  ~ScratchFile() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
};

std::vector<std::size_t> largest_first(const LayerPlan& plan) {
  std::vector<std::size_t> order(plan.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return plan[a].nar_size() > plan[b].nar_size(); });
  return order;
}

/// What the threads of pack_and_push share. Each brings one layer all the way, but few at a time
/// pack, and few send.
class Pipeline {
 public:
  Pipeline(const LayerPlan& plan,
           const nix::Closure& closure,
           oci::Repository& repository,
           const fs::path& scratch,
           const PushOptions& options,
           Progress& progress)
      : plan_(plan),
        closure_(closure),
        repository_(repository),
        scratch_(scratch),
        options_(options),
        progress_(progress),
        order_(largest_first(plan)),
        packing_(std::clamp(options.pack.workers, 1U, kMaxThreads)),
        sending_(std::clamp(options.connections, 1U, kMaxThreads)),
        receipts_(plan.size()) {
    for (const PlannedLayer& layer : plan) {
      total_ += layer.reuse ? 0 : layer.nar_size();
    }
  }

  std::vector<LayerReceipt> run() {
    os::for_each_index(plan_.size(),
                       options_.pack.workers + options_.connections + options_.waiting,
                       [this](std::size_t) {
                         try {
                           bring_next();
                         } catch (...) {
                           failed_ = true;
                           throw;
                         }
                       });
    std::vector<LayerReceipt> result;
    for (auto& receipt : receipts_) {
      result.push_back(std::move(*receipt));
    }
    return result;
  }

 private:
  /// Takes the largest that is left only once it may pack: threads get permits in any order.
  void bring_next() {
    std::optional<Permit> packing(std::in_place, packing_);
    if (failed_) {
      return;
    }
    const std::size_t i = order_[next_++];
    const PlannedLayer& layer = plan_[i];
    const std::string title = title_of(layer);
    if (layer.reuse) {
      receipts_[i] = LayerReceipt{*layer.reuse, LayerState::reused, layer.nar_size(), title};
      return;
    }
    const ScratchFile file(scratch_ / fmt::format("layer-{}", i));
    std::optional<Period> packed;
    const LayerBlob blob = timed(options_.elapsed, packed, [&] {
      return while_doing("packing " + title, [&] {
        return write_store_layer(layer, closure_, file.path, options_.pack);
      });
    });
    packing.reset();
    if (options_.before_sending) {
      options_.before_sending();
    }
    const Permit sending(sending_);
    std::optional<Period> sent;
    const oci::Pushed pushed = timed(options_.elapsed, sent, [&] {
      return while_doing("pushing " + title, [&] {
        return repository_.put_blob(descriptor_of(blob), file.path, options_.mount_from);
      });
    });
    receipts_[i] = LayerReceipt{blob, state_of(pushed), layer.nar_size(), title, packed, sent};
    const std::lock_guard lock(mutex_);
    done_ += layer.nar_size();
    progress_.bytes(done_, total_);
  }

  const LayerPlan& plan_;
  const nix::Closure& closure_;
  oci::Repository& repository_;
  const fs::path& scratch_;
  const PushOptions& options_;
  Progress& progress_;

  std::vector<std::size_t> order_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  Permits packing_;
  Permits sending_;
  std::vector<std::optional<LayerReceipt>> receipts_;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

std::vector<LayerReceipt> pack_and_push(const LayerPlan& plan,
                                        const nix::Closure& closure,
                                        oci::Repository& repository,
                                        const fs::path& scratch,
                                        const PushOptions& options,
                                        Progress& progress) {
  return Pipeline(plan, closure, repository, scratch, options, progress).run();
}

LayerReceipt push_own_layer(const std::string& title,
                            const std::function<void(TarWriter&)>& fill,
                            oci::Repository& repository,
                            const fs::path& scratch,
                            Compression compression,
                            const Elapsed& elapsed) {
  const ScratchFile file(scratch / "own-layer");
  std::optional<Period> packed;
  const LayerBlob blob =
      timed(elapsed, packed, [&] { return write_layer(fill, file.path, compression); });
  std::optional<Period> sent;
  const oci::Pushed pushed = timed(elapsed, sent, [&] {
    return while_doing("pushing the layer of " + title,
                       [&] { return repository.put_blob(descriptor_of(blob), file.path); });
  });
  return {blob, state_of(pushed), 0, title, packed, sent};
}

void push_image(oci::Repository& repository, const Image& image) {
  if (image.config.size() > oci::kMaxConfigBytes) {
    throw Error(fmt::format("the image config has {} bytes, readers take {}",
                            image.config.size(),
                            oci::kMaxConfigBytes),
                "seed fewer outputs, or split the flake");
  }
  while_doing("pushing the image config",
              [&] { repository.put_blob(image.parsed.config, std::string_view(image.config)); });
  while_doing("pushing the image manifest",
              [&] { repository.put_manifest(oci::kManifestType, image.manifest, std::nullopt); });
}

namespace {

/// The image for `system` of an index; of a manifest, itself.
std::optional<oci::Descriptor> image_in(const oci::RawManifest& raw, std::string_view system) {
  if (raw.descriptor.media_type != oci::kIndexType &&
      raw.descriptor.media_type != oci::kDockerListType) {
    return raw.descriptor;
  }
  oci::Index index = oci::parse_index(raw.bytes);
  const auto entry = std::ranges::find_if(index.manifests, [&](const oci::Descriptor& manifest) {
    const auto found = manifest.annotations.find(std::string(kSystemAnnotation));
    return found != manifest.annotations.end() && found->second == system;
  });
  return entry == index.manifests.end() ? std::nullopt : std::optional(std::move(*entry));
}

/// The image for `system` there, whatever is in it.
std::optional<oci::RawManifest> find_manifest(oci::Repository& repository,
                                              const oci::Target& target,
                                              std::string_view system) {
  auto raw = repository.get_manifest(target);
  const auto image = raw ? image_in(*raw, system) : std::nullopt;
  if (!image) {
    return std::nullopt;
  }
  return image->digest == raw->descriptor.digest ? raw : repository.get_manifest(image->digest);
}

}  // namespace

std::optional<Digest> find_digest(oci::Repository& repository,
                                  const oci::Target& target,
                                  std::string_view system) {
  const auto raw = repository.get_manifest(target);
  const auto image = raw ? image_in(*raw, system) : std::nullopt;
  return image ? std::optional(image->digest) : std::nullopt;
}

std::optional<FoundSeed> find_seed(oci::Repository& repository,
                                   const oci::Target& target,
                                   std::string_view system) {
  const auto raw = find_manifest(repository, target, system);
  if (!raw) {
    return std::nullopt;
  }
  oci::Manifest manifest = oci::parse_manifest(raw->bytes);
  if (manifest.config.size_bytes > oci::kMaxConfigBytes) {
    throw FormatError(fmt::format("the image config has {} bytes", manifest.config.size_bytes));
  }
  std::string config;
  repository.get_blob(manifest.config, [&](ByteView chunk) { config += text_of(chunk); });
  SeedImageConfig parsed = parse_seed_image_config(config);
  if (parsed.system != system || parsed.diff_ids.size() != manifest.layers.size()) {
    return std::nullopt;
  }
  return FoundSeed{raw->descriptor, std::move(manifest), std::move(parsed)};
}

LayerPlan present_layers(oci::Repository& repository, const LayerPlan& plan) {
  std::vector<char> present(plan.size());
  os::for_each_index(plan.size(), 8, [&](std::size_t i) {
    const auto& blob = plan[i].reuse;
    present[i] = blob && repository.has_blob(descriptor_of(*blob)) ? 1 : 0;
  });
  LayerPlan kept;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (present[i] != 0) {
      kept.push_back(plan[i]);
    }
  }
  return kept;
}

}  // namespace seed::image
