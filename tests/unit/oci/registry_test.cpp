#include "oci/registry.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "support/fake_registry.hpp"
#include "support/repository_contract.hpp"

using namespace seed;
using http::Method;
using test::FakeRegistry;
using test::Fault;

namespace {

struct Rig {
  explicit Rig(FakeRegistry::Options options = {},
               std::optional<oci::Credential> login = std::nullopt)
      : registry(options, clock), retrying(http::with_retries(registry, {}, clock)) {
    credentials.credential = std::move(login);
    repo = open("a/b");
    os::atomic_write(file(), content);
  }

  std::unique_ptr<oci::Repository> open(const std::string& name) {
    return oci::open_registry(oci::Reference::parse("registry.test/" + name),
                              *retrying,
                              credentials,
                              {.chunk_bytes = 65'536, .clock = &clock});
  }

  std::filesystem::path file() const { return folder.path() / "blob"; }

  void store() { registry.repos["a/b"].blobs[blob.digest.to_string()] = content; }

  bool stored() { return registry.repos["a/b"].blobs[blob.digest.to_string()] == content; }

  long count(const std::string& prefix) const {
    const auto log = registry.log();
    return std::count_if(
        log.begin(), log.end(), [&](const auto& line) { return line.starts_with(prefix); });
  }

  test::FakeClock clock;
  test::FakeCredentials credentials;
  FakeRegistry registry;
  std::unique_ptr<http::Transport> retrying;
  os::TempDir folder;
  std::string content = test::pattern(300'000);
  oci::Descriptor blob = oci::describe(oci::kLayerZstdType, content);
  std::unique_ptr<oci::Repository> repo;
};

const oci::Credential kLogin{
    .user = FakeRegistry::kUser, .password = FakeRegistry::kPassword, .identity_token = {}};
const oci::Credential kIdentity{
    .user = {}, .password = {}, .identity_token = FakeRegistry::kIdentityToken};
constexpr const char* kBlobs = "/blobs/sha256";
constexpr const char* kUploads = "/blobs/uploads/upload";

template <class Failing, class Step>
std::string message_of(Step&& step) {
  try {
    step();
  } catch (const Failing& error) {
    return error.message() + " | " + error.hint();
  }
  return "no error";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an upload goes through whatever breaks once") {
  for (const Fault fault : {Fault::unavailable,
                            Fault::rate_limited,
                            Fault::server_error,
                            Fault::unauthorized,
                            Fault::too_large,
                            Fault::dropped}) {
    CAPTURE(static_cast<int>(fault));
    Rig rig({.auth = FakeRegistry::Auth::bearer}, kLogin);
    rig.registry.inject(fault, Method::put, kUploads);
    CHECK(rig.repo->put_blob(rig.blob, rig.file()) == oci::Pushed::sent);
    CHECK(rig.stored());
  }
}

TEST_CASE("an upload that was cut off goes on in chunks from where the registry got to") {
  Rig rig;
  rig.registry.inject(Fault::dropped, Method::put, kUploads);
  rig.registry.inject(Fault::dropped, Method::patch, kUploads, 2);
  rig.repo->put_blob(rig.blob, rig.file());
  CHECK(rig.stored());
  CHECK(rig.count("POST") == 1);
  // 150000 of 300000 came; two chunks of 65536 were halved: 84464 bytes more in two chunks.
  CHECK(rig.count("PATCH") == 4);
}

TEST_CASE("a chunk is as large as the registry asks for") {
  Rig rig({.min_chunk_bytes = 100'000});
  rig.registry.inject(Fault::too_large, Method::put, kUploads);
  rig.repo->put_blob(rig.blob, rig.file());
  CHECK(rig.count("PATCH") == 3);
  CHECK(rig.stored());
}

TEST_CASE("an upload that never works ends with the registry's own words") {
  Rig rig;
  rig.registry.inject(Fault::dropped, Method::put, kUploads, 1000);
  rig.registry.inject(Fault::dropped, Method::patch, kUploads, 1000);
  CHECK_FALSE(message_of<NetworkError>([&] { rig.repo->put_blob(rig.blob, rig.file()); }) ==
              "no error");
  Rig denied;
  denied.registry.inject(Fault::forbidden, Method::post, "/uploads/");
  CHECK(message_of<NetworkError>([&] { denied.repo->put_blob(denied.blob, denied.file()); }) ==
        "registry.test answers 403 (DENIED: permission_denied: write_package) to "
        "https://registry.test/v2/a/b/blobs/uploads/ | 'docker login registry.test' with an "
        "account that may push there");
}

TEST_CASE("trying to push says what pushing would meet, and gives its upload up") {
  Rig rig;
  rig.repo->check_push();
  CHECK(rig.count("POST /v2/a/b/blobs/uploads/") == 1);
  CHECK(rig.count("DELETE /v2/a/b/blobs/uploads/") == 1);
  CHECK(rig.count("PUT") == 0);
  Rig denied;
  denied.registry.inject(Fault::forbidden, Method::post, "/uploads/");
  CHECK(message_of<NetworkError>([&] {
          denied.repo->check_push();
        }).find("DENIED: permission_denied: write_package") != std::string::npos);
  Rig keeps;
  keeps.registry.inject(Fault::forbidden, Method::del, "/uploads/");
  CHECK_NOTHROW(keeps.repo->check_push());
}

TEST_CASE("a blob of another repository is mounted where the registry can, else sent") {
  for (const bool mount : {true, false}) {
    Rig rig({.auth = FakeRegistry::Auth::bearer, .mount = mount}, kLogin);
    rig.registry.repos["c/d"].blobs[rig.blob.digest.to_string()] = rig.content;
    CHECK(rig.repo->put_blob(rig.blob, rig.file(), "c/d") ==
          (mount ? oci::Pushed::mounted : oci::Pushed::sent));
    CHECK(rig.stored());
    // What declined to mount is the upload that goes on.
    CHECK(rig.count("POST") == 1);
  }
}

TEST_CASE("a read goes on where the connection broke, and is verified") {
  for (const bool redirect : {false, true}) {
    Rig rig({.redirect_blobs = redirect});
    rig.store();
    rig.registry.inject(Fault::truncated_body, Method::get, redirect ? "storage.test" : kBlobs, 3);
    CHECK(test::read_blob(*rig.repo, rig.blob) == rig.content);
    CHECK(test::read_range(*rig.repo, rig.blob, 1000, 200'000) ==
          rig.content.substr(1000, 200'000));
  }
}

TEST_CASE("a blob that is not what its digest says is refused, with both digests") {
  for (const Fault fault :
       {Fault::short_body, Fault::wrong_bytes, Fault::long_body, Fault::endless_body}) {
    CAPTURE(static_cast<int>(fault));
    Rig rig;
    rig.store();
    rig.registry.inject(fault, Method::get, kBlobs);
    std::uint64_t seen = 0;
    const std::string message = message_of<IntegrityError>(
        [&] { rig.repo->get_blob(rig.blob, [&](ByteView chunk) { seen += chunk.size(); }); });
    CHECK(contains(message, rig.blob.digest.to_string()));
    const std::size_t first = message.find("sha256:");
    CHECK(message.find("sha256:", first + 1) != std::string::npos);
    CHECK(seen <= rig.content.size());
  }
}

TEST_CASE("storage behind a redirect never sees our login") {
  Rig rig({.auth = FakeRegistry::Auth::bearer, .redirect_blobs = true}, kLogin);
  rig.store();
  CHECK(test::read_blob(*rig.repo, rig.blob) == rig.content);
  for (const auto& request : rig.registry.requests()) {
    if (contains(request.url, "storage.test")) {
      CHECK_FALSE(request.headers.get("Authorization"));
    }
  }
  CHECK(rig.count("GET /sha256") == 1);
}

TEST_CASE("tokens are fetched once a scope and renewed before they end") {
  for (const auto& login : {kLogin, kIdentity}) {
    Rig rig({.auth = FakeRegistry::Auth::bearer, .token_lifetime_s = 60}, login);
    rig.store();
    const auto tokens = [&] { return rig.count("GET /token") + rig.count("POST /token"); };
    CHECK(rig.repo->has_blob(rig.blob));
    CHECK(rig.repo->has_blob(rig.blob));
    CHECK(tokens() == 1);
    rig.clock.advance(std::chrono::seconds(55));
    CHECK(rig.repo->has_blob(rig.blob));
    CHECK(tokens() == 2);
    rig.repo->put_blob(oci::describe("text/plain", "x"), std::string_view("x"));
    CHECK(tokens() == 3);
    // The 401 that told us the realm was the only one.
    CHECK(rig.registry.requests().front().headers.get("Authorization") == std::nullopt);
  }
}

TEST_CASE("a refused login is told without the login") {
  Rig rig({.auth = FakeRegistry::Auth::bearer},
          oci::Credential{.user = "ada", .password = "wrong-word", .identity_token = {}});
  const std::string message =
      message_of<NetworkError>([&] { rig.repo->get_manifest(std::string("x")); });
  CHECK(contains(message, "gives no token for repository:a/b:pull: 401 UNAUTHORIZED"));
  CHECK(contains(message, "docker login registry.test"));
  CHECK_FALSE(contains(message, "wrong-word"));
  CHECK_FALSE(contains(message, "YWRhOndyb25nLXdvcmQ="));  // ada:wrong-word
}

TEST_CASE("an anonymous push is told to log in") {
  Rig rig({.auth = FakeRegistry::Auth::bearer});
  const std::string message =
      message_of<NetworkError>([&] { rig.repo->put_blob(rig.blob, rig.file()); });
  CHECK(contains(message, "registry.test answers 401"));
  CHECK(contains(message, "'docker login registry.test' with an account that may push there"));
}

TEST_CASE("a manifest with other bytes than its digest is refused") {
  Rig rig;
  auto& stored = rig.registry.repos["a/b"];
  const std::string bytes = oci::to_json(test::sample_manifest(*rig.repo, "x"));
  const auto manifest = rig.repo->put_manifest(oci::kManifestType, bytes, "t");
  const std::string get = "/manifests/";
  for (const oci::Target& target : {oci::Target("t"), oci::Target(manifest.digest)}) {
    rig.registry.inject(Fault::wrong_bytes, Method::get, get);
    CHECK_THROWS_AS(rig.repo->get_manifest(target), IntegrityError);
    rig.registry.inject(Fault::endless_body, Method::get, get);
    CHECK_THROWS_AS(rig.repo->get_manifest(target), NetworkError);
  }
  stored.manifests.at(manifest.digest.to_string()).type = oci::kIndexType;
  CHECK(contains(message_of<IntegrityError>([&] { rig.repo->get_manifest(std::string("t")); }),
                 "is sent as application/vnd.oci.image.index.v1+json and says it is "
                 "application/vnd.oci.image.manifest.v1+json"));
}

TEST_CASE("a tag that another job takes between write and read is a conflict") {
  Rig rig;
  const std::string ours = oci::to_json(test::sample_manifest(*rig.repo, "ours"));
  const auto theirs = rig.repo->put_manifest(
      oci::kManifestType, oci::to_json(test::sample_manifest(*rig.repo, "theirs")), {});
  rig.registry.after = [&](const std::string& line) {
    if (line == "PUT /v2/a/b/manifests/tag") {
      rig.registry.repos["a/b"].tags["tag"] = theirs.digest.to_string();
    }
  };
  CHECK_THROWS_AS(rig.repo->put_manifest(oci::kManifestType, ours, "tag"), IntegrityError);
}

TEST_CASE("an entry that a slower writer took out of a fallback tag is put in again") {
  Rig rig({.referrers_api = false});
  const auto subject = rig.repo->put_manifest(
      oci::kManifestType, oci::to_json(test::sample_manifest(*rig.repo, "s")), "s");
  const auto referrer = [&](const std::string& text) {
    oci::Manifest manifest = test::sample_manifest(*rig.repo, text);
    manifest.subject = subject;
    return manifest;
  };
  const auto first = rig.repo->put_referrer(referrer("first"));
  const std::string tag = "sha256-" + subject.digest.hex();
  oci::Index slow;
  slow.manifests = {rig.repo->put_manifest(
      oci::kManifestType, oci::to_json(test::sample_manifest(*rig.repo, "slow")), std::nullopt)};
  bool lost = false;
  // It has read the index when that was empty, and writes after we have seen the first entry.
  rig.registry.after = [&](const std::string& line) {
    if (line == "PUT /v2/a/b/manifests/" + tag && !lost) {
      lost = true;
      const std::string bytes = oci::to_json(slow);
      const std::string digest = Digest::of(bytes).to_string();
      rig.registry.repos["a/b"].manifests[digest] = {std::string(oci::kIndexType), bytes};
      rig.registry.repos["a/b"].tags[tag] = digest;
    }
  };
  const auto second = rig.repo->put_referrer(referrer("second"));
  std::set<Digest> listed;
  for (const auto& entry : rig.repo->list_referrers(subject.digest).entries) {
    listed.insert(entry.digest);
  }
  CHECK(listed == std::set{first.digest, second.digest, slow.manifests[0].digest});
}

TEST_CASE("a list with an entry that is gone can be written to") {
  Rig rig({.referrers_api = false});
  const auto subject = rig.repo->put_manifest(
      oci::kManifestType, oci::to_json(test::sample_manifest(*rig.repo, "s")), "s");
  oci::Manifest manifest = test::sample_manifest(*rig.repo, "first");
  manifest.subject = subject;
  const auto first = rig.repo->put_referrer(manifest);
  rig.registry.repos["a/b"].manifests.erase(first.digest.to_string());
  manifest = test::sample_manifest(*rig.repo, "second");
  manifest.subject = subject;
  const auto second = rig.repo->put_referrer(manifest);
  const auto listed = rig.repo->list_referrers(subject.digest).entries;
  REQUIRE(listed.size() == 1);
  CHECK(listed.front().digest == second.digest);
}

TEST_CASE("a lone writer of a fallback tag waits once") {
  Rig rig({.referrers_api = false});
  oci::Manifest manifest = test::sample_manifest(*rig.repo, "ours");
  manifest.subject = rig.repo->put_manifest(
      oci::kManifestType, oci::to_json(test::sample_manifest(*rig.repo, "s")), "s");
  rig.repo->put_referrer(manifest);
  CHECK(rig.clock.sleeps().size() == 1);
  rig.repo->put_referrer(manifest);  // is listed already
  CHECK(rig.clock.sleeps().size() == 1);
}

TEST_CASE("who says what refers to an image is told") {
  const Digest nothing = Digest::of("nothing");
  CHECK(Rig({.referrers_api = true}).repo->list_referrers(nothing).source == "referrers API");
  CHECK(Rig({.referrers_api = false}).repo->list_referrers(nothing).source == "referrers tag");
}

TEST_CASE("racing writers of a fallback tag all stay listed") {
  Rig rig({.referrers_api = false});
  const auto subject = rig.repo->put_manifest(
      oci::kManifestType, oci::to_json(test::sample_manifest(*rig.repo, "s")), "s");
  oci::Manifest ours = test::sample_manifest(*rig.repo, "ours");
  ours.subject = subject;
  oci::Index theirs;
  theirs.manifests = {subject};
  const std::string tag = "sha256-" + subject.digest.hex();
  int losses = 3;
  // The other writer has read the index before we wrote it, and overwrites it.
  rig.registry.after = [&](const std::string& line) {
    if (line == "PUT /v2/a/b/manifests/" + tag && losses-- > 0) {
      const std::string bytes = oci::to_json(theirs);
      const std::string digest = Digest::of(bytes).to_string();
      rig.registry.repos["a/b"].manifests[digest] = {std::string(oci::kIndexType), bytes};
      rig.registry.repos["a/b"].tags[tag] = digest;
    }
  };
  const auto pushed = rig.repo->put_referrer(ours);
  const auto listed = rig.repo->referrers(subject.digest, "");
  REQUIRE(listed.size() == 2);
  CHECK(listed.at(0).digest == subject.digest);
  CHECK(listed.at(1).digest == pushed.digest);
}
