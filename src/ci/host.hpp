#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "ci/effect.hpp"
#include "os/process.hpp"

namespace seed::ci {

enum class HostKind {
  github,
  gitlab,
  forgejo,
  gitea,
  buildkite,
  circleci,
  azure,
  generic,  ///< some CI of which we know no more
  none,     ///< a person's machine
};

std::string_view to_string(HostKind kind);

/// What NIX_SEED_CI says, else the first host whose mark the environment bears. Throws UsageError
/// for a word that names no host.
HostKind detect(const os::Environment& environment);

/// Who a job is to a registry.
struct Login {
  std::string host;
  std::string user;
  std::string password;
  bool operator==(const Login&) const = default;
};

/// What a host says of the run, in one vocabulary; empty where it does not say.
struct Facts {
  HostKind kind = HostKind::none;
  std::string repository;  ///< owner/name as the host spells it
  std::string repository_url;
  std::string commit;
  std::string ref;
  std::string event;
  std::string run_url;
  std::string run_id;
  std::string run_attempt;
  std::string actor;
  std::string registry;  ///< where seeds go by default, in lower case
  std::vector<Login> logins;
  std::string untrusted;            ///< why the run must not push; empty: it may
  std::filesystem::path workspace;  ///< root of the checkout
  bool debug = false;
};

struct Output {
  std::string name;  ///< snake_case, as in docs/ci.md
  std::string value;
  bool operator==(const Output&) const = default;
};

enum class Level { notice, warning, error };

std::string_view to_string(Level level);

struct Annotation {
  Level level = Level::notice;
  std::string id;  ///< of the error catalogue, NS002; may be empty
  std::string message;
  std::string file;   ///< relative to the workspace; may be empty
  unsigned line = 0;  ///< 0: none
};

/// One row of a test report.
struct Check {
  std::string name;
  double seconds = 0;
  std::string failure;  ///< empty: it passed
};

struct Link {
  std::string label;
  std::string url;
};

/// What a command leaves behind for the host.
struct Report {
  std::string command;  ///< seed or build
  std::vector<Output> outputs;
  std::string summary;  ///< Markdown; empty: none
  std::vector<Annotation> annotations;
  std::vector<Check> checks;
  std::vector<Link> links;
  std::string artifact;  ///< an image that this run made, REPO@sha256:…
};

/// A file that deliver() will write to.
struct OutputFile {
  std::filesystem::path path;
  std::string purpose;  ///< "outputs", "the summary"
  bool required;        ///< later jobs go wrong without it
};

/// What an adapter may be told that is not in the environment.
struct Given {
  /// The file that GITHUB_EVENT_PATH names; nothing where it can't be read.
  std::optional<std::string> event;
  /// 32 random hex digits: what no log and no value can know beforehand.
  std::function<std::string()> nonce;
};

/// One CI host. Adapters are pure: they turn values into effects, which app applies.
class Host {
 public:
  explicit Host(Facts facts) : facts_(std::move(facts)) {}

  virtual ~Host() = default;

  const Facts& facts() const { return facts_; }

  /// Whether annotations have a place of their own; elsewhere they are lines of the log.
  virtual bool annotates() const { return false; }

  /// Keeps these out of the log from here on.
  virtual Effects mask(std::span<const std::string> secrets) const;

  /// What is logged in between is folded under `title`. Groups do not nest.
  virtual Effects open_group(std::string_view title, Time now) const;
  virtual Effects close_group(std::string_view title, Time now) const;

  /// What follows is for all to see, where a group ends at the next heading only.
  virtual Effects heading(std::string_view title) const;

  /// From here to resume_commands(token), lines of the log are no commands.
  virtual Effects stop_commands(const std::string& token) const;
  virtual Effects resume_commands(const std::string& token) const;

  /// `line` of outside origin, without line feed, as the host takes for plain text.
  virtual std::string harmless(std::string_view line) const { return std::string(line); }

  virtual Effects deliver(const Report& report) const = 0;

  virtual std::vector<OutputFile> files(std::string_view command) const;

 private:
  Facts facts_;
};

std::unique_ptr<Host> make_host(HostKind kind, const os::Environment& environment, Given given);

/// For machines without CI.
const Host& no_host();

}  // namespace seed::ci
