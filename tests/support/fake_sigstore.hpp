#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sigstore/bundle.hpp"
#include "sigstore/identity.hpp"
#include "sigstore/trusted_root.hpp"
#include "sigstore/verify.hpp"
#include "support/fake_log.hpp"
#include "support/fake_tsa.hpp"
#include "support/test_pki.hpp"

namespace seed::test {

/// How a signature is logged.
enum class EntryForm { dsse, hashedrekord, intoto, rekor2 };

/// What somebody wants signed, and how; each member but the content has the value of a good bundle.
struct Order {
  sigstore::BundleVersion version = sigstore::BundleVersion::v0_3;
  std::optional<std::string> statement;  ///< absent: a message signature over `artifact`
  std::string payload_type = "application/vnd.in-toto+json";
  std::string artifact = "artifact";
  std::vector<EntryForm> entries{EntryForm::dsse};
  bool timestamp = true;
  std::chrono::seconds logged_after{5};
  std::chrono::seconds stamped_after{3};
  sigstore::Signer signer{};
  TestKey key{};
  bool managed_key = false;  ///< sign with `key` itself and no certificate
  std::vector<std::pair<std::string, std::string>> more_extensions{};
  std::function<void(CertificateRequest&)> change_certificate{};
  std::function<void(nlohmann::json&)> change_body{};
  std::function<Bytes(ByteView)> sign{};  ///< in place of `key`
};

/// Sigstore in a bottle: authorities, logs and a time-stamp authority with keys of their own, at
/// whatever time it is told. What it makes is genuine; tests break it afterwards, or one part of
/// it.
class FakeSigstore {
 public:
  explicit FakeSigstore(Time now = kNow);

  static constexpr Time kNow{std::chrono::seconds(1'780'000'000)};  // 2026-05-28T20:26:40Z

  sigstore::Bundle bundle(const Order& order);
  std::string trusted_root_json() const;
  sigstore::TrustedRoot trusted_root() const;

  /// The list of SCTs for a precertificate, in its OCTET STRING.
  Bytes scts(ByteView tbs, Time time) const;
  sigstore::Certificate certificate(const Order& order) const;

  Time now;
  Issuer root;
  Issuer intermediate;
  Time ca_trusted_from;
  std::optional<Time> ca_trusted_to;
  FakeLog ct;
  FakeLog rekor1;
  FakeLog rekor2;
  FakeTsa tsa;
  /// The intermediate anew, by the same key, before it issues anything.
  void reissue_intermediate(const std::string& usage, Time to);
  /// Certificates are from now on issued with the other's key, in the name of ours.
  void swap_signer(const FakeSigstore& other);

  bool with_scts = true;
  std::optional<Bytes> promised_tbs;  ///< what the SCT is over, in place of the certificate
  Bytes sct_extensions;               ///< of RFC 6962, e.g. a static log's leaf index

 private:
  std::optional<TestKey> rogue_;

  sigstore::LogEntry log(EntryForm form, const Order& order, const sigstore::Bundle& bundle);
};

/// An in-toto statement of this type about `artifact`.
std::string statement_about(std::string_view artifact, std::string_view predicate_type);

/// GitHub's certificate for a workflow of acme/app.
sigstore::Signer acme();
sigstore::Identity acme_identity();

}  // namespace seed::test
