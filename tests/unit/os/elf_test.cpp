#include "os/elf.hpp"

#include <cstring>

#include <elf.h>

#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/made_library.hpp"

namespace seed::os {
namespace {

struct Made {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  std::string tail = std::string("/lib64/ld-linux-x86-64.so.2") + '\0';

  Made() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof segment;
    header.e_phnum = 1;
    segment.p_type = PT_INTERP;
    segment.p_offset = sizeof header + sizeof segment;
    segment.p_filesz = tail.size();
  }

  ElfInfo inspect(std::size_t cut = 0) const {
    std::string bytes(sizeof header + sizeof segment, '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, &segment, sizeof segment);
    bytes += tail;
    bytes.resize(bytes.size() - cut);
    const TempDir temp;
    atomic_write(temp.path() / "program", bytes);
    return inspect_elf(temp.path() / "program");
  }
};

ElfNeeds needs_of(const test::MadeLibrary& library) {
  const TempDir temp;
  atomic_write(temp.path() / "library", library.bytes());
  return elf_needs(temp.path() / "library");
}

TEST_CASE("a library says what it needs, and where that is") {
  test::MadeLibrary library({"liba.so.1", "libb.so"}, "/store/x/lib:$ORIGIN/../lib");
  CHECK(needs_of(library).libraries == std::vector<std::string>{"liba.so.1", "libb.so"});
  CHECK(needs_of(library).folders == std::vector<std::string>{"/store/x/lib", "$ORIGIN/../lib"});
  library.dynamic[1].d_tag = DT_RPATH;
  CHECK(needs_of(library).folders.size() == 2);
  library.dynamic[3].d_tag = DT_NULL;
  CHECK(needs_of(library).libraries == std::vector<std::string>{"liba.so.1"});
}

TEST_CASE("a library with one thing wrong needs nothing, or nothing that can't be told") {
  test::MadeLibrary library({"liba.so.1", "libb.so"}, "/store/x/lib:$ORIGIN/../lib");
  std::vector<std::string> left;
  SECTION("no texts") {
    library.dynamic[2].d_tag = DT_SYMTAB;
  }
  SECTION("texts that are not loaded") {
    library.dynamic[2].d_un.d_val = 1;
  }
  SECTION("an address that wraps") {
    library.dynamic[2].d_un.d_val = ~std::uint64_t{0};
  }
  SECTION("entries beyond the end") {
    library.segments[1].p_offset = 1 << 20;
  }
  SECTION("gigabytes of entries") {
    library.segments[1].p_filesz = std::uint64_t{1} << 40;
  }
  SECTION("a name beyond the end") {
    library.dynamic[0].d_un.d_val = 1 << 20;
    left = {"libb.so"};
  }
  SECTION("a name without an end") {
    library.texts.pop_back();
    library.segments[0].p_filesz -= 1;
    left = {"liba.so.1", ""};
  }
  CHECK(needs_of(library).libraries == left);
}

TEST_CASE("this program is told with its loader") {
  const ElfInfo self = inspect_elf("/proc/self/exe");
  CHECK(self.kind != ElfKind::not_elf);
  CHECK((self.kind == ElfKind::dynamic_program) == !self.interpreter.empty());
  if (!self.interpreter.empty()) {
    CHECK(std::filesystem::exists(self.interpreter));
  }
}

TEST_CASE("a program with a loader is dynamic, one without is static") {
  Made made;
  CHECK(made.inspect().kind == ElfKind::dynamic_program);
  CHECK(made.inspect().interpreter == "/lib64/ld-linux-x86-64.so.2");
  made.segment.p_type = PT_LOAD;
  CHECK(made.inspect().kind == ElfKind::static_program);
  CHECK(made.inspect().interpreter.empty());
  made.header.e_phnum = 0;
  CHECK(made.inspect().kind == ElfKind::static_program);
}

TEST_CASE("a file with one thing wrong is no program") {
  Made made;
  SECTION("magic") {
    made.header.e_ident[0] = 'X';
  }
  SECTION("32 bits") {
    made.header.e_ident[EI_CLASS] = ELFCLASS32;
  }
  SECTION("big-endian") {
    made.header.e_ident[EI_DATA] = ELFDATA2MSB;
  }
  SECTION("size of a program header") {
    made.header.e_phentsize = 32;
  }
  SECTION("more program headers than any program has") {
    made.header.e_phnum = 513;
  }
  SECTION("program headers beyond the end") {
    made.header.e_phoff = 1 << 20;
  }
  SECTION("program headers at an offset that wraps") {
    made.header.e_phoff = ~std::uint64_t{0};
  }
  SECTION("the loader's name beyond the end") {
    made.segment.p_offset = 1 << 20;
  }
  SECTION("a loader without a name") {
    made.segment.p_filesz = 0;
  }
  SECTION("a loader's name of gigabytes") {
    made.segment.p_filesz = std::uint64_t{1} << 32;
  }
  CHECK(made.inspect().kind == ElfKind::not_elf);
}

TEST_CASE("what is shorter than an ELF header is no program") {
  const Made made;
  CHECK(made.inspect(1).kind == ElfKind::not_elf);
  CHECK(made.inspect(sizeof made.segment + made.tail.size() + 1).kind == ElfKind::not_elf);
  const TempDir temp;
  atomic_write(temp.path() / "script", "#!/bin/sh\n");
  CHECK(inspect_elf(temp.path() / "script").kind == ElfKind::not_elf);
  CHECK(inspect_elf(temp.path()).kind == ElfKind::not_elf);
}

}  // namespace
}  // namespace seed::os
