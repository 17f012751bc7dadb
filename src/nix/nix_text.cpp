#include <array>
#include <charconv>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/nix.hpp"

namespace seed::nix {

/// `nix (Nix) 2.8.0`, `nix (Lix, like Nix) 2.96.0`, `nix (Determinate Nix 3.5.2) 2.28.3`,
/// `nix (Nix) 2.34.0pre20260101_0123abc`.
NixVersion parse_nix_version(std::string_view line) {
  line = trim(line);
  NixVersion version;
  version.text = line;
  version.is_lix = line.find("(Lix") != std::string_view::npos;
  std::string_view number = line.substr(line.rfind(' ') + 1);
  std::array<int*, 3> parts{&version.major, &version.minor, &version.patch};
  std::size_t found = 0;
  for (; found < parts.size(); ++found) {
    int part = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), part);
    if (error != std::errc() || part < 0) {
      break;
    }
    *parts[found] = part;
    number.remove_prefix(static_cast<std::size_t>(end - number.data()));
    if (!number.starts_with('.')) {
      ++found;
      break;
    }
    number.remove_prefix(1);
  }
  if (found < 2 || !line.starts_with("nix") || line.size() > 200) {
    throw FormatError(fmt::format("'{}' is not the version of a Nix", printable(line)),
                      "check which program 'nix' is: nix --version");
  }
  return version;
}

DryRun parse_dry_run(std::string_view text) {
  DryRun result;
  std::vector<StorePath>* section = nullptr;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (section != nullptr && raw.starts_with("  ") && line.starts_with(kStoreDir)) {
      section->push_back(StorePath::parse(line));
      continue;
    }
    const bool counted = line.starts_with("this ") || line.starts_with("these ");
    if (counted && line.ends_with(" will be built:")) {
      section = &result.will_build;
    } else if (counted && line.find(" will be fetched") != std::string_view::npos) {
      section = &result.will_fetch;
    } else if (line.starts_with("don't know how to build these paths")) {
      section = &result.unknown;
    } else {
      section = nullptr;
    }
  }
  return result;
}

}  // namespace seed::nix
