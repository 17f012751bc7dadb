#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/elf.hpp"

// Any file is looked at without harm; only a dynamic program has an interpreter, and no text is
// longer than a path can be.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("elf", 0);
  if (file < 0 || ::ftruncate(file, 0) != 0 ||
      ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  try {
    const auto info = seed::os::inspect_elf("/proc/self/fd/" + std::to_string(file));
    if (info.kind != seed::os::ElfKind::dynamic_program && !info.interpreter.empty()) {
      std::abort();
    }
    const auto needs = seed::os::elf_needs("/proc/self/fd/" + std::to_string(file));
    for (const auto& texts : {needs.libraries, needs.folders}) {
      for (const std::string& text : texts) {
        if (text.size() >= 4096 || text.find('\0') != std::string::npos) {
          std::abort();
        }
      }
    }
  } catch (const seed::Error&) {
  }
  return 0;
}
