#include "report/promotion.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::report {
namespace {

using test::golden;

const Digest kImage = Digest::of("image");
const Digest kOther = Digest::of("other image");

/// Four of five builders agree, and the fifth built other bytes.
PromotionRecord promoted() {
  const trust::Conflict conflict{.builder = "eve",
                                 .revision = {std::string(40, 'c'), "seed-v1", "x86_64-linux"},
                                 .artifact = kImage,
                                 .other = kOther,
                                 .closure = Digest::of("closure"),
                                 .other_closure = Digest::of("other closure")};
  trust::Tally tally;
  for (const char* name : {"ada", "bob", "cyd", "dan"}) {
    tally.counted.push_back({.name = name,
                             .signer = std::string("https://ci.example.org/") + name,
                             .bundles = {Digest::of(name)},
                             .operators = {"log.example.org"},
                             .time = Time(std::chrono::seconds(1'795'191'201))});
  }
  tally.missing = {{"eve", "it built " + kOther.to_string() + " from commit cccc"}};
  tally.rejected = {{Digest::of("garbage"), "ghcr.io/acme/build", "", "not JSON | at byte 0"}};
  tally.conflicts = {conflict};
  PromotionRecord record;
  record.promoted = true;
  record.artifact = "ghcr.io/acme/build@" + kImage.to_string();
  record.digest = kImage.to_string();
  record.destination = "ghcr.io/acme/app";
  record.trust = "credulous";
  record.quorum = 4;
  record.builders = 5;
  record.log_quorum = 1;
  record.images = {{.digest = kImage.to_string(), .approved = true, .tally = tally}};
  record.conflicts = {
      {.conflict = conflict,
       .paths = {{"/nix/store/00000000000000000000000000000000-app", "sha256:aa", "sha256:bb"},
                 {"/nix/store/11111111111111111111111111111111-lib", "", "sha256:cc"}},
       .differing = 2}};
  record.dependences = {"ada and bob are not independent: they have one jurisdiction, FR"};
  record.tags = {{"v1", ""}, {"latest", kOther.to_string()}};
  record.referrers = 5;
  record.bytes_sent = 1234;
  record.waited = 42;
  record.timings = {{"gather and verify", 42.5}, {"copy, verify again and tag", 1.5}};
  record.run = {.version = "1.2.3", .run_url = "https://ci.example.org/1"};
  return record;
}

PromotionRecord refused() {
  PromotionRecord record = promoted();
  record.promoted = false;
  record.quorum = 5;
  record.conflicts.clear();
  record.tags.clear();
  record.images.front().approved = false;
  record.images.front().tally.missing = {{"eve", "there is no attestation of it"}};
  record.images.front().tally.conflicts.clear();
  record.images.front().reasons = {"4 of 5 builders attest it, and 5 have to",
                                   "eve: there is no attestation of it"};
  record.unasked = {{"registry.example.org/eve/build", "connection refused"}};
  return record;
}

}  // namespace

TEST_CASE("a promotion with a conflict is told in Markdown, JSON and text") {
  CHECK(golden("report/promotion-promoted.md", to_markdown(promoted())));
  CHECK(golden("report/promotion-promoted.json", to_json(promoted()) + "\n"));
  CHECK(golden("report/promotion-promoted.txt", to_text(promoted())));
}

TEST_CASE("a refused promotion names who is missing, and which place did not answer") {
  CHECK(golden("report/promotion-refused.md", to_markdown(refused())));
  CHECK(golden("report/promotion-refused.json", to_json(refused()) + "\n"));
  CHECK(golden("report/promotion-refused.txt", to_text(refused())));
}

TEST_CASE("words of outside origin turn nothing on in a promotion's summary") {
  PromotionRecord record = promoted();
  record.images.front().tally.rejected.front().from = "a|b <img src=x> `c`\n# title";
  const std::string text = to_markdown(record);
  CHECK(text.find("<img") == std::string::npos);
  CHECK(text.find("\n# title") == std::string::npos);
}

}  // namespace seed::report
