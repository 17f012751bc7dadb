#include "app/git_place.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"

namespace seed::app {
namespace {

constexpr std::string_view kBranches = "refs/heads/";

std::string value_of(const os::Environment& environment, std::string_view name) {
  return os::get(environment, name).value_or("");
}

/// github.com's API has a host of its own; of other servers only their own word counts.
std::string api_of(const os::Environment& environment, const std::string& page) {
  if (same_server(page, value_of(environment, "GITHUB_SERVER_URL"))) {
    return value_of(environment, "GITHUB_API_URL");
  }
  return same_server(page, "https://github.com") ? "https://api.github.com" : "";
}

git::Login login_of(const os::Environment& environment, const std::string& page, bool gitlab) {
  if (const auto token = os::get(environment, "NIX_SEED_GIT_TOKEN")) {
    const std::string user = value_of(environment, "NIX_SEED_GIT_USER");
    return {.user = !user.empty() ? user : gitlab ? "oauth2" : "x-access-token", .token = *token};
  }
  if (gitlab) {
    return {.user = "gitlab-ci-token", .token = value_of(environment, "CI_JOB_TOKEN")};
  }
  const std::string server = value_of(environment, "GITHUB_SERVER_URL");
  if (same_server(page, server.empty() ? "https://github.com" : server)) {
    return {.user = "x-access-token", .token = value_of(environment, "GITHUB_TOKEN")};
  }
  return {};
}

}  // namespace

bool same_server(const std::string& a, const std::string& b) {
  try {
    return http::Url::parse(a).same_origin(http::Url::parse(b));
  } catch (const FormatError&) {
    return false;
  }
}

bool same_repository(std::string a, std::string b) {
  for (std::string* url : {&a, &b}) {
    *url = to_lower(*url);
    while (url->ends_with('/')) {
      url->pop_back();
    }
    if (url->ends_with(".git")) {
      url->resize(url->size() - 4);
    }
  }
  return a == b;
}

GitPlace git_place(const os::Environment& environment,
                   const std::string& page,
                   const std::string& ref) {
  GitPlace place;
  place.url = page;
  place.page = page;
  place.branch = ref;
  while (place.page.ends_with('/')) {
    place.page.pop_back();
  }
  if (place.page.ends_with(".git")) {
    place.page.resize(place.page.size() - 4);
  }
  if (ref.starts_with(kBranches)) {
    place.branch = ref.substr(kBranches.size());
  } else if (ref.starts_with("refs/")) {
    place.branch.clear();
  }
  const bool gitlab = same_server(page, value_of(environment, "CI_SERVER_URL"));
  place.login = login_of(environment, page, gitlab);
  place.api = api_of(environment, page);
  if (gitlab) {
    place.merge_requests = MergeRequests::push_options;
  } else if (!place.api.empty()) {
    place.merge_requests = MergeRequests::rest_api;
    place.repository = http::Url::parse(place.page).target.substr(1);
  }
  // GitLab redirects what lacks it, and redirects are not followed.
  if (gitlab || !place.api.empty()) {
    place.url = place.page + ".git";
  }
  return place;
}

}  // namespace seed::app
