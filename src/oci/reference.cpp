#include "oci/reference.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::oci {
namespace {

constexpr std::string_view kLayoutScheme = "oci:";
constexpr std::string_view kDockerScheme = "docker://";
constexpr std::size_t kMaxReference = 4096;
/// distribution-spec, "Pulling manifests": many clients bound host and name together at 255.
constexpr std::size_t kMaxHostAndName = 255;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_alphanumeric(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text[0] != '.' && text[0] != '-' &&
         std::ranges::all_of(
             text, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
bool is_name_component(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) {
    return false;
  }
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const std::size_t end =
        std::min(text.find_first_of("abcdefghijklmnopqrstuvwxyz0123456789", i), text.size());
    const std::string_view separator = text.substr(i, end - i);
    if (separator != "." && separator != "_" && separator != "__" &&
        separator.find_first_not_of('-') != separator.npos) {
      return false;
    }
    i = end;
  }
  return true;
}

void check_name(std::string_view name) {
  if (to_lower(name) != name) {
    throw FormatError(fmt::format("repository name '{}' has upper case", printable(name)),
                      fmt::format("write it as '{}'", printable(to_lower(name))));
  }
  for (const std::string_view component : split(name, '/')) {
    if (!is_name_component(component)) {
      throw FormatError(fmt::format("'{}' is not a repository name", printable(name)),
                        "parts are lower-case letters and digits, joined by '.', '_', '__' or '-'");
    }
  }
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return code == std::errc() && end == text.data() + text.size() && text.size() <= 5 && port >= 1 &&
         port <= 65535;
}

bool is_host_name(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {  // an IPv6 address
    return host.size() > 2 &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdef:.") == host.npos;
  }
  return std::ranges::all_of(split(host, '.'), [](std::string_view label) {
    return !label.empty() && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_lower_or_digit(c) || c == '-'; });
  });
}

void check_host(std::string_view host) {
  const std::size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  const bool port_fits = colon == host.npos || is_port(host.substr(colon + 1));
  if (!port_fits || !is_host_name(host.substr(0, colon))) {
    throw FormatError(fmt::format("'{}' is not a registry host", printable(host)));
  }
}

/// The same rule as Docker's: a first part that can't be a host is not one.
bool looks_like_host(std::string_view part) {
  return part == "localhost" || part.find_first_of(".:") != part.npos;
}

}  // namespace

void check_tag(std::string_view tag) {
  if (!is_tag(tag)) {
    throw FormatError(fmt::format("'{}' is not a tag", printable(tag)),
                      "a tag is at most 128 letters, digits, '_', '.' and '-', and starts with "
                      "neither '.' nor '-'");
  }
}

Reference Reference::parse(std::string_view text) {
  const std::string whole = printable(text);
  if (text.size() > kMaxReference) {
    throw FormatError(fmt::format("reference '{}' is too long", whole));
  }
  Reference reference;
  std::string_view rest = text;
  const bool layout = rest.starts_with(kLayoutScheme);
  if (layout) {
    rest.remove_prefix(kLayoutScheme.size());
  } else if (rest.starts_with(kDockerScheme)) {
    rest.remove_prefix(kDockerScheme.size());
  } else if (rest.find("://") != rest.npos) {
    throw FormatError(fmt::format("reference '{}' has a scheme", whole),
                      "write HOST/NAME:TAG, or oci:PATH for an image layout directory");
  }
  if (const std::size_t at = rest.rfind(layout ? "@sha256:" : "@"); at != rest.npos) {
    reference.digest_ = Digest::parse(rest.substr(at + 1));
    rest = rest.substr(0, at);
  }
  const std::size_t last_slash = rest.rfind('/');
  const std::size_t colon = rest.rfind(':');
  const bool tagged = colon != rest.npos && (last_slash == rest.npos ? layout : colon > last_slash);
  if (tagged) {
    check_tag(rest.substr(colon + 1));
    reference.tag_ = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (layout) {
    if (rest.empty() || rest.find('\0') != rest.npos) {
      throw FormatError(fmt::format("reference '{}' has no folder", whole));
    }
    // Otherwise the same reference without its tag would print as one that has another.
    if (rest.substr(rest.rfind('/') + 1).find(':') != rest.npos) {
      throw FormatError(fmt::format("reference '{}' has two tags", whole),
                        "the name of an image layout directory can't hold ':'");
    }
    reference.layout_path_ = rest;
    return reference;
  }
  const std::size_t slash = rest.find('/');
  const std::string host = to_lower(rest.substr(0, slash));
  if (slash == rest.npos || !looks_like_host(host)) {
    throw FormatError(fmt::format("reference '{}' names no registry", whole),
                      "write the host too, as in ghcr.io/owner/name");
  }
  if (host.starts_with(kLayoutScheme)) {
    // As text it could not be told from a folder, and a later job would take it for one.
    throw FormatError(fmt::format("reference '{}' names a host 'oci' with a port", whole),
                      "oci: is for image layout directories; give the registry's whole name, as in "
                      "oci.example.org:5000");
  }
  check_host(host);
  check_name(rest.substr(slash + 1));
  if (rest.size() > kMaxHostAndName) {
    throw FormatError(fmt::format("reference '{}' has more than 255 characters", whole));
  }
  reference.host_ = host;
  reference.name_ = rest.substr(slash + 1);
  return reference;
}

Reference Reference::with_tag(std::string_view tag) const {
  check_tag(tag);
  Reference reference = *this;
  reference.tag_ = tag;
  reference.digest_.reset();
  return reference;
}

Reference Reference::with_digest(const Digest& digest) const {
  Reference reference = *this;
  reference.tag_.reset();
  reference.digest_ = digest;
  return reference;
}

std::string Reference::repository() const {
  return is_layout() ? std::string(kLayoutScheme) + layout_path_ : host_ + "/" + name_;
}

std::string Reference::to_string() const {
  std::string text = repository();
  if (tag_) {
    text += ":" + *tag_;
  }
  if (digest_) {
    text += "@" + digest_->to_string();
  }
  return text;
}

}  // namespace seed::oci
