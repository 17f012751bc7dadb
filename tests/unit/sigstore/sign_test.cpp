#include "sigstore/sign.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "key_files.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"
#include "support/fake_services.hpp"

using namespace seed;
using namespace seed::sigstore;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

/// At the time of the fake authorities, and moved by sleeping alone.
class TheirClock final : public Clock {
 public:
  Time now() const override { return now_; }

  void sleep(std::chrono::milliseconds duration) override {
    now_ += std::chrono::ceil<std::chrono::seconds>(duration);
  }

  Time now_ = test::FakeSigstore::kNow;
};

std::string token_for(const Signer& signer) {
  const json payload{{"iss", signer.issuer},
                     {"sub", "repo:acme/app:ref:refs/heads/main"},
                     {"aud", "sigstore"},
                     {"exp", 1'790'000'000},
                     {"repository", "acme/app"}};
  std::string encoded = to_base64(bytes_of(payload.dump()));
  for (char& c : encoded) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return "e30." + encoded.substr(0, encoded.find('=')) + ".c2ln";
}

struct Stage {
  test::FakeSigstore sigstore;
  std::string token = token_for(test::acme());
  test::FakeServices services{sigstore, token, "repo:acme/app:ref:refs/heads/main"};
  TheirClock clock;
  std::unique_ptr<http::Transport> retrying =
      http::with_retries(services, {.jitter = [] { return 0.5; }}, clock);
  TrustedRoot root = sigstore.trusted_root();
  std::string statement = test::statement_about("artifact", "https://slsa.dev/provenance/v1");

  static Service service(const std::string& url, unsigned version) {
    return {.url = url, .major_api_version = version, .operator_name = url};
  }

  SigningConfig config() const {
    return {.certificate_authorities = {service(test::FakeServices::kFulcio, 1)},
            .logs = {service(sigstore.rekor1.url(), 1), service(sigstore.rekor2.url(), 2)},
            .timestamp_authorities = {service(test::FakeServices::kTsa, 1)}};
  }

  SignedBundle sign(std::vector<unsigned> versions = {1}) {
    return sigstore::sign(StatementText{statement},
                          token,
                          plan_signing(config(), SignedBy::identity, versions, clock.now()),
                          {root, *retrying, clock});
  }
};

}  // namespace

TEST_CASE("a statement is signed by a job's identity in either Rekor, and in both") {
  for (const std::vector<unsigned>& versions :
       {std::vector<unsigned>{1}, {2}, {1, 2}, std::vector<unsigned>{}}) {
    Stage stage;
    const SignedBundle made = stage.sign(versions);
    CHECK(made.facts.signer()->subject == test::acme().subject);
    CHECK(made.facts.payload() == stage.statement);
    CHECK(made.facts.logs().size() == std::max<std::size_t>(versions.size(), 1));
    const Bundle bundle = parse_bundle(made.json);
    CHECK(bundle.timestamps.size() == 1);
    CHECK(std::get<std::vector<Bytes>>(bundle.material).size() == 1);
  }
}

TEST_CASE("a file is signed by a key, with and without a log") {
  for (const unsigned version : {0U, 1U, 2U}) {
    Stage stage;
    PrivateKey key = PrivateKey::parse_pem(test::kP256, {});
    const SignedBundle made =
        sign(FileContent{"content"},
             key,
             plan_signing(
                 stage.config(), SignedBy::key, std::vector<unsigned>{version}, stage.clock.now()),
             {stage.root, *stage.retrying, stage.clock});
    CHECK(made.facts.logs().size() == (version == 0 ? 0 : 1));
    CHECK_FALSE(made.facts.signer());
  }
}

TEST_CASE("an entry whose answer got lost is found again, or made anew") {
  for (const unsigned version : {1U, 2U}) {
    Stage stage;
    stage.services.lose_next_entry = true;
    CHECK(stage.sign({version}).facts.logs().size() == 1);
    const auto posts = std::ranges::count_if(stage.services.asked, [](const std::string& path) {
      return path.ends_with("/log/entries");
    });
    CHECK(posts == (version == 1 ? 2 : 3));  // v2: lost, there already, and with a new signature
  }
}

TEST_CASE("nothing is signed for a certificate that is not ours") {
  const auto refused = [](const char* why, const auto& lie) {
    Stage stage;
    lie(stage);
    CHECK_THROWS_WITH(stage.sign(), Contains(why));
    for (const std::string& path : stage.services.asked) {
      CHECK(path == "/api/v2/signingCert");  // and nobody else was asked
    }
  };
  refused("for another key than ours", [](Stage& stage) { stage.services.other_key.emplace(); });
  refused("for somebody else: its repository is", [](Stage& stage) {
    stage.services.signer.source_repository_uri = "https://github.com/evil/app";
  });
  refused("for somebody else: its issuer is",
          [](Stage& stage) { stage.services.signer.issuer = "https://gitlab.com"; });
  refused("does not hold: no certificate log",
          [](Stage& stage) { stage.sigstore.with_scts = false; });
  refused("does not hold", [](Stage& stage) { stage.root = test::FakeSigstore().trusted_root(); });
  refused("the certificate is valid from",
          [](Stage& stage) { stage.clock.now_ -= std::chrono::minutes(6); });
}

TEST_CASE("what services answer wrongly is never handed out") {
  const auto refused = [](const char* why, const auto& lie) {
    Stage stage;
    lie(stage);
    CHECK_THROWS_WITH(stage.sign(), Contains(why));
  };
  refused("does not verify (promise)", [](Stage& stage) {
    stage.services.change_entry = [](json& entry) {
      entry["integratedTime"] = entry["integratedTime"].get<int>() + 1;
    };
  });
  refused("an entry about something else", [](Stage& stage) {
    stage.services.change_entry = [](json& entry) {
      entry["body"] = to_base64(bytes_of(R"({"kind":"dsse","apiVersion":"0.0.1","spec":{}})"));
    };
  });
  refused("does not verify (log-count)",
          [](Stage& stage) { stage.root.transparency_logs.clear(); });
  refused("its nonce is another", [](Stage& stage) {
    stage.services.before = [&stage](const std::string& path) -> std::optional<http::Response> {
      if (path != "/api/v1/timestamp") {
        return std::nullopt;
      }
      const Bytes old = stage.sigstore.tsa.stamp(bytes_of("x"), stage.sigstore.now);
      return http::Response{.status = 200,
                            .headers = {{"Content-Type", "application/timestamp-reply"}},
                            .body = std::string(text_of(old))};
    };
  });
}

TEST_CASE("services that fail are tried again, then given up in their own words") {
  Stage stage;
  int times = 2;
  stage.services.before = [&](const std::string&) -> std::optional<http::Response> {
    return times-- > 0 ? std::optional(http::Response{.status = 503}) : std::nullopt;
  };
  CHECK(stage.sign().facts.logs().size() == 1);
  stage.services.before = [](const std::string& path) -> std::optional<http::Response> {
    return path.ends_with("entries") ? std::optional(http::Response{.status = 500}) : std::nullopt;
  };
  CHECK_THROWS_WITH(stage.sign(), Contains("logging the signature: Rekor at ") && Contains("500"));
}

TEST_CASE("a log of Ed25519 signatures that can't be checked is refused before any is made") {
  Stage stage;
  PrivateKey key = PrivateKey::parse_pem(test::kEd25519, {});
  const SigningWorld world{stage.root, *stage.retrying, stage.clock};
  const auto plan = [&](unsigned version) {
    return plan_signing(
        stage.config(), SignedBy::key, std::vector<unsigned>{version}, stage.clock.now());
  };
  CHECK_THROWS_AS(sign(StatementText{stage.statement}, key, plan(2), world), UsageError);
  CHECK_THROWS_AS(sign(FileContent{"x"}, key, plan(1), world), UsageError);
  CHECK(sign(StatementText{stage.statement}, key, plan(1), world).facts.logs().size() == 1);
  CHECK(sign(FileContent{"x"}, key, plan(0), world).facts.logs().empty());
}
