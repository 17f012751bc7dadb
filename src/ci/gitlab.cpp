#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ci/adapters.hpp"
#include "ci/escape.hpp"
#include "ci/junit.hpp"

namespace seed::ci {
namespace {

/// GitLab's default limit on the file of artifacts:reports:dotenv.
constexpr std::size_t kMaxDotenvBytes = 5 << 10;
constexpr std::string_view kSummaryFile = "nix-seed-summary.md";

std::string ref_of(const os::Environment& environment) {
  if (const auto tag = os::get(environment, "CI_COMMIT_TAG")) {
    return "refs/tags/" + *tag;
  }
  if (const auto branch = os::get(environment, "CI_COMMIT_BRANCH")) {
    return "refs/heads/" + *branch;
  }
  return value_of(environment, "CI_COMMIT_REF_NAME");
}

/// Merge requests of forks run in the fork, with the fork's own rights; only where a member of the
/// project has them run here do they have the project's.
std::string why_untrusted(const os::Environment& environment) {
  const std::string source = value_of(environment, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
  if (source.empty() || source == value_of(environment, "CI_PROJECT_ID")) {
    return {};
  }
  return fmt::format(
      "the merge request is of the fork {}",
      printable(os::get(environment, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH").value_or(source)));
}

void add_login(Facts& facts,
               const os::Environment& environment,
               std::string_view host,
               std::string_view user,
               std::string_view password) {
  Login login{
      value_of(environment, host), value_of(environment, user), value_of(environment, password)};
  if (!login.host.empty() && !login.user.empty() && !login.password.empty()) {
    facts.logins.push_back(std::move(login));
  }
}

Facts facts_of(const os::Environment& environment) {
  Facts facts{.kind = HostKind::gitlab,
              .repository = value_of(environment, "CI_PROJECT_PATH"),
              .repository_url = value_of(environment, "CI_PROJECT_URL"),
              .commit = value_of(environment, "CI_COMMIT_SHA"),
              .ref = ref_of(environment),
              .event = value_of(environment, "CI_PIPELINE_SOURCE"),
              .run_url = value_of(environment, "CI_JOB_URL"),
              .run_id = value_of(environment, "CI_PIPELINE_ID"),
              .run_attempt = value_of(environment, "CI_JOB_ID"),
              .actor = value_of(environment, "GITLAB_USER_LOGIN"),
              .untrusted = why_untrusted(environment),
              .workspace = value_of(environment, "CI_PROJECT_DIR"),
              .debug = to_lower(value_of(environment, "CI_DEBUG_TRACE")) == "true"};
  if (const auto image = os::get(environment, "CI_REGISTRY_IMAGE")) {
    facts.registry = to_lower(*image) + "/seed";
  }
  add_login(facts, environment, "CI_REGISTRY", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD");
  add_login(facts,
            environment,
            "CI_DEPENDENCY_PROXY_SERVER",
            "CI_DEPENDENCY_PROXY_USER",
            "CI_DEPENDENCY_PROXY_PASSWORD");
  return facts;
}

/// A name that a section may have (GitLab's docs, "Custom collapsible sections").
std::string section_name(std::string_view title) {
  std::string name = "nix_seed_";
  for (const char c : to_lower(title)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += plain ? c : '_';
  }
  return name;
}

/// dotenv has no quotes: what it can't hold is left out, as is what is empty, so that a default
/// that the job was given stays.
bool fits_dotenv(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != '\'' && c != '\\' && c != '$' && c != '`';
  });
}

std::string dotenv(const Report& report) {
  std::string text;
  for (const Output& output : report.outputs) {
    const std::string line =
        fmt::format("{}={}\n", variable_of(report.command, output.name), output.value);
    if (fits_dotenv(output.value) && text.size() + line.size() <= kMaxDotenvBytes) {
      text += line;
    }
  }
  return text;
}

std::string external_links(const std::vector<Link>& links) {
  nlohmann::json list = nlohmann::json::array();
  for (const Link& link : links) {
    list.push_back({{"external_link",
                     {{"label", printable(link.label)}, {"url", printable(link.url, 2048)}}}});
  }
  return nlohmann::json{{"nix-seed", std::move(list)}}.dump(2) + "\n";
}

class Gitlab final : public Host {
 public:
  explicit Gitlab(const os::Environment& environment) : Host(facts_of(environment)) {}

  Effects open_group(std::string_view title, Time now) const override {
    return {Print{.line = fmt::format("\x1b[0Ksection_start:{}:{}[collapsed=true]\r\x1b[0K{}",
                                      now.time_since_epoch().count(),
                                      section_name(title),
                                      title)}};
  }

  Effects close_group(std::string_view title, Time now) const override {
    return {Print{.line = fmt::format("\x1b[0Ksection_end:{}:{}\r\x1b[0K",
                                      now.time_since_epoch().count(),
                                      section_name(title))}};
  }

  std::string harmless(std::string_view line) const override {
    return broken(broken(line, "section_start:", 7), "section_end:", 7);
  }

  Effects deliver(const Report& report) const override {
    Effects effects;
    if (!report.outputs.empty()) {
      effects.emplace_back(Write{dotenv_file(report.command), dotenv(report)});
    }
    std::vector<Link> links = report.links;
    if (!report.summary.empty()) {
      effects.emplace_back(Write{facts().workspace / kSummaryFile, report.summary});
      if (!facts().run_url.empty()) {
        links.push_back({"nix-seed summary",
                         fmt::format("{}/artifacts/file/{}", facts().run_url, kSummaryFile)});
      }
    }
    if (!links.empty()) {
      effects.emplace_back(
          Write{facts().workspace / "nix-seed.annotations.json", external_links(links)});
    }
    if (!report.checks.empty()) {
      effects.emplace_back(Write{facts().workspace / "nix-seed.junit.xml",
                                 junit("nix-seed " + report.command, report.checks)});
    }
    return effects;
  }

  std::vector<OutputFile> files(std::string_view command) const override {
    return {{dotenv_file(command), "outputs (artifacts:reports:dotenv)", true}};
  }

 private:
  /// A job may run both commands, and the second must not take the first one's outputs away.
  std::filesystem::path dotenv_file(std::string_view command) const {
    return facts().workspace / (command == "build" ? "nix-seed-build.env" : "nix-seed.env");
  }
};

}  // namespace

std::unique_ptr<Host> make_gitlab_host(const os::Environment& environment) {
  return std::make_unique<Gitlab>(environment);
}

}  // namespace seed::ci
