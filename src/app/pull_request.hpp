#pragma once

#include <string>

#include "http/http.hpp"

namespace seed::app {

/// What GitHub's REST API, and Forgejo's and Gitea's, need to know of a pull request.
struct PullRequest {
  std::string api;         ///< https://api.github.com
  std::string repository;  ///< owner/name
  std::string token;
  std::string head;  ///< branch with the change, of the same repository
  std::string base;  ///< branch to change
  std::string title;
  std::string body;
};

struct OpenedPullRequest {
  std::string url;
  bool is_new = false;
};

/// The open pull request from head to base, made where there is none. The token is sent to the API
/// alone, and no redirect is followed.
OpenedPullRequest open_pull_request(http::Transport& transport, const PullRequest& wanted);

}  // namespace seed::app
