#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "image/plan.hpp"

namespace seed::app {

/// How much may be written below a folder; nothing where that can't be found out.
std::optional<std::uint64_t> free_below(const std::filesystem::path& folder);

/// The bytes of those store paths of an earlier seed that `store` lacks: what Nix will put there,
/// as long as the inputs are about the same.
std::uint64_t missing_from_store(const image::LayerPlan& earlier,
                                 const std::filesystem::path& store);

/// The most that packing can have on disk at one time, with `at_once` layers under way: a layer is
/// no larger than the store paths in it.
std::uint64_t packing_bytes(const image::LayerPlan& plan, std::size_t at_once);

/// What to say where `free` is less than `need`; nothing where it is enough, or not known.
/// `purpose` begins the sentence: "packing may take".
std::optional<std::string> shortage(std::string_view purpose,
                                    std::uint64_t need,
                                    const std::filesystem::path& folder,
                                    std::optional<std::uint64_t> free,
                                    std::string_view remedy);

}  // namespace seed::app
