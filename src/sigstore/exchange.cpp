#include "sigstore/exchange.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "sigstore/json.hpp"

namespace seed::sigstore {
namespace {

/// gRPC's gateway and go-openapi both say {"code": N, "message": TEXT}.
std::string words_of(const http::Response& response) {
  constexpr std::size_t kMaxWords = 300;
  try {
    const nlohmann::json reply = parse_json(response.body, http::kMaxErrorBodyBytes, "the reply");
    return printable(string_member(reply, "message"), kMaxWords);
  } catch (const FormatError&) {
    return {};
  }
}

}  // namespace

http::Response UntilTransport::send(const http::Request& request) {
  if (clock_.now() >= until_) {
    throw NetworkError(
        fmt::format("the time for signing is over; {} was not asked any more",
                    http::redact_url(request.url)),
        "the services were slow or failed too often; run it again, or look at their status pages");
  }
  return inner_.send(request);
}

std::string url_below(std::string_view base, std::string_view path) {
  while (base.ends_with('/')) {
    base.remove_suffix(1);
  }
  return fmt::format("{}/{}", base, path);
}

http::Request post_request(std::string url, std::string_view content_type, std::string body) {
  http::Request request{.method = http::Method::post,
                        .url = std::move(url),
                        .headers = {{"Content-Type", std::string(content_type)}},
                        .body_size_bytes = body.size(),
                        .max_response_bytes = kMaxReplyBytes};
  request.body = [text = std::make_shared<const std::string>(std::move(body))] {
    // The source shares the text, so that it lives as long as either.
    return [text, inner = source_of(*text)](std::span<std::byte> buffer) { return inner(buffer); };
  };
  return request;
}

NetworkError refusal(std::string_view service,
                     std::string_view url,
                     const http::Response& response) {
  const std::string words = words_of(response);
  return NetworkError(fmt::format("{} at {} answered {}{}{}",
                                  service,
                                  http::redact_url(url),
                                  response.status,
                                  words.empty() ? "" : ": ",
                                  words),
                      {},
                      response.status);
}

void check_content_type(std::string_view service,
                        std::string_view url,
                        const http::Response& response,
                        std::string_view media_type) {
  const std::string given = response.headers.get("Content-Type").value_or("");
  if (to_lower(trim(std::string_view(given).substr(0, given.find(';')))) != media_type) {
    throw NetworkError(fmt::format("{} at {} answered with '{}', not with {}",
                                   service,
                                   http::redact_url(url),
                                   printable(given, 60),
                                   media_type),
                       "look whether the URL is the service's, or a proxy's page");
  }
}

}  // namespace seed::sigstore
