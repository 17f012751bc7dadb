#include "ci/escape.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/text.hpp"

namespace seed::ci {
namespace {

using Table = std::initializer_list<std::pair<char, std::string_view>>;

/// One pass, so that what an escape puts in is not escaped again.
std::string replaced(std::string_view text, const Table& table) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    std::string_view instead(&c, 1);
    for (const auto& [from, to] : table) {
      if (c == from) {
        instead = to;
      }
    }
    out += instead;
  }
  return out;
}

constexpr std::string_view kZeroWidthSpace = "\xe2\x80\x8b";

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

}  // namespace

std::string workflow_data(std::string_view text) {
  return replaced(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}});
}

std::string workflow_property(std::string_view text) {
  return replaced(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}});
}

std::string vso_data(std::string_view text) {
  return replaced(text, {{'%', "%AZP25"}, {'\r', "%0D"}, {'\n', "%0A"}});
}

std::string vso_property(std::string_view text) {
  return replaced(text,
                  {{'%', "%AZP25"}, {'\r', "%0D"}, {'\n', "%0A"}, {']', "%5D"}, {';', "%3B"}});
}

std::string shell_word(std::string_view text) {
  return "'" + replaced(text, {{'\'', R"('\'')"}}) + "'";
}

std::string xml(std::string_view text) {
  // printable() makes control characters and what is not UTF-8 visible. Beyond these, XML has no
  // place for U+FFFE and U+FFFF (XML 1.0 §2.2); line feeds and tabs stay.
  std::string out;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find_first_of("\n\t", start), text.size());
    out += replaced(printable(text.substr(start, end - start), text.size() * 4),
                    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}});
    if (end < text.size()) {
      out += text[end] == '\n' ? "&#10;" : "&#9;";
    }
    start = end + 1;
  }
  for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    for (std::size_t at = out.find(none); at != out.npos; at = out.find(none, at)) {
      out.replace(at, none.size(), "\xef\xbf\xbd");
    }
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t limit_bytes) {
  constexpr std::string_view kEllipsis = "…";
  if (text.size() <= limit_bytes) {
    return std::string(text);
  }
  std::size_t end = limit_bytes < kEllipsis.size() ? 0 : limit_bytes - kEllipsis.size();
  while (end > 0 && continues_character(text[end])) {
    --end;
  }
  return std::string(text.substr(0, end)) + (limit_bytes < kEllipsis.size() ? "" : "…");
}

std::string broken(std::string_view line, std::string_view word, std::size_t at) {
  std::string out;
  std::size_t start = 0;
  for (std::size_t found = line.find(word); found != line.npos; found = line.find(word, start)) {
    out += line.substr(start, found + at - start);
    out += kZeroWidthSpace;
    start = found + at;
  }
  out += line.substr(start);
  return out;
}

}  // namespace seed::ci
