#include "trust/github_attestations.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/limits.hpp"
#include "oci/link_header.hpp"
#include "sigstore/limits.hpp"
#include "trust/snappy.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;

/// A page has up to 100 bundles where GitHub still gives them.
constexpr std::uint64_t kMaxPageBytes = 32 << 20;
constexpr unsigned kMaxPages = 20;

http::Request request_to(const GithubRepository& repository, http::Method method, std::string url) {
  http::Request request;
  request.method = method;
  request.url = std::move(url);
  request.headers.add("Accept", "application/vnd.github+json");
  request.headers.add("X-GitHub-Api-Version", "2022-11-28");
  if (!repository.token.empty()) {
    request.headers.add("Authorization", "Bearer " + repository.token);
  }
  return request;
}

/// Follows redirects within the API: renamed repositories answer with one.
http::Response ask(http::Transport& transport, http::Request request) {
  const http::Url origin = http::Url::parse(request.url);
  for (unsigned redirects = 0;; ++redirects) {
    http::Response response = transport.send(request);
    const auto location = response.headers.get("Location");
    if (response.status < 300 || response.status >= 400 || !location) {
      return response;
    }
    const http::Url next = http::resolve(http::Url::parse(request.url), *location);
    if (redirects == oci::kMaxRedirects || !next.same_origin(origin)) {
      throw NetworkError(
          fmt::format("{} leads to {}", http::redact_url(request.url), next.authority()));
    }
    request.url = next.to_string();
  }
}

[[noreturn]] void refuse(const http::Response& response, const std::string& url) {
  std::string hint;
  if (response.status == 401 || response.status == 403) {
    hint =
        "give the job a token that may: 'permissions: attestations: read', or 'write' to keep some";
  }
  throw NetworkError(fmt::format("GitHub answers {} to {}", response.status, http::redact_url(url)),
                     hint,
                     response.status);
}

/// Bundles are kept at another host, which gets no token. What it says is compressed, or not.
std::string fetch(http::Transport& transport, const std::string& url) {
  http::Request request;
  request.url = url;
  request.max_response_bytes = sigstore::kMaxBundleBytes;
  for (unsigned redirects = 0;; ++redirects) {
    const http::Url at = http::Url::parse(request.url);
    if (at.scheme != "https" && !http::is_loopback(at.host)) {
      throw NetworkError(fmt::format("the bundle is at {}, without TLS", at.authority()));
    }
    http::Response response = transport.send(request);
    if (response.status == 200) {
      const std::string_view start = trim(std::string_view(response.body).substr(0, 16));
      return start.starts_with('{') ? std::move(response.body)
                                    : uncompress_snappy(response.body, sigstore::kMaxBundleBytes);
    }
    const auto location = response.headers.get("Location");
    if (response.status < 300 || response.status >= 400 || !location ||
        redirects == oci::kMaxRedirects) {
      throw NetworkError(fmt::format("{} answers {}", http::redact_url(url), response.status),
                         {},
                         response.status);
    }
    request.url = http::resolve(at, *location).to_string();
  }
}

class Search {
 public:
  Search(http::Transport& transport, const GithubRepository& repository, Discovery& discovery)
      : transport_(transport), repository_(repository), discovery_(discovery) {}

  void run(const Digest& subject);

 private:
  void page(std::string_view body);
  void take(const GithubAttestation& attestation);

  http::Transport& transport_;
  const GithubRepository& repository_;
  Discovery& discovery_;
  Looked looked_;
  std::size_t taken_ = 0;
};

void Search::take(const GithubAttestation& attestation) {
  if (++taken_ > kMaxCandidates) {
    return;
  }
  const std::string from =
      attestation.bundle.empty() ? http::redact_url(attestation.bundle_url) : looked_.where;
  try {
    const std::size_t before = discovery_.candidates.size();
    add_candidate(
        discovery_,
        attestation.bundle.empty() ? fetch(transport_, attestation.bundle_url) : attestation.bundle,
        from);
    looked_.found += discovery_.candidates.size() - before;
  } catch (const FormatError& error) {
    discovery_.ignored.push_back({from, error.message(), true});
  } catch (const NetworkError& error) {
    looked_.failure = error.message();
  }
}

void Search::run(const Digest& subject) {
  check_github_name(repository_.name);
  const std::string url = fmt::format(
      "{}/repos/{}/attestations/{}", repository_.api, repository_.name, subject.to_string());
  looked_.where = http::redact_url(url);
  looked_.how = "GitHub's attestations";
  try {
    std::string next = url + "?per_page=100";
    const http::Url origin = http::Url::parse(next);
    for (unsigned pages = 0; !next.empty() && taken_ <= kMaxCandidates; ++pages) {
      if (pages == kMaxPages) {
        throw NetworkError("GitHub lists without end");
      }
      http::Request request = request_to(repository_, http::Method::get, next);
      request.max_response_bytes = kMaxPageBytes;
      const http::Response response = ask(transport_, request);
      if (response.status == 404) {
        break;  // none, or a repository that the token does not show
      }
      if (response.status != 200) {
        refuse(response, next);
      }
      for (const GithubAttestation& attestation : parse_github_attestations(response.body)) {
        take(attestation);
      }
      const auto link = oci::next_link(response.headers.get("Link").value_or(""));
      const http::Url at = http::Url::parse(next);
      next = link ? http::resolve(at, *link).to_string() : "";
      if (link && !http::Url::parse(next).same_origin(origin)) {
        throw NetworkError("GitHub's list goes on at another server");
      }
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    looked_.failure = error.message();
  }
  if (taken_ > kMaxCandidates) {
    discovery_.ignored.push_back({looked_.where + ", the rest of it",
                                  fmt::format("{} were looked at before", kMaxCandidates),
                                  true});
  }
  discovery_.looked.push_back(std::move(looked_));
}

}  // namespace

void check_github_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const auto parts = split(name, '/');
  bool good = parts.size() == 2;
  for (const std::string_view part : parts) {
    good &= !part.empty() && part.find_first_not_of('.') != part.npos &&
            std::all_of(part.begin(), part.end(), plain);
  }
  if (!good) {
    throw UsageError(fmt::format("'{}' is no repository at GitHub", printable(name)),
                     "write OWNER/NAME");
  }
}

std::vector<GithubAttestation> parse_github_attestations(std::string_view text) {
  const json object = oci::parse_json(text, kMaxPageBytes, "GitHub's list of attestations");
  const json* list = object.is_object() ? oci::find_member(object, "attestations") : nullptr;
  if (list == nullptr || !list->is_array()) {
    throw FormatError("GitHub's list of attestations has no 'attestations'");
  }
  std::vector<GithubAttestation> found;
  for (const json& entry : *list) {
    GithubAttestation attestation;
    if (!entry.is_object()) {
      throw FormatError("GitHub's list of attestations has an entry that is no object");
    }
    if (const json* bundle = oci::find_member(entry, "bundle")) {
      attestation.bundle = oci::to_canonical_json(*bundle);
    }
    if (const json* url = oci::find_member(entry, "bundle_url");
        url != nullptr && url->is_string()) {
      attestation.bundle_url = url->get<std::string>();
    }
    if (attestation.bundle.empty() && attestation.bundle_url.empty()) {
      throw FormatError("GitHub's list of attestations has an entry with neither bundle nor URL");
    }
    found.push_back(std::move(attestation));
  }
  return found;
}

void look_in_github(http::Transport& transport,
                    const GithubRepository& repository,
                    const Digest& subject,
                    Discovery& discovery) {
  Search(transport, repository, discovery).run(subject);
}

std::string store_in_github(http::Transport& transport,
                            const GithubRepository& repository,
                            std::string_view bundle) {
  check_github_name(repository.name);
  const std::string body = fmt::format(R"({{"bundle":{}}})", bundle);
  http::Request request =
      request_to(repository,
                 http::Method::post,
                 fmt::format("{}/repos/{}/attestations", repository.api, repository.name));
  request.headers.add("Content-Type", "application/json");
  request.body = [&] { return source_of(body); };
  request.body_size_bytes = body.size();
  const http::Response response = transport.send(request);
  if (response.status != 201) {
    refuse(response, request.url);
  }
  const json answer = oci::parse_json(response.body, kMaxPageBytes, "GitHub's answer");
  const json* id = answer.is_object() ? oci::find_member(answer, "id") : nullptr;
  if (id == nullptr || !(id->is_number() || id->is_string())) {
    throw FormatError("GitHub's answer has no id");
  }
  return id->is_string() ? id->get<std::string>() : id->dump();
}

}  // namespace seed::trust
