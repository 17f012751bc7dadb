#include "oci/credentials.hpp"

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "oci/docker_config.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"

using namespace seed;
using oci::Credential;

namespace {

class FakeRunner final : public os::Runner {
 public:
  os::Exit run(const os::Command& command, const Sink& out, const Sink&) override {
    asked.push_back(command.argv.at(0) + " " + command.argv.at(1) + " < " + command.input);
    out(bytes_of(answer));
    return {code};
  }

  std::vector<std::string> asked;
  std::string answer;
  int code = 0;
};

std::string pair(std::string_view text) {
  return to_base64(bytes_of(text));
}

struct Home {
  explicit Home(const std::string& config) { write(".docker/config.json", config); }

  void write(const std::string& name, const std::string& text) {
    os::make_dirs((folder.path() / name).parent_path());
    os::atomic_write(folder.path() / name, text);
  }

  std::optional<std::string> user(const std::string& host, const std::string& name) {
    const auto found = oci::file_credentials(environment, runner)->find(host, host + "/" + name);
    if (!found) {
      return std::nullopt;
    }
    return found->identity_token.empty() ? found->user + ":" + found->password
                                         : "token:" + found->identity_token;
  }

  os::TempDir folder;
  FakeRunner runner;
  os::Environment environment{{"HOME", folder.path().string()}};
};

}  // namespace

TEST_CASE("the most specific key of an auth file counts") {
  Home home(fmt::format(
      R"({{"auths":{{"h.io":{{"auth":"{}"}},"h.io/a/b":{{"auth":"{}"}},"https://l.io/v1/":{{"auth":"{}"}},)"
      R"("e.io":{{}},"t.io":{{"identitytoken":"xyz"}},"u.io":{{"username":"u","password":"p"}}}}}})",
      pair("host:1"),
      pair("deep:2:3"),
      pair("legacy:4")));
  CHECK(home.user("h.io", "a") == "host:1");
  CHECK(home.user("h.io", "a/b/c") == "deep:2:3");
  CHECK(home.user("h.io", "a/bc") == "host:1");
  CHECK(home.user("l.io", "x") == "legacy:4");
  CHECK(home.user("t.io", "x") == "token:xyz");
  CHECK(home.user("u.io", "x") == "u:p");
  CHECK_FALSE(home.user("e.io", "x"));
  CHECK_FALSE(home.user("h.io:5000", "a"));
  CHECK_FALSE(home.user("io", "a"));
}

TEST_CASE("Docker Hub is one host in all its spellings") {
  Home home(fmt::format(R"({{"auths":{{"https://index.docker.io/v1/":{{"auth":"{}"}}}}}})",
                        pair("hub:1")));
  CHECK(home.user("docker.io", "library/x") == "hub:1");
  CHECK(home.user("index.docker.io", "library/x") == "hub:1");
}

TEST_CASE("files are asked in the order of containers, then docker") {
  const auto entry = [](const std::string& user) {
    return fmt::format(R"({{"auths":{{"h.io":{{"auth":"{}"}}}}}})", pair(user + ":"));
  };
  Home home(entry("docker"));
  CHECK(home.user("h.io", "a") == "docker:");
  home.write(".config/containers/auth.json", entry("config"));
  CHECK(home.user("h.io", "a") == "config:");
  home.write("run/containers/auth.json", entry("run"));
  home.environment["XDG_RUNTIME_DIR"] = (home.folder.path() / "run").string();
  CHECK(home.user("h.io", "a") == "run:");
  home.write("own.json", entry("own"));
  home.environment["REGISTRY_AUTH_FILE"] = (home.folder.path() / "own.json").string();
  CHECK(home.user("h.io", "a") == "own:");
  home.environment["NIX_SEED_REGISTRY_USER"] = "env";
  CHECK_THROWS_AS(home.user("h.io", "a"), UsageError);
  home.environment["NIX_SEED_REGISTRY_PASSWORD"] = "pw";
  CHECK(home.user("h.io", "a") == "env:pw");
  home.environment["NIX_SEED_REGISTRY_HOST"] = "other.io";
  CHECK(home.user("h.io", "a") == "own:");
}

TEST_CASE("a helper is asked as docker asks it") {
  Home home(R"({"auths":{"h.io":{}},"credHelpers":{"e.io":"ecr-login"},"credsStore":"store"})");
  home.runner.answer = R"({"ServerURL":"x","Username":"AWS","Secret":"s"})";
  CHECK(home.user("e.io", "a") == "AWS:s");
  CHECK(home.user("docker.io", "library/a") == "AWS:s");
  CHECK(home.runner.asked ==
        std::vector<std::string>{"docker-credential-ecr-login get < e.io",
                                 "docker-credential-store get < https://index.docker.io/v1/"});
  home.runner.answer = R"({"ServerURL":"x","Username":"<token>","Secret":"t"})";
  CHECK(home.user("e.io", "a") == "token:t");
  home.runner.code = 1;
  home.runner.answer = "credentials not found in native keychain\n";
  CHECK_FALSE(home.user("e.io", "a"));
  home.runner.answer = "keychain is locked\n";
  CHECK_THROWS_WITH(home.user("e.io", "a"),
                    Catch::Matchers::Contains(
                        "asking docker-credential-ecr-login: exit code 1: keychain is locked"));
}

TEST_CASE("a malformed file is named, and its secrets are not") {
  for (const char* text : {"",
                           "[]",
                           "{",
                           R"({"auths":[]})",
                           R"({"auths":{"h":7}})",
                           R"({"auths":{"h":{"auth":"c2VjcmV0"}}})",
                           R"({"auths":{"h":{"auth":"secret!"}}})",
                           R"({"credHelpers":{"h":"../../secret"}})",
                           R"({"credsStore":7})"}) {
    CAPTURE(text);
    Home home(text);
    try {
      home.user("h", "a");
      FAIL("no error");
    } catch (const FormatError& error) {
      CHECK(error.message().find(".docker/config.json") != std::string::npos);
      CHECK(error.message().find("c2VjcmV0") == std::string::npos);
    }
  }
}
