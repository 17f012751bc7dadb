#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "http/http.hpp"
#include "support/test_key.hpp"

namespace seed::test {

/// A TUF repository that a test makes, rotates and spoils: each publish_… signs a file anew from
/// what is set here and puts it where clients look. What was published stays until it is replaced.
class TufRepository {
 public:
  struct Role {
    std::vector<TestKey> keys;
    std::size_t threshold = 1;
    std::int64_t version = 1;
    std::string expires = "2026-06-01T00:00:00Z";
  };

  /// Three root keys of which two must sign; one key for each other role; everything of version 1,
  /// published, with the target trusted_root.json.
  TufRepository();

  Role root;
  Role timestamp;
  Role snapshot;
  Role targets;
  bool consistent = true;
  std::map<std::string, std::string> contents;  ///< target path -> bytes
  /// Members to set in a file's `signed` (JSON merge patch) before it is signed: "timestamp" -> ….
  std::map<std::string, nlohmann::json> patches;
  /// Who signs a file, where that is not all keys of its role.
  std::map<std::string, std::vector<TestKey>> signers;

  std::map<std::string, std::string> files;  ///< name below the URL -> bytes

  void publish_root();
  void publish_targets();
  void publish_snapshot();
  void publish_timestamp();
  /// The three that change together, each with its next version.
  void publish_next();
  /// The next root, signed by the keys before and those now.
  void rotate(const std::function<void(TufRepository&)>& change);

  std::string root_text() const { return files.at("1.root.json"); }

 private:
  nlohmann::json signed_part(const char* type, const Role& role) const;
  std::string sign(const char* type, nlohmann::json body, const std::vector<TestKey>& keys) const;
  void put(const char* type, const Role& role, const std::string& text);
};

std::string keyid_of(const TestKey& key);

/// A file with its `signed` and these signatures alone.
std::string sign_metadata(const nlohmann::json& body, const std::vector<TestKey>& keys);

/// Answers from a TufRepository's files, and keeps what was asked for.
class TufServer final : public http::Transport {
 public:
  explicit TufServer(TufRepository& repository) : repository_(repository) {}

  http::Response send(const http::Request& request) override;

  std::vector<std::string> asked;                  ///< names
  std::map<std::string, int> statuses;             ///< names that get a status and nothing else
  bool down = false;                               ///< no answer to anything
  std::function<void(const std::string&)> before;  ///< called with each name
  std::size_t chunk_bytes = 4096;
  std::function<void()> between;  ///< called after each chunk

 private:
  TufRepository& repository_;
};

/// Time as a test sets it.
class SetClock final : public Clock {
 public:
  Time time;

  Time now() const override { return time; }

  void sleep(std::chrono::milliseconds duration) override {
    time += std::chrono::ceil<std::chrono::seconds>(duration);
  }
};

inline constexpr const char* kTufUrl = "https://tuf.example/repo";

}  // namespace seed::test
