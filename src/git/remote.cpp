#include "git/remote.hpp"

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::git {
namespace {

/// A million refs.
constexpr std::uint64_t kMaxRefsBytes = 64 << 20;
/// One commit with all its files, where the server can't filter; else some KiB.
constexpr std::uint64_t kMaxPackBytes = 1 << 30;
constexpr std::uint64_t kMaxReportBytes = 1 << 20;

std::string checked_url(const std::string& text) {
  try {
    const http::Url url = http::Url::parse(text);
    if (url.scheme == "https" || http::is_loopback(url.host)) {
      std::string plain = url.to_string();
      while (plain.ends_with('/')) {
        plain.pop_back();
      }
      return plain;
    }
  } catch (const FormatError&) {
    // Refused below, with what to do.
  }
  throw UsageError(
      fmt::format("nothing can be pushed to {}: it is no https URL", http::redact_url(text)),
      "pushes go over https with a token; ssh is not spoken");
}

std::string hint_for(int status, bool has_token) {
  if (status == 401 || status == 403 || status == 404) {
    return has_token
               ? "the token must have the right to write the repository's contents (GitHub: "
                 "permissions: contents: write; GitLab: write_repository, or 'Allow Git push' "
                 "for job tokens)"
               : "give a token that may write the repository: NIX_SEED_GIT_TOKEN";
  }
  return status >= 500 ? "the server itself failed; try again later" : "";
}

}  // namespace

Remote::Remote(http::Transport& transport, const std::string& url, Login login)
    : transport_(transport), name_(checked_url(url)), login_(std::move(login)) {
  if (!login_.token.empty()) {
    authorization_ = "Basic " + to_base64(bytes_of(login_.user + ":" + login_.token));
  }
}

http::Response Remote::send(http::Request request, std::string_view doing) {
  if (!authorization_.empty()) {
    request.headers.set("Authorization", authorization_);
  }
  http::Response response = transport_.send(request);
  const int status = response.status;
  if (status == 200) {
    return response;
  }
  if (status >= 300 && status < 400) {
    throw NetworkError(
        fmt::format("{} {}: it redirects to {}, where a token must not follow",
                    doing,
                    name_,
                    http::redact_url(response.headers.get("Location").value_or("nowhere"))),
        "name the repository by the URL that it has now",
        status);
  }
  const std::string why = without_token(printable(trim(response.body)));
  throw NetworkError(
      fmt::format("{} {}: status {}{}", doing, name_, status, why.empty() ? "" : " (" + why + ")"),
      hint_for(status, !login_.token.empty()),
      status);
}

/// A server may say back what it was sent.
std::string Remote::without_token(std::string text) const {
  if (login_.token.empty()) {
    return text;
  }
  for (const std::string& secret :
       {login_.token, authorization_.substr(authorization_.find(' ') + 1)}) {
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

Advertisement Remote::refs() {
  const http::Response response = send({.url = name_ + "/info/refs?service=git-receive-pack",
                                        .headers = {},
                                        .body = {},
                                        .into = {},
                                        .max_response_bytes = kMaxRefsBytes},
                                       "reading the refs of");
  return parse_advertisement(response.body);
}

void Remote::fetch(const FetchRequest& request, const std::function<Sink()>& pack) {
  constexpr std::string_view kDoing = "reading from";
  const http::Response greeting = send({.url = name_ + "/info/refs?service=git-upload-pack",
                                        .headers = {{"Git-Protocol", "version=2"}},
                                        .body = {},
                                        .into = {}},
                                       kDoing);
  const std::string body = fetch_body(request, parse_fetch_capabilities(greeting.body));
  std::shared_ptr<FetchReader> reader;
  send({.method = http::Method::post,
        .url = name_ + "/git-upload-pack",
        .headers = {{"Content-Type", "application/x-git-upload-pack-request"},
                    {"Accept", "application/x-git-upload-pack-result"},
                    {"Git-Protocol", "version=2"}},
        .body = [&] { return source_of(body); },
        .body_size_bytes = body.size(),
        .into =
            [&](const http::Response&) {
              reader = std::make_shared<FetchReader>(pack());
              return Sink([reader](ByteView chunk) { reader->feed(chunk); });
            },
        .max_response_bytes = kMaxPackBytes},
       kDoing);
  if (!reader) {
    throw FormatError("git: the answer is empty");
  }
  reader->finish();
}

PushReport Remote::push(const RefUpdate& update,
                        const std::vector<std::string>& options,
                        const std::string& pack,
                        const Advertisement& advertisement) {
  const std::string body = push_head(update, options, advertisement) + pack;
  const http::Response response =
      send({.method = http::Method::post,
            .url = name_ + "/git-receive-pack",
            .headers = {{"Content-Type", "application/x-git-receive-pack-request"},
                        {"Accept", "application/x-git-receive-pack-result"}},
            .body = [&] { return source_of(body); },
            .body_size_bytes = body.size(),
            .into = {},
            .max_response_bytes = kMaxReportBytes},
           "pushing to");
  PushReport report = parse_push_report(
      response.body, update.name, advertisement.capabilities.contains("side-band-64k"));
  report.reason = without_token(std::move(report.reason));
  report.messages = without_token(std::move(report.messages));
  return report;
}

}  // namespace seed::git
