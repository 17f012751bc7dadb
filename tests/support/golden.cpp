#include "support/golden.hpp"

#include "base/text.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"

namespace seed::test {
namespace {

void print_difference(const std::string& name, std::string_view expected, std::string_view text) {
  const auto old_lines = split(expected, '\n');
  const auto new_lines = split(text, '\n');
  std::size_t i = 0;
  while (i < old_lines.size() && i < new_lines.size() && old_lines[i] == new_lines[i]) {
    ++i;
  }
  const auto line = [&](const auto& lines) {
    return i < lines.size() ? std::string(lines[i]) : std::string("(the end)");
  };
  WARN("tests/golden/" << name << " differs in line " << i + 1 << "\n- " << line(old_lines)
                       << "\n+ " << line(new_lines)
                       << "\nNIX_SEED_ACCEPT=1 takes the new text as it is");
}

}  // namespace

std::filesystem::path checkout_path(const std::string& name) {
  return std::filesystem::path(CHECKOUT) / name;
}

bool golden(const std::string& name, std::string_view text) {
  const std::filesystem::path file = golden_path(name);
  if (os::get(os::current_environment(), "NIX_SEED_ACCEPT")) {
    os::make_dirs(file.parent_path());
    os::atomic_write(file, text);
    WARN("tests/golden/" << name << " was written; look at it, then run without NIX_SEED_ACCEPT");
    return false;
  }
  if (!std::filesystem::exists(file)) {
    WARN("tests/golden/" << name << " does not exist; NIX_SEED_ACCEPT=1 writes it");
    return false;
  }
  const std::string expected = golden(name);
  if (expected != text) {
    print_difference(name, expected, text);
  }
  return expected == text;
}

}  // namespace seed::test
