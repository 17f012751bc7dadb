#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/journal.hpp"
#include "ci/host.hpp"
#include "http/http.hpp"
#include "os/process.hpp"

namespace seed::app {

class CiRun;

/// Where spans go, and what is said of all of them (OpenTelemetry's environment variables).
struct TelemetrySettings {
  std::string endpoint;
  http::Headers headers;
  std::chrono::milliseconds timeout{};
  std::string ca_file;
  report::TraceContext context;
  report::Attributes resource;
};

/// Nothing where no endpoint is set, the SDK is switched off, or the caller's trace is not sampled.
/// `nonce`: 32 random hex digits. What is set and can't be followed is named in `ignored`.
std::optional<TelemetrySettings> telemetry_settings(const os::Environment& environment,
                                                    const ci::Facts& facts,
                                                    const std::string& nonce,
                                                    std::vector<std::string>& ignored);

/// The request's body. No string in it holds what `redact` takes out.
std::string spans_body(const TelemetrySettings& settings,
                       const Journal& journal,
                       const std::string& root_id,
                       const Error* error,
                       const std::function<std::string(std::string_view)>& redact);

/// Sends the spans of one run when it ends, where the environment asks for it. It never fails a
/// run, and takes five seconds at most.
class Telemetry {
 public:
  /// Children of this process get our span as their parent.
  Telemetry(const os::Environment& environment, CiRun& ci);

  void send(const Journal& journal, const Error* error);

 private:
  void debug(const std::string& message);

  CiRun& ci_;
  std::optional<TelemetrySettings> settings_;
  std::string root_id_;
};

}  // namespace seed::app
