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

TEST_CASE("a promise, checkpoint or proof that is not the log's is refused") {
  const auto promise_again = [](Trial& t, std::function<void(LogEntry&)> change) {
    t.after = [&t, change](Bundle& b) {
      change(b.log_entries[0]);
      t.sigstore.rekor1.sign_promise(b.log_entries[0]);
    };
  };
  const auto another_log = [] {
    return test::FakeLog(test::FakeLog::Version::v1, "https://rekor.sigstore.test", KeyType::p256);
  };
  check_breakages({
      {"a promise of another time", Check::promise, "is not by the log", at_entry([](LogEntry& e) {
         e.integrated_time -= 1;
       })},
      {"a promise of another index", Check::promise, "is not by the log", at_entry([](LogEntry& e) {
         e.log_index += 1;
       })},
      {"a promise with a bit flipped",
       Check::promise,
       "is not by the log",
       at_entry([](LogEntry& e) { flip(e.signed_entry_timestamp); })},
      {"a promise by another key", Check::promise, "is not by the log", at_entry([=](LogEntry& e) {
         another_log().sign_promise(e);
       })},
      {"a promise in Rekor v2",
       Check::promise,
       "never makes",
       [](Trial& t) {
         as_rekor2(t);
         t.after = [](Bundle& b) { b.log_entries[0].signed_entry_timestamp = Bytes(8); };
       }},
      {"a checkpoint of another size",
       Check::checkpoint,
       "the proof of 5",
       at_entry([](LogEntry& e) { e.proof->tree_size -= 1; })},
      {"a checkpoint of another root",
       Check::checkpoint,
       "the proof of 6",
       at_entry([](LogEntry& e) { flip(e.proof->root_hash); })},
      {"a checkpoint of an older tree",
       Check::checkpoint,
       "is of 3 entries",
       [](Trial& t) {
         t.after = [&t](Bundle& b) {
           b.log_entries[0].proof->checkpoint =
               t.sigstore.rekor1.checkpoint(3, Digest::of(std::string_view("x")));
         };
       }},
      {"a checkpoint by another key",
       Check::checkpoint,
       "is not signed by",
       at_entry([=](LogEntry& e) {
         e.proof->checkpoint = another_log().checkpoint(
             e.proof->tree_size, Digest::from_hex(to_hex(e.proof->root_hash)));
       })},
      {"a checkpoint changed after it was signed",
       Check::checkpoint,
       "is not over this note",
       at_entry([](LogEntry& e) {
         e.proof->checkpoint.insert(e.proof->checkpoint.find("\n\n") + 1, "more\n");
       })},
      {"a checkpoint that is no note", Check::checkpoint, "signed note", at_entry([](LogEntry& e) {
         e.proof->checkpoint = "x";
       })},
      {"a checkpoint of another origin in v2",
       Check::checkpoint,
       "not of 'log2026.rekor.other.test'",
       [](Trial& t) {
         as_rekor2(t);
         t.after = [&t](Bundle& b) {
           InclusionProof& proof = *b.log_entries[0].proof;
           proof.checkpoint = t.sigstore.rekor2.checkpoint(
               proof.tree_size, Digest::from_hex(to_hex(proof.root_hash)), "elsewhere.test");
         };
       }},
      {"a checkpoint of a v2 log in v1",
       Check::checkpoint,
       "not a Rekor v1",
       [](Trial& t) {
         t.after = [&t](Bundle& b) {
           InclusionProof& proof = *b.log_entries[0].proof;
           proof.checkpoint = t.sigstore.rekor1.checkpoint(
               proof.tree_size, Digest::from_hex(to_hex(proof.root_hash)), "rekor.sigstore.test");
         };
       }},
      {"a hash of the proof flipped", Check::inclusion, "another root", at_entry([](LogEntry& e) {
         flip(e.proof->hashes[0]);
       })},
      {"a hash too few", Check::inclusion, "too few", at_entry([](LogEntry& e) {
         e.proof->hashes.pop_back();
       })},
      {"a hash too many", Check::inclusion, "too many", at_entry([](LogEntry& e) {
         e.proof->hashes.resize(5, Bytes(32));
       })},
      {"a hash that is short", Check::inclusion, "31 bytes", at_entry([](LogEntry& e) {
         e.proof->hashes[0].pop_back();
       })},
      {"the proof of a neighbour", Check::inclusion, "", at_entry([](LogEntry& e) {
         e.proof->log_index -= 1;
       })},
      {"an index beyond the tree", Check::inclusion, "has no entry", at_entry([](LogEntry& e) {
         e.proof->log_index = e.proof->tree_size;
       })},
      {"the global index in the proof",
       Check::inclusion,
       "has no entry",
       [=](Trial& t) { promise_again(t, [](LogEntry& e) { e.proof->log_index = e.log_index; }); }},
      {"two indices in v2",
       Check::inclusion,
       "its proof is of number",
       [](Trial& t) {
         as_rekor2(t);
         t.after = [](Bundle& b) { b.log_entries[0].log_index += 1; };
       }},
  });
}

TEST_CASE("too few independent logs are refused") {
  check_breakages({
      {"no entry", Check::log_count, "0 independent", [](Trial& t) { t.order.entries.clear(); }},
      {"an unknown log",
       Check::log_count,
       "0 independent",
       [](Trial& t) { t.at_root = [](TrustedRoot& r) { r.transparency_logs.clear(); }; }},
      {"two entries of one log (GHSA-9vcr-p3rj-q5q6)",
       Check::log_count,
       "1 independent",
       [](Trial& t) {
         t.expected.logs = 2;
         t.order.entries = {EntryForm::dsse, EntryForm::dsse};
       }},
      {"two logs of one operator",
       Check::log_count,
       "1 independent",
       [](Trial& t) {
         t.expected.logs = 2;
         t.order.entries = {EntryForm::dsse, EntryForm::rekor2};
         t.sigstore.rekor1.operator_name = t.sigstore.rekor2.operator_name = "one";
       }},
  });
}

}  // namespace seed::sigstore
