#include "nix/seed_self.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr std::string_view kBranches = "refs/heads/";

[[noreturn]] void refuse(const std::string& problem, std::string hint = {}) {
  throw FormatError(fmt::format("flake.lock: seed-self {}", problem), std::move(hint));
}

std::string where(const std::string& node) {
  return fmt::format("flake.lock: node '{}'", printable(node));
}

/// The name of the node, or nothing where the root has no such input.
std::optional<std::string> node_of_seed_self(const FlakeLock& lock) {
  const auto& inputs = lock.nodes.at(lock.root).inputs;
  const auto input = inputs.find(kSeedSelfInput);
  if (input == inputs.end()) {
    return std::nullopt;
  }
  if (const auto* node = std::get_if<std::string>(&input->second); node != nullptr) {
    return *node;
  }
  refuse("follows another input", "give it a url of its own in flake.nix");
}

/// github and gitlab: what their fetchers make of owner and repo.
std::string url_on_host(const json& original, const std::string& type, const std::string& node) {
  std::string host = optional_string(original, "host", where(node));
  if (host.empty()) {
    host = type + ".com";
  }
  std::string owner = string_member(original, "owner", where(node));
  // Nix's URLs of GitLab subgroups have %2F for the slash.
  for (std::size_t at = 0; (at = to_lower(owner).find("%2f", at)) != std::string::npos; ++at) {
    owner.replace(at, 3, "/");
  }
  return fmt::format("https://{}/{}/{}", host, owner, string_member(original, "repo", where(node)));
}

bool is_revision(std::string_view text) {
  return text.size() == 40 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::optional<SeedSelf> find_seed_self(std::string_view lock_text) {
  const auto node = node_of_seed_self(parse_flake_lock(lock_text));
  if (!node) {
    return std::nullopt;
  }
  const json document = parse_json(lock_text, "flake.lock");
  const json& entry = document["nodes"][*node];
  const json& locked = expect_object(member(entry, "locked", where(*node)), where(*node));
  const json& original = expect_object(member(entry, "original", where(*node)), where(*node));
  SeedSelf found{.node = *node,
                 .type = string_member(locked, "type", where(*node)),
                 .url = {},
                 .ref = optional_string(original, "ref", where(*node)),
                 .revision = optional_string(locked, "rev", where(*node)),
                 .nar_hash = optional_string(locked, "narHash", where(*node)),
                 .counts_revisions = locked.contains("revCount")};
  found.is_flake = entry.value("flake", json(true)) != json(false);
  if (found.type == "git") {
    found.url = string_member(locked, "url", where(*node));
  } else if (found.type == "github" || found.type == "gitlab") {
    found.url = url_on_host(locked, found.type, *node);
  } else {
    refuse(fmt::format("is of type '{}'", printable(found.type)),
           "seeds are recorded in inputs of type github, gitlab and git");
  }
  if (found.ref.starts_with(kBranches)) {
    found.ref.erase(0, kBranches.size());
  }
  if (!found.revision.empty() && !is_revision(found.revision)) {
    refuse(fmt::format("is at '{}', which is no commit", printable(found.revision)));
  }
  return found;
}

bool locks_plain_seed_self(std::string_view lock_text) {
  const FlakeLock lock = parse_flake_lock(lock_text);
  const auto& inputs = lock.nodes.at(lock.root).inputs;
  const auto input = inputs.find(kSeedSelfInput);
  const auto* node = input == inputs.end() ? nullptr : std::get_if<std::string>(&input->second);
  return node != nullptr && parse_json(lock_text, "flake.lock")["nodes"][*node].value(
                                "flake", json(true)) == json(false);
}

std::string with_seed_self(std::string_view lock_text, const Pin& pin) {
  const auto node = node_of_seed_self(parse_flake_lock(lock_text));
  if (!node) {
    throw Error("flake.lock: there is no input seed-self to write");
  }
  json document = parse_json(lock_text, "flake.lock");
  json& locked = document["nodes"][*node]["locked"];
  locked["lastModified"] = pin.last_modified;
  locked["narHash"] = pin.nar_hash;
  locked["rev"] = pin.revision;
  if (locked.contains("revCount")) {
    locked["revCount"] = pin.revision_count;
  }
  // Nix prints its locks by the same library in the same way.
  return document.dump(2) + "\n";
}

std::string seed_self_declaration(std::string_view repository) {
  const std::string_view host = "https://github.com/";
  const std::string url =
      repository.starts_with(host)
          ? fmt::format("github:{}/{}", repository.substr(host.size()), kSeedBranch)
          : fmt::format("git+{}?ref={}", repository, kSeedBranch);
  return fmt::format("inputs.{} = {{ url = \"{}\"; flake = false; }};", kSeedSelfInput, url);
}

}  // namespace seed::nix
