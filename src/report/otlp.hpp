#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report/record.hpp"

namespace seed::report {

/// W3C Trace Context, level 1: which trace a span belongs to, and below which span.
struct TraceContext {
  std::string trace_id;   ///< 32 lower-case hex digits
  std::string parent_id;  ///< 16; empty: a root
  bool sampled = true;
};

/// The value of TRACEPARENT; nothing where it is not valid.
std::optional<TraceContext> parse_traceparent(std::string_view text);

/// 00-<trace>-<span>-<flags>
std::string to_traceparent(const TraceContext& context);

/// The ids that the OpenTelemetry Collector's githubreceiver gives to a workflow run, so that our
/// spans join its trace: below the job where `check_run_id` is known, else below the run.
TraceContext github_trace(std::string_view run_id,
                          std::string_view attempt,
                          std::string_view check_run_id);

/// One trace for all jobs of a pipeline.
TraceContext gitlab_trace(std::string_view pipeline_id);

using Attributes = std::map<std::string, std::variant<std::string, std::int64_t>>;

struct Span {
  std::string name;
  std::string id;             ///< 16 hex digits
  std::string parent_id;      ///< empty: a root
  std::int64_t start_ns = 0;  ///< since 1970
  std::int64_t end_ns = 0;
  std::string error;  ///< empty: it went well
  Attributes attributes;
};

/// What a run did and when.
struct RunSpans {
  TraceContext context;
  std::string root_id;  ///< 16 hex digits; the other spans' ids come from it
  std::string command;
  std::int64_t start_ns = 0;
  std::vector<Timing> timings;
  std::vector<BuiltDerivation> derivations;
  std::vector<image::LayerReceipt> layers;
  std::string error;      ///< why the run failed; empty where it did not
  Attributes attributes;  ///< of the run's own span
};

/// The run's span, one for each step below it, and below the step in which they began: one for each
/// derivation that was built, and for each layer one for packing and one for sending it.
std::vector<Span> spans_of(const RunSpans& run);

/// The body of an OTLP/HTTP request for traces, as JSON.
std::string to_otlp(const std::vector<Span>& spans,
                    const std::string& trace_id,
                    const Attributes& resource,
                    const std::string& version);

}  // namespace seed::report
