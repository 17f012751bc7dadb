#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/plan.hpp"
#include "oci/json.hpp"
#include "oci/limits.hpp"

namespace seed::image {
namespace {

using nlohmann::json;

constexpr std::uint64_t kVersion = 1;

/// `nar`: `["<SHA-256 in Nix's base 32>", size]`.
LayerPath path_of(const std::string& name, const json& nar) {
  if (!nar.is_array() || nar.size() != 2 || !nar[0].is_string() || !nar[1].is_number_unsigned() ||
      nar[1].get<std::uint64_t>() > INT64_MAX) {
    throw FormatError(fmt::format("'{}' has no NAR hash and size", printable(name)));
  }
  const auto hash = from_nix32(nar[0].get<std::string>());
  std::array<std::byte, 32> raw;
  if (!hash || hash->size() != raw.size()) {
    throw FormatError(fmt::format("the NAR hash of '{}' is not 52 nix32 digits", printable(name)));
  }
  std::ranges::copy(*hash, raw.begin());
  return {nix::StorePath::from_base_name(name), Digest::from_raw(raw), nar[1].get<std::uint64_t>()};
}

/// `["<digest>", size]`; layers of other compressions have none.
std::optional<TocPlace> toc_of(const json& layer) {
  const json* toc = oci::find_member(layer, "toc");
  if (toc == nullptr) {
    return std::nullopt;
  }
  if (!toc->is_array() || toc->size() != 2 || !(*toc)[0].is_string() ||
      !(*toc)[1].is_number_unsigned()) {
    throw FormatError("'toc' is no digest with a size");
  }
  return TocPlace{Digest::parse((*toc)[0].get<std::string>()), (*toc)[1].get<std::uint64_t>()};
}

PlannedLayer layer_of(const json& value) {
  PlannedLayer layer;
  layer.reuse = LayerBlob{.digest = oci::digest_member(value, "digest"),
                          .diff_id = oci::digest_member(value, "diffId"),
                          .size_bytes = oci::size_member(value, "size"),
                          .media_type = oci::string_member(value, "mediaType"),
                          .toc = toc_of(value)};
  const json* paths = oci::find_member(value, "paths");
  if (paths == nullptr || !paths->is_object()) {
    throw FormatError("'paths' is not an object");
  }
  // A JSON object's keys come sorted, and none twice.
  for (const auto& [name, nar] : paths->items()) {
    layer.paths.push_back(path_of(name, nar));
  }
  return layer;
}

}  // namespace

std::string plan_to_json(const LayerPlan& plan, const std::vector<LayerBlob>& blobs) {
  if (plan.size() != blobs.size()) {
    throw Error(fmt::format("plan has {} layers and {} blobs", plan.size(), blobs.size()));
  }
  json layers = json::array();
  for (std::size_t i = 0; i < plan.size(); ++i) {
    json paths = json::object();
    for (const LayerPath& path : plan[i].paths) {
      paths[path.path.base_name()] = json::array({to_nix32(path.nar_hash.raw()), path.nar_size});
    }
    json layer{{"diffId", blobs[i].diff_id.to_string()},
               {"digest", blobs[i].digest.to_string()},
               {"mediaType", blobs[i].media_type},
               {"paths", std::move(paths)},
               {"size", blobs[i].size_bytes}};
    if (const auto& toc = blobs[i].toc) {
      layer["toc"] = json::array({toc->digest.to_string(), toc->size_bytes});
    }
    layers.push_back(std::move(layer));
  }
  json document{{"layers", std::move(layers)}, {"version", kVersion}};
  return oci::to_canonical_json(document);
}

LayerPlan plan_from_json(std::string_view text) {
  const json value = oci::parse_json(text, oci::kMaxConfigBytes, "layer plan");
  if (const std::uint64_t version = oci::size_member(value, "version"); version != kVersion) {
    throw FormatError(fmt::format("layer plan has version {}, not {}", version, kVersion));
  }
  const json* layers = oci::find_member(value, "layers");
  if (layers == nullptr || !layers->is_array()) {
    throw FormatError("'layers' is not a list");
  }
  LayerPlan plan;
  for (const json& layer : *layers) {
    plan.push_back(while_doing(fmt::format("reading layers[{}]", plan.size()),
                               [&] { return layer_of(layer); }));
  }
  return plan;
}

}  // namespace seed::image
