#include "nix/evaluation_watch.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace seed::nix {
namespace {

/// A line longer than this says nothing that we look for.
constexpr std::size_t kMaxLineBytes = 64 << 10;

}  // namespace

std::optional<StorePath> built_by_evaluation(std::string_view line) {
  constexpr std::array<std::string_view, 3> kWords{
      "building of '", "obtaining derivation from '", "getting output '"};
  if (std::ranges::none_of(kWords, [&](auto words) { return line.starts_with(words); })) {
    return std::nullopt;
  }
  const std::size_t start = line.find(kStoreDir);
  const std::size_t end = line.find(".drv", start);
  if (start == std::string_view::npos || end == std::string_view::npos) {
    return std::nullopt;
  }
  try {
    return StorePath::parse(line.substr(start, end + 4 - start));
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

os::Exit EvaluationWatch::run(const os::Command& command, const Sink& out, const Sink& err) {
  os::Command watched = command;
  const auto eval = std::ranges::find(watched.argv, "eval");
  if (eval == watched.argv.end()) {
    return inner_.run(command, out, err);
  }
  watched.argv.insert(eval + 1, "--debug");
  std::string line;
  return inner_.run(watched, out, [&](ByteView chunk) {
    for (const char c : text_of(chunk)) {
      if (c != '\n') {
        if (line.size() < kMaxLineBytes) {
          line += c;
        }
        continue;
      }
      if (const auto drv = built_by_evaluation(line)) {
        built_.insert(*drv);
      }
      line.clear();
    }
    err(chunk);
  });
}

}  // namespace seed::nix
