// A login file or a helper's answer of any bytes is read or refused with FormatError; no helper's
// name leaves its folder.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/docker_config.hpp"

using namespace seed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto config = oci::parse_docker_config(text);
    for (const auto& [key, helper] : config.helpers) {
      if (helper.find('/') != std::string::npos) {
        std::abort();
      }
    }
  } catch (const FormatError&) {
  }
  try {
    oci::parse_helper_answer(text);
  } catch (const FormatError&) {
  }
  return 0;
}
