#include "app/promoting.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "app/publish_report.hpp"
#include "app/quorum_policy.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/image_file.hpp"
#include "nix/closure_diff.hpp"
#include "os/file.hpp"
#include "report/decided.hpp"
#include "report/markdown.hpp"
#include "trust/github_attestations.hpp"

namespace seed::app {
namespace {

constexpr std::uint64_t kMaxBundleFileBytes = 64 << 20;
constexpr std::size_t kMaxRivals = 16;
constexpr std::size_t kShownPaths = 10;

void look_in_files(PromoteJob& job) {
  for (const std::string& name : words_of(job.options, "bundle")) {
    trust::Discovery discovery;
    const std::string text = while_doing("reading --bundle " + name, [&] {
      return os::read_file(job.world.directory / name, kMaxBundleFileBytes);
    });
    trust::look_in_file(name, text, discovery);
    for (const trust::Question& question : job.questions) {
      job.evidence.add(discovery, question.artifact);
    }
    job.files.push_back(std::move(discovery));
  }
}

void look_in_github(PromoteJob& job) {
  const auto name = job.options.get("github");
  if (!name) {
    return;
  }
  trust::GithubRepository repository{.name = *name};
  repository.api = os::get(job.world.environment, "GITHUB_API_URL").value_or(repository.api);
  repository.token = os::get(job.world.environment, "GITHUB_TOKEN").value_or("");
  for (const trust::Question& question : job.questions) {
    trust::Discovery discovery;
    trust::look_in_github(job.world.transport, repository, question.artifact, discovery);
    job.evidence.add(discovery, question.artifact);
  }
}

std::vector<oci::Repository*> repositories(PromoteJob& job) {
  std::vector<oci::Repository*> all{job.source.repository.get()};
  for (OpenRepository& other : job.others) {
    all.push_back(other.repository.get());
  }
  return all;
}

std::vector<Digest> images_under(oci::Repository& repository, const std::string& tag) {
  const auto raw = repository.get_manifest(tag);
  if (!raw) {
    return {};
  }
  if (raw->descriptor.media_type != oci::kIndexType) {
    return {raw->descriptor.digest};
  }
  std::vector<Digest> images;
  for (const oci::Descriptor& image : oci::parse_index(raw->bytes).manifests) {
    images.push_back(image.digest);
  }
  return images;
}

/// What else is under the same tags: a builder may have built other bytes from the same source.
void look_for_rivals(PromoteJob& job) {
  std::vector<oci::Repository*> places = repositories(job);
  if (job.destination) {
    places.push_back(job.destination->repository.get());
  }
  for (oci::Repository* repository : places) {
    for (const std::string& tag : job.tags) {
      try {
        for (const Digest& image : images_under(*repository, tag)) {
          const bool asked = std::ranges::find(job.questions, image, &trust::Question::artifact) !=
                             job.questions.end();
          if (!asked && job.rivals.size() < kMaxRivals &&
              job.rivals.emplace(image, repository).second) {
            job.evidence.look(*repository, image);
            for (const trust::Discovery& file : job.files) {
              job.evidence.add(file, image);
            }
          }
        }
      } catch (const Error& error) {
        job.world.progress.notice(fmt::format(
            "{} does not say what {} names: {}", repository->name(), tag, error.message()));
      }
    }
  }
}

/// The closure manifest that the image has, which must be the one that was attested.
std::string closure_of(oci::Repository& repository,
                       const Digest& artifact,
                       const std::optional<Digest>& attested) {
  const auto raw = repository.get_manifest(artifact);
  if (!raw) {
    throw Error(fmt::format("{} is not there", artifact.to_string()));
  }
  const auto text = image::read_image_file(repository,
                                           oci::parse_manifest(raw->bytes),
                                           "etc/nix-seed/closure",
                                           nix::kMaxClosureManifestBytes);
  if (!text) {
    throw Error(fmt::format("{} has no closure manifest", artifact.to_string()));
  }
  if (attested && Digest::of(*text) != *attested) {
    throw Error(fmt::format("the closure manifest in {} is not the one that was attested",
                            artifact.to_string()));
  }
  return *text;
}

void compare(const PromoteJob& job, report::ConflictDetail& detail) {
  const trust::Conflict& conflict = detail.conflict;
  const auto rival = job.rivals.find(conflict.other);
  if (conflict.same_closure() || rival == job.rivals.end()) {
    return;
  }
  try {
    const auto differences = nix::compare_closures(
        closure_of(*job.source.repository, conflict.artifact, conflict.closure),
        closure_of(*rival->second, conflict.other, conflict.other_closure));
    detail.differing = differences.size();
    detail.paths.assign(differences.begin(),
                        differences.begin() +
                            static_cast<std::ptrdiff_t>(std::min(differences.size(), kShownPaths)));
  } catch (const Error& error) {
    detail.unread = "the closures can't be compared: " + error.message();
  }
}

std::string in_words(const trust::Dependence& one) {
  return fmt::format("{} and {} are not independent: they have one {}, {}",
                     one.first,
                     one.second,
                     one.what,
                     printable(one.value));
}

}  // namespace

void gather(PromoteJob& job) {
  look_in_files(job);
  look_in_github(job);
  std::vector<trust::Place> places;
  for (oci::Repository* repository : repositories(job)) {
    for (const trust::Question& question : job.questions) {
      places.push_back({repository, question.artifact});
    }
  }
  look_for_rivals(job);
  trust::Waiting waiting{.deadline = job.policy.deadline()};
  if (const auto deadline = job.options.get("deadline")) {
    waiting.deadline = duration_of("deadline", *deadline);
  }
  bool told = false;
  waiting.before_pause = [&](std::chrono::milliseconds) {
    if (!told) {
      told = true;
      const trust::Tally tally = trust::tally_of(job.evidence.decide(job.questions.front()));
      job.world.progress.step(
          fmt::format("{} of {} builders agree; waiting up to {} s for {}",
                      tally.counted.size(),
                      job.policy.builders().size(),
                      waiting.deadline.count(),
                      tally.missing.empty() ? "more" : tally.missing.front().name));
    }
  };
  job.decisions = trust::wait_for_quorum(
      job.evidence, job.policy, job.questions, places, job.world.clock, waiting);
  if (told && !job.tags.empty()) {
    // Whoever was late may have built something else.
    look_for_rivals(job);
    for (std::size_t i = 0; i < job.questions.size(); ++i) {
      job.decisions[i] = job.evidence.decide(job.questions[i]);
    }
  }
}

std::vector<report::ConflictDetail> explain_conflicts(const PromoteJob& job) {
  std::vector<report::ConflictDetail> details;
  std::set<std::pair<std::string, Digest>> seen;
  for (const trust::Decision& decision : job.decisions) {
    for (const trust::Conflict& conflict : trust::tally_of(decision).conflicts) {
      if (seen.emplace(conflict.builder, conflict.other).second) {
        report::ConflictDetail detail{.conflict = conflict};
        compare(job, detail);
        details.push_back(std::move(detail));
      }
    }
  }
  return details;
}

report::PromotionRecord record_of(const PromoteJob& job) {
  report::PromotionRecord record;
  record.artifact = job.source.repository->name() + "@" + job.artifact.to_string();
  record.digest = job.artifact.to_string();
  record.destination = job.destination ? job.destination->repository->name() : "";
  record.trust = nix::to_string(job.policy.level());
  record.quorum = job.policy.quorum();
  record.builders = job.policy.builders().size();
  record.log_quorum = job.policy.log_quorum();
  for (std::size_t i = 0; i < job.decisions.size(); ++i) {
    record.images.push_back(report::decided(job.questions[i].artifact, job.decisions[i]));
  }
  record.conflicts = explain_conflicts(job);
  for (const auto& [place, why] : job.evidence.failures()) {
    record.unasked.emplace_back(place, why);
  }
  for (const trust::Dependence& one : job.policy.dependences()) {
    record.dependences.push_back(in_words(one));
  }
  record.run = context_of(job.world, "");
  return record;
}

}  // namespace seed::app
