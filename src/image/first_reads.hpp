#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/rootfs.hpp"
#include "nix/store_path.hpp"

namespace seed::image {

/// What Nix reads before it can answer anything, as far as files tell: the programs that it starts
/// with, what their loaders load, then `sources`, the flakes that it evaluates. Paths in the store,
/// without links, in the order in which they are wanted; a folder stands for all that is below it.
/// Who fetches a seed bit by bit does well to begin with these. The same store paths give the same
/// list. Files that can't be read, or are not in `store`, are left out.
std::vector<std::string> first_reads(const Tools& tools,
                                     std::span<const nix::StorePath> sources,
                                     std::string_view store = nix::kStoreDir);

}  // namespace seed::image
