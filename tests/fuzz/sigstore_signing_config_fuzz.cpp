#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "sigstore/signing_config.hpp"

using namespace seed;
using namespace seed::sigstore;

// Whatever the file says, a selection has one version, each operator once, what is in service, and
// at least as many as are needed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<unsigned, 2> kSupported{1, 2};
  const Time now{std::chrono::seconds(1'790'000'000)};
  try {
    const SigningConfig config = parse_signing_config({reinterpret_cast<const char*>(data), size});
    const Selection selection =
        select_services(config.logs, config.log_config, kSupported, now, "logs");
    std::set<std::string_view> operators;
    for (const Service& service : selection.services) {
      if (!operators.insert(service.operator_name).second || !service.validity.contains(now) ||
          service.major_api_version != selection.services.front().major_api_version ||
          service.major_api_version > 2) {
        std::abort();
      }
    }
    if (selection.needed == 0 || selection.services.size() < selection.needed) {
      std::abort();
    }
  } catch (const FormatError&) {
  } catch (const UsageError&) {
  }
  return 0;
}
