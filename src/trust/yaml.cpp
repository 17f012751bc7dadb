#include "trust/yaml.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace seed::trust {
namespace {

using nlohmann::ordered_json;

/// Letters first, and no word that YAML 1.1, which Kubernetes reads, takes for another type.
bool is_plain(const std::string& text) {
  constexpr std::array<std::string_view, 8> kWords{
      "true", "false", "yes", "no", "on", "off", "null", "y"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text.front()) &&
         std::ranges::all_of(text,
                             [&](char c) {
                               return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '/' ||
                                      c == '_' || c == '-';
                             }) &&
         std::ranges::find(kWords, to_lower(text)) == kWords.end() && text != "n" && text != "N";
}

/// JSON's texts are YAML's (1.2 §5.7).
std::string scalar(const ordered_json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>())) {
    return value.get<std::string>();
  }
  return value.dump();
}

bool is_block(const ordered_json& value) {
  if (!value.is_string()) {
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  // A block ends with one line break, and begins with no blank.
  return text.ends_with('\n') && !text.ends_with("\n\n") && text.front() != ' ' &&
         text.front() != '\n' && text.find('\r') == std::string::npos &&
         text.find('\t') == std::string::npos;
}

class Writer {
 public:
  std::string out;

  /// `value` behind "key:" or "-", which end at the column `indent` - 2.
  void write(const ordered_json& value, std::size_t indent, bool in_list) {
    if (is_block(value)) {
      out += " |\n";
      for (const std::string_view line : split(trim_end(value), '\n')) {
        out += (line.empty() ? "" : std::string(indent, ' ')) + std::string(line) + "\n";
      }
    } else if (!value.is_structured() || value.empty()) {
      out += " " + scalar(value) + "\n";
    } else if (value.is_object()) {
      out += in_list ? " " : "\n";
      write_members(value, indent, in_list);
    } else {
      out += "\n";
      for (const ordered_json& element : value) {
        out += std::string(indent, ' ') + "-";
        write(element, indent + 2, true);
      }
    }
  }

  /// The first member stands behind the "- " of a list.
  void write_members(const ordered_json& object, std::size_t indent, bool in_list) {
    bool first = in_list;
    for (const auto& [key, member] : object.items()) {
      out += (first ? "" : std::string(indent, ' ')) + scalar(key) + ":";
      write(member, indent + 2, false);
      first = false;
    }
  }

 private:
  static std::string_view trim_end(const ordered_json& value) {
    std::string_view text = value.get_ref<const std::string&>();
    text.remove_suffix(1);
    return text;
  }
};

}  // namespace

std::string to_yaml(const ordered_json& value) {
  Writer writer;
  writer.write_members(value, 0, false);
  return std::move(writer.out);
}

}  // namespace seed::trust
