#include "support/repository_contract.hpp"

#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include <fmt/core.h>

#include "oci/layout.hpp"
#include "oci/registry.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "support/fake_registry.hpp"

using namespace seed;
using test::ContractSubject;
using test::FakeRegistry;

namespace {

struct Faked {
  explicit Faked(FakeRegistry::Options options, std::optional<oci::Credential> credential = {})
      : registry(options, clock) {
    credentials.credential = std::move(credential);
  }

  ContractSubject subject() {
    const auto open = [&](const std::string& name) {
      return oci::open_registry(
          oci::Reference::parse("registry.test/" + name), registry, credentials, {.clock = &clock});
    };
    ++count;
    const std::string other = fmt::format("other/r{}", count);
    return {open(fmt::format("main/r{}", count)), open(other), other};
  }

  test::FakeClock clock;
  test::FakeCredentials credentials;
  FakeRegistry registry;
  int count = 0;
};

const oci::Credential kLogin{
    .user = FakeRegistry::kUser, .password = FakeRegistry::kPassword, .identity_token = {}};

}  // namespace

TEST_CASE("a registry with every feature keeps the repository contract") {
  Faked faked({});
  test::check_repository_contract([&] { return faked.subject(); });
}

TEST_CASE("a registry like GHCR keeps the repository contract") {
  Faked faked({.auth = FakeRegistry::Auth::bearer,
               .referrers_api = false,
               .mount = false,
               .redirect_blobs = true,
               .page_size = 2},
              kLogin);
  test::check_repository_contract([&] { return faked.subject(); });
}

TEST_CASE("a registry with basic auth, no ranges, no digests and false referrers keeps it") {
  Faked faked({.auth = FakeRegistry::Auth::basic,
               .false_referrers = true,
               .digest_headers = false,
               .absolute_location = true,
               .ranges = false,
               .page_size = 1},
              kLogin);
  test::check_repository_contract([&] { return faked.subject(); });
}

TEST_CASE("an image layout directory keeps the repository contract") {
  std::vector<os::TempDir> folders;
  test::check_repository_contract([&]() -> ContractSubject {
    folders.emplace_back();
    return {oci::open_layout(folders.back().path() / "layout"), nullptr, {}};
  });
}

/// NIX_SEED_TEST_REGISTRY=HOST:PORT[/PREFIX]; logins are found as the program finds them.
TEST_CASE("a real registry keeps the repository contract") {
  const char* where = std::getenv("NIX_SEED_TEST_REGISTRY");
  if (where == nullptr || *where == '\0') {
    std::cout << "skipped: real registry; NIX_SEED_TEST_REGISTRY is not set\n";
    return;
  }
  os::SystemClock clock;
  os::SystemRunner runner;
  const auto curl = http::curl_transport({});
  const auto transport = http::with_retries(*curl, {}, clock);
  const auto credentials = oci::file_credentials(os::current_environment(), runner);
  int count = 0;
  test::check_repository_contract([&]() -> ContractSubject {
    const auto stamp =
        fmt::format("{}-{}-{}", clock.now().time_since_epoch().count(), ::getpid(), ++count);
    const auto open = [&](const std::string& name) {
      return oci::open_registry(
          oci::Reference::parse(fmt::format("{}/{}", where, name)), *transport, *credentials, {});
    };
    const std::string other = "other-" + stamp;
    const std::string prefix(std::string_view(where).substr(
        std::min(std::string_view(where).find('/'), std::string_view(where).size())));
    const std::string other_name = prefix.empty() ? other : prefix.substr(1) + "/" + other;
    return {open("main-" + stamp), open(other), other_name};
  });
}
