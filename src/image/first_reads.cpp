#include "image/first_reads.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "os/elf.hpp"
#include "os/file.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

/// What evaluating a flake starts: Nix asks git about checkouts.
constexpr std::array kPrograms{"nix", "git"};
/// Wrappers are short.
constexpr std::uint64_t kMaxScriptBytes = 64 << 10;
/// Far beyond what a program loads.
constexpr std::size_t kMaxFiles = 1024;
constexpr std::string_view kOrigin = "$ORIGIN";

/// Follows programs to all that they start or load, breadth first: what is needed first comes
/// first.
class Follower {
 public:
  Follower(const Tools& tools, std::string_view store)
      : tools_(tools), store_(std::string(store) + "/") {}

  void add(const fs::path& path) {
    std::error_code code;
    const fs::path real = fs::canonical(path, code);
    if (!code && fs::is_regular_file(real, code) && files_.size() < kMaxFiles &&
        real.string().starts_with(store_) && seen_.insert(real.string()).second) {
      files_.push_back(real.string());
    }
  }

  std::vector<std::string> follow() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const fs::path file = files_[i];  // a copy: the list grows
      add_libraries(file);
      add_mentioned(file);
    }
    return std::move(files_);
  }

 private:
  void add_libraries(const fs::path& file) {
    if (const os::ElfInfo elf = os::inspect_elf(file); elf.kind == os::ElfKind::dynamic_program) {
      add(elf.interpreter);
      add(tools_.loader.value_or(""));  // what that name leads to inside the seed, if not there
    }
    const os::ElfNeeds needs = os::elf_needs(file);
    for (const std::string& name : needs.libraries) {
      add(library(name, needs.folders, file.parent_path()));
    }
  }

  /// As the loader finds it: in the folders that the file names, else where the image has its
  /// libraries.
  fs::path library(const std::string& name,
                   const std::vector<std::string>& folders,
                   const fs::path& origin) const {
    for (std::string folder : folders) {
      if (folder.starts_with(kOrigin)) {
        folder.replace(0, kOrigin.size(), origin.string());
      }
      if (folder.starts_with(store_) && fs::exists(fs::path(folder) / name)) {
        return fs::path(folder) / name;
      }
    }
    const auto found = tools_.libraries.find(name);
    return found == tools_.libraries.end() ? fs::path() : fs::path(found->second);
  }

  /// A script's interpreter and what it starts, a wrapper's program.
  void add_mentioned(const fs::path& file) {
    if (fs::file_size(file) > kMaxScriptBytes) {
      return;
    }
    const std::string text = os::read_file(file, kMaxScriptBytes);
    if (!text.starts_with("#!")) {
      return;
    }
    for (std::size_t at = text.find(store_); at != std::string::npos; at = text.find(store_, at)) {
      const std::size_t end = std::min(text.find_first_of(" \t\r\n\"':;&|<>()$", at), text.size());
      add(text.substr(at, end - at));
      at = end;
    }
  }

  const Tools& tools_;
  std::string store_;
  std::vector<std::string> files_;
  std::set<std::string> seen_;
};

}  // namespace

std::vector<std::string> first_reads(const Tools& tools,
                                     std::span<const nix::StorePath> sources,
                                     std::string_view store) {
  Follower follower(tools, store);
  for (const char* name : kPrograms) {
    if (const auto program = tools.programs.find(name); program != tools.programs.end()) {
      follower.add(program->second);
    }
  }
  std::vector<std::string> paths = follower.follow();
  for (const nix::StorePath& source : sources) {
    paths.push_back(source.to_string());
  }
  return paths;
}

}  // namespace seed::image
