#pragma once

#include <string>

namespace seed::http {

/// `chosen`, or $SSL_CERT_FILE, $NIX_SSL_CERT_FILE, or the first of the places where distributions
/// keep their certificate authorities; empty where there is none.
std::string find_ca_file(const std::string& chosen);

/// $SSL_CERT_DIR, or where a hashed folder usually is.
std::string find_ca_directory();

}  // namespace seed::http
