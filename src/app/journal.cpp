#include "app/journal.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "app/outputs.hpp"
#include "base/error.hpp"
#include "report/chart.hpp"

namespace seed::app {
namespace {

using Steady = std::chrono::steady_clock;

std::vector<report::BuiltDerivation> derivations_of(const Journal& journal) {
  std::vector<report::BuiltDerivation> list;
  for (const nix::BuildActivity& build : journal.builds) {
    list.push_back({.path = build.derivation,
                    .start = build.start,
                    .seconds = build.seconds,
                    .failed = build.failed});
  }
  return list;
}

std::int64_t as_number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

double Journal::elapsed() const {
  return start_ns == 0 ? 0 : std::chrono::duration<double>(Steady::now() - start).count();
}

std::int64_t unix_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void Stopwatch::start(std::string step) {
  stop();
  since_ = Steady::now();
  step_ = std::move(step);
  if (open_group_) {
    group_ = open_group_(step_);
  }
  if (journal_.start_ns == 0) {
    journal_.start = since_;
    journal_.start_ns = unix_nanoseconds();
  }
}

void Stopwatch::stop() {
  group_.reset();
  if (!step_.empty()) {
    const std::chrono::duration<double> taken = Steady::now() - since_;
    journal_.timings.push_back({std::exchange(step_, {}), taken.count()});
  }
}

void complete(report::SeedRecord& record, Journal& journal) {
  record.timings = journal.timings;
  record.derivations = derivations_of(journal);
  journal.layers = record.layers;
  std::int64_t reused = 0;
  for (const image::LayerReceipt& layer : record.layers) {
    reused += layer.state == image::LayerState::sent ? 0 : 1;
  }
  const LayerBytes bytes = bytes_of_layers(record.layers);
  journal.attributes["nix_seed.status"] = std::string(report::to_string(record.status));
  journal.attributes["nix_seed.key"] = record.key;
  journal.attributes["nix_seed.layers.reused"] = reused;
  journal.attributes["nix_seed.layers.pushed"] = as_number(record.layers.size()) - reused;
  journal.attributes["nix_seed.bytes.reused"] = as_number(bytes.reused);
  journal.attributes["nix_seed.bytes.pushed"] = as_number(bytes.pushed);
  if (record.index) {
    journal.attributes["oci.manifest.digest"] = record.index->to_string();
  }
}

void complete(report::BuildRecord& record, Journal& journal) {
  record.timings = journal.timings;
  record.derivations = derivations_of(journal);
  if (!journal.builds.empty()) {  // else what was expected to be built is all we know
    record.built.clear();
    for (const nix::BuildActivity& build : journal.builds) {
      record.built.push_back(build.derivation);
    }
  }
  journal.attributes["nix_seed.mode"] = std::string(report::to_string(record.mode));
  journal.attributes["nix_seed.derivations.built"] = as_number(record.built.size());
  if (const auto at = record.image.rfind("@sha256:"); at != std::string::npos) {
    journal.attributes["oci.manifest.digest"] = record.image.substr(at + 1);
  }
}

report::Failure failure_of(const Journal& journal) {
  report::Failure failure{.step = journal.timings.empty() ? "" : journal.timings.back().step,
                          .flake = journal.flake,
                          .system = journal.system,
                          .image = journal.image,
                          .nix_log = journal.nix_log,
                          .derivations = derivations_of(journal),
                          .timings = journal.timings};
  for (const nix::BuildActivity& build : journal.builds) {
    if (build.failed) {
      failure.failed.push_back({.path = build.derivation,
                                .why = build.why,
                                .log = {build.log.begin(), build.log.end()},
                                .log_lines = build.log_lines});
    }
  }
  return failure;
}

Error build_error(const Journal& journal, int exit_code) {
  constexpr std::size_t kNamed = 5;
  std::string names;
  std::size_t count = 0;
  for (const nix::BuildActivity& build : journal.builds) {
    if (build.failed && ++count <= kNamed) {
      names += (names.empty() ? "" : ", ") + report::derivation_name(build.derivation);
    }
  }
  const std::string_view seeded = journal.nix_log ? "" : "; the seed had all that it needed";
  if (count == 0) {
    return Error(fmt::format("nix build failed with exit code {}", exit_code),
                 fmt::format("Nix's last lines in the log say why{}", seeded));
  }
  return Error(fmt::format("{} of the flake failed to build: {}{}",
                           count == 1 ? "a derivation" : fmt::format("{} derivations", count),
                           names,
                           count > kNamed ? fmt::format(" and {} more", count - kNamed) : ""),
               fmt::format("{} why{}",
                           count == 1 ? "the end of its log says" : "the ends of their logs say",
                           seeded));
}

}  // namespace seed::app
