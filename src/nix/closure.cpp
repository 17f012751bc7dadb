#include "nix/closure.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

/// Takes lines off the front of a text in which each ends with LF.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  std::string_view next(std::string_view what) {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) {
      throw FormatError(fmt::format("registration text ends where {} should be", what));
    }
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  std::uint64_t next_number(std::string_view what) {
    const std::string_view line = next(what);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc() || end != line.data() + line.size()) {
      throw FormatError(fmt::format("'{}' is not {}", printable(line), what));
    }
    return value;
  }

 private:
  std::string_view rest_;
};

/// 64 hex as `nix-store --dump-db` prints it, or `sha256:` and hex or base 32 as nixpkgs'
/// closureInfo does.
Digest parse_registered_hash(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  const std::string_view digits = text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
  if (digits.size() == 52) {
    if (const auto raw = from_nix32(digits); raw && raw->size() == 32) {
      return Digest::from_hex(to_hex(*raw));
    }
  }
  return Digest::from_hex(digits);
}

}  // namespace

const PathInfo* Closure::find(const StorePath& path) const {
  const auto found = std::ranges::lower_bound(paths_, path, {}, &PathInfo::path);
  return found != paths_.end() && found->path == path ? &*found : nullptr;
}

std::uint64_t Closure::nar_size() const {
  std::uint64_t total = 0;
  for (const PathInfo& info : paths_) {
    total += info.nar_size;
  }
  return total;
}

std::string Closure::manifest() const {
  std::vector<std::string> lines;
  lines.reserve(paths_.size());
  for (const PathInfo& info : paths_) {
    lines.push_back(
        fmt::format("sha256:{}  {}\n", to_nix32(info.nar_hash.raw()), info.path.to_string()));
  }
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) {
    text += line;
  }
  return text;
}

Closure make_closure(std::vector<PathInfo> paths) {
  std::ranges::sort(paths, {}, &PathInfo::path);
  const auto twice = std::ranges::adjacent_find(paths, {}, &PathInfo::path);
  if (twice != paths.end()) {
    throw Error(fmt::format("{} is twice in the closure", twice->path.to_string()));
  }
  Closure closure;
  closure.paths_ = std::move(paths);
  for (const PathInfo& info : closure.paths_) {
    for (const StorePath& reference : info.references) {
      if (closure.find(reference) == nullptr) {
        throw Error(fmt::format("{} refers to {}, which is not in the closure",
                                info.path.to_string(),
                                reference.to_string()));
      }
    }
  }
  return closure;
}

std::string registration(const Closure& closure) {
  std::string text;
  for (const PathInfo& info : closure.paths()) {
    // The empty line is the deriver: it is not part of the closure, and Nix needs none.
    text += fmt::format("{}\n{}\n{}\n\n{}\n",
                        info.path.to_string(),
                        info.nar_hash.hex(),
                        info.nar_size,
                        info.references.size());
    for (const StorePath& reference : info.references) {
      text += reference.to_string() + "\n";
    }
  }
  return text;
}

std::vector<PathInfo> parse_registration(std::string_view text) {
  std::vector<PathInfo> paths;
  Lines lines(text);
  while (!lines.at_end()) {
    StorePath path = StorePath::parse(lines.next("a store path"));
    const Digest hash = parse_registered_hash(lines.next("a hash"));
    const std::uint64_t size = lines.next_number("a size in bytes");
    if (const auto deriver = lines.next("a deriver"); !deriver.empty()) {
      StorePath::parse(deriver);
    }
    PathInfo info{.path = std::move(path), .nar_hash = hash, .nar_size = size, .references = {}};
    for (auto left = lines.next_number("a number of references"); left > 0; --left) {
      info.references.insert(StorePath::parse(lines.next("a reference")));
    }
    paths.push_back(std::move(info));
  }
  return paths;
}

}  // namespace seed::nix
