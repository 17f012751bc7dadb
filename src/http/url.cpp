#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"

namespace seed::http {
namespace {

constexpr std::size_t kMaxUrlBytes = 16 << 10;

[[noreturn]] void refuse(std::string_view why, std::string_view url) {
  throw FormatError(fmt::format("{}: '{}'", why, printable(redact_url(url))));
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

/// The length of what comes before the first of `ends`, or of all of it.
std::size_t until(std::string_view text, std::string_view ends) {
  return std::min(text.find_first_of(ends), text.size());
}

bool is_host_character(char c, bool bracketed) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  return alphanumeric || (bracketed && c == ':');
}

std::uint16_t parse_port(std::string_view digits, std::string_view url) {
  const auto port = parse_size(digits);
  if (!port || digits.size() > 5 || *port == 0 || *port > 65535) {
    refuse("URL with a bad port", url);
  }
  return static_cast<std::uint16_t>(*port);
}

void parse_authority(Url& out, std::string_view authority, std::string_view url) {
  const bool bracketed = authority.starts_with('[');
  std::size_t end = authority.find(bracketed ? ']' : ':');
  if (bracketed && end == std::string_view::npos) {
    refuse("URL with an open bracket", url);
  }
  end = std::min(end, authority.size());
  out.host = to_lower(bracketed ? authority.substr(1, end - 1) : authority.substr(0, end));
  std::string_view rest = authority.substr(bracketed ? end + 1 : end);
  const bool valid = std::all_of(
      out.host.begin(), out.host.end(), [&](char c) { return is_host_character(c, bracketed); });
  // Brackets are for IPv6 only: otherwise one host would have two spellings.
  if (out.host.empty() || !valid || (bracketed && out.host.find(':') == std::string::npos)) {
    refuse("URL with a bad host", url);
  }
  out.port = default_port(out.scheme);
  if (!rest.empty()) {
    if (rest.front() != ':') {
      refuse("URL with a bad port", url);
    }
    rest.remove_prefix(1);
    out.port = rest.empty() ? out.port : parse_port(rest, url);
  }
}

/// RFC 3986 §5.2.4
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto segments = split(path.substr(1), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (segments[i] != ".") {
      kept.push_back(segments[i]);
      continue;
    }
    if (last) {
      kept.emplace_back();
    }
  }
  std::string out;
  for (const auto segment : kept) {
    out += '/';
    out += segment;
  }
  return out.empty() ? "/" : out;
}

std::string redact_query(std::string_view query) {
  std::string out;
  for (const auto parameter : split(query, '&')) {
    const std::size_t equals = parameter.find('=');
    out += out.empty() ? '?' : '&';
    // A parameter without a name may be the secret itself.
    out += equals == std::string_view::npos ? "" : parameter.substr(0, equals + 1);
    out += "...";
  }
  return out;
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") {
    return true;
  }
  const auto parts = split(host, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           const auto value = parse_size(part);
           return value && *value <= 255;
         });
}

std::string redact_url(std::string_view url) {
  url = url.substr(0, until(url, "#"));
  const std::size_t question = url.find('?');
  std::string_view path = url.substr(0, question);
  std::string out;
  if (const std::size_t scheme = path.find("://"); scheme != std::string_view::npos) {
    out = path.substr(0, scheme + 3);
    path.remove_prefix(scheme + 3);
    const std::string_view authority = path.substr(0, until(path, "/"));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
      path.remove_prefix(at + 1);
    }
  }
  out += path;
  if (question != std::string_view::npos) {
    out += redact_query(url.substr(question + 1));
  }
  return out;
}

Url Url::parse(std::string_view text) {
  if (text.size() > kMaxUrlBytes) {
    refuse(fmt::format("URL of more than {} bytes", kMaxUrlBytes), text);
  }
  const bool clean = std::all_of(
      text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
  if (!clean) {
    refuse("URL with characters that need encoding", text);
  }
  const std::size_t colon = text.find("://");
  Url url;
  url.scheme = to_lower(text.substr(0, std::min(colon, text.size())));
  if (colon == std::string_view::npos || (url.scheme != "http" && url.scheme != "https")) {
    refuse("URL is neither http nor https", text);
  }
  std::string_view rest = text.substr(colon + 3);
  const std::string_view authority = rest.substr(0, until(rest, "/?#"));
  if (authority.find('@') != std::string_view::npos) {
    refuse("URL with a user in it", text);
  }
  parse_authority(url, authority, text);
  rest.remove_prefix(authority.size());
  url.target = rest.substr(0, until(rest, "#"));
  if (!url.target.starts_with('/')) {
    url.target.insert(0, "/");
  }
  return url;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return port == default_port(scheme) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::to_string() const {
  return fmt::format("{}://{}{}", scheme, authority(), target);
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && host == other.host && port == other.port;
}

Url resolve(const Url& base, std::string_view location) {
  location = trim(location);
  const std::string_view first = location.substr(0, until(location, "/?#"));
  if (first.find(':') != std::string_view::npos) {
    return Url::parse(location);
  }
  if (location.starts_with("//")) {
    return Url::parse(fmt::format("{}:{}", base.scheme, location));
  }
  const std::string_view base_path =
      std::string_view(base.target).substr(0, until(base.target, "?"));
  location = location.substr(0, until(location, "#"));
  std::string target;
  if (location.empty()) {
    target = base.target;
  } else if (location.front() == '?') {
    target = std::string(base_path) + std::string(location);
  } else {
    const std::size_t path_end = until(location, "?");
    const std::string folder(location.front() == '/'
                                 ? std::string_view{}
                                 : base_path.substr(0, base_path.rfind('/') + 1));
    target = remove_dot_segments(folder + std::string(location.substr(0, path_end)));
    target += location.substr(path_end);
  }
  Url out = base;
  out.target = std::move(target);
  return Url::parse(out.to_string());
}

}  // namespace seed::http
