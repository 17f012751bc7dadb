#include "sigstore/fulcio.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/exchange.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/pem.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

constexpr std::string_view kService = "Fulcio";

/// What people can do about a refusal; Fulcio says no more than that it was.
std::string hint_of(int status) {
  if (status == 400 || status == 401 || status == 403) {
    return "Fulcio takes tokens of the issuers it is configured for, for the audience sigstore, "
           "and "
           "for some minutes; a private issuer needs a private Fulcio (--signing-config)";
  }
  return {};
}

}  // namespace

IssuedCertificate parse_issued_certificate(std::string_view json_text) {
  const json reply = parse_json(json_text, kMaxReplyBytes, "Fulcio's reply");
  const json* embedded = find_member(reply, "signedCertificateEmbeddedSct");
  const json* detached = find_member(reply, "signedCertificateDetachedSct");
  if ((embedded == nullptr) == (detached == nullptr)) {
    throw FormatError("Fulcio's reply has not one certificate chain");
  }
  const json& issued = embedded != nullptr ? *embedded : *detached;
  const json& chain = list_member(object_member(issued, "chain"), "certificates");
  if (chain.empty() || chain.size() > kMaxChain || !chain.front().is_string()) {
    throw FormatError(fmt::format("Fulcio's reply has {} certificates", chain.size()));
  }
  Bytes leaf = parse_pem(chain.front().get_ref<const std::string&>(), "CERTIFICATE");
  if (leaf.size() > kMaxCertificateBytes) {
    throw FormatError(fmt::format("Fulcio's certificate has {} bytes", leaf.size()));
  }
  const json* sct = find_member(issued, "signedCertificateTimestamp");
  return {std::move(leaf), detached != nullptr && sct != nullptr && *sct != ""};
}

IssuedCertificate request_certificate(http::Transport& transport,
                                      std::string_view base_url,
                                      std::string_view token,
                                      std::string_view challenge,
                                      SigningKey& key) {
  const std::string url = url_below(base_url, "api/v2/signingCert");
  const json body{
      {"publicKeyRequest",
       {{"publicKey",
         {{"algorithm", key.public_key().type() == KeyType::ed25519 ? "ED25519" : "ECDSA"},
          {"content", key.public_key().pem()}}},
        {"proofOfPossession", to_base64(key.sign(bytes_of(challenge)))}}}};
  http::Request request = post_request(url, "application/json", body.dump());
  request.headers.set("Authorization", fmt::format("Bearer {}", token));
  const http::Response response = transport.send(request);
  if (response.status != 200 && response.status != 201) {
    NetworkError error = refusal(kService, url, response);
    throw NetworkError(error.message(), hint_of(response.status), response.status);
  }
  check_content_type(kService, url, response, "application/json");
  return parse_issued_certificate(response.body);
}

}  // namespace seed::sigstore
