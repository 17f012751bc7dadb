#include "app/help.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// Pages that show the program being called.
const std::vector<std::string> kPages{"README.md",
                                      "docs/builders.md",
                                      "docs/container.md",
                                      "docs/image.md",
                                      "docs/provenance.md",
                                      "docs/quorum.md",
                                      "docs/verify.md",
                                      "examples/nixpkgs/README.md"};

/// The table that README must hold, from the program itself.
std::string option_table() {
  std::string table = "| option | in | says |\n|---|---|---|\n";
  std::set<std::string> done;
  for (const Command* command : commands()) {
    for (const OptionSpec& spec : command->options) {
      const std::string flag =
          std::string(spec.name) + (spec.argument.empty() ? "" : " " + std::string(spec.argument));
      if (!done.insert(flag + "\n" + std::string(spec.help)).second) {
        continue;
      }
      std::string in;
      for (const Command* other : commands()) {
        for (const OptionSpec& same : other->options) {
          if (same.name == spec.name && same.argument == spec.argument && same.help == spec.help) {
            in += (in.empty() ? "" : ", ") + std::string(other->name);
          }
        }
      }
      table += "| `--" + flag + "` | " + in + " | " + std::string(spec.help) + " |\n";
    }
  }
  return table;
}

/// Lines of fenced blocks; a line that ends in `\` goes on in the next.
std::vector<std::string> code_lines(const std::string& markdown) {
  std::vector<std::string> lines;
  bool inside = false;
  bool goes_on = false;
  for (const std::string_view line : split(markdown, '\n')) {
    if (trim(line).starts_with("```")) {
      inside = !inside;
      goes_on = false;
      continue;
    }
    if (!inside) {
      continue;
    }
    std::string text(trim(line));
    const bool more = text.ends_with('\\');
    if (more) {
      text.pop_back();
    }
    if (goes_on) {
      lines.back() += text;
    } else {
      lines.push_back(text);
    }
    goes_on = more;
  }
  return lines;
}

/// The words of a shell command up to what ends it: a comment, a pipe, a redirection.
std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    if (word == "|" || word == "&&" || word == ">" || word == ">>" || word == ";" ||
        word.starts_with('#')) {
      break;
    }
    words.push_back(word);
  }
  return words;
}

/// Every call of the program in a line: `nix-seed` at its start or after a blank, with arguments.
std::vector<std::vector<std::string>> calls_in(const std::string& line) {
  static const std::regex kCall(R"((^|[\s(])nix-seed\s+([a-z-][^)]*))");
  std::vector<std::vector<std::string>> calls;
  std::smatch match;
  if (std::regex_search(line, match, kCall)) {
    calls.push_back(words_of(match[2]));
  }
  return calls;
}

/// Empty where the program would take it.
std::string objection(std::vector<std::string> words) {
  const std::string name = words.front();
  if (name == "--help" || name == "--version") {
    return {};
  }
  const Command* command = find_command(name);
  if (command == nullptr) {
    return "no command " + name;
  }
  words.erase(words.begin());
  if (words == std::vector<std::string>{"--help"}) {
    return {};
  }
  try {
    const Options options = Options::parse(name, command->options, words, {});
    return command->arguments.empty() && !options.positional().empty() ? "takes no argument" : "";
  } catch (const UsageError& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("what --help prints is in the goldens") {
  CHECK(test::golden("app/help.txt", overview()));
  for (const Command* command : commands()) {
    CHECK(test::golden("app/help-" + std::string(command->name) + ".txt", help_of(*command)));
  }
}

TEST_CASE("help fits a terminal of 100 columns") {
  for (const Command* command : commands()) {
    const std::string help = help_of(*command);
    for (const std::string_view line : split(help, '\n')) {
      INFO(line);
      CHECK(line.size() <= 100);
    }
  }
}

TEST_CASE("each command has a line of help, a description, and an example that parses") {
  for (const Command* command : commands()) {
    INFO(command->name);
    CHECK_FALSE(command->help.empty());
    CHECK_FALSE(command->description.empty());
    const auto calls = calls_in(std::string(command->example));
    REQUIRE(calls.size() == 1);
    CHECK(calls.front().front() == command->name);
    CHECK(objection(calls.front()).empty());
  }
}

TEST_CASE("an option has one argument name in every command that has it") {
  std::map<std::string_view, std::string_view> arguments;
  for (const Command* command : commands()) {
    for (const OptionSpec& spec : command->options) {
      INFO(command->name << " --" << spec.name);
      CHECK_FALSE(spec.help.empty());
      CHECK(arguments.emplace(spec.name, spec.argument).first->second == spec.argument);
    }
  }
}

TEST_CASE("README's table of options is what the program knows") {
  const std::string readme = test::checkout_file("README.md");
  const std::string table = option_table();
  INFO("README.md must hold this table:\n" << table);
  CHECK(readme.find("\n" + table + "\n") != std::string::npos);
}

TEST_CASE("README names every command with its own line of help") {
  const std::string readme = test::checkout_file("README.md");
  for (const Command* command : commands()) {
    const std::string row =
        "| `nix-seed " + std::string(command->name) + "` | " + std::string(command->help) + " |";
    INFO("README.md must hold this row: " << row);
    CHECK(readme.find(row) != std::string::npos);
  }
}

TEST_CASE("every call of nix-seed that a page shows is one that the program takes") {
  std::size_t calls = 0;
  for (const std::string& name : kPages) {
    for (const std::string& line : code_lines(test::checkout_file(name))) {
      for (const auto& call : calls_in(line)) {
        INFO(name << ": " << line);
        CHECK(objection(call).empty());
        ++calls;
      }
    }
  }
  CHECK(calls >= 12);
}

TEST_CASE("the jobs of builders call nix-seed as it is") {
  for (const char* name : {"gitlab.yml", "aws.yml", "azure-seed", "gcp.yml"}) {
    std::size_t calls = 0;
    const std::string file = test::checkout_file(std::string("ci-templates/builders/") + name);
    for (const std::string_view line : split(file, '\n')) {
      for (const auto& call : trim(line).starts_with("#") ? std::vector<std::vector<std::string>>{}
                                                          : calls_in(std::string(line))) {
        INFO(name << ": " << line);
        CHECK(objection(call).empty());
        ++calls;
      }
    }
    CHECK(calls == 1);
  }
}

TEST_CASE("the check of calls sees what is wrong in a page") {
  CHECK(calls_in("cmake --build x --target nix-seed").empty());
  CHECK(objection(calls_in("$ nix-seed seed --registry a.example/b . | tee log").front()).empty());
  CHECK(objection(calls_in("(cd app && nix-seed build --no-link)").front()).empty());
  CHECK(objection(calls_in("nix-seed sede").front()) == "no command sede");
  CHECK(objection(calls_in("nix-seed seed --nope").front()) == "seed: there is no option '--nope'");
  CHECK(objection(calls_in("nix-seed tag flake.lock").front()) == "takes no argument");
}

}  // namespace seed::app
