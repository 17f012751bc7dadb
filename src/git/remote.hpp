#pragma once

#include <functional>
#include <string>
#include <vector>

#include "git/wire.hpp"
#include "http/http.hpp"

namespace seed::git {

/// Who we are to the server. An empty token: nobody in particular.
struct Login {
  std::string user;
  std::string token;
};

/// One repository behind a smart HTTP server. The login goes to that URL and nowhere else:
/// redirects are refused, not followed. Every branch moves by compare and swap.
class Remote {
 public:
  /// https, or http to a loopback address. Throws UsageError for any other.
  Remote(http::Transport& transport, const std::string& url, Login login);

  /// Its URL, for messages.
  const std::string& name() const { return name_; }

  /// All branches, as they are shown to those who may push: a server refuses others right here.
  Advertisement refs();

  /// Asks for objects; `pack` makes a Sink for each attempt. Throws NetworkError where the server
  /// has no such objects.
  void fetch(const FetchRequest& request, const std::function<Sink()>& pack);

  /// Sends the pack and moves the branch. `advertisement` is what refs() said.
  PushReport push(const RefUpdate& update,
                  const std::vector<std::string>& options,
                  const std::string& pack,
                  const Advertisement& advertisement);

 private:
  http::Response send(http::Request request, std::string_view doing);
  std::string without_token(std::string text) const;

  http::Transport& transport_;
  std::string name_;
  Login login_;
  std::string authorization_;
};

}  // namespace seed::git
