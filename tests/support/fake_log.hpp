#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "sigstore/bundle.hpp"
#include "support/test_pki.hpp"

namespace seed::test {

/// RFC 6962 §2.1, written down recursively as it stands there: the code under test does it
/// otherwise.
Digest merkle_root(const std::vector<Digest>& leaves);
std::vector<Digest> merkle_path(std::size_t index, const std::vector<Digest>& leaves);
std::vector<Digest> merkle_proof(std::size_t old_size, const std::vector<Digest>& leaves);

/// A transparency log as Rekor keeps one: it takes whatever it is given.
class FakeLog {
 public:
  enum class Version { v1, v2 };

  FakeLog(Version version, std::string url, sigstore::KeyType type);

  /// Takes an entry at `time` and answers as the log does: with an inclusion proof and a
  /// checkpoint, and in version 1 with a signed entry timestamp.
  sigstore::LogEntry add(const std::string& kind,
                         const std::string& version,
                         const std::string& body,
                         Time time);

  /// Signs the entry as it is now.
  void sign_promise(sigstore::LogEntry& entry) const;
  /// A checkpoint of a tree of this size and root by this log.
  std::string checkpoint(std::int64_t size, const Digest& root) const;
  std::string checkpoint(std::int64_t size, const Digest& root, const std::string& origin) const;

  const std::string& url() const { return url_; }

  std::string host() const { return url_.substr(url_.find("://") + 3); }

  const TestKey& key() const { return key_; }

  Bytes log_id() const;
  std::string origin() const;

  std::string operator_name;  ///< empty: the trusted root does not say
  Time trusted_from{};
  std::optional<Time> trusted_to;

 private:
  Version version_;
  std::string url_;
  TestKey key_;
  std::vector<Digest> leaves_;
};

}  // namespace seed::test
