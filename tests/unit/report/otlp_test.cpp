#include "report/otlp.hpp"

#include "samples.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::report {
namespace {

RunSpans sample_run() {
  const Failure failure = sample_failed_build();
  return {.context = github_trace("16123456789", "1", ""),
          .root_id = "eee19b7ec3c1b174",
          .command = "build",
          .start_ns = 1'764'000'000'000'000'000,
          .timings = failure.timings,
          .derivations = failure.derivations,
          .error = failure.message,
          .attributes = {{"nix_seed.command", "build"}, {"nix_seed.layers.reused", 41}}};
}

}  // namespace

// W3C Trace Context, 3.2.2 and 3.2.4.
TEST_CASE("only a valid TRACEPARENT is followed") {
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const std::string parent = "b7ad6b7169203331";
  const auto context = parse_traceparent("00-" + trace + "-" + parent + "-01");
  REQUIRE(context);
  CHECK(context->trace_id == trace);
  CHECK(context->parent_id == parent);
  CHECK(context->sampled);
  CHECK(to_traceparent(*context) == "00-" + trace + "-" + parent + "-01");
  CHECK_FALSE(parse_traceparent("00-" + trace + "-" + parent + "-00")->sampled);
  CHECK(parse_traceparent("cc-" + trace + "-" + parent + "-01-what-comes-later"));
  for (const std::string& bad : {std::string(),
                                 "00-" + trace + "-" + parent,
                                 "00-" + trace + "-" + parent + "-01-more",
                                 "cc-" + trace + "-" + parent + "-01.more",
                                 "ff-" + trace + "-" + parent + "-01",
                                 "0X-" + trace + "-" + parent + "-01",
                                 "00-" + std::string(32, '0') + "-" + parent + "-01",
                                 "00-" + trace + "-" + std::string(16, '0') + "-01",
                                 "00-0AF7651916CD43DD8448EB211C80319C-" + parent + "-01",
                                 "00-" + trace + "_" + parent + "-01"}) {
    INFO(bad);
    CHECK_FALSE(parse_traceparent(bad));
  }
}

// The run's ids are those that the Collector's githubreceiver makes for run 16123456789, attempt 1.
TEST_CASE("spans of a GitHub job join the trace of its workflow run") {
  const TraceContext run = github_trace("16123456789", "1", "");
  CHECK(run.trace_id == "2de4680b1d87374bbd2747fa33f77c6c");
  CHECK(run.parent_id == "b5a7bfc64182dbcb");
  const TraceContext job = github_trace("16123456789", "1", "45678901234");
  CHECK(job.trace_id == run.trace_id);
  CHECK(job.parent_id == Digest::of("45678901234-j").hex().substr(16, 16));
  CHECK(github_trace("16123456789", "2", "").trace_id != run.trace_id);
}

TEST_CASE("the jobs of a GitLab pipeline share a trace") {
  CHECK(gitlab_trace("77").trace_id == Digest::of("gitlab77").hex().substr(0, 32));
  CHECK(gitlab_trace("77").parent_id.empty());
}

TEST_CASE("steps are below the run, and derivations below the step that built them") {
  const RunSpans run = sample_run();
  const std::vector<Span> spans = spans_of(run);
  REQUIRE(spans.size() == 7);
  CHECK(spans[0].name == "build");
  CHECK(spans[0].parent_id == "b5a7bfc64182dbcb");
  CHECK(spans[1].name == "build.enter");
  CHECK(spans[3].name == "build.nix");
  CHECK(spans[3].parent_id == spans[0].id);
  CHECK(spans[3].end_ns == spans[0].end_ns);
  CHECK(spans[3].error == run.error);
  CHECK(spans[1].error.empty());
  for (std::size_t i = 4; i < 7; ++i) {
    CHECK(spans[i].name == "build.derivation");
    CHECK(spans[i].parent_id == spans[3].id);
  }
  CHECK(spans[4].start_ns == 1'764'000'002'500'000'000);
  CHECK(spans[4].end_ns == 1'764'000'007'900'000'000);
  CHECK(spans[4].error.empty());
  CHECK_FALSE(spans[6].error.empty());
}

TEST_CASE("each layer has a span for packing and one for sending, below the step that did it") {
  RunSpans run = sample_run();
  run.derivations.clear();
  const image::LayerBlob blob{
      .digest = Digest::of("a"), .diff_id = Digest::of("b"), .size_bytes = 70, .media_type = "t"};
  run.layers = {{.blob = blob,
                 .state = image::LayerState::sent,
                 .nar_size = 700,
                 .title = "glibc",
                 .packed = image::Period{.start = 2.5, .seconds = 0.5},
                 .pushed = image::Period{.start = 3, .seconds = 1}},
                {.blob = blob, .state = image::LayerState::reused, .title = "gcc"},
                {.blob = blob,
                 .state = image::LayerState::present,
                 .title = "jq",
                 .packed = image::Period{.start = 0, .seconds = 0.1}}};
  const std::vector<Span> spans = spans_of(run);
  REQUIRE(spans.size() == 7);
  CHECK(spans[4].name == "pack.layer");
  CHECK(spans[4].parent_id == spans[3].id);
  CHECK(spans[4].start_ns == run.start_ns + 2'500'000'000);
  CHECK(spans[4].end_ns == run.start_ns + 3'000'000'000);
  CHECK(spans[4].attributes == Attributes{{"nix_seed.layer.title", "glibc"},
                                          {"nix_seed.layer.digest", Digest::of("a").to_string()},
                                          {"nix_seed.layer.size", 70},
                                          {"nix_seed.layer.nar_size", 700},
                                          {"nix_seed.layer.sent", "true"}});
  CHECK(spans[5].name == "push.layer");
  CHECK(spans[5].end_ns == run.start_ns + 4'000'000'000);
  CHECK(spans[6].parent_id == spans[1].id);
  CHECK(spans[6].attributes.at("nix_seed.layer.sent") ==
        std::variant<std::string, std::int64_t>("false"));
}

TEST_CASE("spans travel as OTLP's JSON") {
  const RunSpans run = sample_run();
  CHECK(test::golden("report/otlp.json",
                     to_otlp(spans_of(run),
                             run.context.trace_id,
                             {{"service.name", "nix-seed"}, {"vcs.ref.head.name", "ma\xffin"}},
                             "1.0.0") +
                         "\n"));
}

}  // namespace seed::report
