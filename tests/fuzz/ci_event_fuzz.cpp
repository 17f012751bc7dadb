// An event of any bytes is read or refused with FormatError; whatever it says, a run for a pull
// request is trusted only where the head's repository is our own.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ci/actions_event.hpp"

using namespace seed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const ci::ActionsEvent event = ci::parse_event(text);
    const bool ours = to_lower(event.head_repository) == "acme/app";
    const std::string why = ci::why_untrusted("pull_request", "ada", "acme/app", &event);
    if (why.empty() != ours || why.find_first_of("\r\n") != why.npos) {
      std::abort();
    }
  } catch (const FormatError&) {
  }
  return 0;
}
