#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ci/actions_event.hpp"
#include "ci/adapters.hpp"
#include "ci/escape.hpp"
#include "ci/file_command.hpp"
#include "http/http.hpp"

namespace seed::ci {
namespace {

/// actions/runner: CreateStepSummaryCommand, AttachmentSizeLimit.
constexpr std::uint64_t kMaxSummaryBytes = 1 << 20;
/// actions/runner: ExecutionContext, the longest message of an issue.
constexpr std::size_t kMaxMessageBytes = 4096;

/// The first of these variables that is set: Forgejo and Gitea have names of their own beside
/// GitHub's.
std::string first_of(const os::Environment& environment,
                     std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (auto value = os::get(environment, name)) {
      return *value;
    }
  }
  return {};
}

/// HOST[:PORT] of the registry that belongs to a server; empty where the server is none.
std::string registry_host(HostKind kind, const std::string& server) {
  try {
    const http::Url url = http::Url::parse(server);
    if (kind != HostKind::github) {
      return url.authority();
    }
    return url.host == "github.com" ? "ghcr.io" : "containers." + url.authority();
  } catch (const FormatError&) {
    return {};
  }
}

std::string run_url(HostKind kind, const os::Environment& environment, const Facts& facts) {
  if (facts.repository_url.empty() || facts.run_id.empty()) {
    return {};
  }
  if (kind != HostKind::github) {
    return fmt::format("{}/actions/runs/{}",
                       facts.repository_url,
                       first_of(environment, {"GITHUB_RUN_NUMBER", "GITHUB_RUN_ID"}));
  }
  return fmt::format("{}/actions/runs/{}/attempts/{}",
                     facts.repository_url,
                     facts.run_id,
                     facts.run_attempt.empty() ? "1" : facts.run_attempt);
}

std::string untrusted_reason(const Facts& facts, const std::optional<std::string>& event_text) {
  std::optional<ActionsEvent> event;
  if (event_text) {
    try {
      event = parse_event(*event_text);
    } catch (const FormatError&) {
      // Then it can't be read, which why_untrusted() judges.
    }
  }
  return why_untrusted(facts.event, facts.actor, facts.repository, event ? &*event : nullptr);
}

Facts facts_of(HostKind kind, const os::Environment& environment, const Given& given) {
  Facts facts{.kind = kind,
              .repository = value_of(environment, "GITHUB_REPOSITORY"),
              .commit = value_of(environment, "GITHUB_SHA"),
              .ref = value_of(environment, "GITHUB_REF"),
              .event = value_of(environment, "GITHUB_EVENT_NAME"),
              .run_id = value_of(environment, "GITHUB_RUN_ID"),
              .run_attempt = value_of(environment, "GITHUB_RUN_ATTEMPT"),
              .actor = value_of(environment, "GITHUB_ACTOR"),
              .workspace = value_of(environment, "GITHUB_WORKSPACE"),
              .debug = value_of(environment, "RUNNER_DEBUG") == "1"};
  const std::string server =
      kind == HostKind::github
          ? os::get(environment, "GITHUB_SERVER_URL").value_or("https://github.com")
          : value_of(environment, "GITHUB_SERVER_URL");
  if (!server.empty() && !facts.repository.empty()) {
    facts.repository_url = server + "/" + facts.repository;
  }
  facts.run_url = run_url(kind, environment, facts);
  const std::string host = registry_host(kind, server);
  if (!host.empty() && !facts.repository.empty()) {
    facts.registry = fmt::format("{}/{}-seed", host, to_lower(facts.repository));
  }
  const std::string token =
      kind == HostKind::github
          ? value_of(environment, "GITHUB_TOKEN")
          : first_of(environment, {"FORGEJO_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN"});
  if (!host.empty() && !token.empty()) {
    // The registry looks at the token alone, but wants some name.
    facts.logins.push_back({host, facts.actor.empty() ? "x-access-token" : facts.actor, token});
  }
  facts.untrusted = untrusted_reason(facts, given.event);
  return facts;
}

/// Whether the runner could take the line for a command: `::name` after blanks only. What .NET
/// calls blank includes characters that are not ASCII, so anything that is not printable ASCII
/// counts as one.
bool starts_command(std::string_view line) {
  const std::size_t at = line.find("::");
  return at != line.npos && line.substr(0, at).find_first_of(
                                "!\"#$%&'()*+,-./0123456789:;<=>?@"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                "abcdefghijklmnopqrstuvwxyz{|}~") == line.npos;
}

class Actions final : public Host {
 public:
  Actions(HostKind kind, const os::Environment& environment, Given given)
      : Host(facts_of(kind, environment, given)),
        output_file_(first_of(environment, {"GITHUB_OUTPUT", "FORGEJO_OUTPUT", "GITEA_OUTPUT"})),
        summary_file_(
            kind == HostKind::github
                ? value_of(environment, "GITHUB_STEP_SUMMARY")
                : first_of(environment,
                           {"FORGEJO_STEP_SUMMARY", "GITEA_STEP_SUMMARY", "GITHUB_STEP_SUMMARY"})),
        artifacts_file_(value_of(environment, "GITHUB_ARTIFACTS")),
        in_a_runner_(to_lower(value_of(environment, "GITHUB_ACTIONS")) == "true"),
        nonce_(std::move(given.nonce)) {}

  bool annotates() const override { return true; }

  Effects mask(std::span<const std::string> secrets) const override {
    Effects effects;
    // Where nobody reads commands, this would print the secret.
    if (!in_a_runner_) {
      return effects;
    }
    for (const std::string& secret : secrets) {
      effects.emplace_back(Print{.line = "::add-mask::" + workflow_data(secret), .secret = true});
    }
    return effects;
  }

  Effects open_group(std::string_view title, Time) const override {
    return {Print{.line = "::group::" + workflow_data(title)}};
  }

  Effects close_group(std::string_view, Time) const override {
    return {Print{.line = "::endgroup::"}};
  }

  Effects stop_commands(const std::string& token) const override {
    return {Print{.line = "::stop-commands::" + token}};
  }

  Effects resume_commands(const std::string& token) const override {
    return {Print{.line = "::" + token + "::"}};
  }

  std::string harmless(std::string_view line) const override {
    std::string out;
    // The runner's reader ends lines at CR as well.
    for (const std::string_view part : split(line, '\r')) {
      out += starts_command(part) ? broken(part, "::", 1) : std::string(part);
      out += '\r';
    }
    out.pop_back();
    return broken(out, "##[", 2);  // the older form, wherever it stands in a line
  }

  Effects deliver(const Report& report) const override {
    Effects effects;
    std::vector<Annotation> annotations = report.annotations;
    if (!report.outputs.empty() && !output_file_.empty()) {
      effects.emplace_back(
          Append{.path = output_file_, .text = file_commands(report.outputs, delimiter())});
    } else if (!report.outputs.empty()) {
      annotations.push_back(
          {.level = Level::warning,
           .message = "GITHUB_OUTPUT is not set, so no other step learns the outputs: pass it on "
                      "to where nix-seed runs"});
    }
    if (!report.summary.empty() && !summary_file_.empty()) {
      effects.emplace_back(
          Append{.path = summary_file_, .text = report.summary, .limit_bytes = kMaxSummaryBytes});
    }
    if (!report.artifact.empty() && !artifacts_file_.empty() &&
        report.artifact.find('=') == std::string::npos) {
      effects.emplace_back(
          Append{.path = artifacts_file_, .text = "oci://" + report.artifact + "\n"});
    }
    for (const Annotation& annotation : within_limits(std::move(annotations))) {
      effects.emplace_back(Print{.line = command_of(annotation)});
    }
    return effects;
  }

  std::vector<OutputFile> files(std::string_view) const override {
    std::vector<OutputFile> files;
    if (!output_file_.empty()) {
      files.push_back({output_file_, "outputs (GITHUB_OUTPUT)", true});
    }
    if (!summary_file_.empty()) {
      files.push_back({summary_file_, "the summary (GITHUB_STEP_SUMMARY)", false});
    }
    return files;
  }

 private:
  std::string delimiter() const { return "nixseed_" + nonce_(); }

  static std::string command_of(const Annotation& annotation) {
    std::string properties;
    if (!annotation.file.empty()) {
      properties += "file=" + workflow_property(annotation.file) + ",";
      properties += annotation.line == 0 ? "" : fmt::format("line={},", annotation.line);
    }
    properties += "title=nix-seed" + (annotation.id.empty() ? "" : " " + annotation.id);
    return fmt::format("::{} {}::{}",
                       to_string(annotation.level),
                       properties,
                       workflow_data(shortened(annotation.message, kMaxMessageBytes)));
  }

  std::string output_file_;
  std::string summary_file_;
  std::string artifacts_file_;
  bool in_a_runner_;
  std::function<std::string()> nonce_;
};

}  // namespace

std::unique_ptr<Host> make_actions_host(HostKind kind,
                                        const os::Environment& environment,
                                        Given given) {
  return std::make_unique<Actions>(kind, environment, std::move(given));
}

}  // namespace seed::ci
