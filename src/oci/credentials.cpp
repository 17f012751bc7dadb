#include "oci/credentials.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/docker_config.hpp"
#include "oci/limits.hpp"
#include "os/file.hpp"

namespace seed::oci {
namespace {

namespace fs = std::filesystem;

/// The files that docker, podman, skopeo and their kin read, in the order that they are asked.
std::vector<fs::path> auth_files(const os::Environment& environment) {
  std::vector<fs::path> files;
  const auto home = os::get(environment, "HOME");
  const auto add = [&](const char* variable, const char* under_home, const char* file) {
    if (const auto value = os::get(environment, variable)) {
      files.push_back(fs::path(*value) / file);
    } else if (home && *under_home != '\0') {
      files.push_back(fs::path(*home) / under_home / file);
    }
  };
  if (const auto file = os::get(environment, "REGISTRY_AUTH_FILE")) {
    files.emplace_back(*file);
  }
  add("XDG_RUNTIME_DIR", "", "containers/auth.json");
  add("XDG_CONFIG_HOME", ".config", "containers/auth.json");
  add("DOCKER_CONFIG", ".docker", "config.json");
  return files;
}

class FileCredentials final : public CredentialSource {
 public:
  FileCredentials(const os::Environment& environment, os::Runner& runner)
      : environment_(environment), runner_(runner) {}

  std::optional<Credential> find(const std::string& host, const std::string& repository) override {
    if (auto credential = from_environment(host)) {
      return credential;
    }
    for (const fs::path& file : auth_files(environment_)) {
      std::error_code ignored;
      if (!fs::exists(file, ignored)) {
        continue;
      }
      const auto found = while_doing(fmt::format("reading {}", file.string()), [&] {
        const DockerConfig config =
            parse_docker_config(os::read_file(file, kMaxCredentialFileBytes));
        return from_config(config, host, repository);
      });
      if (found) {
        return found;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<Credential> from_environment(const std::string& host) const {
    const auto user = os::get(environment_, "NIX_SEED_REGISTRY_USER");
    const auto password = os::get(environment_, "NIX_SEED_REGISTRY_PASSWORD");
    if (user.has_value() != password.has_value()) {
      throw UsageError(
          fmt::format("NIX_SEED_REGISTRY_{} is not set", user ? "PASSWORD" : "USER"),
          "set both NIX_SEED_REGISTRY_USER and NIX_SEED_REGISTRY_PASSWORD, or neither");
    }
    const auto only = os::get(environment_, "NIX_SEED_REGISTRY_HOST");
    if (!user || (only && *only != host)) {
      return std::nullopt;
    }
    return Credential{.user = *user, .password = *password, .identity_token = {}};
  }

  /// docker's order: the helper of this registry, the helper of all, then the file itself.
  std::optional<Credential> from_config(const DockerConfig& config,
                                        const std::string& host,
                                        const std::string& repository) {
    const auto keys = credential_keys(host, repository);
    for (const std::string& key : keys) {
      if (const auto helper = config.helpers.find(key); helper != config.helpers.end()) {
        return ask(helper->second, key);
      }
    }
    if (!config.store.empty()) {
      if (auto credential = ask(config.store, keys.back())) {
        return credential;
      }
    }
    for (const std::string& key : keys) {
      if (const auto entry = config.auths.find(key); entry != config.auths.end()) {
        return entry->second;
      }
    }
    return std::nullopt;
  }

  std::optional<Credential> ask(const std::string& helper, const std::string& key) {
    const std::string program = "docker-credential-" + helper;
    return while_doing(fmt::format("asking {}", program), [&]() -> std::optional<Credential> {
      const std::string server = key == "docker.io" ? "https://index.docker.io/v1/" : key;
      os::Command command;
      command.argv = {program, "get"};
      command.input = server;
      const os::Captured answer = os::capture(runner_, command, kMaxCredentialFileBytes);
      if (answer.exit.ok()) {
        Credential credential = parse_helper_answer(answer.out);
        const bool empty = credential.user.empty() && credential.identity_token.empty();
        return empty ? std::nullopt : std::optional(std::move(credential));
      }
      // The protocol has no other sign of it than this text, on either stream.
      for (const std::string& text : {answer.out, answer.err}) {
        if (to_lower(text).find("credentials not found") != std::string::npos) {
          return std::nullopt;
        }
      }
      const std::string_view said = trim(answer.out.empty() ? answer.err : answer.out);
      throw Error(fmt::format("exit code {}: {}", answer.exit.code, printable(said)),
                  fmt::format("'echo {} | {} get' should print a login", server, program));
    });
  }

  os::Environment environment_;
  os::Runner& runner_;
};

}  // namespace

std::unique_ptr<CredentialSource> file_credentials(const os::Environment& environment,
                                                   os::Runner& runner) {
  return std::make_unique<FileCredentials>(environment, runner);
}

}  // namespace seed::oci
