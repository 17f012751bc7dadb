#include <fmt/core.h>

#include "base/text.hpp"
#include "ci/adapters.hpp"
#include "ci/escape.hpp"
#include "os/git_repository.hpp"

namespace seed::ci {
namespace {

Facts facts_of(const os::Environment& environment) {
  const std::string owner = value_of(environment, "CIRCLE_PROJECT_USERNAME");
  const std::string name = value_of(environment, "CIRCLE_PROJECT_REPONAME");
  const std::string tag = value_of(environment, "CIRCLE_TAG");
  const std::string branch = value_of(environment, "CIRCLE_BRANCH");
  Facts facts{
      .kind = HostKind::circleci,
      .repository = owner.empty() || name.empty() ? "" : owner + "/" + name,
      .repository_url = os::without_userinfo(value_of(environment, "CIRCLE_REPOSITORY_URL")),
      .commit = value_of(environment, "CIRCLE_SHA1"),
      .ref = !tag.empty()      ? "refs/tags/" + tag
             : !branch.empty() ? "refs/heads/" + branch
                               : "",
      .event = value_of(environment, "CIRCLE_PULL_REQUEST").empty() ? "" : "pull_request",
      .run_url = value_of(environment, "CIRCLE_BUILD_URL"),
      .run_id = value_of(environment, "CIRCLE_WORKFLOW_ID"),
      .run_attempt = value_of(environment, "CIRCLE_BUILD_NUM"),
      .actor = value_of(environment, "CIRCLE_USERNAME"),
      .workspace = value_of(environment, "CIRCLE_WORKING_DIRECTORY")};
  // CircleCI sets these for pull requests of forks alone.
  if (const auto fork = os::get(environment, "CIRCLE_PR_USERNAME")) {
    facts.untrusted =
        fmt::format("the pull request is of the fork {}/{}",
                    printable(*fork),
                    printable(os::get(environment, "CIRCLE_PR_REPONAME").value_or(name)));
  }
  return facts;
}

class Circleci final : public Host {
 public:
  explicit Circleci(const os::Environment& environment)
      : Host(facts_of(environment)), variables_file_(value_of(environment, "BASH_ENV")) {}

  Effects deliver(const Report& report) const override {
    if (variables_file_.empty()) {
      return {};
    }
    std::string text;
    for (const Output& output : report.outputs) {
      text += fmt::format(
          "export {}={}\n", variable_of(report.command, output.name), shell_word(output.value));
    }
    return {Append{.path = variables_file_, .text = text}};
  }

  std::vector<OutputFile> files(std::string_view) const override {
    if (variables_file_.empty()) {
      return {};
    }
    return {{variables_file_, "outputs (BASH_ENV)", true}};
  }

 private:
  std::string variables_file_;
};

}  // namespace

std::unique_ptr<Host> make_circleci_host(const os::Environment& environment) {
  return std::make_unique<Circleci>(environment);
}

}  // namespace seed::ci
