#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "http/http.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace std::chrono_literals;

namespace {

/// A server of one connection at a time on 127.0.0.1: what came is kept, what goes is the test's.
class TinyServer {
 public:
  /// Given the request's head and body, writes whatever it wants to the socket; false closes it.
  using Handler = std::function<bool(int socket, const std::string& request)>;

  explicit TinyServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("no loopback socket");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~TinyServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }

  std::string url(const std::string& path = "/") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }

  int connections() const { return connections_; }

  bool stopping() const { return stop_; }

 private:
  bool readable(int socket) const {
    while (!stop_) {
      pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) > 0) {
        return true;
      }
    }
    return false;
  }

  void serve() {
    while (readable(listener_)) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      ++connections_;
      while (one_request(socket)) {
      }
      ::close(socket);
    }
  }

  bool one_request(int socket) {
    std::string request;
    std::size_t needed = std::string::npos;
    while (request.size() < needed) {
      std::array<char, 65536> buffer;
      const ssize_t count = readable(socket) ? ::read(socket, buffer.data(), buffer.size()) : 0;
      if (count <= 0) {
        return false;
      }
      request.append(buffer.data(), static_cast<std::size_t>(count));
      const std::size_t end = request.find("\r\n\r\n");
      if (needed == std::string::npos && end != std::string::npos) {
        const std::size_t length = request.find("Content-Length: ");
        needed = end + 4 + (length < end ? std::stoull(request.substr(length + 16)) : 0);
        if (drop_after != 0 && needed > drop_after) {
          needed = drop_after;
        }
      }
    }
    return handler_(socket, request);
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;

 public:
  std::size_t drop_after = 0;
};

bool say(int socket, std::string_view text) {
  return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

http::CurlOptions quick() {
  // A proxy of the machine's is not for loopback.
  ::setenv("no_proxy", "127.0.0.1", 1);
  http::CurlOptions options;
  options.user_agent = "test/1";
  options.low_speed_time = 300ms;
  options.response_timeout = 300ms;
  options.connect_timeout = 1s;
  return options;
}

http::Request get(const std::string& url) {
  http::Request request;
  request.url = url;
  return request;
}

}  // namespace

TEST_CASE("a request arrives as it was made, and the response comes back whole") {
  std::string seen;
  TinyServer server([&](int socket, const std::string& request) {
    seen = request;
    return say(
        socket,
        "HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\nX-Two:  b \r\nContent-Length: 5\r\n\r\n"
        "hello");
  });
  const auto transport = http::curl_transport(quick());
  http::Request request = get(server.url("/a/../b?x=%2F"));
  request.headers.set("X-One", "a");
  request.headers.set("X-Empty", "");
  const auto response = transport->send(request);
  CHECK(seen == fmt::format("GET /a/../b?x=%2F HTTP/1.1\r\nHost: {}\r\nUser-Agent: test/1\r\n"
                            "Accept: */*\r\nX-One: a\r\nX-Empty:\r\n\r\n",
                            http::Url::parse(server.url()).authority()));
  CHECK(response.status == 307);
  CHECK(response.headers.get("x-two") == "b");
  CHECK(response.headers.get("Location") == "/other");
  CHECK(response.body == "hello");
  transport->send(request);
  CHECK(server.connections() == 1);
  request.headers.set("X-Bad", "a\r\nInjected: b");
  CHECK_THROWS_AS(transport->send(request), FormatError);
}

TEST_CASE("a body is sent with its length, by every method that has one") {
  std::string seen;
  TinyServer server([&](int socket, const std::string& request) {
    seen = request;
    return say(socket, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  const auto transport = http::curl_transport(quick());
  const std::string body(3'000'000, 'x');
  for (const auto& [method, name] : {std::pair{http::Method::put, "PUT"},
                                     std::pair{http::Method::post, "POST"},
                                     std::pair{http::Method::patch, "PATCH"}}) {
    http::Request request = get(server.url());
    request.method = method;
    request.body = [&] { return source_of(body); };
    request.body_size_bytes = body.size();
    CHECK(transport->send(request).status == 201);
    CHECK(seen.starts_with(name));
    CHECK(seen.find("Content-Length: 3000000\r\n") != std::string::npos);
    CHECK(seen.find("Content-Type") == std::string::npos);
    CHECK(seen.find("Expect") == std::string::npos);
    CHECK(seen.ends_with(body));

    request.body = nullptr;
    request.body_size_bytes = 0;
    CHECK(transport->send(request).status == 201);
    CHECK(seen.find("Content-Length: 0\r\n") != std::string::npos);
  }
  http::Request request = get(server.url());
  request.method = http::Method::put;
  request.body = [] { return source_of("short"); };
  request.body_size_bytes = 6;
  CHECK_THROWS_WITH(transport->send(request),
                    Catch::Matchers::Contains("the body ended 1 bytes early"));
}

TEST_CASE("a 2xx body goes to the sink, others are kept and cut off at 64 KiB") {
  int status = 200;
  TinyServer server([&](int socket, const std::string&) {
    return say(socket, fmt::format("HTTP/1.1 {} X\r\nContent-Length: 100000\r\n\r\n", status)) &&
           say(socket, std::string(100'000, 'y'));
  });
  const auto transport = http::curl_transport(quick());
  http::Request request = get(server.url());
  std::uint64_t sunk = 0;
  int head_status = 0;
  request.into = [&](const http::Response& head) -> Sink {
    head_status = head.status;
    return [&](ByteView chunk) { sunk += chunk.size(); };
  };
  const auto response = transport->send(request);
  CHECK(head_status == 200);
  CHECK(sunk == 100'000);
  CHECK(response.body.empty());
  CHECK(response.body_size_bytes == 100'000);
  status = 404;
  const auto refused = transport->send(request);
  CHECK(refused.status == 404);
  CHECK(refused.body.size() == http::kMaxErrorBodyBytes);
  CHECK(sunk == 100'000);
}

TEST_CASE("an endless body ends at the cap, with the URL and the cap in the error") {
  TinyServer* self = nullptr;
  TinyServer server([&](int socket, const std::string&) {
    say(socket, "HTTP/1.1 200 OK\r\n\r\n");
    while (!self->stopping() && say(socket, std::string(10'000, 'z'))) {
    }
    return false;
  });
  self = &server;
  http::Request request = get(server.url("/list?token=SECRET"));
  request.max_response_bytes = 50'000;
  try {
    http::curl_transport(quick())->send(request);
    FAIL("no error");
  } catch (const NetworkError& error) {
    CHECK(error.message() ==
          server.url("/list?token=...") + ": the response is longer than 50000 bytes");
    CHECK_FALSE(error.retryable());
  }
}

TEST_CASE("what a sink, a source or the check throws ends the transfer and is passed on") {
  TinyServer server([&](int socket, const std::string&) {
    return say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  });
  const auto transport = http::curl_transport(quick());
  http::Request request = get(server.url());
  request.into = [](const http::Response&) -> Sink {
    return [](ByteView) { throw std::out_of_range("sink"); };
  };
  CHECK_THROWS_AS(transport->send(request), std::out_of_range);
  request.into = nullptr;
  request.method = http::Method::put;
  request.body_size_bytes = 3;
  request.body = []() -> Source { throw std::out_of_range("source"); };
  CHECK_THROWS_AS(transport->send(request), std::out_of_range);
  CHECK(transport->send(get(server.url())).body == "hello");
}

TEST_CASE("a peer that stalls, before or in its answer, is given up") {
  std::atomic<bool> head{false};
  TinyServer* self = nullptr;
  TinyServer server([&](int socket, const std::string&) {
    if (head) {
      say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\nhello");
    }
    while (!self->stopping()) {
      pollfd gone{.fd = socket, .events = POLLIN, .revents = 0};
      if (::poll(&gone, 1, 20) > 0) {
        break;
      }
    }
    return false;
  });
  self = &server;
  const auto transport = http::curl_transport(quick());
  for (const bool with_head : {false, true}) {
    head = with_head;
    try {
      transport->send(get(server.url()));
      FAIL("no error");
    } catch (const NetworkError& error) {
      CAPTURE(error.message());
      CHECK(error.retryable());
      CHECK(error.message().find(with_head ? "only 0 bytes moved in 300 ms"
                                           : "no answer for 300 ms") != std::string::npos);
    }
  }
}

TEST_CASE("an interrupt ends a transfer that hangs") {
  TinyServer* self = nullptr;
  TinyServer server([&](int socket, const std::string&) {
    while (!self->stopping()) {
      pollfd gone{.fd = socket, .events = POLLIN, .revents = 0};
      if (::poll(&gone, 1, 20) > 0) {
        break;
      }
    }
    return false;
  });
  self = &server;
  http::CurlOptions options = quick();
  options.low_speed_time = 60s;
  int calls = 0;
  options.check = [&] {
    if (++calls > 2) {
      throw Interrupted();
    }
  };
  CHECK_THROWS_AS(http::curl_transport(options)->send(get(server.url())), Interrupted);
}

TEST_CASE("a connection that breaks is a fault worth another try") {
  std::atomic<int> mode{0};
  TinyServer server([&](int socket, const std::string&) {
    if (mode == 1) {
      say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    }
    return false;
  });
  const auto transport = http::curl_transport(quick());
  const auto fails = [&](const http::Request& request) {
    try {
      transport->send(request);
    } catch (const NetworkError& error) {
      return error.retryable() && error.status() == 0;
    }
    return false;
  };
  CHECK(fails(get(server.url())));
  mode = 1;
  CHECK(fails(get(server.url())));
  server.drop_after = 100'000;
  http::Request put = get(server.url());
  put.method = http::Method::put;
  put.body_size_bytes = 30'000'000;
  put.body = [] { return Source([](std::span<std::byte> buffer) { return buffer.size(); }); };
  mode = 0;
  CHECK(fails(put));
}

TEST_CASE("only http and https are spoken, and nobody listening is a fault") {
  const auto transport = http::curl_transport(quick());
  CHECK_THROWS_AS(transport->send(get("file:///etc/passwd")), FormatError);
  std::string url;
  {
    TinyServer server([](int, const std::string&) { return false; });
    url = server.url();
  }
  CHECK_THROWS_AS(transport->send(get(url)), NetworkError);
}
