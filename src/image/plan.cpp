#include "image/plan.hpp"

#include <algorithm>
#include <set>
#include <span>

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed::image {
namespace {

using nix::PathInfo;

/// A layer costs each reader and writer a round trip or more; below this, bytes cost less.
constexpr std::uint64_t kMinLayerBytes = 1 << 20;
/// A first plan leaves this share of the layers free for what the next seeds bring: a layer more is
/// cheaper than putting old ones together. Found with the histories of plan_sim_test.
constexpr std::size_t kFirstHeadroomShare = 3;
/// Where layers run out, small ones are put together until this share is free: in bulk, rarely.
constexpr std::size_t kHeadroomShare = 8;
/// How many dead bytes a cold pull may bring, over the wanted ones. Giving up just enough layers to
/// come below it sent less than going further did. One below the tenth that is promised: how far a
/// single path compresses is not known.
constexpr double kMaxDeadPercent = 9;

struct Item {
  const PathInfo* info;
  std::size_t bucket;  ///< of its closure's size: paths with like closures change together

  std::string_view name() const { return info->path.name(); }
};

using Group = std::vector<Item>;

bool name_less(const Item& a, const Item& b) {
  // The hash decides only between two paths that nothing else tells apart.
  return std::tuple(a.name(), a.info->nar_size, a.info->path.hash_part()) <
         std::tuple(b.name(), b.info->nar_size, b.info->path.hash_part());
}

std::uint64_t bytes_of(const Group& group) {
  std::uint64_t total = 0;
  for (const Item& item : group) {
    total += item.info->nar_size;
  }
  return total;
}

/// How long the longest chain of references below each path is. Paths of one height were, as a
/// rule, built at one stage: what one input changes lies in neighbouring stages above it.
std::vector<std::size_t> heights(std::span<const PathInfo> paths) {
  constexpr std::size_t kUnknown = SIZE_MAX;
  std::vector<std::size_t> height(paths.size(), kUnknown);
  const auto index_of = [&](const nix::StorePath& path) {
    return static_cast<std::size_t>(std::ranges::lower_bound(paths, path, {}, &PathInfo::path) -
                                    paths.begin());
  };

  struct Visit {
    std::size_t index;
    std::set<nix::StorePath>::const_iterator next;
  };

  for (std::size_t start = 0; start < paths.size(); ++start) {
    if (height[start] != kUnknown) {
      continue;
    }
    height[start] = 0;
    std::vector<Visit> stack{{start, paths[start].references.begin()}};
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next == paths[top.index].references.end()) {
        const std::size_t done = height[top.index];
        stack.pop_back();
        if (!stack.empty()) {
          height[stack.back().index] = std::max(height[stack.back().index], done + 1);
        }
        continue;
      }
      const std::size_t child = index_of(*top.next++);
      if (child == top.index) {
        continue;
      }
      if (height[child] != kUnknown) {
        height[top.index] = std::max(height[top.index], height[child] + 1);
      } else {
        height[child] = 0;
        stack.push_back({child, paths[child].references.begin()});
      }
    }
  }
  return height;
}

bool is_large_source(const Item& item) {
  return item.name().ends_with("source") && item.info->nar_size >= 8 * kMinLayerBytes;
}

/// Puts the items in their order into at most `count` groups of about the same bytes.
std::vector<Group> pack(const Group& items, std::size_t count) {
  std::vector<Group> groups;
  const std::uint64_t target = std::max(bytes_of(items) / count + 1, kMinLayerBytes);
  std::uint64_t held = target;
  for (const Item& item : items) {
    if (held >= target) {
      groups.emplace_back();
      held = 0;
    }
    groups.back().push_back(item);
    held += item.info->nar_size;
  }
  return groups;
}

/// The base plan: the largest alone, the rest by (bucket, name) in groups of about the same bytes.
std::vector<Group> group(Group items, std::size_t budget) {
  std::ranges::sort(items, [](const Item& a, const Item& b) {
    const bool source_a = is_large_source(a);
    const bool source_b = is_large_source(b);
    return std::tuple(source_b, b.info->nar_size) < std::tuple(source_a, a.info->nar_size) ||
           (std::tuple(source_b, b.info->nar_size) == std::tuple(source_a, a.info->nar_size) &&
            name_less(a, b));
  });
  const std::size_t solo_limit = items.size() <= budget ? budget - 1 : budget * 6 / 10;
  std::vector<Group> groups;
  while (groups.size() < std::min(solo_limit, items.size()) &&
         items[groups.size()].info->nar_size >= kMinLayerBytes) {
    groups.push_back({items[groups.size()]});
  }
  Group rest(items.begin() + static_cast<std::ptrdiff_t>(groups.size()), items.end());
  std::ranges::sort(rest, [](const Item& a, const Item& b) {
    return a.bucket != b.bucket ? a.bucket < b.bucket : name_less(a, b);
  });
  for (Group& packed : pack(rest, budget - groups.size())) {
    groups.push_back(std::move(packed));
  }
  return groups;
}

PlannedLayer fresh_layer(const Group& items) {
  PlannedLayer layer;
  for (const Item& item : items) {
    layer.paths.push_back({item.info->path, item.info->nar_hash, item.info->nar_size});
  }
  std::ranges::sort(layer.paths, {}, &LayerPath::path);
  return layer;
}

/// A layer of the previous seed that is worth having.
struct Kept {
  const PlannedLayer* layer;
  std::uint64_t live = 0;
  std::uint64_t dead = 0;

  /// Of the blob, as a pull brings it: paths are taken to compress as their layer does.
  double blob_share(std::uint64_t bytes) const {
    return static_cast<double>(layer->reuse->size_bytes) * static_cast<double>(bytes) /
           static_cast<double>(live + dead);
  }
};

class Planner {
 public:
  Planner(const nix::Closure& closure, const PlanOptions& options)
      : closure_(closure), options_(options), total_(closure.nar_size()) {
    const auto height = heights(closure.paths());
    for (std::size_t i = 0; i < height.size(); ++i) {
      items_.push_back({&closure.paths()[i], height[i] / 2});
    }
  }

  LayerPlan plan(const LayerPlan* previous) {
    if (previous != nullptr) {
      keep_live_layers(*previous);
      give_up_dead_bytes();
      give_up_small_layers();
    }
    LayerPlan plan;
    for (const Kept& kept : kept_) {
      plan.push_back(*kept.layer);
    }
    // What was given up has not changed for a while; it stays apart from what is new.
    const bool anew = kept_.empty();
    const auto [fresh, old] = anew ? std::pair(items_, Group{}) : wanted_anew();
    add(plan, fresh, anew ? first_budget() : slots_for(fresh));
    add(plan, old, slots_for(old));
    return plan;
  }

 private:
  std::size_t first_budget() const {
    return options_.max_layers - options_.max_layers / kFirstHeadroomShare;
  }

  std::size_t budget_with_headroom() const {
    return options_.max_layers - options_.max_layers / kHeadroomShare;
  }

  static void add(LayerPlan& plan, const Group& items, std::size_t budget) {
    if (!items.empty()) {
      for (const Group& layer : group(items, budget)) {
        plan.push_back(fresh_layer(layer));
      }
    }
  }

  /// The share of the layers that is due to this share of the bytes.
  std::size_t slots_for(const Group& items) const {
    if (items.empty()) {
      return 0;
    }
    const std::uint64_t share =
        total_ == 0 ? 0
                    : static_cast<std::uint64_t>(static_cast<double>(bytes_of(items)) /
                                                 static_cast<double>(total_) *
                                                 static_cast<double>(budget_with_headroom()));
    return std::clamp<std::size_t>(share, 1, items.size());
  }

  void keep_live_layers(const LayerPlan& previous) {
    for (const PlannedLayer& layer : previous) {
      Kept kept{.layer = &layer};
      std::set<nix::StorePath> own;
      bool disjoint = true;
      for (const LayerPath& path : layer.paths) {
        const PathInfo* wanted = closure_.find(path.path);
        const bool live = wanted != nullptr && wanted->nar_size == path.nar_size &&
                          wanted->nar_hash == path.nar_hash;
        (live ? kept.live : kept.dead) += path.nar_size;
        disjoint = disjoint && own.insert(path.path).second &&
                   (wanted == nullptr || (live && !held_.contains(path.path)));
      }
      if (layer.reuse && layer.reuse->media_type == options_.media_type && disjoint &&
          kept.live > 0 && kept.live >= kept.dead) {
        kept_.push_back(kept);
        held_.merge(own);
      } else {
        dropped_.merge(own);
      }
    }
  }

  void give_up(std::vector<Kept>::iterator kept) {
    for (const LayerPath& path : kept->layer->paths) {
      held_.erase(path.path);
      dropped_.insert(path.path);
    }
    kept_.erase(kept);
  }

  void give_up_dead_bytes() {
    const auto dead_percent = [&] {
      double dead = 0;
      double live = 0;
      std::uint64_t live_bytes = 0;
      for (const Kept& kept : kept_) {
        dead += kept.blob_share(kept.dead);
        live += kept.blob_share(kept.live);
        live_bytes += kept.live;
      }
      // What is to be sent anew is taken to compress as what is kept.
      return dead * 100 / (live * static_cast<double>(total_) / static_cast<double>(live_bytes));
    };
    while (!kept_.empty() && dead_percent() > kMaxDeadPercent) {
      // The most dead bytes for the fewest live ones to send again.
      give_up(std::ranges::max_element(kept_, [](const Kept& a, const Kept& b) {
        return static_cast<double>(a.dead) / static_cast<double>(a.live) <
               static_cast<double>(b.dead) / static_cast<double>(b.live);
      }));
    }
  }

  std::size_t layers_needed() const {
    const auto [fresh, old] = wanted_anew();
    return kept_.size() + slots_for(fresh) + slots_for(old);
  }

  void give_up_small_layers() {
    if (layers_needed() <= options_.max_layers) {
      return;
    }
    while (!kept_.empty() && layers_needed() > budget_with_headroom()) {
      give_up(std::ranges::min_element(kept_, {}, &Kept::live));
    }
  }

  /// Wanted paths no kept layer has: those no layer had before, and those of layers given up.
  std::pair<Group, Group> wanted_anew() const {
    std::pair<Group, Group> result;
    for (const Item& item : items_) {
      if (!held_.contains(item.info->path)) {
        (dropped_.contains(item.info->path) ? result.second : result.first).push_back(item);
      }
    }
    return result;
  }

  const nix::Closure& closure_;
  const PlanOptions& options_;
  std::uint64_t total_;
  Group items_;
  std::vector<Kept> kept_;
  std::set<nix::StorePath> held_;     ///< paths of kept layers
  std::set<nix::StorePath> dropped_;  ///< paths of the others
};

}  // namespace

std::uint64_t PlannedLayer::nar_size() const {
  std::uint64_t total = 0;
  for (const LayerPath& path : paths) {
    total += path.nar_size;
  }
  return total;
}

LayerPlan plan_layers(const nix::Closure& closure,
                      const PlanOptions& options,
                      const LayerPlan* previous) {
  if (options.max_layers == 0) {
    throw UsageError("a plan needs at least one layer");
  }
  return Planner(closure, options).plan(previous);
}

}  // namespace seed::image
