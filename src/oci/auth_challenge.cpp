#include "oci/auth_challenge.hpp"

#include <cstddef>
#include <optional>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::oci {
namespace {

constexpr std::size_t kMaxHeaderBytes = 8 << 10;

bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  bool take(char c) {
    const bool there = rest_.starts_with(c);
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }

  std::string_view token() {
    std::size_t length = 0;
    while (length < rest_.size() && is_token_character(rest_[length])) {
      ++length;
    }
    return advance(length);
  }

  /// After the opening quote; nothing where the closing one is missing.
  std::optional<std::string> quoted() {
    std::string value;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        advance(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) {
        break;
      }
      value += rest_[i];
    }
    return std::nullopt;
  }

  std::string_view advance(std::size_t length) {
    const std::string_view part = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return part;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

[[noreturn]] void refuse(std::string_view header) {
  throw FormatError(fmt::format("malformed WWW-Authenticate header '{}'", printable(header)));
}

/// `name = value` after the name; false where this is no parameter but a new scheme.
bool parse_parameter(Reader& in, std::string_view name, Challenge& into, std::string_view header) {
  Reader ahead = in;
  ahead.skip(" \t");
  if (!ahead.take('=')) {
    return false;
  }
  ahead.skip(" \t");
  std::string value;
  if (ahead.take('"')) {
    auto quoted = ahead.quoted();
    if (!quoted) {
      refuse(header);
    }
    value = std::move(*quoted);
  } else {
    value = ahead.token();
  }
  in = ahead;
  into.params.insert_or_assign(to_lower(name), std::move(value));
  return true;
}

/// Negotiate and its like carry one base64 text: `scheme token68`.
bool skip_token68(Reader& in) {
  Reader ahead = in;
  const std::size_t end = std::min(ahead.rest().find_first_of(", \t\""), ahead.rest().size());
  const std::string_view text = ahead.advance(end);
  const std::size_t equals = text.find('=');
  const bool padded_only = equals == std::string_view::npos ||
                           text.find_first_not_of('=', equals) == std::string_view::npos;
  ahead.skip(" \t");
  if (text.empty() || !padded_only || !(ahead.at_end() || ahead.rest().starts_with(','))) {
    return false;
  }
  in = ahead;
  return true;
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  if (header.size() > kMaxHeaderBytes) {
    refuse(header);
  }
  std::vector<Challenge> challenges;
  Reader in(header);
  for (in.skip(" \t,"); !in.at_end(); in.skip(" \t,")) {
    const std::string_view name = in.token();
    if (name.empty()) {
      refuse(header);
    }
    if (!challenges.empty() && parse_parameter(in, name, challenges.back(), header)) {
      continue;
    }
    if (!in.at_end() && in.rest().find_first_of(" \t,") != 0) {
      refuse(header);
    }
    challenges.push_back({.scheme = to_lower(name), .params = {}});
    in.skip(" \t");
    static_cast<void>(skip_token68(in));
  }
  return challenges;
}

}  // namespace seed::oci
