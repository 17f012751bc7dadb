#include "report/otlp.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "report/chart.hpp"

namespace seed::report {
namespace {

using nlohmann::json;

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;
constexpr std::size_t kMaxSpans = 2000;
constexpr std::size_t kMaxTextBytes = 1000;

// opentelemetry/proto/trace/v1/trace.proto
constexpr int kKindInternal = 1;
constexpr int kStatusOk = 1;
constexpr int kStatusError = 2;

bool is_id(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos &&
         text.find_first_not_of('0') != text.npos;
}

std::string hashed(const std::string& text, std::size_t start, std::size_t digits) {
  return Digest::of(text).hex().substr(start, digits);
}

json to_json(const Attributes& attributes) {
  json list = json::array();
  for (const auto& [key, value] : attributes) {
    json member;
    if (const auto* text = std::get_if<std::string>(&value)) {
      member["stringValue"] = std::string(utf8_prefix(*text, kMaxTextBytes));
    } else {
      // 64-bit integers are decimal text in protobuf's JSON.
      member["intValue"] = std::to_string(std::get<std::int64_t>(value));
    }
    list.push_back({{"key", key}, {"value", member}});
  }
  return list;
}

json to_json(const Span& span, const std::string& trace_id) {
  json object{{"traceId", trace_id},
              {"spanId", span.id},
              {"name", span.name},
              {"kind", kKindInternal},
              {"startTimeUnixNano", std::to_string(span.start_ns)},
              {"endTimeUnixNano", std::to_string(span.end_ns)},
              {"attributes", to_json(span.attributes)},
              {"status", {{"code", span.error.empty() ? kStatusOk : kStatusError}}}};
  if (!span.parent_id.empty()) {
    object["parentSpanId"] = span.parent_id;
  }
  if (!span.error.empty()) {
    object["status"]["message"] = std::string(utf8_prefix(span.error, kMaxTextBytes));
  }
  return object;
}

/// Names of few kinds, as traces are grouped by them.
std::string name_of(const std::string& command, const std::string& step) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNames{
      {{"look for a seed", "resolve"},
       {"find and enter the seed", "enter"},
       {"evaluate", "eval"},
       {"realise inputs", "build"},
       {"read the closure", "closure"},
       {"pack and push", "push"},
       {"attest and tag", "attest"},
       {"build", "nix"}}};
  for (const auto& [known, name] : kNames) {
    if (step == known) {
      return fmt::format("{}.{}", command, name);
    }
  }
  std::string name = command + "." + step;
  std::ranges::replace(name, ' ', '_');
  return name;
}

std::int64_t nanoseconds(double seconds) {
  return std::llround(std::max(0.0, seconds) * 1e9);
}

/// The spans of a run, in the making.
class Spans {
 public:
  explicit Spans(const RunSpans& run) : run_(run) {
    list.push_back({.name = run.command,
                    .id = run.root_id,
                    .parent_id = run.context.parent_id,
                    .start_ns = run.start_ns,
                    .end_ns = run.start_ns,
                    .error = run.error,
                    .attributes = run.attributes});
  }

  /// With an id of its own; nothing where there are too many.
  void add(Span span) {
    if (list.size() == kMaxSpans) {
      return;
    }
    span.id = hashed(fmt::format("{} {}", run_.root_id, list.size()), 0, kSpanDigits);
    list.push_back(std::move(span));
  }

  void add_steps() {
    std::int64_t start = run_.start_ns;
    for (const Timing& timing : run_.timings) {
      const std::int64_t end = start + nanoseconds(timing.seconds);
      add({.name = name_of(run_.command, timing.step),
           .parent_id = run_.root_id,
           .start_ns = start,
           .end_ns = end});
      start = end;
    }
    list.front().end_ns = start;
    if (!run_.error.empty() && list.size() > 1) {
      list.back().error = run_.error;  // what was under way
    }
    steps_ = list.size();
  }

  /// Below the step in which it began.
  void add_part(std::string name,
                double start_seconds,
                double seconds,
                std::string error,
                Attributes attributes) {
    const std::int64_t began = run_.start_ns + nanoseconds(start_seconds);
    std::size_t parent = 0;
    for (std::size_t i = 1; i < steps_; ++i) {
      parent = list[i].start_ns <= began ? i : parent;
    }
    add({.name = std::move(name),
         .parent_id = list[parent].id,
         .start_ns = began,
         .end_ns = began + nanoseconds(seconds),
         .error = std::move(error),
         .attributes = std::move(attributes)});
  }

  std::vector<Span> list;

 private:
  const RunSpans& run_;
  std::size_t steps_ = 1;
};

void add_layer(Spans& spans, const image::LayerReceipt& layer) {
  const Attributes attributes{
      {"nix_seed.layer.title", layer.title},
      {"nix_seed.layer.digest", layer.blob.digest.to_string()},
      {"nix_seed.layer.size", static_cast<std::int64_t>(layer.blob.size_bytes)},
      {"nix_seed.layer.nar_size", static_cast<std::int64_t>(layer.nar_size)},
      {"nix_seed.layer.sent", layer.state == image::LayerState::sent ? "true" : "false"}};
  if (layer.packed) {
    spans.add_part("pack.layer", layer.packed->start, layer.packed->seconds, "", attributes);
  }
  if (layer.pushed) {
    spans.add_part("push.layer", layer.pushed->start, layer.pushed->seconds, "", attributes);
  }
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2);
  const std::string_view flags = text.substr(53, 2);
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool hex = version.find_first_not_of(kHex) == version.npos &&
                   flags.find_first_not_of(kHex) == flags.npos;
  // Later versions may say more after another dash.
  const bool ends = text.size() == kLength || (version != "00" && text[kLength] == '-');
  const std::string_view trace = text.substr(3, kTraceDigits);
  const std::string_view parent = text.substr(36, kSpanDigits);
  if (!hex || !ends || version == "ff" || !is_id(trace, kTraceDigits) ||
      !is_id(parent, kSpanDigits)) {
    return std::nullopt;
  }
  return TraceContext{.trace_id = std::string(trace),
                      .parent_id = std::string(parent),
                      .sampled = kHex.find(flags[1]) % 2 == 1};
}

std::string to_traceparent(const TraceContext& context) {
  return fmt::format(
      "00-{}-{}-{}", context.trace_id, context.parent_id, context.sampled ? "01" : "00");
}

TraceContext github_trace(std::string_view run_id,
                          std::string_view attempt,
                          std::string_view check_run_id) {
  const std::string run = fmt::format("{}{}", run_id, attempt);
  return {.trace_id = hashed(run + "t", 0, kTraceDigits),
          .parent_id = check_run_id.empty()
                           ? hashed(run + "s", kSpanDigits, kSpanDigits)
                           : hashed(fmt::format("{}-j", check_run_id), kSpanDigits, kSpanDigits)};
}

TraceContext gitlab_trace(std::string_view pipeline_id) {
  return {.trace_id = hashed(fmt::format("gitlab{}", pipeline_id), 0, kTraceDigits),
          .parent_id = {}};
}

std::vector<Span> spans_of(const RunSpans& run) {
  Spans spans(run);
  spans.add_steps();
  for (const BuiltDerivation& derivation : run.derivations) {
    spans.add_part("build.derivation",
                   derivation.start,
                   derivation.seconds,
                   derivation.failed ? "the builder failed" : "",
                   {{"nix_seed.derivation.name", derivation_name(derivation.path)},
                    {"nix_seed.derivation.path", derivation.path}});
  }
  for (const image::LayerReceipt& layer : run.layers) {
    add_layer(spans, layer);
  }
  return std::move(spans.list);
}

std::string to_otlp(const std::vector<Span>& spans,
                    const std::string& trace_id,
                    const Attributes& resource,
                    const std::string& version) {
  json list = json::array();
  for (const Span& span : spans) {
    list.push_back(to_json(span, trace_id));
  }
  const json scope{{"scope", {{"name", "nix-seed"}, {"version", version}}}, {"spans", list}};
  const json body{{"resourceSpans",
                   json::array({{{"resource", {{"attributes", to_json(resource)}}},
                                 {"scopeSpans", json::array({scope})}}})}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace seed::report
