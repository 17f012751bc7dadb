#include "app/telemetry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/appending.hpp"
#include "app/ci_run.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "ci/escape.hpp"
#include "os/clock.hpp"
#include "os/interrupt.hpp"

namespace seed::app {
namespace {

constexpr std::chrono::milliseconds kLongest{5000};
constexpr std::size_t kSpanDigits = 16;

/// The value for traces, else the one for every signal.
std::optional<std::string> setting(const os::Environment& environment, std::string_view name) {
  const auto special = os::get(environment, fmt::format("OTEL_EXPORTER_OTLP_TRACES_{}", name));
  return special ? special : os::get(environment, fmt::format("OTEL_EXPORTER_OTLP_{}", name));
}

std::string endpoint_of(const os::Environment& environment) {
  if (const auto traces = os::get(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) {
    return *traces;
  }
  std::string base = os::get(environment, "OTEL_EXPORTER_OTLP_ENDPOINT").value_or("");
  while (base.ends_with('/')) {
    base.pop_back();
  }
  return base.empty() ? base : base + "/v1/traces";
}

/// RFC 3986 §2.1; nothing where a percent sign has no two digits after it.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto byte = from_hex(to_lower(text.substr(at + 1, 2)));
    if (!byte || byte->size() != 1) {
      return std::nullopt;
    }
    out += text_of(*byte);
    at += 2;
  }
  return out;
}

/// `k=v,k=v` with percent-encoded values (W3C Baggage without properties).
std::vector<std::pair<std::string, std::string>> pairs_of(const std::string& text,
                                                          std::string_view variable,
                                                          std::vector<std::string>& ignored) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (trim(part).empty()) {
      continue;
    }
    const std::string key(trim(part.substr(0, equals)));
    const auto value =
        equals == part.npos ? std::nullopt : percent_decoded(trim(part.substr(equals + 1)));
    // No value is told: it may be a secret.
    if (key.empty() || !value) {
      ignored.push_back(fmt::format("a part of {} that is not key=value", variable));
      continue;
    }
    pairs.emplace_back(key, *value);
  }
  return pairs;
}

http::Headers headers_of(const os::Environment& environment, std::vector<std::string>& ignored) {
  constexpr std::string_view kToken =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
  http::Headers headers;
  const std::string text = setting(environment, "HEADERS").value_or("");
  for (auto& [key, value] : pairs_of(text, "OTEL_EXPORTER_OTLP_HEADERS", ignored)) {
    const bool clean = std::ranges::none_of(
        value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (key.find_first_not_of(kToken) != key.npos || !clean) {
      ignored.push_back("a header that HTTP does not take");
      continue;
    }
    headers.set(key, value);
  }
  headers.set("Content-Type", "application/json");
  return headers;
}

std::chrono::milliseconds timeout_of(const os::Environment& environment) {
  const std::string text = setting(environment, "TIMEOUT").value_or("");
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool valid = problem == std::errc() && end == text.data() + text.size() && number > 0;
  return valid ? std::min(kLongest, std::chrono::milliseconds(number)) : kLongest;
}

report::TraceContext context_of(const os::Environment& environment,
                                const ci::Facts& facts,
                                const std::string& nonce) {
  if (const auto given = os::get(environment, "TRACEPARENT")) {
    if (const auto context = report::parse_traceparent(*given)) {
      return *context;
    }
  }
  if (facts.kind == ci::HostKind::github && !facts.run_id.empty()) {
    return report::github_trace(facts.run_id,
                                facts.run_attempt.empty() ? "1" : facts.run_attempt,
                                os::get(environment, "NIX_SEED_CHECK_RUN_ID").value_or(""));
  }
  const auto pipeline = os::get(environment, "CI_PIPELINE_ID");
  if (facts.kind == ci::HostKind::gitlab && pipeline) {
    return report::gitlab_trace(*pipeline);
  }
  return {.trace_id = nonce, .parent_id = {}};
}

/// OpenTelemetry's semantic conventions for resources, CI/CD and version control.
report::Attributes resource_of(const os::Environment& environment,
                               const ci::Facts& facts,
                               std::vector<std::string>& ignored) {
  report::Attributes resource;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) {
      resource[key] = value;
    }
  };
  const auto variable = [&](std::string_view name) {
    return os::get(environment, name).value_or("");
  };
  add("cicd.pipeline.name",
      facts.kind == ci::HostKind::gitlab ? variable("CI_PROJECT_PATH")
                                         : variable("GITHUB_WORKFLOW"));
  add("cicd.pipeline.run.id", facts.run_id);
  add("cicd.pipeline.run.url.full", facts.run_url);
  add("cicd.worker.name", variable("RUNNER_NAME"));
  add("vcs.repository.url.full", facts.repository_url);
  add("vcs.ref.head.name", facts.ref);
  add("vcs.ref.head.revision", facts.commit);
  resource["service.name"] = "nix-seed";
  resource["service.version"] = NIX_SEED_VERSION;
  for (const auto& [key, value] :
       pairs_of(variable("OTEL_RESOURCE_ATTRIBUTES"), "OTEL_RESOURCE_ATTRIBUTES", ignored)) {
    resource[key] = value;
  }
  add("service.name", variable("OTEL_SERVICE_NAME"));
  return resource;
}

bool switched_off(const os::Environment& environment, std::vector<std::string>& ignored) {
  if (to_lower(os::get(environment, "OTEL_SDK_DISABLED").value_or("")) == "true" ||
      to_lower(os::get(environment, "OTEL_TRACES_EXPORTER").value_or("")) == "none") {
    return true;
  }
  if (to_lower(setting(environment, "PROTOCOL").value_or("")) == "grpc") {
    ignored.push_back("the endpoint, since it is said to speak gRPC; name one for OTLP over HTTP");
    return true;
  }
  return false;
}

std::string_view result_of(const Error* error) {
  if (error == nullptr) {
    return "success";
  }
  switch (error->code()) {
    case ExitCode::failed:
      return "failure";
    case ExitCode::interrupted:
      return "cancellation";
    default:
      return "error";
  }
}

/// What a collector says of spans that it did not take; empty where it took all.
std::string rejection_of(const http::Response& response) {
  if (response.status / 100 != 2) {
    return fmt::format("the collector answered with status {}", response.status);
  }
  const auto body = nlohmann::json::parse(response.body, nullptr, false);
  if (!body.is_object() || !body.contains("partialSuccess") ||
      !body["partialSuccess"].is_object()) {
    return {};
  }
  const auto& partial = body["partialSuccess"];
  const std::string count =
      partial.contains("rejectedSpans") ? partial["rejectedSpans"].dump() : "0";
  return count == "0" || count == "\"0\"" ? ""
                                          : fmt::format("the collector refused {} spans", count);
}

http::Response post(const TelemetrySettings& settings, const std::string& body) {
  constexpr std::uint64_t kMaxResponseBytes = 4 << 20;
  // The check is made once a second.
  const auto end = std::chrono::steady_clock::now() + settings.timeout - std::chrono::seconds(1);
  const auto transport = http::curl_transport(
      {.user_agent = "nix-seed/" NIX_SEED_VERSION,
       .ca_file = settings.ca_file,
       .connect_timeout = std::chrono::ceil<std::chrono::seconds>(settings.timeout),
       .low_speed_time = settings.timeout,
       .response_timeout = settings.timeout,
       .check = [end] {
         os::check_interrupt();
         if (std::chrono::steady_clock::now() > end) {
           throw NetworkError("the collector took too long");
         }
       }});
  os::SystemClock clock;
  const auto retrying = http::with_retries(*transport,
                                           {.attempts = 2,
                                            .base = std::chrono::milliseconds(200),
                                            .cap = std::chrono::milliseconds(300)},
                                           clock);
  return retrying->send({.method = http::Method::post,
                         .url = settings.endpoint,
                         .headers = settings.headers,
                         .body = [&body] { return source_of(body); },
                         .body_size_bytes = body.size(),
                         .max_response_bytes = kMaxResponseBytes,
                         .on_fault = http::OnFault::pass_on});
}

}  // namespace

std::optional<TelemetrySettings> telemetry_settings(const os::Environment& environment,
                                                    const ci::Facts& facts,
                                                    const std::string& nonce,
                                                    std::vector<std::string>& ignored) {
  const std::string endpoint = endpoint_of(environment);
  if (endpoint.empty() || switched_off(environment, ignored)) {
    return std::nullopt;
  }
  TelemetrySettings settings{.endpoint = endpoint,
                             .headers = headers_of(environment, ignored),
                             .timeout = timeout_of(environment),
                             .ca_file = setting(environment, "CERTIFICATE").value_or(""),
                             .context = context_of(environment, facts, nonce),
                             .resource = resource_of(environment, facts, ignored)};
  return settings.context.sampled ? std::optional(std::move(settings)) : std::nullopt;
}

std::string spans_body(const TelemetrySettings& settings,
                       const Journal& journal,
                       const std::string& root_id,
                       const Error* error,
                       const std::function<std::string(std::string_view)>& redact) {
  report::RunSpans run{.context = settings.context,
                       .root_id = root_id,
                       .command = journal.command,
                       .start_ns = journal.start_ns == 0 ? unix_nanoseconds() : journal.start_ns,
                       .timings = journal.timings,
                       .layers = journal.layers,
                       .error = error == nullptr ? "" : error->message(),
                       .attributes = journal.attributes};
  for (const nix::BuildActivity& build : journal.builds) {
    run.derivations.push_back({.path = build.derivation,
                               .start = build.start,
                               .seconds = build.seconds,
                               .failed = build.failed});
  }
  run.attributes["cicd.pipeline.task.name"] = "nix-seed " + journal.command;
  run.attributes["cicd.pipeline.task.type"] = "build";
  run.attributes["cicd.pipeline.task.run.result"] = std::string(result_of(error));
  if (error != nullptr) {
    run.attributes["error.type"] = fmt::format("exit_{}", static_cast<int>(error->code()));
  }
  std::vector<report::Span> spans = report::spans_of(run);
  report::Attributes resource = settings.resource;
  const auto clean = [&](report::Attributes& attributes) {
    for (auto& [key, value] : attributes) {
      if (auto* text = std::get_if<std::string>(&value)) {
        *text = redact(*text);
      }
    }
  };
  clean(resource);
  for (report::Span& span : spans) {
    span.name = redact(span.name);
    span.error = redact(span.error);
    clean(span.attributes);
  }
  return report::to_otlp(spans, settings.context.trace_id, resource, NIX_SEED_VERSION);
}

Telemetry::Telemetry(const os::Environment& environment, CiRun& ci) : ci_(ci) {
  std::vector<std::string> ignored;
  settings_ = telemetry_settings(environment, ci.facts(), random_nonce(), ignored);
  for (const std::string& what : ignored) {
    debug("OpenTelemetry: ignored is " + what);
  }
  if (!settings_) {
    return;
  }
  root_id_ = random_nonce().substr(0, kSpanDigits);
  const report::TraceContext ours{.trace_id = settings_->context.trace_id, .parent_id = root_id_};
  ::setenv("TRACEPARENT", report::to_traceparent(ours).c_str(), 1);
  // Later steps of the job are below the job, not below this one.
  const auto file = os::get(environment, "GITHUB_ENV");
  if (ci.facts().kind == ci::HostKind::github && file && !os::get(environment, "TRACEPARENT")) {
    try {
      append_text(
          *file, fmt::format("TRACEPARENT={}\n", report::to_traceparent(settings_->context)), 0);
    } catch (const Error& error) {
      debug(fmt::format("OpenTelemetry: {}", error.message()));
    }
  }
}

void Telemetry::send(const Journal& journal, const Error* error) {
  if (!settings_) {
    return;
  }
  try {
    const std::string body =
        spans_body(*settings_, journal, root_id_, error, [this](std::string_view text) {
          return ci_.console().redactor()(text);
        });
    if (const std::string why = rejection_of(post(*settings_, body)); !why.empty()) {
      debug("OpenTelemetry: " + why);
    }
  } catch (const std::exception& problem) {
    debug(fmt::format("OpenTelemetry: {}", problem.what()));
  }
}

void Telemetry::debug(const std::string& message) {
  if (ci_.facts().kind == ci::HostKind::github) {
    ci_.console().command({.line = "::debug::" + ci::workflow_data(message)});
  } else if (ci_.facts().debug) {
    ci_.console().say("nix-seed: " + message);
  }
}

}  // namespace seed::app
