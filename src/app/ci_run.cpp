#include "app/ci_run.hpp"

#include <array>

#include <sys/random.h>

#include <fmt/core.h>

#include "app/appending.hpp"
#include "app/outputs.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// GitHub's own limit on events.
constexpr std::uint64_t kMaxEventBytes = 25 << 20;

/// Nothing where it can't be read: the adapter trusts nobody then.
std::optional<std::string> read_event(const os::Environment& environment) {
  const auto file = os::get(environment, "GITHUB_EVENT_PATH");
  if (!file) {
    return std::nullopt;
  }
  try {
    return os::read_file(*file, kMaxEventBytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The file of the flake that an entry of the catalogue is about.
std::string_view file_of(std::string_view id) {
  if (id == "NS001") {
    return "flake.nix";
  }
  return id == "NS009" || id == "NS011" ? "flake.lock" : "";
}

constexpr std::string_view kMaskedOutput =
    "the output {} has a secret of this job in it, so the host would withhold it: it is empty now "
    "(NS007); give the registry or the secret another name";

}  // namespace

std::string catalogue_id(std::string_view message) {
  constexpr std::size_t kLength = 5;
  for (std::size_t at = message.find("(NS"); at != message.npos; at = message.find("(NS", at + 1)) {
    const std::string_view id = message.substr(at + 1, kLength);
    const bool digits =
        id.size() == kLength && id.substr(2).find_first_not_of("0123456789") == id.npos;
    if (digits && message.substr(at + 1 + kLength).starts_with(")")) {
      return std::string(id);
    }
  }
  return {};
}

std::string random_nonce() {
  std::array<std::byte, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error("this machine gives no random numbers");
  }
  return to_hex(bytes);
}

CiRun::CiRun(const os::Environment& environment,
             os::Runner& runner,
             std::filesystem::path directory)
    : CiRun(environment, runner, std::move(directory), write_to_streams, random_nonce) {}

CiRun::CiRun(const os::Environment& environment,
             os::Runner& runner,
             std::filesystem::path directory,
             Console::Write write,
             std::function<std::string()> nonce)
    : runner_(runner),
      directory_(std::move(directory)),
      host_(ci::make_host(ci::detect(environment),
                          environment,
                          {.event = read_event(environment), .nonce = nonce})),
      secrets_(ci::secrets_of(environment, host_->facts().logins)),
      console_(std::make_unique<Console>(
          *host_, ci::Redactor(secrets_), std::move(nonce), std::move(write))) {}

void CiRun::start(std::string_view command, const std::string& summary) {
  command_ = command;
  summary_ = summary;
  apply(host_->mask(secrets_));
  if (!summary_.empty() && summary_ != "false") {
    if (const std::string why = why_not_writable(directory_ / summary_); !why.empty()) {
      throw UsageError(fmt::format("the summary can't be written: {}", why),
                       "name another file, or say --summary false");
    }
  }
  for (const ci::OutputFile& file : host_->files(command_)) {
    const std::string why = why_not_writable(directory_ / file.path);
    if (why.empty()) {
      continue;
    }
    const std::string message = fmt::format("{} can't be written: {}", file.purpose, why);
    if (file.required) {
      throw UsageError(message, "let this user write there: later steps and jobs read it");
    }
    tell(ci::Level::warning, message);
  }
}

void CiRun::hide(const std::string& secret) {
  if (secret.size() < ci::kShortestSecret) {
    return;
  }
  secrets_.push_back(secret);
  console_->redact(ci::Redactor(secrets_));
  apply(host_->mask(std::span(&secrets_.back(), 1)));
}

std::shared_ptr<void> CiRun::open_group(const std::string& title, const Clock& clock) {
  apply(host_->open_group(title, clock.now()));
  return {this, [title, &clock](CiRun* self) {
            self->console_->end_foreign();
            self->apply(self->host_->close_group(title, clock.now()));
          }};
}

void CiRun::heading(const std::string& title) {
  apply(host_->heading(title));
}

ci::Annotation CiRun::annotation(ci::Level level, const std::string& message) const {
  ci::Annotation made{.level = level, .id = catalogue_id(message), .message = message};
  const std::string_view file = file_of(made.id);
  const fs::path& root = host_->facts().workspace;
  if (!file.empty() && !root.empty()) {
    const fs::path folder = flake_folder_.empty() ? directory_ : flake_folder_;
    const fs::path relative = (folder / file).lexically_relative(root);
    if (!relative.empty() && *relative.begin() != "..") {
      made.file = relative.string();
      made.line = 1;
    }
  }
  return made;
}

void CiRun::tell(ci::Level level, const std::string& message) {
  annotations_.push_back(annotation(level, message));
  // Where annotations are shown, they are in the log as well.
  if (!host_->annotates()) {
    console_->say(
        fmt::format("nix-seed: {}: {}", level == ci::Level::notice ? "note" : "warning", message));
  }
}

void CiRun::withhold_masked(ci::Report& report) {
  for (ci::Output& output : report.outputs) {
    if (console_->redactor().finds_one_in(output.value)) {
      output.value.clear();
      tell(ci::Level::warning, fmt::format(kMaskedOutput, output.name));
    }
  }
}

void CiRun::to_summary_file(std::string& markdown) {
  if (summary_.empty()) {
    return;
  }
  if (summary_ != "false" && !markdown.empty()) {
    append_text(directory_ / summary_, console_->redactor()(markdown), 0);
  }
  markdown.clear();
}

void CiRun::deliver(ci::Report report) {
  console_->end_foreign();
  report.command = command_;
  withhold_masked(report);
  to_summary_file(report.summary);
  report.annotations.insert(report.annotations.begin(),
                            std::make_move_iterator(annotations_.begin()),
                            std::make_move_iterator(annotations_.end()));
  annotations_.clear();
  expected_.clear();
  apply(host_->deliver(report));
  // What went wrong just now.
  if (!annotations_.empty()) {
    apply(host_->deliver({.command = command_, .annotations = std::exchange(annotations_, {})}));
  }
}

void CiRun::apply(const ci::Effects& effects) {
  for (const ci::Effect& effect : effects) {
    if (const auto* print = std::get_if<ci::Print>(&effect)) {
      console_->command(*print);
    } else if (const auto* more = std::get_if<ci::Append>(&effect)) {
      write_file(more->path, [&] {
        if (append_text(
                directory_ / more->path, console_->redactor()(more->text), more->limit_bytes)) {
          tell(ci::Level::warning,
               "the summary was cut, since the host takes no more of it (NS010)");
        }
      });
    } else if (const auto* file = std::get_if<ci::Write>(&effect)) {
      write_file(file->path, [&] {
        os::atomic_write(directory_ / file->path, console_->redactor()(file->text));
      });
    } else {
      run(std::get<ci::Run>(effect));
    }
  }
}

void CiRun::write_file(const fs::path& path, const std::function<void()>& write) {
  try {
    write();
  } catch (const Error& error) {
    for (const ci::OutputFile& file : host_->files(command_)) {
      if (file.path == path && file.required) {
        throw Error(fmt::format("{} can't be written: {}", file.purpose, error.message()),
                    "let this user write there: later steps and jobs read it");
      }
    }
    tell(ci::Level::warning, fmt::format("this is in the log only, since {}", error.message()));
  }
}

void CiRun::run(const ci::Run& effect) {
  const auto show = [&](ByteView chunk) { console_->foreign(text_of(chunk)); };
  std::string why;
  try {
    const os::Exit exit =
        runner_.run({.argv = effect.argv, .input = console_->redactor()(effect.input)}, show, show);
    why = exit.ok() ? "" : fmt::format("exit code {}", exit.code);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    why = error.message();
  }
  console_->end_foreign();
  if (!why.empty()) {
    tell(ci::Level::warning,
         fmt::format("'{}' failed, so the host lacks what it was to take: {}",
                     os::to_shell(effect.argv),
                     why));
  }
}

report::Failure CiRun::fail(const Error& error, report::Failure failure) {
  console_->end_foreign();
  console_->say(fmt::format("error: {}", error.message()));
  if (!error.hint().empty()) {
    console_->say(fmt::format("hint: {}", error.hint()));
  }
  failure.command = command_;
  failure.message = error.message();
  failure.hint = error.hint();
  failure.exit_code = static_cast<int>(error.code());
  failure.id = catalogue_id(error.message());
  failure.run = {.version = NIX_SEED_VERSION,
                 .run_url = facts().run_url,
                 .source_url = facts().repository_url};
  if (command_.empty() || error.code() == ExitCode::interrupted) {
    return failure;
  }
  ci::Report report{.outputs = std::exchange(expected_, {}),
                    .summary = report::to_markdown(failure),
                    .checks = checks_of(report::test_cases(failure))};
  report.annotations.push_back(annotation(
      ci::Level::error, error.message() + (error.hint().empty() ? "" : "\n" + error.hint())));
  try {
    deliver(std::move(report));
  } catch (const Error& second) {
    // The first one decides how the run ends.
    console_->say(fmt::format("error: {}", second.message()));
  }
  return failure;
}

}  // namespace seed::app
