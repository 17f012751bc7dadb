#include "app/github_keeping.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/process.hpp"

namespace seed::app {

trust::GithubRepository github_repository(const World& world, const std::string& name) {
  trust::GithubRepository repository{.name = name, .token = {}};
  const auto token = os::get(world.environment, "GITHUB_TOKEN");
  repository.token = (token ? token : os::get(world.environment, "GH_TOKEN")).value_or("");
  repository.api = os::get(world.environment, "GITHUB_API_URL").value_or(repository.api);
  return repository;
}

std::optional<trust::GithubRepository> github_keeper(const World& world, const Options& options) {
  const auto name = options.get("github");
  if (!name) {
    return std::nullopt;
  }
  trust::check_github_name(*name);
  trust::GithubRepository repository = github_repository(world, *name);
  if (repository.token.empty()) {
    throw UsageError("--github: there is no token to write with",
                     "give the job GITHUB_TOKEN, with 'permissions: attestations: write'");
  }
  return repository;
}

void keep_in_github(const World& world,
                    const trust::GithubRepository& repository,
                    std::string_view bundle) {
  const std::string id = while_doing("having GitHub keep the bundle", [&] {
    return trust::store_in_github(world.transport, repository, bundle);
  });
  world.progress.step(fmt::format(
      "GitHub keeps the bundle for {} as {}", printable(repository.name), printable(id)));
}

}  // namespace seed::app
