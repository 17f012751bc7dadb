#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace seed::os {

enum class ElfKind { not_elf, static_program, dynamic_program };

struct ElfInfo {
  ElfKind kind = ElfKind::not_elf;
  std::string interpreter;  ///< of a dynamic program: its loader's path
};

/// Looks at the program headers of a 64-bit little-endian ELF file (System V ABI, chapter 5).
ElfInfo inspect_elf(const std::filesystem::path& file);

}  // namespace seed::os
