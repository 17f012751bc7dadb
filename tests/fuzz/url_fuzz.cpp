// A URL of any bytes is read or refused with FormatError; printed, it is read as the same; shown,
// it has no user; resolved against it, any location is a URL or a FormatError.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "http/http.hpp"

using namespace seed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(http::redact_url(text));
  static_cast<void>(http::parse_retry_after(text, Time{}));
  try {
    const http::Url url = http::Url::parse(text);
    if (!(http::Url::parse(url.to_string()) == url) || !url.target.starts_with('/')) {
      std::abort();
    }
  } catch (const FormatError&) {
  }
  try {
    const http::Url base = http::Url::parse("https://h:5000/v2/a/b?c=d");
    const http::Url url = http::resolve(base, text);
    if (!(http::Url::parse(url.to_string()) == url)) {
      std::abort();
    }
  } catch (const FormatError&) {
  }
  return 0;
}
