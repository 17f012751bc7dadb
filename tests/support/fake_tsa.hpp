#pragma once

#include <string>

#include "base/clock.hpp"
#include "support/test_pki.hpp"

namespace seed::test {

/// A time-stamp authority (RFC 3161) whose clock is whatever the caller says.
class FakeTsa {
 public:
  FakeTsa(std::string url, Time from, Time to);

  struct Options {
    bool embed_certificate = false;
    sigstore::Hash hash = sigstore::Hash::sha256;
  };

  /// A TimeStampResp over `message`.
  Bytes stamp(ByteView message, Time time, const Options& options) const;

  Bytes stamp(ByteView message, Time time) const { return stamp(message, time, Options()); }

  /// A TimeStampResp to a TimeStampReq in DER.
  Bytes answer_request(ByteView request, Time time) const;

  /// A TimeStampResp that says no.
  Bytes refusal(ByteView message) const;

  /// The leaf's certificate anew: the same serial, names and key, but other extended key usages.
  sigstore::Certificate reissued(const std::string& usage) const;

  const std::string& url() const { return url_; }

  Issuer root;
  Issuer leaf;
  std::string operator_name;
  Time trusted_from{};
  std::optional<Time> trusted_to;

 private:
  std::string url_;
};

}  // namespace seed::test
