#pragma once

#include <memory>
#include <string>

#include "http/http.hpp"
#include "oci/credentials.hpp"
#include "oci/repository.hpp"

namespace seed::oci {

struct RegistryOptions {
  /// Plain http; otherwise only loopback addresses are spoken to without TLS.
  bool insecure = false;
  /// Blobs above this are sent in chunks of this size (and resumed at the last one a registry has)
  /// after a monolithic upload was cut off; 0 never.
  std::uint64_t chunk_bytes = 4 << 20;
  /// When tokens end, and the pauses of a lost race. Null: the system's.
  Clock* clock = nullptr;
};

/// `reference` names the host and repository; its tag and digest are not looked at.
std::unique_ptr<Repository> open_registry(const Reference& reference,
                                          http::Transport& transport,
                                          CredentialSource& credentials,
                                          RegistryOptions options);

}  // namespace seed::oci
