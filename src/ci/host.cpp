#include "ci/host.hpp"

#include <array>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ci/adapters.hpp"

namespace seed::ci {
namespace {

struct Named {
  HostKind kind;
  std::string_view name;
};

constexpr std::array<Named, 9> kNames{{{HostKind::github, "github"},
                                       {HostKind::gitlab, "gitlab"},
                                       {HostKind::forgejo, "forgejo"},
                                       {HostKind::gitea, "gitea"},
                                       {HostKind::buildkite, "buildkite"},
                                       {HostKind::circleci, "circleci"},
                                       {HostKind::azure, "azure"},
                                       {HostKind::generic, "generic"},
                                       {HostKind::none, "none"}}};

bool says_yes(const os::Environment& environment, std::string_view name) {
  const std::string value = to_lower(os::get(environment, name).value_or(""));
  return value == "true" || value == "1" || value == "yes";
}

/// Set to anything but a no: GITLAB_CI, CI, JENKINS_URL.
bool is_there(const os::Environment& environment, std::string_view name) {
  const std::string value = to_lower(os::get(environment, name).value_or("false"));
  return value != "false" && value != "0" && value != "no";
}

HostKind named(std::string_view word) {
  std::string known;
  for (const Named& entry : kNames) {
    if (entry.name == word) {
      return entry.kind;
    }
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw UsageError(fmt::format("NIX_SEED_CI is '{}', which is no CI host", printable(word)),
                   "leave it empty, or say one of " + known);
}

}  // namespace

std::string_view to_string(HostKind kind) {
  for (const Named& entry : kNames) {
    if (entry.kind == kind) {
      return entry.name;
    }
  }
  return "none";
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::notice:
      return "notice";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

HostKind detect(const os::Environment& environment) {
  if (const auto word = os::get(environment, "NIX_SEED_CI")) {
    return named(to_lower(trim(*word)));
  }
  // Forgejo and Gitea say GITHUB_ACTIONS as well, so that actions run there.
  const std::array<std::pair<bool, HostKind>, 8> marks{{
      {says_yes(environment, "FORGEJO_ACTIONS"), HostKind::forgejo},
      {says_yes(environment, "GITEA_ACTIONS"), HostKind::gitea},
      {says_yes(environment, "GITHUB_ACTIONS"), HostKind::github},
      {is_there(environment, "GITLAB_CI"), HostKind::gitlab},
      {says_yes(environment, "BUILDKITE"), HostKind::buildkite},
      {says_yes(environment, "CIRCLECI"), HostKind::circleci},
      {says_yes(environment, "TF_BUILD"), HostKind::azure},
      {is_there(environment, "CI") ||
           (is_there(environment, "JENKINS_URL") && is_there(environment, "BUILD_ID")),
       HostKind::generic},
  }};
  for (const auto& [bears, kind] : marks) {
    if (bears) {
      return kind;
    }
  }
  return HostKind::none;
}

Effects Host::mask(std::span<const std::string>) const {
  return {};
}

Effects Host::open_group(std::string_view, Time) const {
  return {};
}

Effects Host::close_group(std::string_view, Time) const {
  return {};
}

Effects Host::heading(std::string_view) const {
  return {};
}

Effects Host::stop_commands(const std::string&) const {
  return {};
}

Effects Host::resume_commands(const std::string&) const {
  return {};
}

std::vector<OutputFile> Host::files(std::string_view) const {
  return {};
}

std::unique_ptr<Host> make_host(HostKind kind, const os::Environment& environment, Given given) {
  switch (kind) {
    case HostKind::github:
    case HostKind::forgejo:
    case HostKind::gitea:
      return make_actions_host(kind, environment, std::move(given));
    case HostKind::gitlab:
      return make_gitlab_host(environment);
    case HostKind::buildkite:
      return make_buildkite_host(environment);
    case HostKind::circleci:
      return make_circleci_host(environment);
    case HostKind::azure:
      return make_azure_host(environment);
    case HostKind::generic:
    case HostKind::none:
      break;
  }
  return make_plain_host(kind);
}

const Host& no_host() {
  static const std::unique_ptr<Host> host = make_plain_host(HostKind::none);
  return *host;
}

void add(Effects& effects, Effects more) {
  effects.insert(
      effects.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace seed::ci
