#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "support/catch.hpp"
#include "verify_trial.hpp"

// For every check, and for every advisory on verifiers of such bundles, one that is broken only
// there is refused for that reason.

namespace seed::sigstore {

using nlohmann::json;
using test::EntryForm;
using test::FakeSigstore;
using namespace std::chrono_literals;

TEST_CASE("a certificate that no log promised to list is refused") {
  const Check check = Check::sct;
  check_breakages({
      {"no SCT", check, "0 independent", [](Trial& t) { t.sigstore.with_scts = false; }},
      {"an unknown log",
       check,
       "0 independent",
       [](Trial& t) { t.at_root = [](TrustedRoot& r) { r.certificate_logs.clear(); }; }},
      {"one log where two are wanted",
       check,
       "1 independent",
       [](Trial& t) { t.expected.certificate_logs = 2; }},
      {"when the log was no longer trusted",
       check,
       "was not trusted",
       [](Trial& t) { t.sigstore.ct.trusted_to = FakeSigstore::kNow - 1s; }},
      {"for another certificate",
       check,
       "not over this certificate",
       [](Trial& t) { t.sigstore.promised_tbs = Bytes(100); }},
      {"another key of the log",
       check,
       "not over this certificate",
       [](Trial& t) {
         t.at_root = [](TrustedRoot& r) {
           r.certificate_logs[0].key = test::TestKey().public_key();
         };
       }},
  });
}

TEST_CASE("a signature over something else is refused") {
  const Check check = Check::signature;
  const auto over = [](std::string_view other) {
    return [=](Trial& t) {
      t.order.sign = [&t, other](ByteView) { return t.order.key.sign(bytes_of(other)); };
    };
  };
  check_breakages({
      {"over another payload", check, "not over this envelope", over("other")},
      {"over the payload without its type",
       check,
       "not over this envelope",
       [](Trial& t) {
         t.order.sign = [&t](ByteView) { return t.order.key.sign(bytes_of(*t.order.statement)); };
       }},
      {"by another key",
       check,
       "not over this envelope",
       [](Trial& t) { t.order.sign = [](ByteView text) { return test::TestKey().sign(text); }; }},
      {"by another key than the one believed",
       check,
       "not over this envelope",
       [](Trial& t) {
         by_key(t);
         t.order.sign = [](ByteView text) { return test::TestKey().sign(text); };
       }},
      {"a message signature over another file",
       check,
       "not over this artifact",
       [over](Trial& t) {
         as_message(t);
         over("other")(t);
       }},
      {"a message digest of another file",
       check,
       "about another artifact",
       [](Trial& t) {
         as_message(t);
         t.after = [](Bundle& b) { flip(std::get<MessageSignature>(b.content).digest); };
       }},
  });
}

TEST_CASE("a payload that is no statement is refused") {
  const Check check = Check::statement;
  const auto statement = [](std::function<void(json&)> change) {
    return [change](Trial& t) {
      json value = json::parse(*t.order.statement);
      change(value);
      t.order.statement = value.dump();
    };
  };
  check_breakages({
      {"another type of payload",
       check,
       "the payload is 'text/plain'",
       [](Trial& t) { t.order.payload_type = "text/plain"; }},
      {"not JSON (GHSA-w6c6-c85g-mmv6)",
       check,
       "is not JSON",
       [](Trial& t) { t.order.statement = "hello"; }},
      {"a member twice",
       check,
       "twice",
       [](Trial& t) { t.order.statement->insert(1, "\"predicateType\":\"x\","); }},
      {"another type of statement", check, "its type is", statement([](json& s) {
         s["_type"] = "https://in-toto.io/Statement/v2";
       })},
      {"an unknown member", check, "a statement has not", statement([](json& s) {
         s["subjects"] = 1;
       })},
      {"no subject", check, "0 subjects", statement([](json& s) { s["subject"] = json::array(); })},
      {"a subject without a digest", check, "0 digests", statement([](json& s) {
         s["subject"][0]["digest"] = json::object();
       })},
      {"no type of predicate", check, "'predicateType'", statement([](json& s) {
         s.erase("predicateType");
       })},
      {"a predicate that is no object", check, "'predicate'", statement([](json& s) {
         s["predicate"] = "text";
       })},
      {"a message signature where a statement is wanted",
       check,
       "has no statement",
       [](Trial& t) {
         as_message(t);
         t.expected.predicate_type = kPredicate;
       }},
  });
}

TEST_CASE("a statement about something else, by somebody else or of another kind is refused") {
  const auto identity = [](std::function<void(Identity&)> change) {
    return [change](Trial& t) { change(t.expected.identities[0]); };
  };
  const auto subject = [](std::function<void(json&)> change) {
    return [change](Trial& t) {
      json value = json::parse(*t.order.statement);
      change(value["subject"][0]);
      t.order.statement = value.dump();
    };
  };
  const std::string hex = Digest::of(std::string_view("artifact")).hex();
  check_breakages({
      {"another digest",
       Check::subject,
       "is not about",
       [](Trial& t) { t.expected.artifact = Artifact{Digest::of(std::string_view("x")), {}}; }},
      {"the digest in upper case", Check::subject, "is not about", subject([=](json& s) {
         std::string up = hex;
         for (char& c : up) {
           c = static_cast<char>(std::toupper(c));
         }
         s["digest"]["sha256"] = up;
       })},
      {"the digest under another algorithm", Check::subject, "is not about", subject([=](json& s) {
         s["digest"] = {{"sha512", hex}};
       })},
      {"the digest as a name", Check::subject, "is not about", subject([=](json& s) {
         s["name"] = hex;
         s["digest"]["sha256"] = std::string(64, '0');
       })},
      {"another issuer", Check::identity, "issuer is", identity([](Identity& i) {
         i.issuer = "https://gitlab.com";
       })},
      {"another subject", Check::identity, "subject is", identity([](Identity& i) {
         i.subject = "https://github.com/acme/app";
       })},
      {"the start of the subject (wirelog#1287)",
       Check::identity,
       "subject is",
       identity([](Identity& i) { i.subject->pop_back(); })},
      {"another repository", Check::identity, "source repository is", identity([](Identity& i) {
         i.source_repository_uri = "https://github.com/acme/ap";
       })},
      {"another repository id",
       Check::identity,
       "source repository id is",
       identity([](Identity& i) { i.source_repository_id = "1235"; })},
      {"another owner id", Check::identity, "source owner id is", identity([](Identity& i) {
         i.source_owner_id = "100";
       })},
      {"another ref", Check::identity, "source ref is", identity([](Identity& i) {
         i.source_ref = "refs/heads/other";
       })},
      {"another commit", Check::identity, "source digest is", identity([](Identity& i) {
         i.source_digest = "0";
       })},
      {"another runner", Check::identity, "runner environment is", identity([](Identity& i) {
         i.runner_environment = "self-hosted";
       })},
      {"another trigger", Check::identity, "build trigger is", identity([](Identity& i) {
         i.build_trigger = "pull_request_target";
       })},
      {"another workflow", Check::identity, "build signer is", identity([](Identity& i) {
         i.build_signer_uri = "https://github.com/acme/app/x";
       })},
      {"something that the certificate does not say",
       Check::identity,
       "has no source owner",
       identity([](Identity& i) { i.source_owner_uri = "https://github.com/acme"; })},
      {"another type of predicate (GHSA-w6c6-c85g-mmv6)",
       Check::predicate,
       "not 'https://spdx.dev/Document'",
       [](Trial& t) { t.expected.predicate_type = "https://spdx.dev/Document"; }},
  });
}

}  // namespace seed::sigstore
