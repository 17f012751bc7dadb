#include <nlohmann/json.hpp>

#include "report/decided.hpp"

namespace seed::report {
namespace {

using nlohmann::json;

std::string text(const std::optional<Digest>& digest) {
  return digest ? digest->to_string() : "";
}

json to_json(const ConflictDetail& detail) {
  json paths = json::array();
  for (const nix::ClosureDifference& path : detail.paths) {
    paths.push_back({{"path", path.path}, {"first", path.first}, {"second", path.second}});
  }
  const trust::Conflict& conflict = detail.conflict;
  return {{"builder", conflict.builder},
          {"commit", conflict.revision.commit},
          {"system", conflict.revision.system},
          {"buildType", conflict.revision.build_type},
          {"digest", conflict.artifact.to_string()},
          {"other", conflict.other.to_string()},
          {"closure", text(conflict.closure)},
          {"otherClosure", text(conflict.other_closure)},
          {"sameClosure", conflict.same_closure()},
          {"differing", detail.differing},
          {"paths", paths},
          {"unread", detail.unread}};
}

}  // namespace

std::string to_json(const PromotionRecord& record) {
  json images = json::array();
  for (const DecidedImage& image : record.images) {
    images.push_back(json_of(image));
  }
  json conflicts = json::array();
  for (const ConflictDetail& detail : record.conflicts) {
    conflicts.push_back(to_json(detail));
  }
  json tags = json::array();
  for (const TagMove& tag : record.tags) {
    tags.push_back({{"tag", tag.tag}, {"before", tag.before}});
  }
  json unasked = json::array();
  for (const auto& [place, why] : record.unasked) {
    unasked.push_back({{"place", place}, {"why", why}});
  }
  json timings = json::array();
  for (const Timing& timing : record.timings) {
    timings.push_back({{"step", timing.step}, {"seconds", timing.seconds}});
  }
  return json{{"command", "promote"},
              {"status",
               record.promoted ? "promoted"
               : record.dry    ? "approved"
                               : "refused"},
              {"artifact", record.artifact},
              {"digest", record.digest},
              {"destination", record.destination},
              {"image", record.image()},
              {"trust", record.trust},
              {"quorum", record.quorum},
              {"builders", record.builders},
              {"logQuorum", record.log_quorum},
              {"images", images},
              {"conflicts", conflicts},
              {"dependences", record.dependences},
              {"unasked", unasked},
              {"tags", tags},
              {"referrers", record.referrers},
              {"bytesSent", record.bytes_sent},
              {"left", record.left},
              {"summaryAttestation", record.summary_attestation},
              {"waited", record.waited},
              {"timings", timings},
              {"version", record.run.version},
              {"run", record.run.run_url}}
      .dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace seed::report
