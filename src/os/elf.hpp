#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace seed::os {

enum class ElfKind { not_elf, static_program, dynamic_program };

struct ElfInfo {
  ElfKind kind = ElfKind::not_elf;
  std::string interpreter;  ///< of a dynamic program: its loader's path
};

/// Looks at the program headers of a 64-bit little-endian ELF file (System V ABI, chapter 5).
ElfInfo inspect_elf(const std::filesystem::path& file);

/// What a program or library has its loader look for (System V ABI, chapter 5, "Dynamic Section").
struct ElfNeeds {
  std::vector<std::string> libraries;  ///< names: libc.so.6
  std::vector<std::string> folders;    ///< where to look first; `$ORIGIN` is the file's own folder
};

/// Empty for what is no 64-bit little-endian ELF file, or has nothing of it.
ElfNeeds elf_needs(const std::filesystem::path& file);

}  // namespace seed::os
