#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/http.hpp"
#include "os/file.hpp"

namespace seed::test {

/// Git's own HTTP server, asked without any connection: each request is one run of
/// `git http-backend` over the bare repository below folder().
class GitBackend final : public http::Transport {
 public:
  static constexpr const char* kUrl = "https://git.test/acme/app.git";

  GitBackend();

  http::Response send(const http::Request& request) override;

  /// Runs git in a folder; returns its first line.
  std::string git(const os::fs::path& folder,
                  const std::vector<std::string>& arguments,
                  const std::string& input = {}) const;

  const os::fs::path& folder() const { return temp_.path(); }

  os::fs::path repository() const { return temp_.path() / "acme/app.git"; }

  /// Adds a commit with these files to a branch; returns the commit.
  std::string commit(const std::string& branch,
                     const std::vector<std::pair<std::string, std::string>>& files);

  /// The commit of a branch; empty where there is none.
  std::string id_of(const std::string& branch) const;

  /// A checkout of one commit of the branch, as CI makes them: detached, without history.
  os::fs::path check_out(const std::string& branch);

  /// What refs/heads/BRANCH:PATH holds; empty where it is not there.
  std::string read(const std::string& branch, const std::string& path) const;

  /// What the user and password of every request must be; empty: none are asked for.
  std::string authorization;
  /// Called before and after each request is answered; throws in the place of a kill.
  std::function<void(const http::Request&)> before;
  std::function<void(const http::Request&)> after;
  std::vector<std::string> seen;  ///< method and URL of each request

  /// Answers for URLs that are not the repository's.
  std::function<http::Response(const http::Request&)> elsewhere;

 private:
  os::TempDir temp_;
  int checkouts_ = 0;
};

}  // namespace seed::test
