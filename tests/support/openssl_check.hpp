#pragma once

#include <stdexcept>
#include <string>

namespace seed::test {

/// A fake that can't do its part is a broken test, not a refusal.
inline void check(bool good, const std::string& what) {
  if (!good) {
    throw std::logic_error("OpenSSL in a test: " + what);
  }
}

}  // namespace seed::test
