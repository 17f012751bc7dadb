#include <algorithm>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/verifier.hpp"

// The steps of verification that are about transparency logs.

namespace seed::sigstore {
namespace {

Time integrated(const LogEntry& entry) {
  constexpr std::int64_t kMaxSeconds = 253402300799;  // the year 9999
  if (entry.integrated_time > kMaxSeconds) {
    throw FormatError(fmt::format("the integrated time {} is out of range", entry.integrated_time));
  }
  return Time(std::chrono::seconds(entry.integrated_time));
}

/// The first of the candidates for which `check` holds; what the last one lacked, where none.
template <class Do>
const TrustedLog* first_that_holds(const std::vector<const TrustedLog*>& candidates, Do check) {
  for (std::size_t i = 0;; ++i) {
    try {
      check(*candidates.at(i));
      return candidates[i];
    } catch (const IntegrityError&) {
      if (i + 1 == candidates.size()) {
        throw;
      }
    }
  }
}

}  // namespace

void Verifier::count_entry(const LogEntry& entry) {
  std::vector<const TrustedLog*> logs;
  for (const TrustedLog& log : root_.transparency_logs) {
    if (log.log_id == entry.log_id) {
      logs.push_back(&log);
    }
  }
  if (logs.empty()) {
    say(Check::log_entry,
        fmt::format("an entry of the unknown log {} does not count", to_base64(entry.log_id)));
    return;
  }
  const auto kind = kind_of(entry);
  if (!kind) {
    throw IntegrityError(fmt::format("entries of the kind '{}/{}' can't be judged",
                                     printable(entry.kind),
                                     printable(entry.version)));
  }
  // Without a signed entry timestamp the integrated time is anybody's word.
  if (*kind != EntryKind::hashedrekord_v2 && !entry.signed_entry_timestamp.empty()) {
    const Time time = integrated(entry);
    std::erase_if(logs, [&](const TrustedLog* log) { return !log->validity.contains(time); });
    if (logs.empty()) {
      throw IntegrityError(fmt::format(
          "entry {} is of {}, when its log was not trusted", entry.log_index, to_rfc3339(time)));
    }
  }
  entries_.push_back({.entry = &entry,
                      .kind = *kind,
                      .candidates = logs,
                      .log = logs.front(),
                      .head = {0, Digest::from_raw({})}});
  say(Check::log_entry,
      fmt::format("entry {} of {} is a {}/{}",
                  entry.log_index,
                  logs.front()->base_url,
                  entry.kind,
                  entry.version));
}

void Verifier::log_entry() {
  std::set<std::pair<Bytes, std::int64_t>> seen;
  for (const LogEntry& entry : bundle_.log_entries) {
    if (!seen.emplace(entry.log_id, entry.log_index).second) {
      throw IntegrityError(fmt::format(
          "entry {} of the log {} is there twice", entry.log_index, to_base64(entry.log_id)));
    }
    count_entry(entry);
  }
}

void Verifier::entry_body() {
  const SignedContent content{.signature = signature_bytes(),
                              .certificate = certificate_,
                              .key = *key_,
                              .envelope = envelope(),
                              .digest = [this](Hash hash) { return content_digest(hash); }};
  for (const Counted& counted : entries_) {
    check_body(*counted.entry, counted.kind, content);
    say(Check::entry_body,
        fmt::format("entry {} names this signature, {} and content",
                    counted.entry->log_index,
                    keyless() ? "certificate" : "key"));
  }
}

void Verifier::promise() {
  for (Counted& counted : entries_) {
    const LogEntry& entry = *counted.entry;
    if (entry.signed_entry_timestamp.empty()) {
      continue;
    }
    if (counted.kind == EntryKind::hashedrekord_v2) {
      throw IntegrityError(
          "an entry of Rekor v2 has a signed entry timestamp, which that log never makes");
    }
    counted.log = first_that_holds(counted.candidates,
                                   [&](const TrustedLog& log) { check_promise(entry, log); });
    counted.promised = true;
    const Time time = integrated(entry);
    times_.push_back({time, "log " + counted.log->operator_name});
    say(Check::promise,
        fmt::format("{} says that it took entry {} at {}",
                    counted.log->base_url,
                    entry.log_index,
                    to_rfc3339(time)));
  }
}

void Verifier::checkpoint() {
  for (Counted& counted : entries_) {
    if (!counted.entry->proof) {
      continue;
    }
    counted.log = first_that_holds(counted.candidates, [&](const TrustedLog& log) {
      counted.head = check_checkpoint(*counted.entry, counted.kind, log);
    });
    say(Check::checkpoint,
        fmt::format("{} signed a tree of {} entries under {}",
                    counted.log->base_url,
                    counted.head.size,
                    counted.head.root.hex()));
  }
}

void Verifier::inclusion() {
  for (Counted& counted : entries_) {
    if (!counted.entry->proof) {
      continue;
    }
    check_entry_included(*counted.entry, counted.kind, counted.head);
    counted.included = true;
    say(Check::inclusion,
        fmt::format("entry {} is number {} in that tree, by {} hashes",
                    counted.entry->log_index,
                    counted.entry->proof->log_index,
                    counted.entry->proof->hashes.size()));
  }
}

void Verifier::log_count() {
  // GHSA-9vcr-p3rj-q5q6: one log that speaks twice is one log.
  std::set<std::string> operators;
  for (const Counted& counted : entries_) {
    if (counted.promised || counted.included) {
      operators.insert(counted.log->operator_name);
    }
  }
  if (operators.size() < expected_.logs) {
    throw IntegrityError(fmt::format("{} independent {} instead of {} or more",
                                     operators.size(),
                                     operators.size() == 1 ? "log has it" : "logs have it",
                                     expected_.logs));
  }
  say(Check::log_count,
      fmt::format("{} independent of {} wanted", operators.size(), expected_.logs));
}

}  // namespace seed::sigstore
