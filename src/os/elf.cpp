#include "os/elf.hpp"

#include <array>
#include <cstring>

#include <elf.h>
#include <unistd.h>

#include "os/file.hpp"

namespace seed::os {
namespace {

constexpr std::size_t kMaxInterpreter = 4096;
constexpr unsigned kMaxHeaders = 512;

bool read_at(const File& file, std::uint64_t offset, void* buffer, std::size_t size) {
  return ::pread(file.fd(), buffer, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

}  // namespace

ElfInfo inspect_elf(const std::filesystem::path& path) {
  const File file = File::open_read(path);
  Elf64_Ehdr header{};
  if (!read_at(file, 0, &header, sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum > kMaxHeaders) {
    return {};
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!read_at(file, header.e_phoff + i * sizeof segment, &segment, sizeof segment)) {
      return {};
    }
    if (segment.p_type == PT_INTERP) {
      // A program whose loader can't be told is never taken for one that needs none.
      if (segment.p_filesz == 0 || segment.p_filesz > kMaxInterpreter) {
        return {};
      }
      std::string name(segment.p_filesz, '\0');
      if (!read_at(file, segment.p_offset, name.data(), name.size())) {
        return {};
      }
      return {ElfKind::dynamic_program, name.c_str()};
    }
  }
  return {ElfKind::static_program, {}};
}

}  // namespace seed::os
