#include "report/decided.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::report {
namespace {

using nlohmann::json;

json digests(const std::vector<Digest>& list) {
  json values = json::array();
  for (const Digest& digest : list) {
    values.push_back(digest.to_string());
  }
  return values;
}

}  // namespace

DecidedImage decided(const Digest& artifact, const trust::Decision& decision) {
  const auto* refusal = std::get_if<trust::QuorumRefusal>(&decision);
  return {.digest = artifact.to_string(),
          .approved = refusal == nullptr,
          .tally = trust::tally_of(decision),
          .reasons = refusal == nullptr ? std::vector<std::string>{} : refusal->reasons};
}

json json_of(const DecidedImage& image) {
  json counted = json::array();
  for (const trust::CountedBuilder& one : image.tally.counted) {
    counted.push_back({{"builder", one.name},
                       {"signer", one.signer},
                       {"bundles", digests(one.bundles)},
                       {"logs", one.operators},
                       {"time", one.time ? sigstore::to_rfc3339(*one.time) : ""}});
  }
  json missing = json::array();
  for (const trust::MissingBuilder& one : image.tally.missing) {
    missing.push_back({{"builder", one.name}, {"why", one.why}});
  }
  json rejected = json::array();
  for (const trust::RejectedBundle& one : image.tally.rejected) {
    rejected.push_back({{"bundle", one.bundle.to_string()},
                        {"from", one.from},
                        {"builder", one.builder},
                        {"why", one.why}});
  }
  return {{"digest", image.digest},
          {"approved", image.approved},
          {"reasons", image.reasons},
          {"counted", counted},
          {"missing", missing},
          {"rejected", rejected}};
}

std::string lines_of(const DecidedImage& image, std::size_t builders, unsigned quorum) {
  std::string text = fmt::format("  {}: {} of {} builders agree, {} have to\n",
                                 image.digest,
                                 image.tally.counted.size(),
                                 builders,
                                 quorum);
  for (const trust::CountedBuilder& one : image.tally.counted) {
    text += fmt::format("    yes  {}  {}\n", one.name, printable(one.signer));
  }
  for (const trust::MissingBuilder& one : image.tally.missing) {
    text += fmt::format("    no   {}: {}\n", one.name, printable(one.why, 400));
  }
  return text;
}

}  // namespace seed::report
