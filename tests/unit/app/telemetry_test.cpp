#include "app/telemetry.hpp"

#include <nlohmann/json.hpp>

#include "ci/secrets.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

const std::string kNonce = "0123456789abcdef0123456789abcdef";
const std::string kEndpoint = "http://127.0.0.1:4318";

std::optional<TelemetrySettings> settings(os::Environment environment,
                                          const ci::Facts& facts = {}) {
  std::vector<std::string> ignored;
  return telemetry_settings(environment, facts, kNonce, ignored);
}

std::vector<std::string> ignored_of(const os::Environment& environment) {
  std::vector<std::string> ignored;
  telemetry_settings(environment, {}, kNonce, ignored);
  return ignored;
}

os::Environment with(os::Environment environment) {
  environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = kEndpoint;
  return environment;
}

}  // namespace

TEST_CASE("nothing is sent unless an endpoint is set and nothing says no") {
  CHECK_FALSE(settings({}));
  CHECK_FALSE(settings({{"OTEL_EXPORTER_OTLP_HEADERS", "a=b"}}));
  CHECK_FALSE(settings({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}));
  CHECK(settings(with({})));
  CHECK_FALSE(settings(with({{"OTEL_SDK_DISABLED", "True"}})));
  CHECK(settings(with({{"OTEL_SDK_DISABLED", "no"}})));
  CHECK_FALSE(settings(with({{"OTEL_TRACES_EXPORTER", "none"}})));
  CHECK_FALSE(settings(with({{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}})));
  CHECK(settings(with({{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}})));
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
  CHECK(settings(with({{"TRACEPARENT", parent + "01"}})));
  CHECK_FALSE(settings(with({{"TRACEPARENT", parent + "00"}})));
}

TEST_CASE("the endpoint for traces is taken as it is, the common one gets their path") {
  CHECK(settings(with({}))->endpoint == kEndpoint + "/v1/traces");
  CHECK(settings({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://a/otlp/"}})->endpoint ==
        "https://a/otlp/v1/traces");
  CHECK(settings(with({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://b/x"}}))->endpoint ==
        "https://b/x");
}

TEST_CASE("headers are percent-decoded, and none can bring another") {
  const auto headers =
      settings(with({{"OTEL_EXPORTER_OTLP_HEADERS",
                      " api-key = abc%20def , x=a%3Db%2Cc=d,,bad,no=%zz,evil=a%0d%0aX: y,b d=e,"
                      "content-type=text/html"}}))
          ->headers;
  CHECK(headers.entries().size() == 3);
  CHECK(headers.get("api-key") == "abc def");
  CHECK(headers.get("x") == "a=b,c=d");
  CHECK(headers.get("content-type") == "application/json");
  const auto ignored = ignored_of(with({{"OTEL_EXPORTER_OTLP_HEADERS", "bad-secret,k=%s3cret"}}));
  REQUIRE(ignored.size() == 2);
  CHECK_THAT(ignored[0] + ignored[1], !Catch::Contains("s3cret") && !Catch::Contains("secret"));
  CHECK(settings(with({{"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                       {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=2"}}))
            ->headers.get("a") == "2");
}

TEST_CASE("no timeout is longer than five seconds") {
  using std::chrono::milliseconds;
  const auto timeout = [](const std::string& text) {
    return settings(with({{"OTEL_EXPORTER_OTLP_TIMEOUT", text}}))->timeout;
  };
  CHECK(timeout("") == milliseconds(5000));
  CHECK(timeout("1500") == milliseconds(1500));
  CHECK(timeout("60000") == milliseconds(5000));
  CHECK(timeout("0") == milliseconds(5000));
  CHECK(timeout("-1") == milliseconds(5000));
  CHECK(timeout("2s") == milliseconds(5000));
}

TEST_CASE("a run joins the trace it is given, else its pipeline's, else it has its own") {
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const ci::Facts github{.kind = ci::HostKind::github, .run_id = "16123456789", .run_attempt = "1"};
  CHECK(settings(with({{"TRACEPARENT", parent}}), github)->context.parent_id == "b7ad6b7169203331");
  CHECK(settings(with({}), github)->context.parent_id == "b5a7bfc64182dbcb");
  CHECK(settings(with({{"TRACEPARENT", "nonsense"}}), github)->context.parent_id ==
        "b5a7bfc64182dbcb");
  CHECK(settings(with({{"NIX_SEED_CHECK_RUN_ID", "7"}}), github)->context.parent_id ==
        report::github_trace("16123456789", "1", "7").parent_id);
  CHECK(settings(with({{"CI_PIPELINE_ID", "77"}}), {.kind = ci::HostKind::gitlab})
            ->context.trace_id == report::gitlab_trace("77").trace_id);
  CHECK(settings(with({}))->context.trace_id == kNonce);
  CHECK(settings(with({}))->context.parent_id.empty());
}

TEST_CASE("the resource says where a run took place, and may be told otherwise") {
  const auto resource = settings(with({{"OTEL_RESOURCE_ATTRIBUTES", "team=a%20b,service.name=x"},
                                       {"OTEL_SERVICE_NAME", "y"}}),
                                 {.repository_url = "https://github.com/acme/app", .ref = "main"})
                            ->resource;
  CHECK(std::get<std::string>(resource.at("team")) == "a b");
  CHECK(std::get<std::string>(resource.at("service.name")) == "y");
  CHECK(std::get<std::string>(resource.at("vcs.repository.url.full")) ==
        "https://github.com/acme/app");
  CHECK(std::get<std::string>(resource.at("vcs.ref.head.name")) == "main");
  CHECK(resource.count("cicd.pipeline.run.id") == 0);
}

TEST_CASE("no secret is in a span") {
  const std::string secret = "s3cret-\"word";
  Journal journal{.command = "seed",
                  .timings = {{"step " + secret, 1}},
                  .builds = {{.derivation = "/nix/store/" + secret + ".drv"}},
                  .attributes = {{"nix_seed.key", secret}}};
  TelemetrySettings with_secret = *settings(with({{"OTEL_SERVICE_NAME", secret}}));
  const Error error("denied: " + secret, {}, ExitCode::network);
  const std::string body =
      spans_body(with_secret, journal, "eee19b7ec3c1b174", &error, ci::Redactor({secret}));
  CHECK_THAT(body, !Catch::Contains("s3cret"));
  CHECK_THAT(body, Catch::Contains("denied: ***"));
  const auto spans = nlohmann::json::parse(body)["resourceSpans"][0]["scopeSpans"][0]["spans"];
  REQUIRE(spans.size() == 3);
  CHECK(spans[0]["status"]["code"] == 2);
  CHECK_THAT(body, Catch::Contains("\"exit_5\""));
}

}  // namespace seed::app
