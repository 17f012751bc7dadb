#include "sigstore/verify.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "verify_trial.hpp"

namespace seed::sigstore {
namespace {

using test::EntryForm;
using test::FakeSigstore;
using namespace std::chrono_literals;

/// Why it was refused; empty where it was not.
std::string refusal(Trial& trial) {
  const Verdict verdict = trial.run();
  const auto* rejection = std::get_if<Rejection>(&verdict);
  return rejection == nullptr ? ""
                              : std::string(to_string(rejection->check)) + ": " + rejection->why;
}

std::string refusal(const std::function<void(Trial&)>& change) {
  Trial trial;
  change(trial);
  return refusal(trial);
}

void message(Trial& trial, EntryForm form) {
  trial.order.statement.reset();
  trial.order.entries = {form};
  trial.expected.predicate_type.reset();
}

}  // namespace

TEST_CASE("a genuine bundle is verified, and the facts are those that were signed") {
  Trial trial;
  const Verdict verdict = trial.run();
  REQUIRE(std::holds_alternative<Verified>(verdict));
  const auto& verified = std::get<Verified>(verdict);
  CHECK(verified.signer() == test::acme());
  CHECK(verified.payload() == *trial.order.statement);
  REQUIRE(verified.statement());
  CHECK(verified.statement()->predicate_type == kPredicate);
  CHECK(verified.statement()->predicate == R"({"built":true})");
  CHECK(verified.times() == std::vector<Time>{FakeSigstore::kNow + 3s, FakeSigstore::kNow + 5s});
  REQUIRE(verified.logs().size() == 1);
  CHECK(verified.logs()[0].log == "https://rekor.sigstore.test");
  CHECK(verified.logs()[0].operator_name == "sigstore.test");
  CHECK(verified.logs()[0].index == 1005);
  CHECK(verified.logs()[0].integrated == FakeSigstore::kNow + 5s);
  std::vector<Check> checks;
  for (const Evidence& evidence : verified.evidence()) {
    checks.push_back(evidence.check);
  }
  CHECK(std::ranges::is_sorted(checks));
  CHECK(std::set<Check>(checks.begin(), checks.end()).size() == 17);
}

TEST_CASE("every version, kind of entry and kind of content is verified") {
  using enum EntryForm;
  const std::vector<std::vector<EntryForm>> statements{{dsse}, {intoto}, {rekor2}, {dsse, rekor2}};
  for (const auto& entries : statements) {
    CHECK(refusal([&](Trial& trial) { trial.order.entries = entries; }) == "");
    CHECK(refusal([&](Trial& trial) {
            trial.order.entries = entries;
            trial.order.version = BundleVersion::v0_2;
          }) == "");
  }
  for (const EntryForm form : {hashedrekord, rekor2}) {
    CHECK(refusal([&](Trial& trial) { message(trial, form); }) == "");
  }
  CHECK(refusal([](Trial& trial) {
          trial.order.version = BundleVersion::v0_1;
          trial.after = [](Bundle& bundle) { bundle.log_entries[0].proof.reset(); };
        }) == "");
}

TEST_CASE("a time proven by either the log or an authority is enough") {
  CHECK(refusal([](Trial& trial) { trial.order.timestamp = false; }) == "");
  CHECK(refusal([](Trial& trial) {
          trial.after = [](Bundle& bundle) {
            bundle.log_entries[0].signed_entry_timestamp.clear();
            bundle.log_entries[0].integrated_time = 0;
          };
        }) == "");
  CHECK(refusal([](Trial& trial) { trial.expected.times = 2; }) == "");
}

TEST_CASE("a bundle by a known key needs neither certificate nor time") {
  for (const EntryForm form : {EntryForm::dsse, EntryForm::rekor2}) {
    for (const bool stamped : {true, false}) {
      Trial trial;
      trial.order.managed_key = true;
      trial.order.entries = {form};
      trial.order.timestamp = stamped;
      trial.expected.identities.clear();
      trial.expected.key = trial.order.key.public_key();
      CHECK(refusal(trial) == "");
    }
  }
}

TEST_CASE("an Ed25519 key signs an envelope itself, and a P-384 key by either hash") {
  for (const KeyType type : {KeyType::ed25519, KeyType::p384}) {
    for (const Hash hash : {Hash::sha256, Hash::sha384}) {
      Trial trial;
      trial.order.key = test::TestKey(type);
      trial.order.managed_key = true;
      trial.order.sign = [&](ByteView text) { return trial.order.key.sign(text, hash); };
      trial.expected.identities.clear();
      trial.expected.key = trial.order.key.public_key();
      CHECK(refusal(trial) == "");
    }
  }
}

TEST_CASE("entries and timestamps of strangers do not count, and do no harm") {
  CHECK(refusal([](Trial& trial) {
          FakeSigstore other;
          const Bundle theirs = other.bundle(trial.order);
          trial.after = [theirs](Bundle& bundle) {
            bundle.log_entries.push_back(theirs.log_entries[0]);
            bundle.timestamps.push_back(theirs.timestamps[0]);
          };
        }) == "");
}

TEST_CASE("the closed intervals of validity include their ends") {
  CHECK(refusal([](Trial& trial) {
          trial.sigstore.rekor1.trusted_to = FakeSigstore::kNow + 5s;
          trial.sigstore.tsa.trusted_from = FakeSigstore::kNow + 3s;
          trial.sigstore.tsa.trusted_to = FakeSigstore::kNow + 3s;
          trial.sigstore.ca_trusted_from = FakeSigstore::kNow + 3s;
          trial.sigstore.ca_trusted_to = FakeSigstore::kNow + 5s;
          trial.sigstore.ct.trusted_to = FakeSigstore::kNow;
        }) == "");
}

TEST_CASE("an SCT's extensions are part of what the log signed") {
  CHECK(refusal([](Trial& trial) { trial.sigstore.sct_extensions = Bytes(8, std::byte{7}); }) ==
        "");
}

TEST_CASE("a private deployment may do without logs of certificates") {
  CHECK(refusal([](Trial& trial) {
          trial.expected.certificate_logs = 0;
          trial.at_root = [](TrustedRoot& root) { root.certificate_logs.clear(); };
        }) == "");
}

TEST_CASE("a trusted root that lists an authority twice is used with whichever time fits") {
  CHECK(refusal([](Trial& trial) {
          trial.at_root = [](TrustedRoot& root) {
            const auto old = [](auto& list) {
              list.insert(list.begin(), list.front());
              list.front().validity = {Time(0s), Time(1s)};
            };
            old(root.transparency_logs);
            old(root.certificate_logs);
            old(root.certificate_authorities);
            old(root.timestamp_authorities);
          };
        }) == "");
}

TEST_CASE("an identity may be one of several") {
  CHECK(refusal([](Trial& trial) {
          Identity other = test::acme_identity();
          other.issuer = "https://gitlab.com";
          trial.expected.identities = {other, test::acme_identity()};
        }) == "");
}

TEST_CASE("whoever believes nobody, or anybody, is told so before anything is read") {
  const TrustedRoot root;
  CHECK_THROWS_AS(verify("", root, {}), UsageError);
  Expectation anyone;
  anyone.identities = {{.issuer = "https://token.actions.githubusercontent.com"}};
  CHECK_THROWS_AS(verify("", root, anyone), UsageError);
  Expectation nobody;
  nobody.identities = {{.subject = "https://github.com/acme/app"}};
  CHECK_THROWS_AS(verify("", root, nobody), UsageError);
}

}  // namespace seed::sigstore
