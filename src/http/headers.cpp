#include <algorithm>

#include "base/text.hpp"
#include "http/http.hpp"

namespace seed::http {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && to_lower(a) == to_lower(b);
}

}  // namespace

Headers::Headers(std::initializer_list<std::pair<std::string, std::string>> entries)
    : entries_(entries) {}

void Headers::add(std::string name, std::string value) {
  entries_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const auto& entry) { return same_name(entry.first, name); });
}

std::optional<std::string> Headers::get(std::string_view name) const {
  const auto entry = std::find_if(
      entries_.begin(), entries_.end(), [&](const auto& e) { return same_name(e.first, name); });
  if (entry == entries_.end()) {
    return std::nullopt;
  }
  return entry->second;
}

std::optional<std::uint64_t> parse_size(std::string_view digits) {
  if (digits.empty() || digits.size() > 19) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace seed::http
