// A Link header of any bytes gives a target or nothing; resolved against a page's URL, the target
// is a URL or a FormatError.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "http/http.hpp"
#include "oci/link_header.hpp"

using namespace seed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto link = oci::next_link({reinterpret_cast<const char*>(data), size});
  if (!link) {
    return 0;
  }
  const http::Url page = http::Url::parse("https://registry.test/v2/a/tags/list?n=1");
  try {
    const http::Url next = http::resolve(page, *link);
    if (!(http::Url::parse(next.to_string()) == next)) {
      std::abort();
    }
  } catch (const FormatError&) {
  }
  return 0;
}
