#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/seed_record.hpp"

// What is read prints to a text that reads the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto record = seed::nix::parse_seed_record(text);
    const std::string printed = seed::nix::print_seed_record(record);
    if (seed::nix::parse_seed_record(printed) != record ||
        seed::nix::nar_hash_of_record(printed).size() != 51) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
