#include "http/ca_file.hpp"

#include <cstdlib>
#include <filesystem>

namespace seed::http {

/// libcurl does not read these itself, and the default built into it is Debian's.
std::string find_ca_file(const std::string& chosen) {
  if (!chosen.empty()) {
    return chosen;
  }
  for (const char* name : {"SSL_CERT_FILE", "NIX_SSL_CERT_FILE"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      return value;
    }
  }
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt",
                           "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                           "/etc/ssl/ca-bundle.pem",
                           "/etc/ssl/cert.pem",
                           "/etc/ssl/certs/ca-bundle.crt"}) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
      return path;
    }
  }
  return {};
}

std::string find_ca_directory() {
  const char* value = std::getenv("SSL_CERT_DIR");
  return value != nullptr && *value != '\0' ? value : "/etc/ssl/certs";
}

}  // namespace seed::http
