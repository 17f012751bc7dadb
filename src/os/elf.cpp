#include "os/elf.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <elf.h>
#include <unistd.h>

#include "base/text.hpp"
#include "os/file.hpp"

namespace seed::os {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr unsigned kMaxHeaders = 512;
constexpr std::uint64_t kMaxDynamicEntries = 4096;

bool read_at(const File& file, std::uint64_t offset, void* buffer, std::size_t size) {
  return ::pread(file.fd(), buffer, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

/// The program headers; nothing where the file is not of the kind that we know, or cut short.
std::optional<std::vector<Elf64_Phdr>> segments_of(const File& file) {
  Elf64_Ehdr header{};
  if (!read_at(file, 0, &header, sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum > kMaxHeaders) {
    return std::nullopt;
  }
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!read_at(file, header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr))) {
    return std::nullopt;
  }
  return segments;
}

/// Where in the file the byte lies that is at `address` in memory.
std::optional<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& segments,
                                       std::uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return segment.p_offset + (address - segment.p_vaddr);
    }
  }
  return std::nullopt;
}

/// The text there, up to its zero; empty where it has none within bounds.
std::string text_at(const File& file, std::uint64_t offset) {
  std::array<char, kMaxText> buffer{};
  const ssize_t size = ::pread(file.fd(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
  const std::string_view text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::size_t end = text.find('\0');
  return std::string(end == std::string_view::npos ? std::string_view() : text.substr(0, end));
}

std::vector<Elf64_Dyn> dynamic_of(const File& file, const std::vector<Elf64_Phdr>& segments) {
  const auto found = std::ranges::find(segments, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
  if (found == segments.end()) {
    return {};
  }
  std::vector<Elf64_Dyn> entries(
      std::min<std::uint64_t>(found->p_filesz / sizeof(Elf64_Dyn), kMaxDynamicEntries));
  if (!read_at(file, found->p_offset, entries.data(), entries.size() * sizeof(Elf64_Dyn))) {
    return {};
  }
  entries.erase(std::ranges::find(entries, Elf64_Sxword{DT_NULL}, &Elf64_Dyn::d_tag),
                entries.end());
  return entries;
}

}  // namespace

ElfInfo inspect_elf(const std::filesystem::path& path) {
  const File file = File::open_read(path);
  const auto segments = segments_of(file);
  if (!segments) {
    return {};
  }
  const auto loader = std::ranges::find(*segments, Elf64_Word{PT_INTERP}, &Elf64_Phdr::p_type);
  if (loader == segments->end()) {
    return {ElfKind::static_program, {}};
  }
  // A program whose loader can't be told is never taken for one that needs none.
  if (loader->p_filesz == 0 || loader->p_filesz > kMaxText) {
    return {};
  }
  std::string name(loader->p_filesz, '\0');
  if (!read_at(file, loader->p_offset, name.data(), name.size())) {
    return {};
  }
  return {ElfKind::dynamic_program, name.c_str()};
}

ElfNeeds elf_needs(const std::filesystem::path& path) {
  const File file = File::open_read(path);
  const auto segments = segments_of(file);
  if (!segments) {
    return {};
  }
  const std::vector<Elf64_Dyn> entries = dynamic_of(file, *segments);
  const auto table = std::ranges::find(entries, Elf64_Sxword{DT_STRTAB}, &Elf64_Dyn::d_tag);
  if (table == entries.end()) {
    return {};
  }
  ElfNeeds needs;
  for (const Elf64_Dyn& entry : entries) {
    const bool is_folders = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
    const auto offset = offset_of(*segments, table->d_un.d_ptr + entry.d_un.d_val);
    if ((entry.d_tag != DT_NEEDED && !is_folders) || !offset) {
      continue;
    }
    const std::string text = text_at(file, *offset);
    if (!is_folders) {
      needs.libraries.push_back(text);
      continue;
    }
    for (const std::string_view folder : split(text, ':')) {
      needs.folders.emplace_back(folder);
    }
  }
  return needs;
}

}  // namespace seed::os
