#pragma once

#include <functional>
#include <string>

#include "os/file.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/tuf.hpp"
#include "sigstore/tuf_rules.hpp"
#include "support/tuf_repository.hpp"

namespace seed::test {

/// "rollback", or what else was thrown; "accepted".
inline std::string rule_of(const std::function<void()>& step) {
  using sigstore::tuf::Rule;
  try {
    step();
  } catch (const sigstore::tuf::Refused& refused) {
    switch (refused.rule()) {
      case Rule::signatures:
        return "signatures";
      case Rule::version:
        return "version";
      case Rule::rollback:
        return "rollback";
      case Rule::expiry:
        return "expiry";
      case Rule::length:
        return "length";
      case Rule::hash:
        return "hash";
      case Rule::missing:
        return "missing";
    }
  } catch (const NetworkError& error) {
    return "network: " + error.message();
  } catch (const FormatError& error) {
    return "format: " + error.message();
  }
  return "accepted";
}

inline std::string message_of(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

/// A repository, a client of it, and the time.
struct TufClient {
  TufRepository repository;
  TufServer server{repository};
  SetClock clock;
  os::TempDir folder;
  sigstore::tuf::Repository known{
      .url = kTufUrl, .root = repository.root_text(), .cache = folder.path() / "cache"};

  TufClient() { clock.time = sigstore::parse_rfc3339("2026-05-01T00:00:00Z"); }

  std::string refresh(const std::string& path = "trusted_root.json") {
    server.asked.clear();
    return sigstore::tuf::find_target(server, clock, known, path, std::chrono::seconds(0)).bytes;
  }

  std::string rule() {
    return rule_of([&] { refresh(); });
  }

  std::string message() {
    return message_of([&] { refresh(); });
  }
};

}  // namespace seed::test
