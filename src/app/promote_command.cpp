#include <array>
#include <memory>
#include <set>

#include <fmt/core.h>

#include "app/commands.hpp"
#include "app/promoting.hpp"
#include "app/publish_report.hpp"
#include "app/quorum_policy.hpp"
#include "app/signing.hpp"
#include "app/trust_material.hpp"
#include "app/watching.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "trust/attachment.hpp"
#include "trust/promotion.hpp"
#include "trust/verification_summary.hpp"

namespace seed::app {
namespace {

constexpr std::array kOptions{
    kPolicyOption,
    OptionSpec{"artifact", "REF@DIGEST", "what to promote, in place of the argument"},
    OptionSpec{"to", "REF", "repository to promote to; default: the policy's registry"},
    OptionSpec{"tag", "TAGS", "tags to write last, separated by blanks; default: the one of REF"},
    OptionSpec{"from", "REFS", "further repositories that have attestations"},
    OptionSpec{"bundle", "FILE", "files that have attestations"},
    OptionSpec{"github", "OWNER/NAME", "repository whose attestations GitHub keeps"},
    OptionSpec{"deadline", "TIME", "how long to wait for a quorum; default: the policy's"},
    OptionSpec{"max-age", "TIME", "count only what was proven to be signed since then"},
    OptionSpec{"log-state",
               "FILE",
               "the logs' last checkpoints, or registry:REF; fail if they don't agree"},
    kWitnessesOption,
    kWitnessQuorumOption,
    OptionSpec{"dry-run", "", "count and decide; write nothing"},
    kSignOption,
    kSigningKeyOption,
    kSignerOption,
    kRekorOption,
    kTrustedRootOption,
    kSigningConfigOption,
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"summary", "FILE", "append a Markdown summary; default: the CI host's; false: none"},
    OptionSpec{"json", "", "print the result as JSON"},
};

oci::Reference artifact_of(const Options& options) {
  std::vector<std::string> named = options.positional();
  if (named.empty()) {
    named = words_of(options, "artifact");
  }
  if (named.size() != 1) {
    throw UsageError("promote: name one artifact by its digest",
                     "nix-seed promote ghcr.io/acme/app-seed@sha256:…");
  }
  const oci::Reference reference = oci::Reference::parse(named.front());
  if (!reference.digest()) {
    throw UsageError(
        fmt::format("{} names no digest, and a tag may be another artifact in a moment",
                    reference.to_string()),
        "name the artifact as REPOSITORY@sha256:…, as nix-seed seed prints it");
  }
  return reference;
}

std::vector<ci::Output> outputs_of(const report::PromotionRecord& record) {
  std::string counted;
  std::string missing;
  if (!record.images.empty()) {
    for (const auto& one : record.images.front().tally.counted) {
      counted += (counted.empty() ? "" : " ") + one.name;
    }
    for (const auto& one : record.images.front().tally.missing) {
      missing += (missing.empty() ? "" : " ") + one.name;
    }
  }
  return {{"image", record.image()},
          {"digest", record.digest},
          {"status",
           record.promoted ? "promoted"
           : record.dry    ? "approved"
                           : "refused"},
          {"counted", counted},
          {"missing", missing},
          {"conflicts", std::to_string(record.conflicts.size())}};
}

/// Everything that is asked and where; nothing is looked at yet.
std::unique_ptr<PromoteJob> prepare(const World& world, const Options& options) {
  const oci::Reference reference = artifact_of(options);
  const std::string& untrusted = facts_of(world).untrusted;
  if (!untrusted.empty() && !options.flag("dry-run")) {
    throw UsageError(fmt::format("this run must not promote: {} (NS004)", untrusted),
                     "promote in a run of a trusted branch; --dry-run counts and decides");
  }
  // On the heap: what was found refers to the policy beside it.
  std::unique_ptr<PromoteJob> made(
      new PromoteJob{.world = world,
                     .options = options,
                     .policy = quorum_policy_for(world, options),
                     .root = trusted_root_for(world, options),
                     .source = open_repository(world, options, reference.repository()),
                     .artifact = *reference.digest()});
  PromoteJob& job = *made;
  job.tags = words_of(options, "tag");
  if (job.tags.empty() && reference.tag()) {
    job.tags = {*reference.tag()};
  }
  for (const std::string& tag : job.tags) {
    oci::check_tag(tag);
  }
  const auto to = options.get("to") ? options.get("to") : job.policy.registry();
  if (to) {
    job.destination = open_repository(world, options, *to);
  } else if (!options.flag("dry-run")) {
    throw UsageError("nothing says where to promote to", "name a repository with --to");
  }
  std::vector<std::string> others = words_of(options, "from");
  for (const trust::KnownBuilder& builder : job.policy.builders()) {
    others.push_back(builder.cfg.registry);
  }
  std::set<std::string> opened{"", reference.repository()};
  for (const std::string& other : others) {
    if (opened.insert(other).second) {
      job.others.push_back(open_repository(world, options, other));
    }
  }
  return made;
}

void ask(PromoteJob& job) {
  std::optional<Time> not_before;
  if (const auto age = job.options.get("max-age")) {
    not_before = job.world.clock.now() - duration_of("max-age", *age);
  }
  for (const Digest& artifact : trust::artifacts_below(*job.source.repository, job.artifact)) {
    job.questions.push_back({.artifact = artifact, .not_before = not_before});
  }
}

/// The approvals, where every image has one.
std::vector<trust::Approval> approvals_of(const PromoteJob& job) {
  std::vector<trust::Approval> approvals;
  for (const trust::Decision& decision : job.decisions) {
    if (const auto* approval = std::get_if<trust::Approval>(&decision)) {
      approvals.push_back(*approval);
    }
  }
  if (approvals.size() != job.questions.size()) {
    approvals.clear();
  }
  return approvals;
}

/// A log that shows two histories proves nothing, whatever its signatures.
void check_logs(const PromoteJob& job) {
  if (!job.options.get("log-state")) {
    return;
  }
  LogWatch watch(job.world, job.options);
  for (const sigstore::TrustedLog* log :
       watched_logs(job.policy, job.root, job.world.clock.now())) {
    sigstore::LogReader reader(job.world.transport, *log);
    watch.look(reader);
  }
  watch.save();
}

/// What the promoter says itself, where it can sign: that it counted, by which policy, from which
/// bundles.
void leave_summary(PromoteJob& job,
                   const Signing& signing,
                   const std::vector<trust::Approval>& approvals,
                   report::PromotionRecord& record) {
  oci::Repository& to = *job.destination->repository;
  const Time now = job.world.clock.now();
  const std::string statement = trust::verification_summary(
      approvals,
      job.artifact,
      job.policy,
      {.resource = to.name(), .version = NIX_SEED_VERSION, .time = now});
  const auto bundle = sign_if_able(job.world, signing, sigstore::StatementText{statement});
  if (bundle) {
    trust::attach_bundle(to, job.artifact, bundle->json, now);
    record.summary_attestation = Digest::of(bundle->json).to_string();
  }
}

void act(PromoteJob& job,
         const Signing& signing,
         const std::vector<trust::Approval>& approvals,
         report::PromotionRecord& record) {
  const Workspace workspace(usable_cache(job.world.environment));
  const oci::Reference& from = job.source.reference;
  const oci::Reference& to = job.destination->reference;
  trust::PromotionOrder order{.from = *job.source.repository,
                              .to = *job.destination->repository,
                              .artifact = job.artifact,
                              .tags = job.tags,
                              .copy = {.scratch = workspace.path()},
                              .now = job.world.clock.now()};
  if (!from.is_layout() && !to.is_layout() && from.host() == to.host()) {
    order.copy.mount_from = from.name();
  }
  order.before_tags = [&] { leave_summary(job, signing, approvals, record); };
  job.world.progress.step(fmt::format(
      "copying {} to {}", job.artifact.to_string(), job.destination->repository->name()));
  const trust::Promotion done =
      trust::promote(approvals, job.evidence, job.policy, job.root, order);
  record.promoted = true;
  record.referrers = done.copied.referrers + done.attached;
  record.bytes_sent = done.copied.bytes_sent;
  record.left = done.copied.left;
  for (const trust::PromotedTag& tag : done.tags) {
    record.tags.push_back({tag.tag, tag.before ? tag.before->to_string() : ""});
  }
}

int finish(PromoteJob& job, report::PromotionRecord& record, bool approved) {
  record.timings = job.world.journal.timings;
  job.world.progress.output(report::to_text(record));
  publish(job.world,
          {.outputs = outputs_of(record),
           .summary = report::to_markdown(record),
           .artifact = record.image()});
  print_result(job.world,
               job.options.flag("json") ? report::to_json(record) + "\n"
               : record.promoted        ? record.image() + "\n"
                                        : "");
  if (!approved) {
    std::string message = record.images.front().reasons.empty()
                              ? "too few builders agree"
                              : record.images.front().reasons.front();
    for (const report::DecidedImage& image : record.images) {
      if (!image.approved && !image.reasons.empty()) {
        message = image.reasons.front();
      }
    }
    tell(job.world, ci::Level::error, message);
  }
  return static_cast<int>(approved ? ExitCode::done : ExitCode::quorum);
}

int run_promote(const World& world, const Options& options) {
  Stopwatch stopwatch(world.journal);
  stopwatch.start("read the policy");
  expect_outputs(world, outputs_of({}));
  const std::unique_ptr<PromoteJob> prepared = prepare(world, options);
  PromoteJob& job = *prepared;
  const Signing signing = prepare_signing(world, options, facts_of(world).untrusted);
  ask(job);
  stopwatch.start("gather and verify");
  const Time asked = world.clock.now();
  gather(job);
  check_logs(job);
  const auto waited = world.clock.now() - asked;
  const std::vector<trust::Approval> approvals = approvals_of(job);
  const bool approved = !approvals.empty();
  report::PromotionRecord record = record_of(job);
  record.dry = options.flag("dry-run") && approved;
  record.waited = static_cast<double>(waited.count());
  for (const std::string& notice : record.dependences) {
    tell(world, ci::Level::warning, notice);
  }
  for (const report::ConflictDetail& detail : record.conflicts) {
    tell(world,
         detail.conflict.same_closure() ? ci::Level::notice : ci::Level::warning,
         fmt::format("{} built {} from the source of {}",
                     detail.conflict.builder,
                     detail.conflict.other.to_string(),
                     detail.conflict.artifact.to_string()));
  }
  if (approved && !options.flag("dry-run")) {
    stopwatch.start("copy, verify again and tag");
    act(job, signing, approvals, record);
  }
  stopwatch.stop();
  return finish(job, record, approved);
}

}  // namespace

const Command kPromoteCommand{
    "promote",
    "REF@DIGEST",
    "promote an artifact that enough builders attest",
    "Gathers attestations of the artifact, verifies each in full, counts the builders that say "
    "the\n"
    "same, and waits for a quorum of them. Then copies the artifact with its evidence, verifies "
    "that\n"
    "again at the destination, and writes the tags last. Exit code 4: too few builders agree.",
    kOptions,
    run_promote,
    "nix-seed promote ghcr.io/acme/app-build@sha256:… --to ghcr.io/acme/app --tag v1.2.3",
    true};

}  // namespace seed::app
