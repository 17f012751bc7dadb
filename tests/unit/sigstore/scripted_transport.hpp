#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "http/http.hpp"

namespace seed::test {

/// Answers what it was told to, in that order, and remembers what it was asked.
class ScriptedTransport final : public http::Transport {
 public:
  struct Asked {
    http::Method method;
    std::string url;
    http::Headers headers;
    std::string body;
  };

  http::Response send(const http::Request& request) override {
    asked.push_back({request.method,
                     request.url,
                     request.headers,
                     request.body ? read_all(request.body(), 1 << 20) : std::string()});
    if (answers.empty()) {
      throw NetworkError("nothing more was expected to be asked");
    }
    http::Response answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  void answer(int status, std::string body, std::string type = "application/json") {
    answers.push_back({.status = status,
                       .headers = {{"Content-Type", std::move(type)}},
                       .body = std::move(body)});
  }

  std::deque<http::Response> answers;
  std::vector<Asked> asked;
};

}  // namespace seed::test
