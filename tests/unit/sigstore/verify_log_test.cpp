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

TEST_CASE("an entry that the log can't have made is refused") {
  const Check check = Check::log_entry;
  check_breakages({
      {"the same entry twice", check, "there twice", after([](Bundle& b) {
         b.log_entries.push_back(b.log_entries[0]);
       })},
      {"an unknown kind", check, "can't be judged", at_entry([](LogEntry& e) { e.kind = "rpm"; })},
      {"an abandoned version", check, "can't be judged", at_entry([](LogEntry& e) {
         e.version = "0.0.2";
       })},
      {"before the log was trusted",
       check,
       "was not trusted",
       [](Trial& t) { t.sigstore.rekor1.trusted_from = FakeSigstore::kNow + 6s; }},
      {"after the log was trusted",
       check,
       "was not trusted",
       [](Trial& t) { t.sigstore.rekor1.trusted_to = FakeSigstore::kNow + 4s; }},
  });
}

TEST_CASE("an entry about something else is refused, in every kind") {
  // CVE-2022-36056, CVE-2026-22703, CVE-2024-53267: the entry was not compared with the bundle.
  const Check check = Check::entry_body;
  std::vector<Breakage> breakages;
  for (const EntryForm form :
       {EntryForm::dsse, EntryForm::intoto, EntryForm::rekor2, EntryForm::hashedrekord}) {
    const std::string kind = std::to_string(static_cast<int>(form));
    const auto with = [form](Trial& t) {
      if (form == EntryForm::hashedrekord) {
        as_message(t);
      }
      t.order.entries = {form};
    };
    breakages.push_back(
        {kind + ": another signature", check, "another signature", [with](Trial& t) {
           with(t);
           t.after = [other = another(t)](Bundle& b) { b.log_entries = other.log_entries; };
         }});
    breakages.push_back(
        {kind + ": another certificate", check, "another certificate", [with](Trial& t) {
           with(t);
           t.after = [&t](Bundle& b) {
             b.material = std::vector<Bytes>{t.sigstore.certificate(t.order).der()};
           };
         }});
    breakages.push_back({kind + ": called otherwise", check, "its body is", [with](Trial& t) {
                           with(t);
                           t.order.change_body = [](json& body) { body["apiVersion"] = "0.0.9"; };
                         }});
  }
  const auto body = [&](const std::string& name,
                        const std::string& why,
                        EntryForm form,
                        std::function<void(json&)> change) {
    breakages.push_back({name, check, why, [=](Trial& t) {
                           if (form == EntryForm::hashedrekord) {
                             as_message(t);
                           }
                           t.order.entries = {form};
                           t.order.change_body = change;
                         }});
  };
  const std::string zeros(64, '0');
  body("dsse: another payload", "another payload", EntryForm::dsse, [=](json& b) {
    b["spec"]["payloadHash"]["value"] = zeros;
  });
  body("dsse: two signatures", "2 signatures", EntryForm::dsse, [](json& b) {
    auto& s = b["spec"]["signatures"];
    s.push_back(json(s[0]));
  });
  body("intoto: another payload", "another payload", EntryForm::intoto, [=](json& b) {
    b["spec"]["content"]["payloadHash"]["value"] = zeros;
  });
  body("intoto: another type", "another type", EntryForm::intoto, [](json& b) {
    b["spec"]["content"]["envelope"]["payloadType"] = "text/plain";
  });
  body("hashedrekord: another artifact", "another artifact", EntryForm::hashedrekord, [=](json& b) {
    b["spec"]["data"]["hash"]["value"] = zeros;
  });
  body("hashedrekord: a hash of no use",
       "is none that is known",
       EntryForm::hashedrekord,
       [](json& b) { b["spec"]["data"]["hash"]["algorithm"] = "sha1"; });
  body("rekor2: another artifact", "another artifact", EntryForm::rekor2, [](json& b) {
    b["spec"]["hashedRekordV002"]["data"]["digest"] = to_base64(Bytes(32));
  });
  body("rekor2: a key of another kind", "another kind of key", EntryForm::rekor2, [](json& b) {
    b["spec"]["hashedRekordV002"]["signature"]["verifier"]["keyDetails"] =
        "PKIX_ECDSA_P384_SHA_384";
  });
  body("rekor2: more than the log keeps", "is unknown", EntryForm::rekor2, [](json& b) {
    b["spec"]["more"] = 1;
  });
  body("rekor2: two verifiers", "another certificate", EntryForm::rekor2, [](json& b) {
    b["spec"]["hashedRekordV002"]["signature"]["verifier"]["publicKey"] = {{"rawBytes", ""}};
  });
  breakages.push_back({"not JSON", check, "is not JSON", at_entry([](LogEntry& e) {
                         e.canonicalized_body = "{";
                       })});
  breakages.push_back({"an entry for a message", check, "another kind of content", [](Trial& t) {
                         t.order.entries = {EntryForm::hashedrekord};
                       }});
  breakages.push_back({"an entry for an envelope", check, "another kind of content", [](Trial& t) {
                         const Bundle logged = another(t);
                         as_message(t);
                         t.after = [logged](Bundle& b) { b.log_entries = logged.log_entries; };
                       }});
  breakages.push_back(
      {"another artifact than the one asked for", check, "another artifact", [](Trial& t) {
         as_message(t);
         t.expected.artifact = Artifact{Digest::of(std::string_view("other")), std::nullopt};
       }});
  check_breakages(breakages);
}

}  // namespace seed::sigstore
