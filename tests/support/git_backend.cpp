#include "support/git_backend.hpp"

#include <map>
#include <stdexcept>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/process.hpp"

namespace seed::test {
namespace {

constexpr const char* kPrefix = "https://git.test";

const os::Environment& quiet_git() {
  static const os::Environment environment{{"GIT_CONFIG_NOSYSTEM", "1"},
                                           {"GIT_CONFIG_GLOBAL", "/dev/null"},
                                           {"GIT_AUTHOR_NAME", "T"},
                                           {"GIT_AUTHOR_EMAIL", "t@example.org"},
                                           {"GIT_AUTHOR_DATE", "1795190000 +0000"},
                                           {"GIT_COMMITTER_NAME", "T"},
                                           {"GIT_COMMITTER_EMAIL", "t@example.org"},
                                           {"GIT_COMMITTER_DATE", "1795190000 +0000"}};
  return environment;
}

std::string body_of(const http::Request& request) {
  return request.body ? read_all(request.body(), 64 << 20) : "";
}

const char* name_of(http::Method method) {
  return method == http::Method::get ? "GET" : method == http::Method::post ? "POST" : "OTHER";
}

/// RFC 3875, section 6: header fields, an empty line, the body.
http::Response parse_cgi(std::string_view out, const http::Request& request) {
  http::Response response{.status = 200, .headers = {}, .body = {}};
  const std::size_t end = out.find("\r\n\r\n");
  for (const std::string_view line : split(out.substr(0, end), '\n')) {
    const std::size_t colon = line.find(':');
    const std::string name(line.substr(0, colon));
    const std::string value(trim(line.substr(std::min(colon, line.size() - 1) + 1)));
    if (name == "Status") {
      response.status = std::stoi(value);
    } else {
      response.headers.add(name, value);
    }
  }
  const std::string_view body = out.substr(std::min(end, out.size() - 4) + 4);
  response.body_size_bytes = body.size();
  if (response.status == 200 && request.into) {
    const Sink sink = request.into(response);
    // In odd pieces, as a network has them.
    for (std::size_t at = 0; at < body.size(); at += 777) {
      sink(bytes_of(body.substr(at, 777)));
    }
  } else {
    response.body = body;
  }
  return response;
}

}  // namespace

GitBackend::GitBackend() {
  os::make_dirs(temp_.path() / "acme");
  git(temp_.path(), {"init", "-q", "--bare", "-b", "main", repository().string()});
  const os::fs::path config = repository() / "config";
  os::atomic_write(config,
                   os::read_file(config, 1 << 16) +
                       "[http]\nreceivepack = true\n[uploadpack]\nallowFilter = true\n"
                       "[receive]\nautogc = false\n");
}

std::string GitBackend::git(const os::fs::path& folder,
                            const std::vector<std::string>& arguments,
                            const std::string& input) const {
  std::vector<std::string> argv{"git", "-c", "safe.directory=*"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  os::SystemRunner runner;
  const os::Captured captured = os::capture(runner,
                                            {.argv = argv,
                                             .extra = quiet_git(),
                                             .unset = {"GIT_DIR", "GIT_WORK_TREE"},
                                             .directory = folder,
                                             .input = input});
  if (!captured.exit.ok()) {
    throw std::runtime_error("git " + arguments.front() + ": " + captured.err);
  }
  return captured.out.substr(0, captured.out.find('\n'));
}

std::string GitBackend::commit(const std::string& branch,
                               const std::vector<std::pair<std::string, std::string>>& files) {
  const std::string ref = "refs/heads/" + branch;
  std::string stream = "commit " + ref + "\ncommitter T <t@example.org> 1795190000 +0000\n";
  stream += "data 6\nchange\n";
  if (os::fs::exists(repository() / ref)) {
    stream += "from " + ref + "^0\n";
  }
  for (const auto& [name, text] : files) {
    stream +=
        "M 100644 inline " + name + "\ndata " + std::to_string(text.size()) + "\n" + text + "\n";
  }
  git(repository(), {"fast-import", "--quiet"}, stream);
  return id_of(branch);
}

std::string GitBackend::id_of(const std::string& branch) const {
  const os::fs::path file = repository() / ("refs/heads/" + branch);
  return os::fs::exists(file) ? os::read_file(file, 100).substr(0, 40) : "";
}

os::fs::path GitBackend::check_out(const std::string& branch) {
  const os::fs::path work = temp_.path() / ("checkout-" + std::to_string(checkouts_++));
  git(temp_.path(),
      {"clone",
       "-q",
       "--depth",
       "1",
       "-b",
       branch,
       "file://" + repository().string(),
       work.string()});
  os::atomic_write(work / ".git/HEAD", id_of(branch) + "\n");
  return work;
}

std::string GitBackend::read(const std::string& branch, const std::string& path) const {
  os::SystemRunner runner;
  const os::Captured captured = os::capture(runner,
                                            {.argv = {"git",
                                                      "-c",
                                                      "safe.directory=*",
                                                      "cat-file",
                                                      "blob",
                                                      "refs/heads/" + branch + ":" + path},
                                             .extra = quiet_git(),
                                             .unset = {"GIT_DIR", "GIT_WORK_TREE"},
                                             .directory = repository(),
                                             .input = {}});
  return captured.exit.ok() ? captured.out : "";
}

http::Response GitBackend::send(const http::Request& request) {
  seen.push_back(std::string(name_of(request.method)) + " " + request.url);
  if (before) {
    before(request);
  }
  const http::Url url = http::Url::parse(request.url);
  if (!request.url.starts_with(kUrl)) {
    if (!elsewhere) {
      throw std::runtime_error("no server at " + request.url);
    }
    return elsewhere(request);
  }
  if (request.headers.get("Authorization").value_or("") != authorization) {
    return {.status = 401, .headers = {}, .body = "who are you?"};
  }
  const std::size_t query = url.target.find('?');
  os::Command command{.argv = {"git", "http-backend"},
                      .extra = quiet_git(),
                      .unset = {"GIT_DIR", "GIT_WORK_TREE"},
                      .directory = temp_.path(),
                      .input = body_of(request)};
  for (const auto& [name, value] : os::Environment{
           {"GIT_PROJECT_ROOT", temp_.path().string()},
           {"GIT_HTTP_EXPORT_ALL", "1"},
           {"GIT_CONFIG_COUNT", "1"},
           {"GIT_CONFIG_KEY_0", "safe.directory"},
           {"GIT_CONFIG_VALUE_0", "*"},
           {"REQUEST_METHOD", name_of(request.method)},
           {"PATH_INFO", url.target.substr(0, query)},
           {"QUERY_STRING", query == std::string::npos ? "" : url.target.substr(query + 1)},
           {"CONTENT_TYPE", request.headers.get("Content-Type").value_or("")},
           {"CONTENT_LENGTH", std::to_string(command.input.size())},
           {"HTTP_GIT_PROTOCOL", request.headers.get("Git-Protocol").value_or("")},
           {"REMOTE_USER", "somebody"}}) {
    command.extra.insert_or_assign(name, value);
  }
  os::SystemRunner runner;
  http::Response response = parse_cgi(os::capture(runner, command).out, request);
  if (after) {
    after(request);
  }
  return response;
}

}  // namespace seed::test
