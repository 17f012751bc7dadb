#include "trust/log_state.hpp"

#include "base/error.hpp"
#include "oci/registry.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"

namespace seed::trust {
TEST_CASE("the state of logs is read from a registry as it was written there") {
  test::FakeClock clock;
  test::FakeCredentials credentials;
  test::FakeRegistry fake({}, clock);
  const auto repository = oci::open_registry(
      oci::Reference::parse("registry.test/acme/logs"), fake, credentials, {.clock = &clock});
  CHECK_FALSE(read_log_state(*repository, "checkpoints"));
  const sigstore::LogState first{{"log.example.org", "a note\n"}};
  write_log_state(*repository, "checkpoints", first);
  CHECK(read_log_state(*repository, "checkpoints") == first);
  const sigstore::LogState second{{"log.example.org", "a later note\n"}, {"other", "note\n"}};
  write_log_state(*repository, "checkpoints", second);
  CHECK(read_log_state(*repository, "checkpoints") == second);
  CHECK_FALSE(read_log_state(*repository, "other"));
}

TEST_CASE("a tag that names something else is no state of logs") {
  test::FakeClock clock;
  test::FakeCredentials credentials;
  test::FakeRegistry fake({}, clock);
  const auto repository = oci::open_registry(
      oci::Reference::parse("registry.test/acme/logs"), fake, credentials, {.clock = &clock});
  const auto blob = oci::describe("application/octet-stream", "content");
  repository->put_blob(blob, std::string_view("content"));
  repository->put_manifest(
      oci::kManifestType, oci::to_json(oci::Manifest{.config = blob, .layers = {blob}}), "v1");
  CHECK_THROWS_WITH(read_log_state(*repository, "v1"),
                    "registry.test/acme/logs:v1 is no state of logs");
}

}  // namespace seed::trust
