#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/http.hpp"

namespace seed::sigstore {

/// No reply of a service that a signer asks is longer.
inline constexpr std::uint64_t kMaxReplyBytes = 1 << 20;

/// A transport until a point in time: what was not sent by then is not sent any more. Signing has
/// to end before its certificate does, however often each request is tried again.
class UntilTransport final : public http::Transport {
 public:
  UntilTransport(http::Transport& inner, const Clock& clock, Time until)
      : inner_(inner), clock_(clock), until_(until) {}

  http::Response send(const http::Request& request) override;

 private:
  http::Transport& inner_;
  const Clock& clock_;
  Time until_;
};

/// BASE/path, whether or not the base ends in a slash.
std::string url_below(std::string_view base, std::string_view path);

/// A POST; its body is kept by the request.
http::Request post_request(std::string url, std::string_view content_type, std::string body);

/// A reply with another status than was hoped for, in the service's own words where it says
/// {"message": …}. Never has the request in it.
NetworkError refusal(std::string_view service,
                     std::string_view url,
                     const http::Response& response);

/// Throws NetworkError where the reply is of another media type; parameters do not count.
void check_content_type(std::string_view service,
                        std::string_view url,
                        const http::Response& response,
                        std::string_view media_type);

}  // namespace seed::sigstore
