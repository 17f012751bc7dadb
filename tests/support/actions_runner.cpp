#include "support/actions_runner.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

namespace seed::test {
namespace {

/// A line without its end, and whether it had one; nothing at the end of the text.
struct Line {
  std::string text;
  bool ended;
};

std::optional<Line> next_line(const std::string& text, std::size_t& index) {
  if (index >= text.size()) {
    return std::nullopt;
  }
  const std::size_t end = text.find('\n', index);
  Line line{text.substr(index, end == text.npos ? end : end - index), end != text.npos};
  index = end == text.npos ? text.size() : end + 1;
  return line;
}

std::string read_heredoc(const std::string& text,
                         std::size_t& index,
                         const std::string& delimiter) {
  const std::size_t start = index;
  std::size_t end = index;
  while (true) {
    const auto line = next_line(text, index);
    if (!line) {
      throw std::runtime_error("Invalid value. Matching delimiter not found '" + delimiter + "'");
    }
    if (line->text == delimiter) {
      return end > start ? text.substr(start, end - start) : "";
    }
    if (!line->ended) {
      throw std::runtime_error("Invalid value. EOF marker missing new line.");
    }
    end = index - 1;
  }
}

std::string unescaped(std::string text, bool property) {
  using Table = std::vector<std::pair<std::string, std::string>>;
  Table table{{"%0D", "\r"}, {"%0A", "\n"}};
  if (property) {
    table.insert(table.end(), {{"%3A", ":"}, {"%2C", ","}});
  }
  table.emplace_back("%25", "%");
  for (const auto& [from, to] : table) {
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

/// .NET's TrimStart, for the blanks that a hostile line would use.
std::string_view without_blanks(std::string_view line) {
  constexpr std::array<std::string_view, 9> kBlanks{" ",
                                                    "\t",
                                                    "\v",
                                                    "\f",
                                                    "\xc2\xa0",
                                                    "\xc2\x85",
                                                    "\xe2\x80\x83",
                                                    "\xe2\x80\xa8",
                                                    "\xe3\x80\x80"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view blank : kBlanks) {
      if (line.starts_with(blank)) {
        line.remove_prefix(blank.size());
        again = true;
      }
    }
  }
  return line;
}

void read_properties(LogCommand& command, std::string_view text, char separator) {
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    const std::string_view pair = text.substr(start, end - start);
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos) {
      const std::size_t from = std::min(pair.find_first_not_of(' '), equals);
      command.properties[std::string(pair.substr(from, equals - from))] =
          unescaped(std::string(pair.substr(equals + 1)), true);
    }
    start = end + 1;
  }
}

std::optional<LogCommand> newer_form(std::string_view line) {
  line = without_blanks(line);
  const std::size_t end = line.starts_with("::") ? line.find("::", 2) : line.npos;
  if (end == line.npos) {
    return std::nullopt;
  }
  const std::string_view head = line.substr(2, end - 2);
  const std::size_t space = std::min(head.find(' '), head.size());
  LogCommand command{.name = std::string(head.substr(0, space)),
                     .properties = {},
                     .data = unescaped(std::string(line.substr(end + 2)), false)};
  read_properties(command, head.substr(space), ',');
  return command;
}

std::optional<LogCommand> older_form(std::string_view line) {
  const std::size_t start = line.find("##[");
  const std::size_t end = start == line.npos ? start : line.find(']', start);
  if (end == line.npos) {
    return std::nullopt;
  }
  const std::string_view head = line.substr(start + 3, end - start - 3);
  const std::size_t space = std::min(head.find(' '), head.size());
  LogCommand command{.name = std::string(head.substr(0, space)),
                     .properties = {},
                     .data = std::string(line.substr(end + 1))};
  read_properties(command, head.substr(space), ';');
  return command;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> read_file_commands(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::size_t index = 0;
  while (const auto line = next_line(text, index)) {
    if (line->text.empty()) {
      continue;
    }
    const std::size_t equals = line->text.find('=');
    const std::size_t heredoc = line->text.find("<<");
    if (heredoc != line->text.npos && heredoc < equals) {
      const std::string name = line->text.substr(0, heredoc);
      const std::string delimiter = line->text.substr(heredoc + 2);
      if (name.empty() || delimiter.empty()) {
        throw std::runtime_error("Invalid format '" + line->text +
                                 "'. Name must not be empty and delimiter must not be empty");
      }
      pairs.emplace_back(name, read_heredoc(text, index, delimiter));
    } else if (equals != line->text.npos) {
      if (equals == 0) {
        throw std::runtime_error("Invalid format '" + line->text + "'. Name must not be empty");
      }
      pairs.emplace_back(line->text.substr(0, equals), line->text.substr(equals + 1));
    } else {
      throw std::runtime_error("Invalid format '" + line->text + "'");
    }
  }
  return pairs;
}

std::vector<LogCommand> read_log_commands(const std::string& log) {
  std::vector<LogCommand> commands;
  std::string stopped;
  std::size_t start = 0;
  while (start < log.size()) {
    const std::size_t end = std::min(log.find_first_of("\r\n", start), log.size());
    const std::string line = log.substr(start, end - start);
    start = end + 1;
    auto command = newer_form(line);
    if (!command) {
      command = older_form(line);
    }
    if (!command) {
      continue;
    }
    if (!stopped.empty()) {
      if (command->name == stopped) {
        stopped.clear();
      }
      continue;
    }
    if (command->name == "stop-commands") {
      stopped = command->data;
    }
    commands.push_back(*std::move(command));
  }
  return commands;
}

}  // namespace seed::test
