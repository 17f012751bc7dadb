#include "trust/monitor.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/certificate.hpp"
#include "trust/discovery.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxBodyBytes = 1 << 20;
constexpr std::uint64_t kMaxAnswerBytes = 16 << 20;
constexpr std::size_t kMaxFound = 1000;

/// Certificates and keys lie in different members of each kind, as PEM or DER in base64: all texts
/// that are one are looked at.
template <class Visit>
void for_each_text(const json& value, const Visit& visit) {
  if (value.is_string()) {
    visit(value.get_ref<const std::string&>());
  } else if (value.is_structured()) {
    for (const json& member : value) {
      for_each_text(member, visit);
    }
  }
}

std::optional<std::string> builder_of(const QuorumPolicy& policy,
                                      const sigstore::Certificate& certificate) {
  const sigstore::Signer signer = sigstore::signer_of(certificate);
  for (const KnownBuilder& builder : policy.builders()) {
    const auto* identity = std::get_if<sigstore::Identity>(&builder.who);
    if (identity != nullptr && !sigstore::mismatch(*identity, signer)) {
      return builder.name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> builder_of(const QuorumPolicy& policy, const sigstore::PublicKey& key) {
  for (const KnownBuilder& builder : policy.builders()) {
    const auto* known = std::get_if<sigstore::PublicKey>(&builder.who);
    if (known != nullptr && *known == key) {
      return builder.name;
    }
  }
  return std::nullopt;
}

/// What base64 text is, if it is a certificate or key: whoever it is of.
std::optional<std::string> builder_of(const QuorumPolicy& policy, const std::string& base64) {
  constexpr std::size_t kShortest = 40;  // an Ed25519 key is 44 bytes
  const auto bytes = base64.size() < kShortest ? std::nullopt : from_base64(base64);
  if (!bytes) {
    return std::nullopt;
  }
  const std::string_view text = text_of(*bytes);
  try {
    if (text.starts_with("-----BEGIN CERTIFICATE")) {
      return builder_of(policy, sigstore::Certificate::parse_pem(text));
    }
    if (text.starts_with("-----BEGIN PUBLIC KEY")) {
      return builder_of(policy, sigstore::PublicKey::parse_pem(text));
    }
    if (bytes->front() == std::byte{0x30}) {
      try {
        return builder_of(policy, sigstore::Certificate::parse_der(*bytes));
      } catch (const FormatError&) {
        return builder_of(policy, sigstore::PublicKey::parse_der(*bytes));
      }
    }
  } catch (const FormatError&) {
    // Logs have whatever anybody sent them.
  }
  return std::nullopt;
}

void add_entries(oci::Repository& repository, const Digest& subject, std::set<LogPlace>& known) {
  Discovery discovery;
  look_in(repository, subject, discovery);
  for (const Candidate& candidate : discovery.candidates) {
    try {
      for (const sigstore::LogEntry& entry : sigstore::parse_bundle(candidate.bytes).log_entries) {
        known.emplace(entry.log_id, entry.log_index);
      }
    } catch (const FormatError&) {
      // What can't be read says nothing of any entry.
    }
  }
}

std::string search_body(const KnownBuilder& builder) {
  if (const auto* key = std::get_if<sigstore::PublicKey>(&builder.who)) {
    return json{{"hash", Digest::of(key->pem()).to_string()}}.dump();
  }
  const std::string& subject = builder.cfg.identity;
  return json{{subject.find("://") == std::string::npos ? "email" : "subject", subject}}.dump();
}

json ask(http::Transport& transport, http::Request request) {
  request.max_response_bytes = kMaxAnswerBytes;
  request.headers.set("Accept", "application/json");
  const http::Response response = transport.send(request);
  if (response.status != 200) {
    throw NetworkError(fmt::format("{} gives {}", http::redact_url(request.url), response.status),
                       "Rekor's search is experimental, and may be switched off",
                       response.status);
  }
  return oci::parse_json(response.body, kMaxAnswerBytes, "the log's answer");
}

std::vector<std::string> found_by_search(http::Transport& transport,
                                         const sigstore::TrustedLog& log,
                                         const KnownBuilder& builder) {
  const std::string body = search_body(builder);
  http::Request request{.method = http::Method::post,
                        .url = log.base_url + "/api/v1/index/retrieve",
                        .body = [&] { return source_of(body); },
                        .body_size_bytes = body.size()};
  request.headers.set("Content-Type", "application/json");
  std::vector<std::string> uuids;
  for (const json& uuid : ask(transport, request)) {
    const bool hex = uuid.is_string() && !uuid.get_ref<const std::string&>().empty() &&
                     uuid.get_ref<const std::string&>().find_first_not_of("0123456789abcdef") ==
                         std::string::npos;
    if (hex && uuids.size() < kMaxFound) {
      uuids.push_back(uuid.get<std::string>());
    }
  }
  return uuids;
}

}  // namespace

std::set<LogPlace> known_entries(oci::Repository& repository) {
  std::set<LogPlace> known;
  std::set<Digest> seen;
  for (const std::string& tag : repository.tags()) {
    const auto raw = repository.get_manifest(tag);
    if (!raw || !seen.insert(raw->descriptor.digest).second) {
      continue;
    }
    add_entries(repository, raw->descriptor.digest, known);
    if (raw->descriptor.media_type == oci::kIndexType) {
      for (const oci::Descriptor& image : oci::parse_index(raw->bytes).manifests) {
        if (seen.insert(image.digest).second) {
          add_entries(repository, image.digest, known);
        }
      }
    }
  }
  return known;
}

std::optional<std::string> builder_of_entry(const QuorumPolicy& policy, std::string_view body) {
  std::optional<std::string> builder;
  try {
    for_each_text(oci::parse_json(body, kMaxBodyBytes, "a log entry"),
                  [&](const std::string& text) {
                    if (!builder) {
                      builder = builder_of(policy, text);
                    }
                  });
  } catch (const FormatError&) {
    // It is no entry of a kind that signs anything for us.
  }
  return builder;
}

std::vector<BuilderEntry> search_entries(http::Transport& transport,
                                         const sigstore::TrustedLog& log,
                                         const QuorumPolicy& policy) {
  std::vector<BuilderEntry> entries;
  for (const KnownBuilder& builder : policy.builders()) {
    for (const std::string& uuid : found_by_search(transport, log, builder)) {
      const json answer = ask(transport, {.url = log.base_url + "/api/v1/log/entries/" + uuid});
      for (const json& entry : answer) {
        if (!entry.is_object() || !entry.contains("body") || !entry["body"].is_string() ||
            !entry.contains("logIndex") || !entry["logIndex"].is_number_integer()) {
          continue;
        }
        const auto body = from_base64(entry["body"].get<std::string>());
        const auto signer = body ? builder_of_entry(policy, text_of(*body)) : std::nullopt;
        if (signer) {
          entries.push_back({*signer, entry["logIndex"].get<std::int64_t>()});
        }
      }
    }
  }
  return entries;
}

}  // namespace seed::trust
