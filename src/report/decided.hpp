#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "report/promotion.hpp"

namespace seed::report {

/// What promotions and verdicts say alike of one image.

DecidedImage decided(const Digest& artifact, const trust::Decision& decision);

nlohmann::json json_of(const DecidedImage& image);

/// How many of `builders` agree, and a line for each of them.
std::string lines_of(const DecidedImage& image, std::size_t builders, unsigned quorum);

}  // namespace seed::report
