#include "nix/seed_record.hpp"

#include <algorithm>
#include <limits>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"
#include "nix/nar.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr const char* kWhat = "seed.json";
constexpr std::size_t kMaxSystems = 64;
constexpr std::size_t kMaxImageBytes = 512;

[[noreturn]] void refuse(const std::string& problem) {
  throw FormatError(fmt::format("{}: {}", kWhat, problem));
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Lower-case hex of that length behind the prefix, or nothing at all.
std::string hex_member(const json& record,
                       const char* name,
                       std::string_view prefix,
                       std::size_t digits) {
  std::string value = optional_string(record, name, kWhat);
  const bool fits = value.size() == prefix.size() + digits && value.starts_with(prefix) &&
                    is_hex(std::string_view(value).substr(prefix.size()));
  if (!value.empty() && !fits) {
    refuse(fmt::format("'{}' is no {}", printable(value), name));
  }
  return value;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::map<std::string, Digest> systems_of(const json& record) {
  std::map<std::string, Digest> systems;
  const auto found = record.find("systems");
  if (found == record.end()) {
    return systems;
  }
  if (expect_object(*found, "seed.json: systems").size() > kMaxSystems) {
    refuse(fmt::format("more than {} systems", kMaxSystems));
  }
  for (const auto& [name, value] : found->items()) {
    if (name.empty() || name.size() > 64 || !is_plain(name)) {
      refuse(fmt::format("'{}' is no system", printable(name)));
    }
    const std::string where = "seed.json: system " + name;
    const std::string digest = string_member(value, "digest", where);
    systems.emplace(name, while_doing(where, [&] { return Digest::parse(digest); }));
  }
  return systems;
}

std::int64_t time_of(const json& record) {
  const auto found = record.find("builtAt");
  if (found == record.end()) {
    return 0;
  }
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  if (!found->is_number_integer() || *found < 0 || *found >= kYear10000) {
    refuse("builtAt is not a time");
  }
  return found->get<std::int64_t>();
}

}  // namespace

SeedRecord parse_seed_record(std::string_view text) {
  if (text.size() > kMaxSeedRecordBytes) {
    refuse(fmt::format("larger than {}", human_size(kMaxSeedRecordBytes)));
  }
  const json document = parse_json(text, kWhat);
  const json& schema = member(document, "schema", kWhat);
  if (!schema.is_number_integer() || schema != 1) {
    throw FormatError(
        fmt::format("{}: schema {} is not known (1 is)", kWhat, printable(schema.dump(), 40)),
        "a newer nix-seed may have written it: use that one");
  }
  SeedRecord record{.key = hex_member(document, "key", "k-", 32),
                    .lock = hex_member(document, "lock", "", 64),
                    .rev = hex_member(document, "rev", "", 40),
                    .image = optional_string(document, "image", kWhat),
                    .systems = systems_of(document),
                    .built_at = time_of(document)};
  if (record.image.size() > kMaxImageBytes || !is_plain(record.image)) {
    refuse(fmt::format("'{}' is no image", printable(record.image)));
  }
  return record;
}

std::string print_seed_record(const SeedRecord& record) {
  json systems = json::object();
  for (const auto& [system, digest] : record.systems) {
    systems[system] = {{"digest", digest.to_string()}};
  }
  json document = {{"schema", 1}, {"key", record.key}, {"systems", std::move(systems)}};
  for (const auto& [name, value] : {std::pair("lock", &record.lock),
                                    std::pair("rev", &record.rev),
                                    std::pair("image", &record.image)}) {
    if (!value->empty()) {
      document[name] = *value;
    }
  }
  if (record.built_at != 0) {
    document["builtAt"] = record.built_at;
  }
  return document.dump(2) + "\n";
}

std::string nar_hash_of_record(std::string_view text) {
  NarHasher nar;
  nar.enter_directory("");
  nar.begin_file(kSeedRecordName, false, text.size());
  nar.file_data(bytes_of(text));
  nar.end_file();
  nar.leave_directory("");
  return "sha256-" + to_base64(nar.finish().hash.raw());
}

}  // namespace seed::nix
