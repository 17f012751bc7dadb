#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "sigstore/timestamp.hpp"
#include "sigstore/verify.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

// Bundles that cosign made with the real services: tests/data/sigstore/README.md.

namespace seed::sigstore {
namespace {

std::string data(const std::string& name) {
  return test::checkout_file("tests/data/sigstore/" + name);
}

Expectation expectation(const std::string& builder) {
  Expectation expected;
  expected.artifact = Artifact{Digest::of(data("blob")), std::nullopt};
  if (builder == "key") {
    expected.key = PublicKey::parse_pem(data("key.pub"));
    return expected;
  }
  const auto builders = nlohmann::json::parse(data("builders.json"));
  Identity identity;
  if (builder == "email") {
    identity.issuer = builders["github-one"]["issuer"];
    identity.issuer.replace(identity.issuer.rfind('/'), std::string::npos, "/email");
    identity.subject = "someone@example.invalid";
  } else {
    identity.issuer = builders[builder]["issuer"];
    identity.subject = builders[builder]["san"];
    identity.source_repository_uri = builders[builder]["source_repository"];
    identity.source_repository_id = builders[builder]["repository_id"];
    identity.source_owner_id = builders[builder]["owner_id"];
    identity.source_ref = builders[builder]["ref"];
    identity.runner_environment = builders[builder]["runner_environment"];
    identity.build_trigger = builders[builder]["trigger"];
  }
  expected.identities = {identity};
  return expected;
}

struct Made {
  std::string name;
  std::string builder;
};

const std::vector<Made> kMade{{"dsse-v1", "github-one"},
                              {"dsse-v1-set", "github-one"},
                              {"dsse-v2", "github-one"},
                              {"dsse-v2-proof", "github-two"},
                              {"dsse-v1+v2", "github-one"},
                              {"message-v1", "github-one"},
                              {"message-v1-set", "github-one"},
                              {"message-v2", "github-one"},
                              {"gitlab-v1", "gitlab-one"},
                              {"gitlab-v2", "gitlab-one"},
                              {"email-v1", "email"},
                              {"key-v1", "key"},
                              {"key-v2", "key"}};

std::string problem(const Verdict& verdict) {
  const auto* rejection = std::get_if<Rejection>(&verdict);
  return rejection == nullptr ? ""
                              : fmt::format("{}: {}", to_string(rejection->check), rejection->why);
}

void flip(Bytes& bytes) {
  bytes.back() ^= std::byte{1};
}

}  // namespace

TEST_CASE("bundles of cosign and Sigstore's services are verified") {
  const TrustedRoot root = parse_trusted_root(data("trusted_root.json"));
  for (const Made& made : kMade) {
    INFO(made.name);
    const Verdict verdict =
        verify(data(made.name + ".sigstore.json"), root, expectation(made.builder));
    CHECK(problem(verdict) == "");
    if (const auto* verified = std::get_if<Verified>(&verdict); verified && verified->statement()) {
      CHECK(verified->payload() == data("statement.json"));
    }
  }
}

TEST_CASE(
    "the same bundles are refused for somebody else, and with one bit flipped anywhere that "
    "counts") {
  const TrustedRoot root = parse_trusted_root(data("trusted_root.json"));
  for (const Made& made : kMade) {
    INFO(made.name);
    const Expectation expected = expectation(made.builder);
    const Bundle bundle = parse_bundle(data(made.name + ".sigstore.json"));
    const auto refused = [&](const std::function<void(Bundle&)>& change) {
      Bundle changed = bundle;
      change(changed);
      return problem(verify(to_json(changed), root, expected)) != "";
    };
    CHECK_FALSE(refused([](Bundle&) {}));
    CHECK(refused([](Bundle& b) {
      std::visit(
          [](auto& content) {
            if constexpr (requires { content.payload; }) {
              content.payload[20] = static_cast<char>(content.payload[20] ^ 1);
            } else {
              flip(content.signature);
            }
          },
          b.content);
    }));
    CHECK(refused([](Bundle& b) { flip(b.log_entries[0].proof->root_hash); }));
    CHECK(refused([](Bundle& b) { b.log_entries[0].canonicalized_body[30] ^= 1; }));
    if (!bundle.timestamps.empty()) {
      CHECK(refused([](Bundle& b) { flip(b.timestamps[0]); }));
    }
    if (!bundle.log_entries[0].signed_entry_timestamp.empty()) {
      CHECK(refused([](Bundle& b) { flip(b.log_entries[0].signed_entry_timestamp); }));
    }
    if (std::holds_alternative<std::vector<Bytes>>(bundle.material)) {
      CHECK(refused([](Bundle& b) { flip(std::get<std::vector<Bytes>>(b.material)[0]); }));
      const Expectation other = expectation("github-three");
      CHECK(problem(verify(to_json(bundle), root, other)).starts_with("identity: "));
    }
    CHECK(problem(verify(to_json(bundle), embedded_trusted_root(), expected)) ==
          "log-count: 0 independent logs have it instead of 1 or more");
  }
}

TEST_CASE("what is printed of a real bundle is read as the same") {
  for (const Made& made : kMade) {
    const Bundle bundle = parse_bundle(data(made.name + ".sigstore.json"));
    CHECK(parse_bundle(to_json(bundle)) == bundle);
  }
}

TEST_CASE("an answer of Rekor v2 with its nulls and zeros is an entry") {
  const LogEntry entry = parse_log_entry(data("rekor2-entry.json"));
  CHECK(entry.kind == "hashedrekord");
  CHECK(entry.version == "0.0.2");
  CHECK(entry.integrated_time == 0);
  CHECK(entry.signed_entry_timestamp.empty());
  REQUIRE(entry.proof);
  CHECK(entry.proof->log_index == entry.log_index);
}

TEST_CASE("a timestamp of the real authority is read") {
  const std::string response = data("timestamp.tsr");
  const TimestampFacts facts = parse_timestamp(bytes_of(response));
  CHECK(facts.algorithm == Hash::sha256);
  CHECK(facts.imprint == hash(Hash::sha256, bytes_of(data("signature.der"))));
  const TrustedRoot root = parse_trusted_root(data("trusted_root.json"));
  const auto proven = check_timestamp(
      bytes_of(response), bytes_of(data("signature.der")), root.timestamp_authorities);
  REQUIRE(proven);
  CHECK(proven->time == facts.time);
}

TEST_CASE("Sigstore's public instance is trusted as built in") {
  const TrustedRoot& root = embedded_trusted_root();
  REQUIRE(root.transparency_logs.size() == 2);
  CHECK(root.transparency_logs[0].base_url == "https://rekor.sigstore.dev");
  CHECK(root.transparency_logs[0].operator_name == "sigstore.dev");
  CHECK(root.transparency_logs[1].operator_name == "sigstore.dev");
  CHECK(root.certificate_authorities.size() == 2);
  CHECK(root.certificate_logs.size() == 2);
  CHECK(root.timestamp_authorities.size() == 1);
}

}  // namespace seed::sigstore
