#include "report/verdict.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "report/decided.hpp"

namespace seed::report {

using nlohmann::json;

std::string to_json(const VerdictRecord& record) {
  json images = json::array();
  for (const DecidedImage& image : record.images) {
    images.push_back(json_of(image));
  }
  json looked = json::array();
  for (const trust::Looked& place : record.looked) {
    looked.push_back({{"where", place.where},
                      {"how", place.how},
                      {"found", place.found},
                      {"failure", place.failure}});
  }
  json ignored = json::array();
  for (const trust::Ignored& one : record.ignored) {
    ignored.push_back({{"what", one.what}, {"why", one.why}});
  }
  return json{{"artifact", record.digest},
              {"standing", trust::to_string(record.standing)},
              {"trust", record.trust},
              {"quorum", record.quorum},
              {"builders", record.builders},
              {"logQuorum", record.log_quorum},
              {"images", images},
              {"looked", looked},
              {"ignored", ignored}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string to_text(const VerdictRecord& record) {
  constexpr std::size_t kReasonBytes = 400;
  std::string text;
  for (const DecidedImage& image : record.images) {
    text += lines_of(image, record.builders, record.quorum);
    for (const trust::RejectedBundle& one : image.tally.rejected) {
      text += fmt::format("    bundle {} from {} does not count{}: {}\n",
                          one.bundle.to_string(),
                          printable(one.from),
                          one.builder.empty() ? "" : " for " + one.builder,
                          printable(one.why, kReasonBytes));
    }
  }
  for (const trust::Looked& place : record.looked) {
    if (!place.failure.empty()) {
      text += fmt::format("  could not be asked: {}: {}\n",
                          printable(place.where),
                          printable(place.failure, kReasonBytes));
    }
  }
  return text;
}

}  // namespace seed::report
