#include <fmt/core.h>

#include "base/text.hpp"
#include "ci/adapters.hpp"
#include "ci/escape.hpp"
#include "os/git_repository.hpp"

namespace seed::ci {
namespace {

constexpr std::size_t kMaxMessageBytes = 4096;

std::string run_url(const os::Environment& environment) {
  const std::string collection = value_of(environment, "SYSTEM_COLLECTIONURI");
  const std::string project = value_of(environment, "SYSTEM_TEAMPROJECT");
  const std::string build = value_of(environment, "BUILD_BUILDID");
  if (collection.empty() || project.empty() || build.empty()) {
    return {};
  }
  return fmt::format("{}{}/_build/results?buildId={}", collection, project, build);
}

Facts facts_of(const os::Environment& environment) {
  Facts facts{.kind = HostKind::azure,
              .repository = value_of(environment, "BUILD_REPOSITORY_NAME"),
              .repository_url = os::without_userinfo(value_of(environment, "BUILD_REPOSITORY_URI")),
              .commit = value_of(environment, "BUILD_SOURCEVERSION"),
              .ref = value_of(environment, "BUILD_SOURCEBRANCH"),
              .event = value_of(environment, "BUILD_REASON"),
              .run_url = run_url(environment),
              .run_id = value_of(environment, "BUILD_BUILDID"),
              .run_attempt = value_of(environment, "SYSTEM_JOBATTEMPT"),
              .actor = value_of(environment, "BUILD_REQUESTEDFOR"),
              .workspace = value_of(environment, "BUILD_SOURCESDIRECTORY"),
              .debug = to_lower(value_of(environment, "SYSTEM_DEBUG")) == "true"};
  if (to_lower(value_of(environment, "SYSTEM_PULLREQUEST_ISFORK")) == "true") {
    facts.untrusted = "the pull request is of a fork";
  }
  return facts;
}

/// The agent reads commands from standard output.
Print command(std::string line, bool secret = false) {
  return {.line = std::move(line), .stream = Stream::out, .secret = secret};
}

/// The agent looks for both forms of a command anywhere in a line.
std::string plain(std::string_view line) {
  return broken(broken(line, "##vso[", 2), "##[", 2);
}

Print command_of(const Annotation& annotation) {
  std::string properties =
      fmt::format("type={};", annotation.level == Level::error ? "error" : "warning");
  if (!annotation.id.empty()) {
    properties += fmt::format("code={};", vso_property(annotation.id));
  }
  if (!annotation.file.empty()) {
    properties += fmt::format("sourcepath={};", vso_property(annotation.file));
    properties += annotation.line == 0 ? "" : fmt::format("linenumber={};", annotation.line);
  }
  return command(fmt::format("##vso[task.logissue {}]{}",
                             properties,
                             vso_data(plain(shortened(annotation.message, kMaxMessageBytes)))));
}

class Azure final : public Host {
 public:
  explicit Azure(const os::Environment& environment)
      : Host(facts_of(environment)),
        in_an_agent_(to_lower(value_of(environment, "TF_BUILD")) == "true"),
        folder_(value_of(environment, "AGENT_TEMPDIRECTORY")) {}

  bool annotates() const override { return true; }

  Effects mask(std::span<const std::string> secrets) const override {
    Effects effects;
    if (!in_an_agent_) {
      return effects;
    }
    for (const std::string& secret : secrets) {
      effects.emplace_back(command("##vso[task.setsecret]" + vso_data(secret), true));
    }
    return effects;
  }

  Effects open_group(std::string_view title, Time) const override {
    return {Print{.line = fmt::format("##[group]{}", title)}};
  }

  Effects close_group(std::string_view, Time) const override {
    return {Print{.line = "##[endgroup]"}};
  }

  std::string harmless(std::string_view line) const override { return plain(line); }

  Effects deliver(const Report& report) const override {
    Effects effects;
    for (const Output& output : report.outputs) {
      effects.emplace_back(
          command(fmt::format("##vso[task.setvariable variable={};isOutput=true]{}",
                              vso_property(output.name),
                              vso_data(output.value))));
    }
    if (!report.summary.empty() && !folder_.empty()) {
      const auto file = folder_ / fmt::format("nix-seed-{}-summary.md", report.command);
      effects.emplace_back(Write{file, report.summary});
      effects.emplace_back(command("##vso[task.uploadsummary]" + vso_data(file.string())));
    }
    for (const Annotation& annotation : within_limits(report.annotations)) {
      // A notice has no place of its own; it is in the log.
      if (annotation.level != Level::notice) {
        effects.emplace_back(command_of(annotation));
      } else {
        effects.emplace_back(
            Print{.line = "nix-seed: note: " + harmless(printable(annotation.message, 4096))});
      }
    }
    return effects;
  }

 private:
  bool in_an_agent_;
  std::filesystem::path folder_;
};

}  // namespace

std::unique_ptr<Host> make_azure_host(const os::Environment& environment) {
  return std::make_unique<Azure>(environment);
}

}  // namespace seed::ci
