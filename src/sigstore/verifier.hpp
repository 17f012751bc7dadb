#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sigstore/log_entry.hpp"
#include "sigstore/verify.hpp"

namespace seed::sigstore {

/// One verification while it goes on: each step rests on what those before it have put here, and
/// leaves a line of evidence. A step that does not hold throws; `run` says which it was.
class Verifier {
 public:
  Verifier(std::string_view json, const TrustedRoot& root, const Expectation& expected)
      : json_(json), root_(root), expected_(expected) {}

  Verdict run();

 private:
  /// An entry of a log of the trusted root.
  struct Counted {
    const LogEntry* entry;
    EntryKind kind;
    std::vector<const TrustedLog*> candidates;  ///< a key may be listed for several times
    const TrustedLog* log;                      ///< the one whose signatures held
    TreeHead head;
    bool promised = false;
    bool included = false;
  };

  struct Proven {
    Time time;
    std::string source;
  };

  struct Path {
    const TrustedAuthority* authority;
    const Certificate* issuer;
  };

  void format();
  void leaf();
  void log_entry();
  void entry_body();
  void promise();
  void checkpoint();
  void inclusion();
  void log_count();
  void timestamp();
  void time();
  void chain();
  void sct();
  void signature();
  void statement();
  void subject();
  void identity();
  void predicate();

  void read_certificates(const std::vector<Bytes>& chain);
  void count_entry(const LogEntry& entry);
  std::vector<Path> paths_of_leaf() const;
  void check_message(const MessageSignature& content);

  bool keyless() const { return certificate_.has_value(); }

  const DsseEnvelope* envelope() const { return std::get_if<DsseEnvelope>(&bundle_.content); }

  const Bytes& signature_bytes() const;
  std::optional<Bytes> content_digest(Hash algorithm) const;
  Verified verified();

  void say(Check check, std::string text) { evidence_.push_back({check, std::move(text)}); }

  std::string_view json_;
  const TrustedRoot& root_;
  const Expectation& expected_;

  Bundle bundle_;
  std::optional<Certificate> certificate_;
  std::optional<Signer> signer_;
  std::optional<PublicKey> key_;
  std::vector<Counted> entries_;
  std::vector<Proven> times_;
  const Certificate* issuer_ = nullptr;
  std::optional<Statement> statement_;
  std::vector<Evidence> evidence_;
};

}  // namespace seed::sigstore
