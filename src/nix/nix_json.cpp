#include <limits>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"
#include "nix/nix.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr const char* kMetadata = "nix flake metadata";
constexpr const char* kArchive = "nix flake archive";
constexpr const char* kPathInfo = "nix path-info";

/// Full paths as a rule, base names from `--json-format 2` on.
StorePath store_path_of(std::string_view text) {
  return text.starts_with('/') ? StorePath::parse(text) : StorePath::from_base_name(text);
}

/// `sha256-<base64>`, or in old outputs `sha256:` and base 32 or hex.
Digest nar_hash_of(const std::string& text) {
  constexpr std::size_t kPrefix = std::string_view("sha256-").size();
  if (text.starts_with("sha256-") || text.starts_with("sha256:")) {
    const std::string_view digits = std::string_view(text).substr(kPrefix);
    const auto raw = text[kPrefix - 1] == '-' ? from_base64(digits)
                     : digits.size() == 64    ? from_hex(digits)
                                              : from_nix32(digits);
    if (raw && raw->size() == 32) {
      return Digest::from_hex(to_hex(*raw));
    }
  }
  throw FormatError(fmt::format("{}: '{}' is not a SHA-256", kPathInfo, printable(text)));
}

std::uint64_t size_of(const json& value) {
  const json& size = member(value, "narSize", kPathInfo);
  if (!size.is_number_unsigned()) {
    throw FormatError(fmt::format("{}: narSize is not a size", kPathInfo));
  }
  return size.get<std::uint64_t>();
}

PathInfo path_info_of(StorePath path, const json& value) {
  if (value.is_null() ||
      (value.is_object() && value.contains("valid") && value["valid"] == false)) {
    throw Error(fmt::format("{} is not valid in this store", path.to_string()),
                fmt::format("build or fetch it first: nix-store --realise {}", path.to_string()));
  }
  PathInfo info{.path = std::move(path),
                .nar_hash = nar_hash_of(string_member(value, "narHash", kPathInfo)),
                .nar_size = size_of(value),
                .references = {}};
  const json& references = member(value, "references", kPathInfo);
  if (!references.is_array()) {
    throw FormatError(fmt::format("{}: references is not a list", kPathInfo));
  }
  for (const json& reference : references) {
    if (!reference.is_string()) {
      throw FormatError(fmt::format("{}: a reference is not a string", kPathInfo));
    }
    info.references.insert(store_path_of(reference.get<std::string>()));
  }
  return info;
}

/// An input given as a path inside its parent has no path of its own (Nix 2.26 on).
void collect_sources(const json& node, std::set<StorePath>& found) {
  expect_object(node, kArchive);
  const auto inputs = node.find("inputs");
  if (inputs == node.end() || inputs->is_null()) {
    return;
  }
  for (const auto& [name, input] : expect_object(*inputs, kArchive).items()) {
    if (input.is_null()) {
      continue;
    }
    if (const std::string path = optional_string(input, "path", kArchive); !path.empty()) {
      found.insert(StorePath::parse(path));
    }
    collect_sources(input, found);
  }
}

/// The first of `names` that is there.
std::string first_string(const json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = optional_string(object, name, kMetadata); !value.empty()) {
      return value;
    }
  }
  throw FormatError(fmt::format("{}: member '{}' is missing", kMetadata, *names.begin()));
}

std::string subdir_of(const json& metadata) {
  for (const char* name : {"locked", "resolved", "original"}) {
    const auto reference = metadata.find(name);
    if (reference != metadata.end() && reference->is_object()) {
      if (std::string dir = optional_string(*reference, "dir", kMetadata); !dir.empty()) {
        return dir;
      }
    }
  }
  return {};
}

}  // namespace

FlakeMetadata parse_flake_metadata(std::string_view text) {
  const json metadata = parse_json(text, kMetadata);
  FlakeMetadata result{.reference = {},
                       .source = StorePath::parse(string_member(metadata, "path", kMetadata)),
                       .subdir = subdir_of(metadata),
                       .revision = optional_string(metadata, "revision", kMetadata),
                       .dirty_revision = optional_string(metadata, "dirtyRevision", kMetadata),
                       .last_modified = 0};
  // `url` has been the locked reference since 2.4; where the tree is dirty it names the tree.
  result.reference = first_string(metadata, {"url", "lockedUrl", "resolvedUrl", "originalUrl"});
  if (const auto time = metadata.find("lastModified"); time != metadata.end()) {
    if (!time->is_number_integer() ||
        (time->is_number_unsigned() &&
         time->get<std::uint64_t>() >
             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))) {
      throw FormatError(fmt::format("{}: lastModified is not a time", kMetadata));
    }
    result.last_modified = time->get<std::int64_t>();
  }
  return result;
}

std::vector<StorePath> parse_flake_archive(std::string_view text,
                                           const std::vector<std::string>& excluded) {
  json document = parse_json(text, kArchive);
  if (const auto inputs = document.find("inputs");
      inputs != document.end() && inputs->is_object()) {
    for (const std::string& name : excluded) {
      inputs->erase(name);
    }
  }
  std::set<StorePath> found;
  collect_sources(document, found);
  return {found.begin(), found.end()};
}

std::vector<PathInfo> parse_path_info(std::string_view text) {
  const json document = parse_json(text, kPathInfo);
  std::vector<PathInfo> result;
  if (document.is_array()) {
    for (const json& entry : document) {
      result.push_back(
          path_info_of(StorePath::parse(string_member(entry, "path", kPathInfo)), entry));
    }
    return result;
  }
  expect_object(document, kPathInfo);
  const std::string store = optional_string(document, "storeDir", kPathInfo);
  if (!store.empty() && store != kStoreDir) {
    throw FormatError(fmt::format("{}: store '{}' is not /nix/store", kPathInfo, printable(store)));
  }
  const bool by_base_name = document.contains("info");
  const json& infos = by_base_name ? expect_object(document["info"], kPathInfo) : document;
  for (const auto& [name, entry] : infos.items()) {
    result.push_back(path_info_of(store_path_of(name), entry));
  }
  return result;
}

}  // namespace seed::nix
