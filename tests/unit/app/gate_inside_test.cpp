#include <fmt/core.h>

#include "app/gate.hpp"
#include "base/error.hpp"
#include "nix/store_db.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"
#include "support/key_builder.hpp"
#include "trust/attachment.hpp"
#include "unit/image/image_parts.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

const nix::StorePath kLibc = nix::StorePath::from_base_name(std::string(32, 'b') + "-libc-2.36");
const nix::StorePath kZlib = nix::StorePath::from_base_name(std::string(32, 'c') + "-zlib-1.2");

/// A library, and one that needs it.
std::vector<nix::PathInfo> two_paths() {
  return {{kLibc, Digest::of("libc"), 300, {kLibc}}, {kZlib, Digest::of("zlib"), 100, {kLibc}}};
}

/// Keeps what people are told.
class Heard final : public Progress {
 public:
  std::string steps;
  std::string notices;

  void step(std::string_view text) override { steps += fmt::format("{}\n", text); }

  void notice(std::string_view text) override { notices += fmt::format("{}\n", text); }

  void bytes(std::uint64_t, std::uint64_t) override {}

  void output(std::string_view) override {}
};

class NoNetwork final : public http::Transport {
 public:
  http::Response send(const http::Request&) override { throw NetworkError("no network here"); }
};

class StoppedClock final : public Clock {
 public:
  Time now() const override { return Time(std::chrono::seconds(1'767'225'661)); }

  void sleep(std::chrono::milliseconds) override {}
};

/// A container of a seed, with a folder for its `/`, and a registry that has the seed's image.
struct Container {
  os::TempDir temp;
  fs::path root = temp.path() / "root";
  nix::Closure closure = nix::make_closure(two_paths());
  StoppedClock clock;
  Heard progress;
  test::FakeRunner runner;
  NoNetwork transport;
  Journal journal;
  test::KeyBuilder key;
  Gate gate{.mode = VerifyMode::automatic, .policy = std::nullopt, .origin = "a key"};
  std::vector<std::string> arguments;
  std::unique_ptr<oci::Repository> layout = oci::open_layout(temp.path() / "registry");

  Container() {
    write_list(closure.manifest());
    write_store(closure);
    os::atomic_write(
        temp.path() / "root.json",
        R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"})");
    trust::Policy believed;
    believed.keys = {sigstore::PublicKey::parse_pem(key.pem())};
    believed.logs = believed.times = 0;
    gate.policy = believed;
  }

  void write_list(const std::string& text) {
    os::make_dirs(root / "etc/nix-seed");
    os::atomic_write(root / "etc/nix-seed/closure", text);
  }

  void write_store(const nix::Closure& valid) {
    fs::remove_all(root / "nix");
    os::make_dirs(root / "nix/var/nix/db");
    nix::write_store_database(root / "nix/var/nix/db/db.sqlite", valid);
    os::atomic_write(root / "nix/var/nix/db/schema", nix::kStoreSchema);
  }

  /// The container's image, with this closure; names it.
  Digest push(const Digest& of_closure) {
    image::ImageParts parts = image::parts_of(image::kX86, "one");
    parts.closure = of_closure;
    for (const std::string text : {"one", "one own"}) {
      const image::LayerBlob blob = image::blob_of(text);
      layout->put_blob(
          {.media_type = blob.media_type, .digest = blob.digest, .size_bytes = blob.size_bytes},
          std::string_view(text));
    }
    const image::Image made = image::assemble(parts);
    image::push_image(*layout, made);
    arguments = {"--image",
                 fmt::format("{}@{}", layout->name(), made.descriptor.digest.to_string())};
    return made.descriptor.digest;
  }

  void attest(const Digest& artifact, const test::KeyBuilder& by) {
    trust::attach_bundle(*layout,
                         artifact,
                         by.bundle(trust::provenance_statement(
                             {.build_type = std::string(trust::kSeedBuildType),
                              .subjects = {{"seed", artifact}, {"closure", closure.digest()}},
                              .external = {{"system", image::kX86}},
                              .builder = {.id = "https://ci.example.org/builder"}})),
                         clock.now());
  }

  std::string pass() {
    static constexpr std::array kSpecs{
        OptionSpec{"image", "REF", ""}, OptionSpec{"insecure", "", ""}, kTrustedRootOption};
    arguments.insert(arguments.end(), {"--trusted-root", "root.json"});
    return pass_gate_inside({.environment = {},
                             .directory = temp.path(),
                             .self = {},
                             .clock = clock,
                             .progress = progress,
                             .runner = runner,
                             .transport = transport,
                             .journal = journal},
                            Options::parse("build", kSpecs, arguments, {}),
                            gate,
                            image::kX86,
                            root);
  }

  /// "refused: ...", "usage: ...", or "error: ..."
  std::string why_not() {
    try {
      return "passed" + pass();
    } catch (const Error& error) {
      return fmt::format("{}: {}",
                         error.code() == ExitCode::refused ? "refused"
                         : error.code() == ExitCode::usage ? "usage"
                                                           : "error",
                         error.message());
    }
  }
};

std::string why_not(const Container& container, const std::optional<Digest>& expected = {}) {
  try {
    return check_closure(container.root, expected).to_string();
  } catch (const IntegrityError& error) {
    return "refused: " + error.message();
  } catch (const Error& error) {
    return "error: " + error.message();
  }
}

constexpr const char* kChecking = "checking the closure of the seed: ";

}  // namespace

TEST_CASE("a closure is what the image lists, its store has, and its config names") {
  const Container container;
  const std::string digest = container.closure.digest().to_string();
  CHECK(why_not(container) == digest);
  CHECK(why_not(container, container.closure.digest()) == digest);
}

TEST_CASE("a closure that differs in one place is refused for that") {
  Container container;
  const std::string listed = container.closure.digest().to_string();
  const std::string refused = std::string("refused: ") + kChecking;
  SECTION("the config names another") {
    const Digest other = Digest::of("other");
    CHECK(why_not(container, other) == refused + "the image lists the closure " + listed +
                                           ", and its config names " + other.to_string());
  }
  SECTION("the store lacks a path") {
    container.write_store(nix::make_closure({two_paths()[0]}));
    CHECK(why_not(container) ==
          refused + "the image lists " + kZlib.to_string() + ", and its store lacks it");
  }
  SECTION("the store has a path with other content") {
    auto paths = two_paths();
    paths[1].nar_hash = Digest::of("zlib with a backdoor");
    const nix::Closure changed = nix::make_closure(paths);
    container.write_store(changed);
    CHECK(why_not(container) == refused + "the image lists the closure " + listed +
                                    ", and its store has " + changed.digest().to_string());
  }
  SECTION("the list has another order") {
    const std::string text = container.closure.manifest();
    const std::size_t second = text.find('\n') + 1;
    const std::string turned = text.substr(second) + text.substr(0, second);
    container.write_list(turned);
    CHECK(why_not(container) == refused + "the image lists the closure " +
                                    Digest::of(turned).to_string() + ", and its store has " +
                                    listed);
  }
  SECTION("the list leaves out what a listed path refers to") {
    const std::string text = container.closure.manifest();
    container.write_list(text.substr(text.find('\n') + 1));
    CHECK(why_not(container).find(kLibc.to_string()) != std::string::npos);
    CHECK(why_not(container).starts_with("error: "));
  }
  SECTION("the list is no list") {
    container.write_list("sha256:0  /etc/passwd\n");
    CHECK(why_not(container).starts_with("error: "));
  }
  SECTION("there is no list") {
    fs::remove(container.root / "etc/nix-seed/closure");
    CHECK(why_not(container).starts_with(std::string("error: ") + kChecking));
  }
  SECTION("the list is longer than any") {
    fs::resize_file(container.root / "etc/nix-seed/closure", (64 << 20) + 1);
    CHECK(why_not(container).starts_with(std::string("error: ") + kChecking));
  }
  SECTION("there is no store") {
    fs::remove_all(container.root / "nix");
    CHECK(why_not(container).starts_with(std::string("error: ") + kChecking));
  }
}

TEST_CASE("in a container whose image nobody names, the closure alone is checked") {
  Container container;
  const std::string agreed =
      "in the seed's container: its list and its store agree on the closure " +
      container.closure.digest().to_string() + "\n";
  SECTION("and the rest left to the seed job") {
    CHECK(container.pass().empty());
    CHECK(container.progress.steps ==
          agreed +
              "who made the image was for the seed job to check; --image NAME@DIGEST has it "
              "checked here\n");
  }
  SECTION("also where it is named by a tag, which may be moved") {
    container.arguments = {"--image", container.layout->name() + ":latest"};
    CHECK(container.pass().empty());
  }
  SECTION("which is not enough where verification is required") {
    container.gate.mode = VerifyMode::require;
    CHECK(container.why_not() ==
          "usage: --verify require in a container, which can't tell which image it was started "
          "from");
  }
  SECTION("nor anything, where it is off") {
    container.gate.mode = VerifyMode::off;
    fs::remove_all(container.root);
    CHECK(container.pass().empty());
    CHECK(container.progress.steps.empty());
  }
  CHECK(container.progress.notices.empty());
}

TEST_CASE("what contradicts the container's image ends the run; what can't be looked at is said") {
  Container container;
  SECTION("a store that lacks what is listed") {
    container.write_store(nix::make_closure({two_paths()[0]}));
    CHECK(container.why_not().starts_with("refused: checking the closure of the seed: "));
  }
  SECTION("no list: automatic") {
    fs::remove_all(container.root);
    CHECK(container.why_not() == "passed");
    CHECK(container.progress.notices.starts_with(
        "the seed can't be checked from inside its container: checking the closure of the seed: "));
  }
  SECTION("no list: required") {
    fs::remove_all(container.root);
    container.gate.mode = VerifyMode::require;
    CHECK(container.why_not().starts_with("error: checking the closure of the seed: "));
  }
}

TEST_CASE("in a container whose image is named by digest, that image is verified") {
  Container container;
  SECTION("signed by whom the run believes") {
    container.attest(container.push(container.closure.digest()), container.key);
    container.gate.mode = VerifyMode::require;
    CHECK(container.pass() == "made by a key that is believed");
    CHECK(container.progress.steps.find("the container has the closure of that image") !=
          std::string::npos);
  }
  SECTION("signed by somebody else") {
    container.attest(container.push(container.closure.digest()), test::KeyBuilder());
    CHECK(container.why_not().starts_with("refused: the seed is refused: no attestation of oci:"));
  }
  SECTION("signed by nobody, where that is required") {
    container.push(container.closure.digest());
    container.gate.mode = VerifyMode::require;
    CHECK(container.why_not().find("nothing proves who made the seed") != std::string::npos);
  }
  SECTION("of another closure than the container's") {
    const Digest other = Digest::of("other");
    container.attest(container.push(other), container.key);
    CHECK(container.why_not().starts_with("refused: this container has the closure " +
                                          container.closure.digest().to_string() + ", and oci:"));
  }
  SECTION("and not there") {
    container.arguments = {"--image",
                           container.layout->name() + "@" + Digest::of("nothing").to_string()};
    container.gate.mode = VerifyMode::require;
    CHECK(container.why_not().starts_with("usage: --verify require in a container"));
  }
}

}  // namespace seed::app
