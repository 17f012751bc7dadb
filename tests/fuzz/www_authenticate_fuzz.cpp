// A WWW-Authenticate header of any bytes is read or refused with FormatError; what was read,
// printed with quotes, is read as the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "oci/auth_challenge.hpp"

using namespace seed;

namespace {

std::string print(const std::vector<oci::Challenge>& challenges) {
  std::string text;
  for (const auto& [scheme, params] : challenges) {
    text += (text.empty() ? "" : ", ") + scheme;
    char separator = ' ';
    for (const auto& [name, value] : params) {
      text += separator + name + "=\"";
      for (const char c : value) {
        text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
      }
      text += '"';
      separator = ',';
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<oci::Challenge> challenges;
  try {
    challenges = oci::parse_challenges({reinterpret_cast<const char*>(data), size});
  } catch (const FormatError&) {
    return 0;
  }
  const std::string text = print(challenges);
  if (text.size() < 8000 && oci::parse_challenges(text) != challenges) {
    std::abort();
  }
  return 0;
}
