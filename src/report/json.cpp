#include <nlohmann/json.hpp>

#include "report/record.hpp"

namespace seed::report {
namespace {

using nlohmann::json;

/// Programs' own words are in here and need not be UTF-8; the rest of a record is worth more than
/// their bytes.
constexpr auto kBadText = json::error_handler_t::replace;

json to_json(const std::vector<Timing>& timings) {
  json list = json::array();
  for (const Timing& timing : timings) {
    list.push_back({{"step", timing.step}, {"seconds", timing.seconds}});
  }
  return list;
}

json to_json(const std::vector<BuiltDerivation>& derivations) {
  json list = json::array();
  for (const BuiltDerivation& derivation : derivations) {
    list.push_back({{"path", derivation.path},
                    {"start", derivation.start},
                    {"seconds", derivation.seconds},
                    {"failed", derivation.failed}});
  }
  return list;
}

json to_json(const std::vector<ChangedInput>& changed) {
  json list = json::array();
  for (const ChangedInput& input : changed) {
    list.push_back({{"name", input.name}, {"before", input.before}, {"after", input.after}});
  }
  return list;
}

json to_json(const std::vector<FailedDerivation>& failed) {
  json list = json::array();
  for (const FailedDerivation& derivation : failed) {
    list.push_back({{"path", derivation.path},
                    {"why", derivation.why},
                    {"log", derivation.log},
                    {"logLines", derivation.log_lines}});
  }
  return list;
}

std::string to_text(const std::optional<Digest>& digest) {
  return digest ? digest->to_string() : "";
}

std::string_view name_of(image::LayerState state) {
  switch (state) {
    case image::LayerState::reused:
      return "reused";
    case image::LayerState::present:
      return "present";
    case image::LayerState::mounted:
      return "mounted";
    case image::LayerState::sent:
      break;
  }
  return "sent";
}

}  // namespace

std::string to_json(const SeedRecord& record) {
  json layers = json::array();
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_total = 0;
  for (const image::LayerReceipt& layer : record.layers) {
    bytes_total += layer.blob.size_bytes;
    bytes_sent += layer.state == image::LayerState::sent ? layer.blob.size_bytes : 0;
    layers.push_back({{"digest", layer.blob.digest.to_string()},
                      {"size", layer.blob.size_bytes},
                      {"narSize", layer.nar_size},
                      {"state", name_of(layer.state)},
                      {"title", layer.title}});
  }
  return json{{"command", "seed"},
              {"status", to_string(record.status)},
              {"reason", record.reason},
              {"image", record.image()},
              {"repository", record.repository},
              {"tag", record.tag},
              {"key", record.key},
              {"system", record.system},
              {"digest", to_text(record.index)},
              {"manifest", to_text(record.manifest)},
              {"closure", to_text(record.closure)},
              {"paths", record.paths},
              {"narSize", record.nar_size},
              {"ownDerivations", record.own_derivations},
              {"targets", record.targets},
              {"bytesSent", bytes_sent},
              {"bytesTotal", bytes_total},
              {"layers", layers},
              {"tools", record.tools},
              {"nix", record.nix},
              {"notices", record.notices},
              {"changed", to_json(record.changed)},
              {"derivations", to_json(record.derivations)},
              {"provenance", record.provenance},
              {"timings", to_json(record.timings)},
              {"version", record.run.version},
              {"run", record.run.run_url}}
      .dump(2, ' ', false, kBadText);
}

std::string to_json(const BuildRecord& record) {
  json results = json::array();
  for (const BuildResult& result : record.results) {
    results.push_back({{"attribute", result.attribute},
                       {"output", result.output},
                       {"path", result.store_path},
                       {"location", result.location},
                       {"link", result.link},
                       {"narSize", result.nar_size}});
  }
  return json{{"command", "build"},
              {"mode", to_string(record.mode)},
              {"reason", record.reason},
              {"image", record.image},
              {"verified", record.verified},
              {"system", record.system},
              {"built", record.built},
              {"missing", record.missing},
              {"changed", to_json(record.changed)},
              {"derivations", to_json(record.derivations)},
              {"results", results},
              {"provenance", record.provenance},
              {"timings", to_json(record.timings)},
              {"version", record.run.version},
              {"run", record.run.run_url}}
      .dump(2, ' ', false, kBadText);
}

std::string to_json(const Failure& failure) {
  return json{{"command", failure.command},
              {"error", failure.message},
              {"hint", failure.hint},
              {"exitCode", failure.exit_code},
              {"id", failure.id},
              {"step", failure.step},
              {"flake", failure.flake},
              {"system", failure.system},
              {"image", failure.image},
              {"failed", to_json(failure.failed)},
              {"notices", failure.notices},
              {"derivations", to_json(failure.derivations)},
              {"timings", to_json(failure.timings)},
              {"version", failure.run.version},
              {"run", failure.run.run_url}}
      .dump(2, ' ', false, kBadText);
}

}  // namespace seed::report
