#include "nix/flake_targets.hpp"

#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

struct Category {
  std::string_view name;
  TargetKind kind;
  bool single;  ///< the system's value is the target itself, not a set of them
};

constexpr std::array kCategories{
    Category{"packages", TargetKind::package, false},
    Category{"checks", TargetKind::check, false},
    Category{"apps", TargetKind::app, false},
    Category{"devShells", TargetKind::dev_shell, false},
    Category{"formatter", TargetKind::formatter, true},
    // Names from before Nix 2.7, which flakes still carry.
    Category{"defaultPackage", TargetKind::package, true},
    Category{"defaultApp", TargetKind::app, true},
    Category{"devShell", TargetKind::dev_shell, true},
};

/// From one output to what we want to know of it: null, or a list of derivations. tryEval catches
/// `throw` and `assert`; other failures end the process and are met one attribute at a time.
constexpr std::string_view kDescribe = R"(v:
  let
    contextOf = s: builtins.attrNames (builtins.getContext s);
    describe =
      if v ? nixSeed then null
      else if (v.type or null) == "app" then contextOf v.program
      else if (v.type or null) == "derivation" then [ (builtins.unsafeDiscardStringContext v.drvPath) ]
      else null;
    result = builtins.tryEval (builtins.deepSeq describe describe);
  in if result.success then result.value else "failed")";

std::string describe_all() {
  return fmt::format("builtins.mapAttrs (n: {})", kDescribe);
}

/// As an attribute path spells it: quoted where it is no identifier. A name with a quote in it has
/// no spelling, see has_spelling().
std::string quoted(const std::string& name) {
  const bool plain =
      !name.empty() && (name[0] < '0' || name[0] > '9') &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'") ==
          std::string::npos;
  return plain ? name : '"' + name + '"';
}

/// Nix's attribute paths know no escape for the quote.
bool has_spelling(std::string_view name) {
  return name.find('"') == std::string_view::npos;
}

std::string last_line(std::string_view text) {
  const std::string_view trimmed = trim(text);
  const std::size_t newline = trimmed.rfind('\n');
  return printable(newline == std::string_view::npos ? trimmed : trimmed.substr(newline + 1));
}

void add_described(Targets& targets,
                   const std::string& attribute,
                   TargetKind kind,
                   const json& described) {
  if (described.is_null()) {
    return;
  }
  if (!described.is_array()) {
    targets.skipped.push_back({attribute, "its evaluation throws"});
    return;
  }
  Target target{attribute, kind, {}};
  for (const json& drv : described) {
    const StorePath path = StorePath::parse(drv.get<std::string>());
    if (path.is_derivation()) {
      target.derivations.push_back(path);
    }
  }
  targets.wanted.push_back(std::move(target));
}

void add_member(Targets& targets,
                const std::string& prefix,
                const std::string& name,
                TargetKind kind,
                const json& described) {
  const std::string attribute = prefix + "." + quoted(name);
  if (has_spelling(name)) {
    add_described(targets, attribute, kind, described);
  } else if (!described.is_null()) {
    targets.skipped.push_back({attribute, "a name with a quote in it can't be given to Nix"});
  }
}

json parse(const std::string& text) {
  try {
    return json::parse(text);
  } catch (const json::exception&) {
    throw Error("nix eval --json printed no JSON: " + printable(text));
  }
}

/// The slow way, for a set in which some attribute ends the whole evaluation.
void find_one_by_one(Nix& nix,
                     const std::string& flake,
                     const std::string& prefix,
                     TargetKind kind,
                     Targets& targets) {
  const auto names = nix.eval_json(flake + "#" + prefix, "builtins.attrNames");
  if (!names) {
    return;
  }
  for (const json& item : parse(*names)) {
    const std::string name = item.get<std::string>();
    const std::string attribute = prefix + "." + quoted(name);
    if (!has_spelling(name)) {
      add_member(targets, prefix, name, kind, "not evaluated");
      continue;
    }
    try {
      if (const auto text = nix.eval_json(flake + "#" + attribute, std::string(kDescribe))) {
        add_described(targets, attribute, kind, parse(*text));
      }
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      targets.skipped.push_back({attribute, last_line(error.message())});
    }
  }
}

void find_category(Nix& nix,
                   const std::string& flake,
                   const std::string& system,
                   const Category& category,
                   Targets& targets) {
  const std::string prefix = fmt::format("{}.{}", category.name, system);
  const std::string installable = flake + "#" + prefix;
  try {
    const auto text =
        nix.eval_json(installable, category.single ? std::string(kDescribe) : describe_all());
    if (!text) {
      return;
    }
    const json value = parse(*text);
    if (category.single) {
      add_described(targets, prefix, category.kind, value);
      return;
    }
    for (const auto& [name, described] : value.items()) {
      add_member(targets, prefix, name, category.kind, described);
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    if (category.single) {
      targets.skipped.push_back({prefix, last_line(error.message())});
    } else {
      find_one_by_one(nix, flake, prefix, category.kind, targets);
    }
  }
}

/// A set that does not evaluate at all is one skipped target, and the others are still found.
void find_or_skip(Nix& nix,
                  const std::string& flake,
                  const std::string& system,
                  const Category& category,
                  Targets& targets) {
  try {
    find_category(nix, flake, system, category, targets);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    targets.skipped.push_back(
        {fmt::format("{}.{}", category.name, system), last_line(error.message())});
  }
}

std::vector<std::string> spellings(const std::string& attribute, const std::string& system) {
  const std::string_view first = split(attribute, '.').front();
  for (const Category& category : kCategories) {
    if (first == category.name) {
      return {attribute};
    }
  }
  return {fmt::format("packages.{}.{}", system, attribute),
          fmt::format("legacyPackages.{}.{}", system, attribute),
          fmt::format("checks.{}.{}", system, attribute),
          fmt::format("devShells.{}.{}", system, attribute),
          attribute};
}

TargetKind kind_of(std::string_view attribute) {
  const std::string_view first = split(attribute, '.').front();
  for (const Category& category : kCategories) {
    if (first == category.name) {
      return category.kind;
    }
  }
  return TargetKind::package;
}

}  // namespace

Targets find_targets(Nix& nix, const std::string& flake, const std::string& system) {
  Targets targets;
  for (const Category& category : kCategories) {
    find_or_skip(nix, flake, system, category, targets);
  }
  return targets;
}

Targets find_targets(Nix& nix,
                     const std::string& flake,
                     const std::string& system,
                     const std::vector<std::string>& attributes) {
  Targets targets;
  for (const std::string& attribute : attributes) {
    const std::size_t before = targets.wanted.size();
    for (const std::string& spelling : spellings(attribute, system)) {
      if (const auto text = nix.eval_json(flake + "#" + spelling, std::string(kDescribe))) {
        add_described(targets, spelling, kind_of(spelling), parse(*text));
        break;
      }
    }
    if (!targets.skipped.empty()) {
      throw UsageError(fmt::format("{} of the flake {} does not evaluate: {}",
                                   targets.skipped.front().attribute,
                                   flake,
                                   targets.skipped.front().why),
                       "'nix build' of it shows Nix's own message");
    }
    if (targets.wanted.size() == before) {
      throw UsageError(
          fmt::format("the flake {} has no buildable output '{}' for {}", flake, attribute, system),
          "'nix flake show' lists what it has");
    }
  }
  return targets;
}

}  // namespace seed::nix
