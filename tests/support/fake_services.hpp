#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "http/http.hpp"
#include "support/fake_sigstore.hpp"

namespace seed::test {

/// Fulcio, a timestamp authority and both Rekors at the wire, as strict as the real ones: what they
/// refuse is refused, and entries are kept as they keep them. Each lies where it is told to.
class FakeServices final : public http::Transport {
 public:
  static constexpr const char* kFulcio = "https://fulcio.test";
  static constexpr const char* kTsa = "https://tsa.test/api/v1/timestamp";

  FakeServices(FakeSigstore& sigstore, std::string token, std::string challenge)
      : sigstore_(sigstore), token_(std::move(token)), challenge_(std::move(challenge)) {}

  http::Response send(const http::Request& request) override;

  sigstore::Signer signer = acme();
  /// Where to lie, or to fail: called with the path before anything is answered; what it returns
  /// goes out in place of the answer.
  std::function<std::optional<http::Response>(const std::string& path)> before;
  /// Whom certificates are made for; null: whoever asks.
  std::optional<TestKey> other_key;
  /// Another answer of Rekor's than the true one.
  std::function<void(nlohmann::json&)> change_entry;
  bool lose_next_entry = false;    ///< it is taken, and the answer gets lost
  std::vector<std::string> asked;  ///< paths

 private:
  http::Response route(const http::Request& request, const std::string& path);
  http::Response certificate(const http::Request& request, const std::string& body);
  http::Response timestamp(const http::Request& request, const std::string& body);
  http::Response rekor1(const http::Request& request, const std::string& body);
  http::Response rekor2(const http::Request& request, const std::string& body);
  http::Response kept(const std::string& path);

  FakeSigstore& sigstore_;
  std::string token_;
  std::string challenge_;
  std::map<std::string, std::string> entries_;  ///< identifier -> reply of Rekor v1
  std::set<std::string> bodies_;                ///< of Rekor v2
};

}  // namespace seed::test
