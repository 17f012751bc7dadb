#include "app/options.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <cxxopts.hpp>
#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::app {
namespace {

bool is_yes(std::string_view value) {
  const std::string lower = to_lower(value);
  return lower == "1" || lower == "true" || lower == "yes" || lower == "on";
}

bool is_no(std::string_view value) {
  const std::string lower = to_lower(value);
  return lower.empty() || lower == "0" || lower == "false" || lower == "no" || lower == "off";
}

std::string flag_value(std::string_view variable, std::string_view value) {
  if (is_yes(value)) {
    return "true";
  }
  if (is_no(value)) {
    return "";
  }
  throw UsageError(fmt::format("{} is '{}'", variable, printable(value)), "say true or false");
}

/// Insertions, deletions and replacements that lead from one word to the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

[[noreturn]] void unknown_option(std::string_view command,
                                 std::string_view word,
                                 std::span<const OptionSpec> specs) {
  std::vector<std::string_view> names;
  for (const OptionSpec& spec : specs) {
    names.push_back(spec.name);
  }
  const auto meant =
      nearest(word.substr(std::min(word.find_first_not_of('-'), word.size())), names);
  throw UsageError(fmt::format("{}: there is no option '{}'", command, printable(word)),
                   meant ? fmt::format("did you mean '--{}'?", *meant)
                         : fmt::format("'nix-seed {} --help' lists its options", command));
}

/// The mistakes that people make, in our words; the parser's own name neither value nor remedy.
void refuse_mistakes(std::string_view command,
                     std::span<const OptionSpec> specs,
                     const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string_view word = arguments[i];
    if (!word.starts_with('-') || word == "-") {
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string_view flag = word.substr(0, equals);
    const auto spec = std::ranges::find_if(specs, [&](const OptionSpec& candidate) {
      return flag.starts_with("--") && flag.substr(2) == candidate.name;
    });
    if (spec == specs.end()) {
      unknown_option(command, flag, specs);
    }
    if (spec->argument.empty() && equals != word.npos) {
      throw UsageError(fmt::format("{}: --{} takes no value", command, spec->name),
                       fmt::format("write --{} alone, or leave it out", spec->name));
    }
    if (!spec->argument.empty() && equals == word.npos) {
      if (++i == arguments.size() || arguments[i].starts_with("--")) {
        throw UsageError(fmt::format("{}: --{} lacks its value", command, spec->name),
                         fmt::format("write --{} {}", spec->name, spec->argument));
      }
    }
  }
}

}  // namespace

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string_view>& words) {
  constexpr std::size_t kLongestWord = 64;
  std::optional<std::string> best;
  if (word.size() > kLongestWord) {
    return best;
  }
  std::size_t least = std::max<std::size_t>(word.size() / 2, 1);  // above it, it is another word
  for (const std::string_view candidate : words) {
    const std::size_t steps = distance(word, candidate);
    if (steps <= least && (!best || steps < least)) {
      best = candidate;
      least = steps;
    }
  }
  return best;
}

std::string variable_of(std::string_view option) {
  std::string name = "NIX_SEED_";
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

Options Options::parse(std::string_view command,
                       std::span<const OptionSpec> specs,
                       const std::vector<std::string>& arguments,
                       const os::Environment& environment) {
  refuse_mistakes(command, specs, arguments);
  cxxopts::Options parser{std::string(command)};
  Options options;
  for (const OptionSpec& spec : specs) {
    const std::string name(spec.name);
    if (spec.argument.empty()) {
      parser.add_options()(name, "", cxxopts::value<bool>());
    } else {
      parser.add_options()(name, "", cxxopts::value<std::string>());
    }
    const std::string variable = variable_of(name);
    if (const auto value = os::get(environment, variable)) {
      options.values_[name] = spec.argument.empty() ? flag_value(variable, *value) : *value;
    }
  }
  parser.add_options()("positional", "", cxxopts::value<std::vector<std::string>>());
  parser.parse_positional("positional");
  std::vector<const char*> argv{"nix-seed"};
  std::ranges::transform(
      arguments, std::back_inserter(argv), [](const std::string& word) { return word.c_str(); });
  try {
    const auto result = parser.parse(static_cast<int>(argv.size()), argv.data());
    for (const OptionSpec& spec : specs) {
      const std::string name(spec.name);
      if (result.count(name) > 0) {
        options.values_[name] = spec.argument.empty() ? (result[name].as<bool>() ? "true" : "")
                                                      : result[name].as<std::string>();
      }
    }
    if (result.count("positional") > 0) {
      options.positional_ = result["positional"].as<std::vector<std::string>>();
    }
  } catch (const cxxopts::exceptions::exception& error) {
    throw UsageError(fmt::format("{}: {}", command, printable(error.what())),
                     fmt::format("'nix-seed {} --help' lists its options", command));
  }
  return options;
}

std::optional<std::string> Options::get(std::string_view name) const {
  return os::get(values_, name);
}

bool Options::flag(std::string_view name) const {
  return get(name).has_value();
}

std::optional<unsigned> Options::number(std::string_view name, unsigned low, unsigned high) const {
  const auto text = get(name);
  if (!text) {
    return std::nullopt;
  }
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (code != std::errc() || end != text->data() + text->size() || value < low || value > high) {
    throw UsageError(fmt::format("--{} is '{}'", name, printable(*text)),
                     fmt::format("give a whole number from {} to {}", low, high));
  }
  return value;
}

void Options::or_positional(std::string_view text) {
  if (!positional_.empty()) {
    return;
  }
  for (const std::string_view word : split(text, ' ')) {
    if (!trim(word).empty()) {
      positional_.emplace_back(trim(word));
    }
  }
}

std::string options_help(std::span<const OptionSpec> specs) {
  std::vector<std::string> left;
  std::size_t width = 26;
  for (const OptionSpec& spec : specs) {
    left.push_back(
        fmt::format("--{}{}{}", spec.name, spec.argument.empty() ? "" : " ", spec.argument));
    width = std::max(width, left.back().size());
  }
  std::string text;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    text += fmt::format("  {:<{}} {}\n", left[i], width, specs[i].help);
  }
  return text;
}

}  // namespace seed::app
