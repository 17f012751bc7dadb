#include <algorithm>

#include <fmt/core.h>

#include "base/text.hpp"
#include "os/process.hpp"
#include "report/decided.hpp"
#include "report/markdown.hpp"
#include "report/parts.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kShownRejected = 50;

std::string_view status_of(const PromotionRecord& record) {
  return record.promoted ? "promoted"
         : record.dry && record.images.size() == static_cast<std::size_t>(std::ranges::count(
                                                     record.images, true, &DecidedImage::approved))
             ? "approved"
             : "refused";
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

std::string builders_table(const trust::Tally& tally) {
  std::string table =
      "| builder | | signed as, or why not | logs | time |\n|---|---|---|---|---|\n";
  for (const trust::CountedBuilder& one : tally.counted) {
    table += fmt::format("| {} | ✅ | {} | {} | {} |\n",
                         escape(one.name),
                         code(one.signer),
                         escape(joined(one.operators)),
                         one.time ? sigstore::to_rfc3339(*one.time) : "");
  }
  for (const trust::MissingBuilder& one : tally.missing) {
    table += fmt::format("| {} | ❌ | {} | | |\n", escape(one.name), escape(one.why));
  }
  return table + "\n";
}

std::string rejected_table(const std::vector<trust::RejectedBundle>& rejected) {
  if (rejected.empty()) {
    return {};
  }
  std::string table = "| bundle | from | builder | why |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < std::min(rejected.size(), kShownRejected); ++i) {
    table += fmt::format("| {} | {} | {} | {} |\n",
                         code(short_digest(rejected[i].bundle)),
                         escape(rejected[i].from),
                         escape(rejected[i].builder),
                         escape(rejected[i].why));
  }
  if (rejected.size() > kShownRejected) {
    table += fmt::format("\nand {} more\n", rejected.size() - kShownRejected);
  }
  return details(fmt::format("<b>Not counted</b> · {}", counted(rejected.size(), "bundle")), table);
}

std::string conflict_of(const ConflictDetail& detail) {
  const trust::Conflict& conflict = detail.conflict;
  std::string text = alert(
      conflict.same_closure() ? "NOTE" : "CAUTION",
      fmt::format("**{}** built {} from {}, and not {}.{}",
                  escape(conflict.builder),
                  code(conflict.other.to_string(), Place::text),
                  escape(conflict.revision.commit),
                  code(conflict.artifact.to_string(), Place::text),
                  conflict.same_closure()
                      ? " The store paths in both are the same: they are packed in another way."
                  : detail.unread.empty() ? fmt::format(" {} in the closures differ.",
                                                        counted(detail.differing, "path"))
                                          : " " + escape(detail.unread)));
  if (!detail.paths.empty()) {
    std::string table = "| store path | here | there |\n|---|---|---|\n";
    for (const nix::ClosureDifference& path : detail.paths) {
      table += fmt::format("| {} | {} | {} |\n",
                           code(path.path),
                           path.first.empty() ? "absent" : code(path.first),
                           path.second.empty() ? "absent" : code(path.second));
    }
    text += details("The first paths that differ", table, Fold::open);
  }
  return text;
}

std::string facts_table(const PromotionRecord& record) {
  std::vector<std::string> tags;
  for (const TagMove& tag : record.tags) {
    tags.push_back(code(tag.tag) + (tag.before.empty() || tag.before == record.digest
                                        ? ""
                                        : " (was " + code(tag.before) + ")"));
  }
  return facts(
      {{"Artifact", code(record.artifact)},
       {"Promoted to", record.promoted ? code(record.image()) : ""},
       {"Tags", joined(tags)},
       {"Rule",
        fmt::format(
            "{} of {} builders{}, {}",
            record.quorum,
            record.builders,
            record.log_quorum > 1 ? fmt::format(", each in {} logs", record.log_quorum) : "",
            record.trust)},
       {"Waited", record.waited < 1 ? "" : human_seconds(record.waited)}});
}

}  // namespace

std::string to_markdown(const PromotionRecord& record) {
  std::string text = fmt::format("## 🌱 nix-seed · **{}**\n\n", status_of(record));
  text += facts_table(record);
  for (const DecidedImage& image : record.images) {
    if (record.images.size() > 1) {
      text += fmt::format("### {}\n\n", code(image.digest, Place::text));
    }
    text +=
        fmt::format("{} of {} builders agree.\n\n", image.tally.counted.size(), record.builders);
    text += builders_table(image.tally);
    text += rejected_table(image.tally.rejected);
  }
  for (const ConflictDetail& detail : record.conflicts) {
    text += conflict_of(detail);
  }
  std::vector<std::string> notices = record.dependences;
  for (const auto& [place, why] : record.unasked) {
    notices.push_back(fmt::format("{} could not be asked: {}", escape(place), escape(why)));
  }
  for (const std::string& left : record.left) {
    notices.push_back("not copied: " + escape(left));
  }
  return text + notices_of(notices) + footer(record.run);
}

std::string to_text(const PromotionRecord& record) {
  std::string text = fmt::format("{}: {}\n", status_of(record), record.artifact);
  for (const DecidedImage& image : record.images) {
    text += lines_of(image, record.builders, record.quorum);
    if (!image.tally.rejected.empty()) {
      text += fmt::format("    {} not counted\n", counted(image.tally.rejected.size(), "bundle"));
    }
  }
  for (const ConflictDetail& detail : record.conflicts) {
    const trust::Conflict& conflict = detail.conflict;
    text += fmt::format("  conflict: {} built {} from commit {}, not {}{}\n",
                        conflict.builder,
                        conflict.other.to_string(),
                        printable(conflict.revision.commit),
                        conflict.artifact.to_string(),
                        conflict.same_closure()  ? "; the store paths are the same"
                        : !detail.unread.empty() ? "; " + printable(detail.unread, 400)
                                                 : "");
    for (const nix::ClosureDifference& path : detail.paths) {
      text += fmt::format("    {}  {}  {}\n",
                          printable(path.path),
                          path.first.empty() ? "absent" : path.first,
                          path.second.empty() ? "absent" : path.second);
    }
  }
  for (const auto& [place, why] : record.unasked) {
    text += fmt::format("  could not be asked: {}: {}\n", place, printable(why, 400));
  }
  for (const TagMove& tag : record.tags) {
    text += fmt::format(
        "  tag  {}{}\n",
        tag.tag,
        tag.before.empty() || tag.before == record.digest ? "" : " (was " + tag.before + ")");
  }
  return text;
}

}  // namespace seed::report
