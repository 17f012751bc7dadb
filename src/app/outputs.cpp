#include "app/outputs.hpp"

#include <nlohmann/json.hpp>

namespace seed::app {
namespace {

std::string_view word_of(report::BuildMode mode) {
  return mode == report::BuildMode::in_seed ? "seed" : report::to_string(mode);
}

}  // namespace

LayerBytes bytes_of_layers(const std::vector<image::LayerReceipt>& layers) {
  LayerBytes bytes;
  for (const image::LayerReceipt& layer : layers) {
    (layer.state == image::LayerState::sent ? bytes.pushed : bytes.reused) += layer.blob.size_bytes;
  }
  return bytes;
}

std::vector<ci::Output> outputs_of(const report::SeedRecord& record, const LayerBytes& bytes) {
  return {{"image", record.image()},
          {"tag", record.tag},
          {"key", record.key},
          {"digest", record.index ? record.index->to_string() : ""},
          {"status", std::string(report::to_string(record.status))},
          {"system", record.system},
          {"closure", record.closure ? record.closure->to_string() : ""},
          {"bytes_pushed", std::to_string(bytes.pushed)},
          {"bytes_reused", std::to_string(bytes.reused)}};
}

std::vector<ci::Output> outputs_of(const report::BuildRecord& record) {
  nlohmann::json paths = nlohmann::json::object();
  for (const report::BuildResult& result : record.results) {
    paths[result.attribute + "." + result.output] = result.store_path;
  }
  return {{"mode", std::string(word_of(record.mode))},
          {"image", record.image},
          {"paths", paths.dump()},
          {"built", std::to_string(record.built.size())}};
}

std::vector<ci::Check> checks_of(const std::vector<report::TestCase>& cases) {
  std::vector<ci::Check> checks;
  for (const report::TestCase& row : cases) {
    checks.push_back({.name = row.name, .seconds = row.seconds, .failure = row.failure});
  }
  return checks;
}

}  // namespace seed::app
