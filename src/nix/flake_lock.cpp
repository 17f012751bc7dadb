#include "nix/flake_lock.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLockBytes = 16 << 20;
constexpr const char* kSeedSelf = "seed-self";
constexpr const char* kLockHint = "run 'nix flake lock' to write flake.lock anew";

[[noreturn]] void refuse(std::string_view problem) {
  throw FormatError(fmt::format("flake.lock: {}", problem), kLockHint);
}

std::string reference_of(const json& locked, const std::string& type, std::string_view where) {
  if (locked.contains("owner") && locked.contains("repo")) {
    return string_member(locked, "owner", where) + "/" + string_member(locked, "repo", where);
  }
  const char* name = type == "path" ? "path" : type == "indirect" ? "id" : "url";
  return optional_string(locked, name, where);
}

void parse_inputs(const json& node, std::string_view where, LockNode& result) {
  if (!node.contains("inputs")) {
    return;
  }
  for (const auto& [name, value] : expect_object(node["inputs"], where).items()) {
    if (value.is_string()) {
      result.inputs[name] = value.get<std::string>();
      continue;
    }
    std::vector<std::string> follows;
    if (!value.is_array()) {
      throw FormatError(
          fmt::format("{}: input '{}' is neither a name nor a path", where, printable(name)));
    }
    for (const json& part : value) {
      if (!part.is_string()) {
        throw FormatError(
            fmt::format("{}: input '{}' follows what is no name", where, printable(name)));
      }
      follows.push_back(part.get<std::string>());
    }
    result.inputs[name] = std::move(follows);
  }
}

LockNode parse_node(const json& node, const std::string& name, bool is_root) {
  const std::string where = fmt::format("flake.lock: node '{}'", printable(name));
  LockNode result;
  expect_object(node, where);
  parse_inputs(node, where, result);
  if (is_root) {
    return result;
  }
  const json& locked = member(node, "locked", where);
  result.type = string_member(locked, "type", where);
  // An input given as a path inside this flake is locked without a hash (Nix 2.26).
  result.nar_hash = optional_string(locked, "narHash", where);
  result.revision = optional_string(locked, "rev", where);
  result.reference = reference_of(locked, result.type, where);
  return result;
}

using Edges = std::vector<const std::string*>;

Edges edges_of(const FlakeLock& lock, const std::string& name) {
  Edges edges;
  for (const auto& [input, target] : lock.nodes.at(name).inputs) {
    if (const auto* node = std::get_if<std::string>(&target)) {
      if (!lock.nodes.contains(*node)) {
        refuse(fmt::format("input '{}' of node '{}' names node '{}', which is missing",
                           printable(input),
                           printable(name),
                           printable(*node)));
      }
      edges.push_back(node);
    }
  }
  return edges;
}

/// Depth first with its own stack: a hostile lock may be a chain of a million nodes.
void refuse_cycles(const FlakeLock& lock) {
  struct Visit {
    const std::string* name;
    Edges edges;
  };

  enum class State { open, done };
  std::map<std::string_view, State> states;
  for (const auto& [start, node] : lock.nodes) {
    if (states.contains(start)) {
      continue;
    }
    states[start] = State::open;
    std::vector<Visit> stack{{&start, edges_of(lock, start)}};
    while (!stack.empty()) {
      if (stack.back().edges.empty()) {
        states[*stack.back().name] = State::done;
        stack.pop_back();
        continue;
      }
      const std::string* next = stack.back().edges.back();
      stack.back().edges.pop_back();
      const auto [state, is_new] = states.emplace(*next, State::open);
      if (is_new) {
        stack.push_back({next, edges_of(lock, *next)});
      } else if (state->second == State::open) {
        refuse(fmt::format("the inputs of node '{}' lead back to it", printable(*next)));
      }
    }
  }
}

/// The lock with what `seed-self` alone brings in taken out, so that recording a seed in the lock
/// does not ask for another seed. Follows paths stay as they are: they are data of their node.
std::string canonical_form(const json& document, FlakeLock lock) {
  lock.nodes.at(lock.root).inputs.erase(kSeedSelf);
  json kept = json::object();
  std::vector<const std::string*> rest{&lock.root};
  while (!rest.empty()) {
    const std::string& name = *rest.back();
    rest.pop_back();
    if (kept.contains(name)) {
      continue;
    }
    kept[name] = document["nodes"][name];
    const Edges edges = edges_of(lock, name);
    rest.insert(rest.end(), edges.begin(), edges.end());
  }
  if (kept[lock.root].contains("inputs")) {
    kept[lock.root]["inputs"].erase(kSeedSelf);
  }
  return json{{"nodes", std::move(kept)}, {"root", lock.root}, {"version", lock.version}}.dump();
}

}  // namespace

FlakeLock parse_flake_lock(std::string_view text) {
  if (text.size() > kMaxLockBytes) {
    refuse(fmt::format("larger than {}", human_size(kMaxLockBytes)));
  }
  const json document = parse_json(text, "flake.lock");
  FlakeLock lock;
  const json& version = member(document, "version", "flake.lock");
  if (!version.is_number_integer() || version < 5 || version > 7) {
    refuse(fmt::format("version {} is not known (5 to 7 are)", printable(version.dump(), 40)));
  }
  lock.version = version.get<int>();
  lock.root = string_member(document, "root", "flake.lock");
  const json& nodes = expect_object(member(document, "nodes", "flake.lock"), "flake.lock: nodes");
  for (const auto& [name, node] : nodes.items()) {
    lock.nodes.emplace(name, parse_node(node, name, name == lock.root));
  }
  if (!lock.nodes.contains(lock.root)) {
    refuse(fmt::format("root names node '{}', which is missing", printable(lock.root)));
  }
  refuse_cycles(lock);
  lock.canonical = canonical_form(document, lock);
  return lock;
}

std::string lock_tag(std::string_view text) {
  return Digest::of(Digest::of(text).raw()).hex();
}

std::string lock_key(const FlakeLock& lock) {
  return "k-" + Digest::of(lock.canonical).hex().substr(0, 32);
}

}  // namespace seed::nix
