#include "support/fake_registry.hpp"

#include <algorithm>
#include <regex>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/types.hpp"
#include "support/fake_registry_parts.hpp"

namespace seed::test {

using http::Method;
using http::Request;
using http::Response;

Time FakeClock::now() const {
  const std::scoped_lock lock(mutex_);
  return Time(std::chrono::duration_cast<std::chrono::seconds>(now_));
}

void FakeClock::sleep(std::chrono::milliseconds duration) {
  const std::scoped_lock lock(mutex_);
  now_ += duration;
  sleeps_.push_back(duration);
}

void FakeClock::advance(std::chrono::seconds duration) {
  const std::scoped_lock lock(mutex_);
  now_ += duration;
}

std::vector<std::chrono::milliseconds> FakeClock::sleeps() const {
  const std::scoped_lock lock(mutex_);
  return sleeps_;
}

Response refusal(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = nlohmann::json{{"errors", {{{"code", code}, {"message", message}}}}}.dump();
  return response;
}

namespace {

std::string method_name(Method method) {
  constexpr std::array kNames{"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"};
  return kNames[static_cast<std::size_t>(method)];
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>((*from_hex(to_lower(text.substr(i + 1, 2))))[0]);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::multimap<std::string, std::string> parse_query(std::string_view query) {
  std::multimap<std::string, std::string> out;
  if (query.empty()) {
    return out;
  }
  for (const auto part : split(query, '&')) {
    const auto equals = part.find('=');
    out.emplace(part.substr(0, equals), percent_decode(part.substr(equals + 1)));
  }
  return out;
}

[[noreturn]] void broken_connection() {
  throw NetworkError("fake: connection reset by peer", {}, 0, true);
}

}  // namespace

void FakeRegistry::inject(Fault fault, Method method, std::string part, unsigned times) {
  const std::scoped_lock lock(mutex_);
  faults_.push_back({fault, method, std::move(part), times});
}

std::vector<std::string> FakeRegistry::log() const {
  const std::scoped_lock lock(mutex_);
  return log_;
}

std::vector<Request> FakeRegistry::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

std::optional<Fault> FakeRegistry::next_fault(const Call& call) {
  for (Injected& injected : faults_) {
    if (injected.times != 0 && injected.method == call.request.method &&
        call.request.url.find(injected.part) != std::string::npos) {
      --injected.times;
      return injected.fault;
    }
  }
  return std::nullopt;
}

std::string FakeRegistry::read_body(const Request& request, std::optional<Fault> fault) {
  std::string body = request.body ? read_all(request.body(), 1 << 30) : std::string();
  if (body.size() != request.body_size_bytes) {
    throw std::logic_error("fake registry: the body is not as long as Content-Length");
  }
  if (fault == Fault::dropped) {
    body.resize(body.size() / 2);
  }
  return body;
}

Response FakeRegistry::send(const Request& request) {
  std::unique_lock lock(mutex_);
  Call call{.request = request,
            .url = http::Url::parse(request.url),
            .path = {},
            .query = {},
            .repo = {},
            .rest = {},
            .body = {}};
  const auto question = call.url.target.find('?');
  call.path = call.url.target.substr(0, question);
  if (question != std::string::npos) {
    call.query = parse_query(std::string_view(call.url.target).substr(question + 1));
  }
  const std::string line = method_name(request.method) + " " + call.path;
  log_.push_back(line);
  requests_.push_back(request);
  const auto fault = next_fault(call);
  call.body = read_body(request, fault);
  Response response = answer(call, fault);
  lock.unlock();
  if (after) {
    after(line);
  }
  if (fault == Fault::dropped) {
    broken_connection();
  }
  return deliver(request, std::move(response), fault);
}

Response FakeRegistry::answer(Call& call, std::optional<Fault> fault) {
  if (fault == Fault::unavailable) {
    return refusal(503, "UNAVAILABLE", "try later");
  }
  if (fault == Fault::rate_limited) {
    Response response = refusal(429, "TOOMANYREQUESTS", "slow down");
    response.headers.set("Retry-After", "7");
    return response;
  }
  if (fault == Fault::forbidden) {
    return refusal(403, "DENIED", "permission_denied: write_package");
  }
  if (fault == Fault::too_large) {
    Response response;
    response.status = 413;
    response.body = "<html><body>413 Request Entity Too Large</body></html>";
    return response;
  }
  if (fault == Fault::server_error) {
    uploads_.clear();
    return refusal(500, "UNKNOWN", "unknown error");
  }
  if (fault == Fault::unauthorized) {
    tokens_.clear();
    return challenge(options_.auth);
  }
  if (call.url.host == "auth.test") {
    return token(call);
  }
  if (call.url.host == "storage.test") {
    return storage(call);
  }
  if (call.url.to_string().rfind(std::string("https://") + kHost + "/", 0) != 0) {
    throw NetworkError("fake: no such host " + call.url.host, {}, 0, true);
  }
  return route(call);
}

Response challenge(FakeRegistry::Auth auth) {
  Response response = refusal(401, "UNAUTHORIZED", "authentication required");
  if (auth == FakeRegistry::Auth::bearer) {
    // The scope is a placeholder, as GHCR's is.
    response.headers.set("WWW-Authenticate",
                         "Bearer realm=\"https://auth.test/token\",service=\"registry.test\","
                         "scope=\"repository:user/image:pull\"");
  } else {
    response.headers.set("WWW-Authenticate", "Basic realm=\"a \\\"quoted\\\", realm\"");
  }
  return response;
}

namespace {

std::string basic_value() {
  return "Basic " +
         to_base64(bytes_of(fmt::format("{}:{}", FakeRegistry::kUser, FakeRegistry::kPassword)));
}

}  // namespace

Response FakeRegistry::token(const Call& call) {
  std::multimap<std::string, std::string> fields = call.query;
  std::string authorization = call.request.headers.get("Authorization").value_or("");
  bool known = authorization == basic_value();
  if (call.request.method == Method::post) {
    fields = parse_query(call.body);
    const auto refresh = fields.find("refresh_token");
    const auto grant = fields.find("grant_type");
    known = refresh != fields.end() && refresh->second == kIdentityToken && grant != fields.end() &&
            grant->second == "refresh_token" && fields.count("client_id") == 1;
  }
  const auto service = fields.find("service");
  if (service == fields.end() || service->second != kHost) {
    return refusal(400, "BAD_REQUEST", "unknown service");
  }
  if (!known && !authorization.empty()) {
    // Some services repeat what they were sent.
    return refusal(401, "UNAUTHORIZED", "bad login " + authorization);
  }
  std::set<std::string> granted;
  for (auto [scope, end] = fields.equal_range("scope"); scope != end; ++scope) {
    for (const auto one : split(scope->second, ' ')) {
      const auto parts = split(one, ':');
      for (const auto action : split(parts.at(2), ',')) {
        if (known || action == "pull") {
          granted.insert(fmt::format("{}:{}", parts.at(1), action));
        }
      }
    }
  }
  const std::string value = fmt::format("token-{}", next_id_++);
  tokens_[value] = {granted, clock_.now() + std::chrono::seconds(options_.token_lifetime_s)};
  Response response;
  response.status = 200;
  nlohmann::json body{{call.request.method == Method::post ? "access_token" : "token", value}};
  if (options_.token_lifetime_s != 60) {
    body["expires_in"] = options_.token_lifetime_s;
  }
  response.body = body.dump();
  return response;
}

std::optional<Response> FakeRegistry::check_access(const Call& call) {
  if (options_.auth == Auth::none) {
    return std::nullopt;
  }
  const std::string value = call.request.headers.get("Authorization").value_or("");
  if (options_.auth == Auth::basic) {
    return value == basic_value() ? std::nullopt : std::optional(challenge(options_.auth));
  }
  const auto token = value.starts_with("Bearer ") ? tokens_.find(value.substr(7)) : tokens_.end();
  if (token == tokens_.end() || token->second.second <= clock_.now()) {
    return challenge(options_.auth);
  }
  const bool reads = call.request.method == Method::get || call.request.method == Method::head;
  std::vector<std::string> needed{call.repo + (reads ? ":pull" : ":push")};
  if (const auto from = call.query.find("from"); from != call.query.end()) {
    needed.push_back(from->second + ":pull");
  }
  for (const auto& scope : needed) {
    if (token->second.first.count(scope) == 0) {
      return challenge(options_.auth);
    }
  }
  return std::nullopt;
}

Response FakeRegistry::route(Call& call) {
  static const std::regex kPath(
      "/v2/([a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*)/"
      "(blobs|manifests|tags|referrers)/(.*)");
  std::smatch match;
  if (!std::regex_match(call.path, match, kPath)) {
    return refusal(404, "NAME_INVALID", "invalid repository name");
  }
  call.repo = match[1];
  const std::string kind = match[2];
  for (const auto part : split(
           std::string_view(call.path).substr(static_cast<std::size_t>(match.position(3))), '/')) {
    call.rest.emplace_back(part);
  }
  if (auto denied = check_access(call)) {
    return *denied;
  }
  if (kind == "manifests") {
    return manifest(call);
  }
  if (kind == "tags") {
    return tag_list(call);
  }
  if (kind == "referrers") {
    return referrers(call);
  }
  return call.rest.front() == "uploads"
             ? (call.rest.back().empty() ? start_upload(call) : continue_upload(call))
             : blob(call);
}

/// What a real transport does with a response, faults of the network included.
Response FakeRegistry::deliver(const Request& request,
                               Response response,
                               std::optional<Fault> fault) {
  std::string body = std::move(response.body);
  response.body.clear();
  if (request.method == Method::head) {
    body.clear();
  }
  const auto half = body.size() / 2;
  if (fault == Fault::short_body) {
    body.resize(half);
  } else if (fault == Fault::long_body) {
    body += '!';
  } else if (fault == Fault::wrong_bytes) {
    body.at(half) = static_cast<char>(body.at(half) ^ 1);
  }
  const bool success = response.status >= 200 && response.status < 300;
  const bool endless = fault == Fault::endless_body;
  if (!success) {
    response.body = body.substr(0, http::kMaxErrorBodyBytes);
    return response;
  }
  Sink sink;
  if (request.into && !(body.empty() && !endless)) {
    sink = request.into(response);
  }
  constexpr std::size_t kPiece = 1000;
  std::uint64_t total = 0;
  for (std::size_t at = 0; at < body.size() || endless; at += kPiece) {
    if (fault == Fault::truncated_body && at > half) {
      broken_connection();
    }
    const std::string piece = at < body.size() ? body.substr(at, kPiece) : std::string(kPiece, 'x');
    total += piece.size();
    if (total > request.max_response_bytes) {
      throw NetworkError(
          fmt::format("fake: the response is longer than {} bytes", request.max_response_bytes));
    }
    if (sink) {
      sink(bytes_of(piece));
    } else {
      response.body += piece;
    }
  }
  if (fault == Fault::truncated_body) {
    broken_connection();
  }
  response.body_size_bytes = total;
  return response;
}

}  // namespace seed::test
