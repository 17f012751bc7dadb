#include "app/pull_request.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"

namespace seed::app {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxAnswerBytes = 8 << 20;

/// RFC 3986, section 2.3.
std::string query_value(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

void check_repository(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._/").find(c) != std::string_view::npos;
  });
  const auto parts = split(name, '/');
  if (!plain || parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
    throw UsageError(fmt::format("'{}' is no OWNER/NAME of a repository", printable(name)));
  }
}

http::Response send(http::Transport& transport,
                    const PullRequest& wanted,
                    http::Method method,
                    const std::string& query,
                    const std::string& body) {
  http::Request request{
      .method = method,
      .url = fmt::format("{}/repos/{}/pulls{}", wanted.api, wanted.repository, query),
      .headers = {{"Accept", "application/json"}, {"Authorization", "Bearer " + wanted.token}},
      .body = {},
      .into = {},
      .max_response_bytes = kMaxAnswerBytes};
  if (!body.empty()) {
    request.headers.add("Content-Type", "application/json");
    request.body = [&] { return source_of(body); };
    request.body_size_bytes = body.size();
  }
  return transport.send(request);
}

[[noreturn]] void refuse(const PullRequest& wanted, const http::Response& response) {
  const json answer = json::parse(response.body, nullptr, false);
  std::string why;
  if (answer.is_object() && answer.contains("message") && answer["message"].is_string()) {
    why = printable(answer["message"].get<std::string>());
  }
  throw NetworkError(fmt::format("no pull request could be opened in {}: status {}{}",
                                 wanted.repository,
                                 response.status,
                                 why.empty() ? "" : " (" + why + ")"),
                     "the token needs 'pull-requests: write', and the repository's or "
                     "organisation's settings must "
                     "allow workflows to create pull requests",
                     response.status);
}

/// Texts of a pull request in an answer; empty where it has none.
std::string text_at(const json& value, const char* pointer) {
  const json::json_pointer at(pointer);
  return value.is_object() && value.contains(at) && value[at].is_string()
             ? value[at].get<std::string>()
             : "";
}

std::string url_of(const json& pull) {
  std::string url = text_at(pull, "/html_url");
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    throw FormatError("the answer names no pull request");
  }
  return printable(url, 1000);
}

std::string find_open(http::Transport& transport, const PullRequest& wanted) {
  // Not every host knows the filters, so the answer is looked through as well.
  const std::string owner = wanted.repository.substr(0, wanted.repository.find('/'));
  const http::Response response = send(transport,
                                       wanted,
                                       http::Method::get,
                                       fmt::format("?state=open&per_page=100&base={}&head={}",
                                                   query_value(wanted.base),
                                                   query_value(owner + ":" + wanted.head)),
                                       "");
  if (response.status != 200) {
    refuse(wanted, response);
  }
  const json list = nix::parse_json(response.body, "list of pull requests");
  for (const json& pull : list.is_array() ? list : json::array()) {
    if (text_at(pull, "/head/ref") == wanted.head && text_at(pull, "/base/ref") == wanted.base &&
        to_lower(text_at(pull, "/head/repo/full_name")) == to_lower(wanted.repository)) {
      return url_of(pull);
    }
  }
  return {};
}

}  // namespace

OpenedPullRequest open_pull_request(http::Transport& transport, const PullRequest& wanted) {
  check_repository(wanted.repository);
  if (std::string url = find_open(transport, wanted); !url.empty()) {
    return {.url = std::move(url)};
  }
  const json body = {
      {"title", wanted.title}, {"head", wanted.head}, {"base", wanted.base}, {"body", wanted.body}};
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  const http::Response response = send(transport, wanted, http::Method::post, "", text);
  if (response.status == 201) {
    return {.url = url_of(nix::parse_json(response.body, "pull request")), .is_new = true};
  }
  // Another run, or an earlier attempt whose answer was lost, opened it.
  if (response.status == 422 || response.status == 409) {
    if (std::string url = find_open(transport, wanted); !url.empty()) {
      return {.url = std::move(url)};
    }
  }
  refuse(wanted, response);
}

}  // namespace seed::app
