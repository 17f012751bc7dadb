#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ci/host.hpp"
#include "report/record.hpp"

namespace seed::app {

/// Bytes of a seed's layers, by what became of them.
struct LayerBytes {
  std::uint64_t pushed = 0;
  std::uint64_t reused = 0;
};

LayerBytes bytes_of_layers(const std::vector<image::LayerReceipt>& layers);

/// What later steps and jobs may ask of a run (docs/ci.md, "Outputs").
std::vector<ci::Output> outputs_of(const report::SeedRecord& record, const LayerBytes& bytes);
std::vector<ci::Output> outputs_of(const report::BuildRecord& record);

/// Rows of a test report, for hosts that show one.
std::vector<ci::Check> checks_of(const std::vector<report::TestCase>& cases);

}  // namespace seed::app
