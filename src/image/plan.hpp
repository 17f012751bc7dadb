#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "nix/closure.hpp"

namespace seed::image {

/// A path as a layer holds it.
struct LayerPath {
  nix::StorePath path;
  Digest nar_hash;  ///< what tells a path from one rebuilt to other bytes under the same name
  std::uint64_t nar_size = 0;
  bool operator==(const LayerPath&) const = default;
};

/// Where a layer's blob says what is in it (image/toc.hpp).
struct TocPlace {
  Digest digest;
  std::uint64_t size_bytes = 0;
  bool operator==(const TocPlace&) const = default;
};

/// The bytes of a layer that is made: what a manifest and a config say of it.
struct LayerBlob {
  Digest digest;   ///< of the compressed bytes
  Digest diff_id;  ///< of the tar
  std::uint64_t size_bytes = 0;
  std::string media_type;
  std::optional<TocPlace> toc;
  bool operator==(const LayerBlob&) const = default;
};

struct PlannedLayer {
  std::vector<LayerPath> paths;    ///< sorted; may hold dead paths where `reuse` is set
  std::optional<LayerBlob> reuse;  ///< the previous seed's layer, taken over as it is
  std::uint64_t nar_size() const;
  bool operator==(const PlannedLayer&) const = default;
};

using LayerPlan = std::vector<PlannedLayer>;

struct PlanOptions {
  std::size_t max_layers = 96;  ///< for store paths; the image adds its own few and stays under 100
  /// Layers of this media type only are taken over from a previous seed.
  std::string media_type;
};

/// Which path goes into which layer. A pure function: the same closure, options and previous plan
/// give the same plan, on any machine. Without a previous seed the plan depends on the names and
/// sizes of paths, never on their hashes, so that a rebuilt path keeps its place.
///
/// `previous`: the layers of the seed before, in order. One is taken over when at least half of its
/// bytes are still wanted; new paths go to fresh layers; layers with the most dead bytes are given
/// up when a pull would bring 9 % more for dead bytes, or the budget is used up.
LayerPlan plan_layers(const nix::Closure& closure,
                      const PlanOptions& options,
                      const LayerPlan* previous = nullptr);

/// The plan inside an image config: `{"layers":[{"diffId","digest","mediaType","paths":{"<base
/// name>":["<NAR hash, nix32>",narSize]},"size",
/// "toc":["<digest>",size]}],"version":1}`, canonical JSON.
std::string plan_to_json(const LayerPlan& plan, const std::vector<LayerBlob>& blobs);
/// Throws FormatError. Every layer comes back with `reuse` set.
LayerPlan plan_from_json(std::string_view json);

}  // namespace seed::image
