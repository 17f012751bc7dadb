#include "report/verdict.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::report {
namespace {

using test::golden;

const Digest kImage = Digest::of("image");

/// One of two builders attests the image; the other's bundle is for something else.
VerdictRecord refused() {
  trust::Tally tally;
  tally.counted = {{.name = "ada",
                    .signer = "https://ci.example.org/ada",
                    .bundles = {Digest::of("ada")},
                    .operators = {"log.example.org"},
                    .time = Time(std::chrono::seconds(1'795'191'201))}};
  tally.missing = {{"bob", "it attests other artifacts only"}};
  tally.rejected = {{Digest::of("bob"), "ghcr.io/acme/app", "bob", "it is about something else"},
                    {Digest::of("garbage"), "ghcr.io/acme/app", "", "not JSON\nat byte 0"}};
  return {.digest = kImage.to_string(),
          .standing = trust::Standing::unknown,
          .trust = "credulous",
          .quorum = 2,
          .builders = 2,
          .log_quorum = 1,
          .images = {{.digest = kImage.to_string(),
                      .approved = false,
                      .tally = tally,
                      .reasons = {"1 of 2 builders attest it, and 2 have to"}}},
          .looked = {{.where = "ghcr.io/acme/app", .how = "referrers API", .found = 3},
                     {.where = "api.github.com", .how = "API", .failure = "it gives 503"}},
          .ignored = {{.what = "sha256:1234", .why = "it is a signature alone"}}};
}

}  // namespace

TEST_CASE("a verdict by quorum has each builder, each bundle that does not count, and why") {
  CHECK(golden("report/verdict-quorum.json", to_json(refused()) + "\n"));
  CHECK(golden("report/verdict-quorum.txt", to_text(refused())));
}

}  // namespace seed::report
