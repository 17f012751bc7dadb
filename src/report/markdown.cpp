#include "report/markdown.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/text.hpp"

namespace seed::report {
namespace {

constexpr std::string_view kUnknown = "\xef\xbf\xbd";  // U+FFFD

bool between(char c, char first, char last) {
  return c >= first && c <= last;
}

/// The length of the escape sequence (ECMA-48) that `text`, which begins with ESC, begins with.
std::size_t escape_sequence(std::string_view text) {
  std::size_t at = 2;
  if (text.size() < 2) {
    return 1;
  }
  if (text[1] != ']') {
    const bool control = text[1] == '[';  // with parameters; the others have none
    at -= control ? 0 : 1;
    while (at < text.size() && between(text[at], ' ', control ? '?' : '/')) {
      ++at;
    }
    return at < text.size() && between(text[at], control ? '@' : '0', '~') ? at + 1 : at;
  }
  while (at < text.size() && text[at] != '\a' && text[at] != '\n') {  // a title or a link
    if (text.substr(at).starts_with("\x1b\\")) {
      return at + 2;
    }
    ++at;
  }
  return at < text.size() && text[at] == '\a' ? at + 1 : at;
}

std::size_t longest_run(std::string_view text) {
  std::size_t run = 0;
  std::size_t longest = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

/// Hosts look for mentions and issue numbers in the rendered text, where an entity or a backslash
/// is gone; a space without width is not.
constexpr std::string_view kNoWidth = "&#8203;";

/// `next` is the character behind it.
std::string html_of(char c, char next) {
  switch (c) {
    case ':':
      return next == '/' ? "&#58;" : ":";  // no link to where somebody else says
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '&':
      return "&amp;";
    case '"':
      return "&quot;";
    case '$':
      return "&#36;";  // no formula
    case '@':
    case '#':
      return c + std::string(kNoWidth);
    default:
      return std::string(1, c);
  }
}

}  // namespace

std::string plain(std::string_view text, std::size_t limit_bytes) {
  std::string out;
  std::size_t at = 0;
  // What is cut off below is not looked at.
  while (at < text.size() && out.size() <= limit_bytes) {
    const std::string_view rest = text.substr(at);
    const std::size_t length = utf8_length(rest);
    if (rest.front() == '\x1b') {
      at += escape_sequence(rest);
      continue;
    }
    if (rest.front() == '\n' || rest.front() == '\r' || rest.front() == '\t') {
      out += ' ';
    } else if (length == 0 || is_control(rest.substr(0, length))) {
      out += kUnknown;
    } else {
      out += rest.substr(0, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out.size() <= limit_bytes ? out : std::string(utf8_prefix(out, limit_bytes)) + "…";
}

std::string escape(std::string_view text, std::size_t limit_bytes) {
  std::string out;
  const std::string shown = plain(text, limit_bytes);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const char c = shown[i];
    if (c == '"') {
      out += c;
    } else if (std::string_view("|`*_[]\\~").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else {
      out += html_of(c, shown[i + 1]);  // the last one is followed by a zero
    }
  }
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  const std::string shown = plain(text);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    out += html_of(shown[i], shown[i + 1]);
  }
  return out;
}

std::string sentence(std::string_view text, std::size_t limit_bytes) {
  std::string out;
  const std::string shown = plain(text, limit_bytes);
  for (const std::string_view word : split(shown, ' ')) {
    out += out.empty() ? "" : " ";
    const std::size_t end = word.find_last_not_of(",.;)") + 1;
    const std::size_t begin = std::min(word.find_first_not_of('('), end);
    const std::string_view inner = word.substr(begin, end - begin);
    out += inner.find("://") == inner.npos
               ? escape(word)
               : escape(word.substr(0, begin)) + code(inner) + escape(word.substr(end));
  }
  return out;
}

std::string code(std::string_view text, Place place) {
  const std::string shown = plain(text);
  if (shown.empty()) {
    return {};
  }
  std::string inner;
  for (const char c : shown) {
    inner += c == '|' && place == Place::cell ? "\\|" : std::string(1, c);
  }
  const std::size_t longest = longest_run(shown);
  const std::string fence(longest + 1, '`');
  const std::string space = longest > 0 ? " " : "";
  return fence + space + inner + space + fence;
}

std::string link(const std::string& text, std::string_view url) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:%?=&+,#";
  const bool safe =
      url.starts_with("https://") && url.find_first_not_of(kPlain) == std::string_view::npos;
  return safe ? fmt::format("[{}]({})", text, url) : text;
}

std::string fenced(std::string_view language, const std::vector<std::string>& lines) {
  constexpr std::size_t kMaxLineBytes = 2000;
  std::string body;
  for (const std::string& line : lines) {
    body += plain(line, kMaxLineBytes) + '\n';
  }
  const std::string fence(std::max<std::size_t>(3, longest_run(body) + 1), '`');
  return fmt::format("{}{}\n{}{}\n", fence, language, body, fence);
}

std::string console(const std::vector<std::string>& lines) {
  return fenced("console", lines);
}

std::string details(std::string_view summary, std::string_view body, Fold fold) {
  return fmt::format("<details{}><summary>{}</summary>\n\n{}\n</details>\n\n",
                     fold == Fold::open ? " open" : "",
                     summary,
                     body);
}

std::string alert(std::string_view kind, std::string_view body) {
  std::string text = fmt::format("> [!{}]\n", kind);
  for (const std::string_view line : split(trim(body), '\n')) {
    text += line.empty() ? ">\n" : fmt::format("> {}\n", line);
  }
  return text + "\n";
}

std::string short_digest(const Digest& digest) {
  const std::string hex = digest.hex();
  return fmt::format("sha256:{}…{}", hex.substr(0, 8), hex.substr(60));
}

std::string bar(std::uint64_t part, std::uint64_t whole) {
  constexpr std::uint64_t kCells = 22;
  const std::uint64_t full = whole == 0 ? 0 : std::min(kCells, part * kCells / whole);
  std::string text;
  for (std::uint64_t i = 0; i < kCells; ++i) {
    text += i < full ? "█" : "░";
  }
  return text;
}

std::string human_seconds(double seconds) {
  if (seconds < 9.95) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto whole = std::llround(seconds);
  return whole < 60 ? fmt::format("{} s", whole)
                    : fmt::format("{} m {:02} s", whole / 60, whole % 60);
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace seed::report
