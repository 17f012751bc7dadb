#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace seed::http {

enum class Method { get, head, put, post, patch, del };

/// Names compare without case; order is kept.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> entries);
  void add(std::string name, std::string value);
  void set(std::string name, std::string value);
  void remove(std::string_view name);
  std::optional<std::string> get(std::string_view name) const;

  const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;  ///< kept where Request::into was empty, or the status is not 2xx (64 KiB)
  std::uint64_t body_size_bytes = 0;
};

/// What with_retries does after a fault of the connection. `pass_on`: the caller knows a better way
/// than to send the same request again. Statuses are retried in either case.
enum class OnFault { retry, pass_on };

struct Request {
  Method method = Method::get;
  std::string url;
  Headers headers;
  /// Makes a Source over the body; called again for each attempt. Empty: no body.
  std::function<Source()> body;
  std::uint64_t body_size_bytes = 0;
  /// Where a 2xx body goes, given its status and headers; it is called anew for each attempt that
  /// has a body, so that a retry starts clean. Empty: the body is kept in Response::body.
  std::function<Sink(const Response& head)> into;
  /// A longer 2xx body is a NetworkError. Other bodies are cut off at kMaxErrorBodyBytes.
  std::uint64_t max_response_bytes = 8 << 20;
  OnFault on_fault = OnFault::retry;
};

inline constexpr std::uint64_t kMaxErrorBodyBytes = 64 << 10;

/// One exchange. Blocking and thread-safe. Redirects are not followed: the caller sees 3xx.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Throws NetworkError where no response came (retryable where trying again may help).
  virtual Response send(const Request& request) = 0;
};

struct CurlOptions {
  std::string user_agent = "nix-seed";
  std::string ca_file;  ///< empty: SSL_CERT_FILE, NIX_SSL_CERT_FILE, then the usual places
  std::chrono::seconds connect_timeout{20};
  /// Slower than `low_speed_bytes` a second for `low_speed_time`: the attempt is given up. Time
  /// that our own sources and sinks take does not count.
  std::uint64_t low_speed_bytes = 4096;
  std::chrono::milliseconds low_speed_time{30'000};
  /// How long a peer may think, once it has the whole request, before its first byte: registries
  /// store a large blob in that time.
  std::chrono::milliseconds response_timeout{300'000};
  /// Called about once a second during a transfer; a throw ends it and is passed on.
  std::function<void()> check;
};

std::unique_ptr<Transport> curl_transport(CurlOptions options);

struct RetryPolicy {
  unsigned attempts = 5;
  std::chrono::milliseconds base{250};
  std::chrono::milliseconds cap{20'000};
  /// Once failed attempts have taken this long together, no other is made: who kept us waiting for
  /// two timeouts will do so for a third.
  std::chrono::milliseconds patience{60'000};
  /// A number in [0, 1) that the backoff is multiplied with. Empty: the system's randomness.
  std::function<double()> jitter;
};

/// Tries again after connection faults and 408, 425, 429, 500, 502, 503 and 504: exponential
/// backoff with full jitter, `Retry-After` (seconds or date) obeyed up to the cap times three.
/// The last response or error is passed on as it is.
std::unique_ptr<Transport> with_retries(Transport& inner, RetryPolicy policy, Clock& clock);

/// Seconds, or the date of RFC 9110 §5.6.7 (IMF-fixdate), as a wait from `now`; nothing where the
/// text is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, Time now);

/// The value of Content-Length, Content-Range and the like: digits only, at most 19.
std::optional<std::uint64_t> parse_size(std::string_view digits);

/// scheme://host:port/path with the query's values and any userinfo left out: what messages show.
std::string redact_url(std::string_view url);

/// localhost, ::1 and 127.0.0.0/8: what may be spoken to without TLS.
bool is_loopback(std::string_view host);

struct Url {
  std::string scheme;  ///< http or https, lower case
  std::string host;    ///< lower case, without brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, at least "/"

  /// Throws FormatError. Userinfo is refused.
  static Url parse(std::string_view text);
  std::string to_string() const;
  std::string authority() const;  ///< host[:port], the port left out where it is the scheme's own
  bool same_origin(const Url& other) const;
  bool operator==(const Url&) const = default;
};

/// `location` as seen from `base` (RFC 3986 §5, for the forms that registries send).
Url resolve(const Url& base, std::string_view location);

}  // namespace seed::http
