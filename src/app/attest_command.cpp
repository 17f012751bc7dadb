#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/github_keeping.hpp"
#include "app/project.hpp"
#include "app/publish_report.hpp"
#include "app/signing.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"
#include "trust/attachment.hpp"
#include "trust/provenance.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array kOptions{
    OptionSpec{"predicate", "FILE", "what is said of it: a JSON object"},
    OptionSpec{"type", "TYPE", "of the predicate: a URI, or a name such as spdx or cyclonedx"},
    OptionSpec{"statement", "FILE", "the whole in-toto statement, in place of a predicate"},
    OptionSpec{"bundle", "FILE", "write the bundle here as well; needed for a file"},
    kSigningKeyOption,
    kSignerOption,
    kRekorOption,
    kTrustedRootOption,
    kSigningConfigOption,
    kGithubAttestationsOption,
    OptionSpec{"insecure", "", "speak plain http to the registry"},
};

/// What a statement is to be about.
struct Object {
  std::string name;
  Digest digest;
  std::optional<OpenRepository> open;  ///< absent: a file
};

/// The names that cosign has for predicate types, so that nobody has to know two.
std::string type_of(const std::string& word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNames{{
      {"slsaprovenance1", "https://slsa.dev/provenance/v1"},
      {"spdx", "https://spdx.dev/Document"},
      {"spdxjson", "https://spdx.dev/Document"},
      {"cyclonedx", "https://cyclonedx.org/bom"},
      {"link", "https://in-toto.io/Link/v1"},
      {"vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"},
      {"openvex", "https://openvex.dev/ns"},
      {"custom", "https://cosign.sigstore.dev/attestation/v1"},
  }};
  for (const auto& [name, uri] : kNames) {
    if (word == name) {
      return std::string(uri);
    }
  }
  if (word.find("://") == word.npos) {
    throw UsageError(
        fmt::format("--type is '{}'", printable(word)),
        "give a URI, or slsaprovenance1, spdx, cyclonedx, link, vuln, openvex, custom");
  }
  return word;
}

Digest digest_of_file(const fs::path& path) {
  Sha256 hash;
  os::File file = os::File::open_read(path);
  std::vector<std::byte> buffer(1 << 20);
  while (const std::size_t size = file.read(buffer)) {
    hash.update(ByteView(buffer).first(size));
  }
  return hash.finish();
}

Object find_object(const World& world, const Options& options, const std::string& named) {
  const fs::path path = world.directory / named;
  std::error_code code;
  if (fs::is_regular_file(path, code)) {
    if (!options.get("bundle")) {
      throw UsageError(fmt::format("attest: {} is a file, and nothing says where its bundle goes",
                                   printable(named)),
                       "add --bundle FILE");
    }
    return {path.filename().string(), digest_of_file(path), std::nullopt};
  }
  OpenRepository open = open_repository(world, options, named);
  const oci::Target target = open.reference.digest()
                                 ? oci::Target(*open.reference.digest())
                                 : oci::Target(open.reference.tag().value_or("latest"));
  const auto manifest = while_doing("looking for " + open.reference.to_string(),
                                    [&] { return open.repository->head_manifest(target); });
  if (!manifest) {
    throw UsageError(fmt::format("there is neither a file nor an image {}", printable(named)),
                     "name a file, HOST/NAME:TAG or HOST/NAME@sha256:DIGEST");
  }
  std::string name = open.repository->name();
  return {std::move(name), manifest->digest, std::move(open)};
}

std::string read_text(const World& world, std::string_view option, const std::string& file) {
  return while_doing(fmt::format("reading --{} {}", option, printable(file)), [&] {
    return os::read_file(world.directory / file, sigstore::kMaxStatementBytes);
  });
}

/// Somebody else's statement is signed as it is, once it is one about this very object.
std::string given_statement(const World& world, const std::string& file, const Object& object) {
  std::string text = read_text(world, "statement", file);
  const sigstore::Statement statement = while_doing(
      "reading --statement " + printable(file), [&] { return sigstore::parse_statement(text); });
  for (const sigstore::Subject& subject : statement.subjects) {
    const auto found = subject.digests.find("sha256");
    if (found != subject.digests.end() && found->second == object.digest.hex()) {
      return text;
    }
  }
  throw UsageError(
      fmt::format(
          "the statement is not about {} ({})", printable(object.name), object.digest.to_string()),
      "one of its subjects has to have this digest");
}

std::string statement_for(const World& world, const Options& options, const Object& object) {
  const auto whole = options.get("statement");
  const auto predicate = options.get("predicate");
  if (whole.has_value() == predicate.has_value()) {
    throw UsageError(
        "attest: say with --predicate or with --statement what is attested, not with "
        "both",
        "the statement that seed and build leave is a file for --statement");
  }
  if (whole) {
    return given_statement(world, *whole, object);
  }
  const auto type = options.get("type");
  if (!type) {
    throw UsageError("attest: --predicate needs its --type", "say --type spdx, or a URI");
  }
  const nlohmann::json content = while_doing("reading --predicate " + printable(*predicate), [&] {
    nlohmann::json parsed = oci::parse_json(
        read_text(world, "predicate", *predicate), sigstore::kMaxStatementBytes, "the predicate");
    if (!parsed.is_object()) {
      throw FormatError("the predicate is no JSON object");
    }
    return parsed;
  });
  return oci::to_canonical_json(
      {{"_type", trust::kStatementType},
       {"subject",
        nlohmann::json::array(
            {{{"name", object.name}, {"digest", {{"sha256", object.digest.hex()}}}}})},
       {"predicateType", type_of(*type)},
       {"predicate", content}});
}

int run_attest(const World& world, const Options& options) {
  if (options.positional().size() != 1) {
    throw UsageError("attest: name one image or file",
                     "nix-seed attest --type spdx --predicate sbom.json ghcr.io/acme/app@sha256:…");
  }
  const Signing signing =
      prepare_signing(world, options, facts_of(world).untrusted, SignMode::always);
  const auto github = github_keeper(world, options);
  const Object object = find_object(world, options, options.positional().front());
  const std::string statement = statement_for(world, options, object);
  if (object.open) {
    while_doing("asking for the right to attach", [&] { object.open->repository->check_push(); });
  }
  const sigstore::SignedBundle made = sign(world, signing, sigstore::StatementText{statement});
  world.progress.step(describe(made.facts));
  if (const auto file = options.get("bundle")) {
    os::atomic_write(world.directory / *file, made.json);
  }
  if (object.open) {
    const oci::Descriptor attached = while_doing("attaching the bundle", [&] {
      return trust::attach_bundle(
          *object.open->repository, object.digest, made.json, world.clock.now());
    });
    print_result(
        world,
        fmt::format("{}@{}\n", object.open->repository->name(), attached.digest.to_string()));
  }
  if (github) {
    keep_in_github(world, *github, made.json);
  }
  return 0;
}

}  // namespace

const Command kAttestCommand{
    "attest",
    "IMAGE|FILE",
    "sign a statement about an image or a file",
    "Makes an in-toto statement of the predicate, or takes a whole one, signs it with this job's\n"
    "identity or with a key, logs it, verifies what came of it, and attaches it to the image, "
    "where\n"
    "cosign and others find it. Prints what was attached. A file's bundle goes to --bundle.",
    kOptions,
    run_attest,
    "nix-seed attest --type spdx --predicate sbom.json ghcr.io/acme/app:v1"};

}  // namespace seed::app
