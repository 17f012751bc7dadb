#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "image/assemble.hpp"
#include "image/layer.hpp"
#include "oci/repository.hpp"

namespace seed::image {

enum class LayerState { reused, present, mounted, sent };

/// When something was done, in seconds since the run began.
struct Period {
  double start = 0;
  double seconds = 0;
};

/// What happened to one layer, in the plan's order.
struct LayerReceipt {
  LayerBlob blob;
  LayerState state = LayerState::sent;
  std::uint64_t nar_size = 0;  ///< of the paths in it
  std::string title;
  std::optional<Period> packed;  ///< nothing for what was not packed, or not measured
  std::optional<Period> pushed;
};

/// Seconds since the run began; may be absent.
using Elapsed = std::function<double()>;

struct PushOptions {
  PackOptions pack;
  unsigned connections = 4;               ///< uploads at the same time
  unsigned waiting = 16;                  ///< layers that are packed and not sent yet
  std::optional<std::string> mount_from;  ///< a repository of the same registry
  /// Called before each layer is sent, from any of the threads: what it throws ends the push, and
  /// what it waits for is done while layers are packed.
  std::function<void()> before_sending;
  Elapsed elapsed;
};

/// Packs what is not reused and sends it, largest first; packing uses `pack.workers` threads,
/// sending `connections` more. Scratch files live below `scratch`, one for each layer that is being
/// packed or sent, or waits for it.
std::vector<LayerReceipt> pack_and_push(const LayerPlan& plan,
                                        const nix::Closure& closure,
                                        oci::Repository& repository,
                                        const std::filesystem::path& scratch,
                                        const PushOptions& options,
                                        Progress& progress);

/// Makes one of the image's own layers and sends it.
LayerReceipt push_own_layer(const std::string& title,
                            const std::function<void(TarWriter&)>& fill,
                            oci::Repository& repository,
                            const std::filesystem::path& scratch,
                            Compression compression,
                            const Elapsed& elapsed = {});

/// Sends config and manifest, by digest only: no tag names the image yet.
void push_image(oci::Repository& repository, const Image& image);

/// A seed that a repository holds, for one system.
struct FoundSeed {
  oci::Descriptor manifest;
  oci::Manifest parsed;
  SeedImageConfig config;
};

/// The digest of the image for `system` under a tag or digest of an index or a manifest, whatever
/// is in it; nothing where there is none.
std::optional<Digest> find_digest(oci::Repository& repository,
                                  const oci::Target& target,
                                  std::string_view system);

/// The seed there.
std::optional<FoundSeed> find_seed(oci::Repository& repository,
                                   const oci::Target& target,
                                   std::string_view system);

/// The previous plan without the layers that `repository` has lost.
LayerPlan present_layers(oci::Repository& repository, const LayerPlan& plan);

}  // namespace seed::image
