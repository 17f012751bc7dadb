#include "sigstore/trusted_root.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/proto_json.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTrusted = 256;  ///< logs or authorities of one kind
constexpr std::size_t kLogIdBytes = 32;

Validity validity_of(const json* value) {
  if (value == nullptr) {
    return {};
  }
  ProtoMessage message(*value, "validFor");
  Validity validity;
  if (const std::string start = message.text("start"); !start.empty()) {
    validity.start = parse_rfc3339(start);
  }
  if (const std::string end = message.text("end"); !end.empty()) {
    validity.end = parse_rfc3339(end);
  }
  return validity;
}

/// Two logs of one operator prove no more than one. Where nobody says who it is, hosts of one
/// domain are taken for one: rekor.sigstore.dev and log2025-1.rekor.sigstore.dev.
std::string operator_of(ProtoMessage& message, const std::string& url) {
  if (std::string name = message.text("operator"); !name.empty()) {
    return name;
  }
  std::string host = url;
  if (const std::size_t scheme = host.find("://"); scheme != host.npos) {
    host = http::Url::parse(url).host;
  }
  const bool address =
      host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos;
  const auto labels = split(host, '.');
  return address || labels.size() < 3
             ? host
             : fmt::format("{}.{}", labels[labels.size() - 2], labels.back());
}

/// Keys of kinds that may appear one day must not take the others with them: a log whose signatures
/// we can't check is one that we do not trust.
bool can_check(const std::string& details) {
  constexpr std::array<std::string_view, 6> kUnknown{
      "PKCS1_", "PSS", "ED25519_PH", "ML_DSA", "LMS", "LMOTS"};
  return std::ranges::none_of(
      kUnknown, [&](std::string_view kind) { return details.find(kind) != details.npos; });
}

std::optional<TrustedLog> log_of(const json& value) {
  ProtoMessage message(value, "log");
  const std::string url = message.text("baseUrl");
  return while_doing(fmt::format("reading the log '{}'", printable(url)), [&] {
    const json* key = message.find("publicKey");
    const json* id = message.find("logId");
    if (key == nullptr || id == nullptr) {
      throw FormatError("it needs publicKey and logId");
    }
    ProtoMessage key_message(*key, "publicKey");
    const Validity validity = validity_of(key_message.find("validFor"));
    if (!validity.start) {
      throw FormatError("its key has no validFor.start");
    }
    const Bytes log_id = ProtoMessage(*id, "logId").bytes("keyId");
    if (log_id.size() != kLogIdBytes) {
      throw FormatError(fmt::format("its keyId has {} bytes instead of 32", log_id.size()));
    }
    if (!can_check(key_message.enumeration("keyDetails"))) {
      return std::optional<TrustedLog>();
    }
    return std::optional(TrustedLog{.base_url = url,
                                    .operator_name = operator_of(message, url),
                                    .log_id = log_id,
                                    .key = PublicKey::parse_der(key_message.bytes("rawBytes")),
                                    .validity = validity});
  });
}

TrustedAuthority authority_of(const json& value) {
  ProtoMessage message(value, "authority");
  const std::string uri = message.text("uri");
  return while_doing(fmt::format("reading the authority '{}'", printable(uri)), [&] {
    const json* chain = message.find("certChain");
    if (chain == nullptr) {
      throw FormatError("it needs certChain");
    }
    std::vector<Certificate> certificates;
    for (const json* one : ProtoMessage(*chain, "certChain").list("certificates", kMaxChain)) {
      certificates.push_back(
          Certificate::parse_der(ProtoMessage(*one, "certificate").bytes("rawBytes")));
    }
    return TrustedAuthority{.uri = uri,
                            .operator_name = operator_of(message, uri),
                            .chain = Chain(std::move(certificates)),
                            .validity = validity_of(message.find("validFor"))};
  });
}

void check_media_type(const std::string& type) {
  constexpr std::array<std::string_view, 4> kKnown{
      "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      "application/vnd.dev.sigstore.trustedroot.v0.1+json",
      "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
      "application/vnd.dev.sigstore.trustedroot.v0.2+json"};
  if (std::ranges::find(kKnown, type) == kKnown.end()) {
    throw FormatError(fmt::format("trusted root: the media type is '{}'", printable(type)),
                      "nix-seed reads Sigstore trusted roots of the versions 0.1 and 0.2");
  }
}

void add_logs(ProtoMessage& message, std::string_view name, std::vector<TrustedLog>& logs) {
  for (const json* value : message.list(name, kMaxTrusted)) {
    if (auto log = log_of(*value)) {
      logs.push_back(std::move(*log));
    }
  }
}

void add_authorities(ProtoMessage& message,
                     std::string_view name,
                     std::vector<TrustedAuthority>& authorities) {
  for (const json* value : message.list(name, kMaxTrusted)) {
    authorities.push_back(authority_of(*value));
  }
}

void add_root(const std::string_view text, TrustedRoot& root) {
  while_doing("reading the trusted root", [&] {
    const json value = parse_json(text, kMaxTrustedRootBytes, "trusted root");
    ProtoMessage message(value, "trusted root");
    check_media_type(message.text("mediaType"));
    add_logs(message, "tlogs", root.transparency_logs);
    add_authorities(message, "certificateAuthorities", root.certificate_authorities);
    add_logs(message, "ctlogs", root.certificate_logs);
    add_authorities(message, "timestampAuthorities", root.timestamp_authorities);
  });
}

}  // namespace

TrustedRoot parse_trusted_root(std::string_view text) {
  TrustedRoot root;
  add_root(text, root);
  return root;
}

TrustedRoot parse_trusted_roots(std::string_view text) {
  if (text.size() > kMaxTrustedRootBytes) {
    throw FormatError(fmt::format(
        "trusted root: {} bytes; at most {} are read", text.size(), kMaxTrustedRootBytes));
  }
  // One root may be spread over lines; of several each has one.
  const std::string_view first = trim(text).substr(0, trim(text).find('\n'));
  if (!json::accept(first)) {
    return parse_trusted_root(text);
  }
  TrustedRoot root;
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) {
      add_root(line, root);
    }
  }
  return root;
}

}  // namespace seed::sigstore
