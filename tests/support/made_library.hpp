#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <elf.h>

namespace seed::test {

/// An ELF file that is nothing but what a loader reads of a library: two segments, one with all of
/// the file, one with its dynamic section, whose entries are, in this order: the first name, the
/// folders, where the texts are, the other names, and the end. Each part may be changed before
/// bytes().
struct MadeLibrary {
  static constexpr std::uint64_t kLoadedAt = 0x10000;

  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments{2};
  std::vector<Elf64_Dyn> dynamic;
  std::string texts{'\0'};

  MadeLibrary(const std::vector<std::string>& needed, const std::string& folders) {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(segments.size());
    for (const std::string& name : needed) {
      add(DT_NEEDED, name);
      if (dynamic.size() == 1) {
        add(DT_RUNPATH, folders);
        dynamic.push_back({.d_tag = DT_STRTAB, .d_un = {.d_val = 0}});
      }
    }
    dynamic.push_back({.d_tag = DT_NULL, .d_un = {.d_val = 0}});
    const std::size_t texts_at = dynamic_at() + dynamic.size() * sizeof(Elf64_Dyn);
    dynamic[2].d_un.d_val = kLoadedAt + texts_at;
    segments[0].p_type = PT_LOAD;
    segments[0].p_vaddr = kLoadedAt;
    segments[0].p_filesz = texts_at + texts.size();
    segments[1].p_type = PT_DYNAMIC;
    segments[1].p_offset = dynamic_at();
    segments[1].p_filesz = dynamic.size() * sizeof(Elf64_Dyn);
  }

  std::string bytes() const {
    std::string file;
    append(file, &header, sizeof header);
    append(file, segments.data(), segments.size() * sizeof(Elf64_Phdr));
    append(file, dynamic.data(), dynamic.size() * sizeof(Elf64_Dyn));
    return file + texts;
  }

 private:
  void add(Elf64_Sxword tag, const std::string& text) {
    dynamic.push_back({.d_tag = tag, .d_un = {.d_val = texts.size()}});
    texts += text + '\0';
  }

  std::size_t dynamic_at() const { return sizeof header + segments.size() * sizeof(Elf64_Phdr); }

  static void append(std::string& file, const void* part, std::size_t size) {
    file.append(static_cast<const char*>(part), size);
  }
};

}  // namespace seed::test
