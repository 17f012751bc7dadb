#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include "http/http.hpp"
#include "oci/credentials.hpp"
#include "oci/layout.hpp"
#include "oci/registry.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/repository_contract.hpp"

namespace seed::oci {
namespace {

constexpr int kWriters = 10;

Manifest referrer(Repository& repository, const Descriptor& subject, int number) {
  Manifest manifest = test::sample_manifest(repository, fmt::format("statement {}", number));
  manifest.artifact_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
  manifest.subject = subject;
  return manifest;
}

/// Ten processes attach to one subject, all let go at the same moment. `open` is called in each.
void race(const std::function<std::unique_ptr<Repository>()>& open) {
  const auto repository = open();
  const Descriptor subject = repository->put_manifest(
      kManifestType, to_json(test::sample_manifest(*repository, "subject")), std::nullopt);
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  std::vector<pid_t> writers;
  for (int number = 0; number < kWriters; ++number) {
    const pid_t writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      int code = 1;
      try {
        const auto own = open();
        const Manifest manifest = referrer(*own, subject, number);
        ::close(gate[1]);
        char byte = 0;
        if (::read(gate[0], &byte, 1) == 0) {  // the end of the pipe: everyone is ready
          own->put_referrer(manifest);
          code = 0;
        }
      } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
      }
      ::_exit(code);
    }
    writers.push_back(writer);
  }
  ::sleep(1);
  ::close(gate[1]);
  ::close(gate[0]);
  for (const pid_t writer : writers) {
    int status = 1;
    REQUIRE(::waitpid(writer, &status, 0) == writer);
    CHECK(status == 0);
  }
  std::set<Digest> expected;
  for (int number = 0; number < kWriters; ++number) {
    expected.insert(Digest::of(to_json(referrer(*repository, subject, number))));
  }
  std::set<Digest> listed;
  for (const Descriptor& entry : repository->list_referrers(subject.digest).entries) {
    CHECK(entry.artifact_type == "application/vnd.dev.sigstore.bundle.v0.3+json");
    listed.insert(entry.digest);
  }
  CHECK(listed == expected);
}

}  // namespace

TEST_CASE("ten processes that attach at once to an image of a directory lose nothing") {
  const os::TempDir folder;
  race([&] { return open_layout(folder.path() / "layout"); });
}

/// NIX_SEED_TEST_REGISTRY=HOST:PORT[/PREFIX]
TEST_CASE("ten processes that attach at once to an image of a real registry lose nothing") {
  const char* where = std::getenv("NIX_SEED_TEST_REGISTRY");
  if (where == nullptr || *where == '\0') {
    std::cout << "skipped: real registry; NIX_SEED_TEST_REGISTRY is not set\n";
    return;
  }

  struct Open {
    os::SystemClock clock;
    os::SystemRunner runner;
    std::unique_ptr<http::Transport> curl = http::curl_transport({});
    std::unique_ptr<http::Transport> transport = http::with_retries(*curl, {}, clock);
    std::unique_ptr<CredentialSource> credentials =
        file_credentials(os::current_environment(), runner);
  };

  std::vector<std::unique_ptr<Open>> opened;
  const std::string name = fmt::format("{}/race", where);
  race([&] {
    const Open& open = *opened.emplace_back(std::make_unique<Open>());
    return open_registry(Reference::parse(name), *open.transport, *open.credentials, {});
  });
}

}  // namespace seed::oci
