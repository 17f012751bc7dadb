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

TEST_CASE("a broken timestamp of a known authority is refused") {
  const auto stamp = [](std::function<Bytes(Trial&, const Bytes&)> make) {
    return [make](Trial& t) {
      t.after = [&t, make](Bundle& b) {
        b.timestamps = {make(t, envelope(b).signature.signature)};
      };
    };
  };
  check_breakages({
      {"over another signature",
       Check::timestamp,
       "not over this signature",
       stamp([](Trial& t, const Bytes&) {
         return t.sigstore.tsa.stamp(bytes_of("other"), FakeSigstore::kNow);
       })},
      {"over the base64",
       Check::timestamp,
       "not over this signature",
       stamp([](Trial& t, const Bytes& s) {
         return t.sigstore.tsa.stamp(bytes_of(to_base64(s)), FakeSigstore::kNow);
       })},
      {"not granted", Check::timestamp, "not granted", stamp([](Trial& t, const Bytes& s) {
         return t.sigstore.tsa.refusal(s);
       })},
      {"a bit flipped in its signature",
       Check::timestamp,
       "is not its authority's",
       stamp([](Trial& t, const Bytes& s) {
         Bytes stamped = t.sigstore.tsa.stamp(s, FakeSigstore::kNow);
         flip(stamped);
         return stamped;
       })},
      {"something behind it",
       Check::timestamp,
       "not one TimeStampResp",
       stamp([](Trial& t, const Bytes& s) {
         Bytes stamped = t.sigstore.tsa.stamp(s, FakeSigstore::kNow);
         stamped.push_back(std::byte{0});
         return stamped;
       })},
      {"before the authority was trusted",
       Check::timestamp,
       "was not trusted",
       [](Trial& t) { t.sigstore.tsa.trusted_from = FakeSigstore::kNow + 4s; }},
      {"after the authority was trusted",
       Check::timestamp,
       "was not trusted",
       [](Trial& t) { t.sigstore.tsa.trusted_to = FakeSigstore::kNow + 2s; }},
      {"when the authority's certificate was not good",
       Check::timestamp,
       "was not good then",
       [](Trial& t) {
         t.sigstore.tsa = test::FakeTsa(
             "https://tsa.sigstore.test/", FakeSigstore::kNow + 4s, FakeSigstore::kNow + 1h);
         t.sigstore.tsa.trusted_from = FakeSigstore::kNow;
       }},
      {"a certificate for more than timestamping",
       Check::timestamp,
       "timeStamping alone",
       [](Trial& t) {
         t.order.timestamp = false;
         const test::FakeTsa signer = t.sigstore.tsa;
         t.sigstore.tsa.leaf.certificate =
             t.sigstore.tsa.reissued("critical,timeStamping,codeSigning");
         t.after = [signer](Bundle& b) {
           b.timestamps = {signer.stamp(envelope(b).signature.signature, FakeSigstore::kNow)};
         };
       }},
      {"a usage that is not critical",
       Check::timestamp,
       "timeStamping alone",
       [](Trial& t) {
         t.order.timestamp = false;
         const test::FakeTsa signer = t.sigstore.tsa;
         t.sigstore.tsa.leaf.certificate = t.sigstore.tsa.reissued("timeStamping");
         t.after = [signer](Bundle& b) {
           b.timestamps = {signer.stamp(envelope(b).signature.signature, FakeSigstore::kNow)};
         };
       }},
      {"another certificate of the same name and key",
       Check::timestamp,
       "names another certificate",
       [](Trial& t) {
         t.order.timestamp = false;
         const test::FakeTsa signer = t.sigstore.tsa;
         t.sigstore.tsa.leaf.certificate = t.sigstore.tsa.reissued("critical,timeStamping");
         t.after = [signer](Bundle& b) {
           b.timestamps = {signer.stamp(envelope(b).signature.signature, FakeSigstore::kNow)};
         };
       }},
  });
}

TEST_CASE("a bundle without a proven time is refused, whatever its certificate says") {
  check_breakages({
      {"no timestamp in v2",
       Check::time,
       "0 independent",
       [](Trial& t) {
         as_rekor2(t);
         t.order.timestamp = false;
       }},
      {"an integrated time that no promise covers (sigstore-python#1247)",
       Check::time,
       "0 independent",
       [](Trial& t) {
         t.order.timestamp = false;
         t.after = [](Bundle& b) { b.log_entries[0].signed_entry_timestamp.clear(); };
       }},
      {"an integrated time in v2",
       Check::time,
       "0 independent",
       [](Trial& t) {
         as_rekor2(t);
         t.order.timestamp = false;
         t.after = [](Bundle& b) {
           b.log_entries[0].integrated_time = FakeSigstore::kNow.time_since_epoch().count();
         };
       }},
      {"an unknown authority that brings its certificates (GHSA-xm5m-wgh2-rrg3)",
       Check::time,
       "0 independent",
       [](Trial& t) {
         as_rekor2(t);
         t.after = [](Bundle& b) {
           const FakeSigstore rogue;
           b.timestamps = {rogue.tsa.stamp(
               envelope(b).signature.signature, FakeSigstore::kNow, {.embed_certificate = true})};
         };
       }},
      {"two timestamps of one authority",
       Check::time,
       "1 independent",
       [](Trial& t) {
         as_rekor2(t);
         t.expected.times = 2;
         t.after = [](Bundle& b) { b.timestamps.push_back(b.timestamps[0]); };
       }},
      {"none, though none was asked for",
       Check::time,
       "0 independent",
       [](Trial& t) {
         as_rekor2(t);
         t.order.timestamp = false;
         t.expected.times = 0;
       }},
      {"a log that was not yet trusted",
       Check::time,
       "was not trusted at",
       [](Trial& t) {
         as_rekor2(t);
         t.sigstore.rekor2.trusted_from = FakeSigstore::kNow + 4s;
       }},
  });
}

TEST_CASE("a certificate that was not good at every proven time is refused") {
  const Check check = Check::chain;
  check_breakages({
      {"logged after it expired", check, "not at", [](Trial& t) { t.order.logged_after = 601s; }},
      {"logged before it began", check, "not at", [](Trial& t) { t.order.logged_after = -1s; }},
      {"stamped after it expired, logged before",
       check,
       "not at",
       [](Trial& t) { t.order.stamped_after = 601s; }},
      {"one of two timestamps outside (TOB-SIGSTORE-4)",
       check,
       "not at",
       [](Trial& t) {
         t.after = [&t](Bundle& b) {
           b.timestamps.push_back(
               t.sigstore.tsa.stamp(envelope(b).signature.signature, FakeSigstore::kNow + 11min));
         };
       }},
      {"the authority not yet trusted (sigstore-go#178)",
       check,
       "was not trusted at",
       [](Trial& t) { t.sigstore.ca_trusted_from = FakeSigstore::kNow + 4s; }},
      {"the authority no longer trusted",
       check,
       "was not trusted at",
       [](Trial& t) { t.sigstore.ca_trusted_to = FakeSigstore::kNow + 4s; }},
      {"an unknown authority",
       check,
       "no trusted authority",
       [](Trial& t) {
         t.at_root = [](TrustedRoot& r) {
           r.certificate_authorities = FakeSigstore().trusted_root().certificate_authorities;
         };
       }},
      {"an authority of the same name",
       check,
       "no trusted authority",
       [](Trial& t) {
         const FakeSigstore rogue;
         t.order.change_certificate = [](test::CertificateRequest&) {};
         t.sigstore.swap_signer(rogue);
       }},
      {"an intermediate that expired before",
       check,
       "not at",
       [](Trial& t) { t.sigstore.reissue_intermediate("codeSigning", FakeSigstore::kNow + 4s); }},
      {"an intermediate for something else",
       check,
       "may not issue for codeSigning",
       [](Trial& t) { t.sigstore.reissue_intermediate("serverAuth", FakeSigstore::kNow + 1h); }},
      {"a critical extension that nobody knows",
       check,
       "unhandled critical",
       extension("1.2.3.4", "critical,DER:0500")},
  });
}

}  // namespace seed::sigstore
