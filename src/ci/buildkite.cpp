#include <fmt/core.h>

#include "base/text.hpp"
#include "ci/adapters.hpp"
#include "ci/escape.hpp"
#include "os/git_repository.hpp"

namespace seed::ci {
namespace {

/// Buildkite's limit on the body of an annotation.
constexpr std::uint64_t kMaxSummaryBytes = 1 << 20;

/// owner/name of a git remote, in either spelling; the remote itself where it is of another form.
std::string repository_of(const std::string& remote) {
  std::string path = remote;
  if (const std::size_t scheme = path.find("://"); scheme != path.npos) {
    const std::size_t slash = path.find('/', scheme + 3);
    path = slash == path.npos ? "" : path.substr(slash + 1);
  } else if (const std::size_t colon = path.find(':'); colon != path.npos) {
    path = path.substr(colon + 1);
  }
  if (path.ends_with(".git")) {
    path.resize(path.size() - 4);
  }
  return path;
}

std::string why_untrusted(const os::Environment& environment) {
  const std::string of = value_of(environment, "BUILDKITE_PULL_REQUEST_REPO");
  if (value_of(environment, "BUILDKITE_PULL_REQUEST").empty() ||
      value_of(environment, "BUILDKITE_PULL_REQUEST") == "false" || of.empty() ||
      to_lower(repository_of(of)) ==
          to_lower(repository_of(value_of(environment, "BUILDKITE_REPO")))) {
    return {};
  }
  return fmt::format("the pull request is of the fork {}", printable(repository_of(of)));
}

std::string run_url(const os::Environment& environment) {
  const std::string build = value_of(environment, "BUILDKITE_BUILD_URL");
  const std::string job = value_of(environment, "BUILDKITE_JOB_ID");
  return build.empty() || job.empty() ? build : build + "#" + job;
}

Facts facts_of(const os::Environment& environment) {
  const std::string tag = value_of(environment, "BUILDKITE_TAG");
  const std::string branch = value_of(environment, "BUILDKITE_BRANCH");
  const std::string remote = value_of(environment, "BUILDKITE_REPO");
  return {.kind = HostKind::buildkite,
          .repository = repository_of(remote),
          .repository_url = os::without_userinfo(remote),
          .commit = value_of(environment, "BUILDKITE_COMMIT"),
          .ref = !tag.empty()      ? "refs/tags/" + tag
                 : !branch.empty() ? "refs/heads/" + branch
                                   : "",
          .event = value_of(environment, "BUILDKITE_SOURCE"),
          .run_url = run_url(environment),
          .run_id = value_of(environment, "BUILDKITE_BUILD_ID"),
          .run_attempt = value_of(environment, "BUILDKITE_RETRY_COUNT"),
          .actor = value_of(environment, "BUILDKITE_BUILD_CREATOR"),
          .untrusted = why_untrusted(environment),
          .workspace = value_of(environment, "BUILDKITE_BUILD_CHECKOUT_PATH"),
          .debug = to_lower(value_of(environment, "BUILDKITE_AGENT_DEBUG")) == "true"};
}

/// nix-seed-image; nix-seed-build-mode.
std::string key_of(const std::string& command, std::string name) {
  for (char& c : name) {
    c = c == '_' ? '-' : c;
  }
  return (command == "build" ? "nix-seed-build-" : "nix-seed-") + name;
}

class Buildkite final : public Host {
 public:
  explicit Buildkite(const os::Environment& environment) : Host(facts_of(environment)) {}

  Effects open_group(std::string_view title, Time) const override {
    return {Print{.line = fmt::format("--- {}", title)}};
  }

  Effects heading(std::string_view title) const override {
    return {Print{.line = fmt::format("+++ {}", title)}};
  }

  /// Headers of groups stand at the start of a line; images and links are terminal sequences.
  std::string harmless(std::string_view line) const override {
    std::string out;
    for (const std::string_view mark : {"---", "+++", "~~~", "^^^"}) {
      out = line.starts_with(mark) ? " " : out;
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool opens =
          line[i] == '\x1b' && i + 1 < line.size() && (line[i + 1] == ']' || line[i + 1] == '_');
      out += opens ? "\xef\xbf\xbd" : std::string(1, line[i]);
    }
    return out;
  }

  Effects deliver(const Report& report) const override {
    Effects effects;
    for (const Output& output : report.outputs) {
      // Values go in by standard input; an empty one is refused by the agent.
      if (!output.value.empty()) {
        effects.emplace_back(Run{
            .argv = {"buildkite-agent", "meta-data", "set", key_of(report.command, output.name)},
            .input = output.value});
      }
    }
    if (!report.summary.empty()) {
      effects.emplace_back(Run{.argv = {"buildkite-agent",
                                        "annotate",
                                        "--style",
                                        "info",
                                        "--context",
                                        "nix-seed-" + report.command},
                               .input = fit_summary(report.summary, kMaxSummaryBytes)});
    }
    return effects;
  }
};

}  // namespace

std::unique_ptr<Host> make_buildkite_host(const os::Environment& environment) {
  return std::make_unique<Buildkite>(environment);
}

}  // namespace seed::ci
