#include "app/disk_space.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/core.h>

#include "base/text.hpp"

namespace seed::app {

namespace fs = std::filesystem;

std::optional<std::uint64_t> free_below(const fs::path& folder) {
  std::error_code code;
  const fs::space_info space = fs::space(folder, code);
  return code ? std::nullopt : std::optional<std::uint64_t>(space.available);
}

std::uint64_t missing_from_store(const image::LayerPlan& earlier, const fs::path& store) {
  std::uint64_t bytes = 0;
  for (const image::PlannedLayer& layer : earlier) {
    for (const image::LayerPath& path : layer.paths) {
      std::error_code ignored;
      const bool there = fs::exists(fs::symlink_status(store / path.path.base_name(), ignored));
      bytes += there ? 0 : path.nar_size;
    }
  }
  return bytes;
}

std::uint64_t packing_bytes(const image::LayerPlan& plan, std::size_t at_once) {
  std::vector<std::uint64_t> sizes;
  for (const image::PlannedLayer& layer : plan) {
    if (!layer.reuse) {
      sizes.push_back(layer.nar_size());
    }
  }
  std::ranges::sort(sizes, std::ranges::greater());
  sizes.resize(std::min(sizes.size(), at_once));
  return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
}

std::optional<std::string> shortage(std::string_view purpose,
                                    std::uint64_t need,
                                    const fs::path& folder,
                                    std::optional<std::uint64_t> free,
                                    std::string_view remedy) {
  if (!free || *free >= need) {
    return std::nullopt;
  }
  return fmt::format("{} {} below {}, and {} are free there: {}",
                     purpose,
                     human_size(need),
                     folder.string(),
                     human_size(*free),
                     remedy);
}

}  // namespace seed::app
