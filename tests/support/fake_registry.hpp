#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/http.hpp"
#include "oci/credentials.hpp"

namespace seed::test {

/// Time that only the test and sleep() move.
class FakeClock final : public Clock {
 public:
  Time now() const override;
  void sleep(std::chrono::milliseconds duration) override;
  void advance(std::chrono::seconds duration);
  std::vector<std::chrono::milliseconds> sleeps() const;

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds now_{1'700'000'000'000};
  std::vector<std::chrono::milliseconds> sleeps_;
};

class FakeCredentials final : public oci::CredentialSource {
 public:
  std::optional<oci::Credential> find(const std::string&, const std::string&) override {
    return credential;
  }

  std::optional<oci::Credential> credential;
};

/// One thing that goes wrong, as real registries and networks do it.
enum class Fault {
  unavailable,     ///< 503
  rate_limited,    ///< 429 with Retry-After: 7
  unauthorized,    ///< 401, whatever the token
  forbidden,       ///< 403 DENIED
  server_error,    ///< 500, upload session lost
  too_large,       ///< 413, from a proxy
  dropped,         ///< the connection breaks after half of the request's body, which is kept
  truncated_body,  ///< the connection breaks after half of the response's body
  short_body,      ///< half of the body, as if that were all
  wrong_bytes,     ///< one bit of the body is another
  long_body,       ///< one byte more
  endless_body,
};

/// A registry in memory, as strict as the real ones: what they refuse, it refuses.
class FakeRegistry final : public http::Transport {
 public:
  enum class Auth { none, basic, bearer };

  struct Options {
    Auth auth = Auth::none;
    bool referrers_api = true;
    bool false_referrers = false;  ///< 200 and a web page for /referrers
    bool mount = true;
    bool redirect_blobs = false;  ///< to storage.test, which refuses an Authorization header
    bool digest_headers = true;
    bool absolute_location = false;
    bool ranges = true;
    std::uint64_t max_chunk_bytes = 4 << 20;
    std::uint64_t min_chunk_bytes = 0;
    std::size_t page_size = 100;
    int token_lifetime_s = 300;
  };

  static constexpr const char* kHost = "registry.test";
  static constexpr const char* kUser = "ada";
  static constexpr const char* kPassword = "s3cret-word";
  static constexpr const char* kIdentityToken = "identity-token";

  FakeRegistry(Options options, Clock& clock) : options_(options), clock_(clock) {}

  http::Response send(const http::Request& request) override;

  /// The next `times` requests of this method whose URL has `part` in it meet the fault.
  void inject(Fault fault, http::Method method, std::string part, unsigned times = 1);

  /// "PUT /v2/a/b/manifests/1", in order, without queries.
  std::vector<std::string> log() const;
  std::vector<http::Request> requests() const;
  /// What another writer does at the same moment: called after a request was answered.
  std::function<void(const std::string& log_line)> after;

  struct StoredManifest {
    std::string type;
    std::string bytes;
  };

  struct Repo {
    std::map<std::string, std::string> blobs;
    std::map<std::string, StoredManifest> manifests;  ///< by digest
    std::map<std::string, std::string> tags;
  };

  std::map<std::string, Repo> repos;

 private:
  struct Upload {
    std::string repo;
    std::string data;
    unsigned state = 0;
  };

  struct Injected {
    Fault fault;
    http::Method method;
    std::string part;
    unsigned times;
  };

  /// A request taken apart.
  struct Call {
    const http::Request& request;
    http::Url url;
    std::string path;
    std::multimap<std::string, std::string> query;
    std::string repo;
    std::vector<std::string> rest;  ///< the path after the repository's name
    std::string body;
  };

  std::optional<Fault> next_fault(const Call& call);
  std::string read_body(const http::Request& request, std::optional<Fault> fault);
  http::Response answer(Call& call, std::optional<Fault> fault);
  http::Response route(Call& call);
  http::Response token(const Call& call);
  http::Response storage(const Call& call);
  std::optional<http::Response> check_access(const Call& call);
  http::Response blob(Call& call);
  http::Response start_upload(Call& call);
  http::Response continue_upload(Call& call);
  http::Response append_chunk(Call& call, const std::string& id);
  http::Response commit_upload(Call& call, const std::string& id);
  http::Response upload_location(int status, const std::string& id, bool with_range);
  http::Response manifest(Call& call);
  http::Response put_manifest(Call& call);
  http::Response tag_list(const Call& call);
  http::Response referrers(const Call& call);
  http::Response ranged(const Call& call, const std::string& content) const;
  http::Response deliver(const http::Request& request,
                         http::Response response,
                         std::optional<Fault> fault);

  Options options_;
  Clock& clock_;
  mutable std::recursive_mutex mutex_;
  std::vector<Injected> faults_;
  std::vector<std::string> log_;
  std::vector<http::Request> requests_;
  std::map<std::string, Upload> uploads_;
  std::map<std::string, std::pair<std::set<std::string>, Time>> tokens_;
  unsigned next_id_ = 1;
};

}  // namespace seed::test
