#include "sigstore/token.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;
using Catch::Matchers::Message;

namespace {

std::string base64url(std::string_view text) {
  std::string encoded = to_base64(bytes_of(text));
  for (char& c : encoded) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return encoded.substr(0, encoded.find('='));
}

std::string token_of(std::string_view payload) {
  return "eyJhbGciOiJSUzI1NiJ9." + base64url(payload) + ".c2ln";
}

constexpr const char* kGithub =
    R"({"iss":"https://token.actions.githubusercontent.com","aud":"sigstore","exp":2000000000,)"
    R"("sub":"repo:acme/app:ref:refs/heads/main","repository":"acme/app",)"
    R"("repository_visibility":"private",)"
    R"("job_workflow_ref":"acme/app/.github/workflows/b.yml@refs/heads/main","count":1})";
constexpr const char* kPerson =
    R"({"iss":"https://oauth2.sigstore.dev/auth","aud":["sigstore","x"],"exp":2000000000.5,)"
    R"("sub":"Cg","email":"ada@example.org","email_verified":true,)"
    R"("federated_claims":{"connector_id":"https://github.com/login/oauth","user_id":"1"}})";

const Time kBefore{std::chrono::seconds(2000000000 - 61)};

Signer github_signer() {
  return {.issuer = "https://token.actions.githubusercontent.com",
          .subject = "https://github.com/acme/app/.github/workflows/b.yml@refs/heads/main",
          .source_repository_uri = "https://github.com/acme/app",
          .token_subject = "repo:acme/app:ref:refs/heads/main"};
}

}  // namespace

TEST_CASE("a token's claims are read, and what shows who has the key") {
  const TokenClaims job = parse_token(token_of(kGithub));
  CHECK(job.issuer == "https://token.actions.githubusercontent.com");
  CHECK(job.audience == std::vector<std::string>{"sigstore"});
  CHECK(job.expires == Time(std::chrono::seconds(2000000000)));
  CHECK(job.repository == "acme/app");
  CHECK(job.visibility == "private");
  CHECK(challenge_of(job) == "repo:acme/app:ref:refs/heads/main");
  const TokenClaims person = parse_token(token_of(kPerson));
  CHECK(person.audience == std::vector<std::string>{"sigstore", "x"});
  CHECK(person.connector == "https://github.com/login/oauth");
  CHECK(challenge_of(person) == "ada@example.org");
}

TEST_CASE("what is no token is refused without a word of it") {
  const auto refused = [](const std::string& token) {
    try {
      parse_token(token);
      FAIL("taken: " << token);
    } catch (const FormatError& error) {
      CHECK(error.message().find("s3cret") == std::string::npos);
    }
  };
  refused("");
  refused("s3cret");
  refused("a.b");
  refused("e30." + base64url(kGithub) + ".");
  refused("." + base64url(kGithub) + ".c2ln");
  refused(token_of(kGithub) + ".c2ln");
  refused("e30." + to_base64(bytes_of("{\"s3cret\":1}")) + ".c2ln");  // padded
  refused(token_of("s3cret"));
  refused(token_of("[]"));
  refused(token_of(R"({"iss":"a","sub":"b","sub":"s3cret","exp":1})"));
  refused(token_of(R"({"iss":"a","sub":1,"exp":1})"));
  refused(token_of(R"({"iss":"a","exp":1})"));
  refused(token_of(R"({"sub":"b","exp":1})"));
  refused(token_of(R"({"iss":"a","sub":"b"})"));
  refused(token_of(R"({"iss":"a","sub":"b","exp":"1"})"));
  refused(token_of(R"({"iss":"a","sub":"b","exp":-1})"));
  refused(token_of(R"({"iss":"a","sub":"b","exp":1e300})"));
  refused(token_of(R"({"iss":"a","sub":"b","exp":1,"aud":1})"));
  refused(std::string(70'000, 'a'));
}

TEST_CASE("a token that Fulcio would not take is refused before it is sent") {
  TokenClaims claims = parse_token(token_of(kGithub));
  CHECK_NOTHROW(check_token(claims, kBefore));
  CHECK_THROWS_MATCHES(check_token(claims, kBefore + std::chrono::seconds(1)),
                       UsageError,
                       Message("the identity token expires at 2033-05-18T03:33:20Z, and it is "
                               "2033-05-18T03:32:20Z"));
  CHECK_THROWS_MATCHES(check_token(claims, kBefore + std::chrono::hours(1)),
                       UsageError,
                       Message("the identity token expired at 2033-05-18T03:33:20Z, and it is "
                               "2033-05-18T04:32:19Z"));
  claims.audience = {"api"};
  CHECK_THROWS_MATCHES(check_token(claims, kBefore),
                       UsageError,
                       Message("the identity token is for 'api', not for 'sigstore'"));
  TokenClaims person = parse_token(token_of(kPerson));
  CHECK_NOTHROW(check_token(person, kBefore));
  person.email_verified = false;
  CHECK_THROWS_MATCHES(
      check_token(person, kBefore),
      UsageError,
      Message("the identity token has an e-mail address that its issuer has not verified"));
}

TEST_CASE("a certificate for somebody else than the token's is told apart") {
  const TokenClaims job = parse_token(token_of(kGithub));
  CHECK(mismatch(job, github_signer()) == std::nullopt);
  Signer signer = github_signer();
  signer.issuer = "https://gitlab.com";
  CHECK(mismatch(job, signer) ==
        "its issuer is 'https://gitlab.com', and the token says "
        "'https://token.actions.githubusercontent.com'");
  signer = github_signer();
  signer.subject = "https://github.com/evil-acme/app/.github/workflows/b.yml@refs/heads/main";
  CHECK(mismatch(job, signer));
  signer = github_signer();
  signer.source_repository_uri = "https://github.com/notacme/app";
  CHECK(mismatch(job, signer));
  signer = github_signer();
  signer.token_subject = "repo:acme/other";
  CHECK(mismatch(job, signer));

  const TokenClaims person = parse_token(token_of(kPerson));
  Signer ada{.issuer = "https://github.com/login/oauth", .subject = "ada@example.org"};
  CHECK(mismatch(person, ada) == std::nullopt);
  ada.subject = "eve@example.org";
  CHECK(mismatch(person, ada));
}
