#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/bundle_sign.hpp"
#include "app/commands.hpp"
#include "app/signing.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/verify.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// Longer artifacts are hashed as they are read; keys that sign the file itself and not its SHA-256
/// can't be checked for them.
constexpr std::uint64_t kMaxArtifactInMemory = 256 << 20;

constexpr std::array kOptions{
    OptionSpec{"bundle", "FILE", "the Sigstore bundle; sign: where it is written"},
    OptionSpec{
        "certificate-identity", "NAME", "who signed: the certificate's URI or address, whole"},
    OptionSpec{"certificate-oidc-issuer", "URL", "who vouches for the signer"},
    OptionSpec{"key", "FILE", "public key that signed, in place of an identity"},
    kSigningKeyOption,
    kSignerOption,
    kRekorOption,
    OptionSpec{"in-toto", "", "sign: the file is an in-toto statement"},
    kTrustedRootOption,
    kSigningConfigOption,
    OptionSpec{"predicate-type", "URI", "what kind of statement it has to be"},
    OptionSpec{"explain", "", "print each check and what it rests on"},
    OptionSpec{"json", "", "print the result as JSON"},
};

std::string required(const Options& options, std::string_view name) {
  const auto value = options.get(name);
  if (!value) {
    throw UsageError(fmt::format("bundle verify: --{} is missing", name),
                     "'nix-seed bundle --help' shows an example");
  }
  return *value;
}

/// An artifact and, where it was given as a file that fits, its bytes.
struct Given {
  Digest digest;
  std::optional<std::string> content;
};

Given read_artifact(const World& world, const std::string& name) {
  const fs::path path = world.directory / name;
  std::error_code code;
  if (name.starts_with("sha256:") && !fs::exists(path, code)) {
    return {Digest::parse(name), std::nullopt};
  }
  return while_doing("reading " + printable(name), [&] {
    if (fs::file_size(path, code) <= kMaxArtifactInMemory && !code) {
      std::string content = os::read_file(path, kMaxArtifactInMemory);
      const Digest digest = Digest::of(content);
      return Given{digest, std::move(content)};
    }
    Sha256 hash;
    os::File file = os::File::open_read(path);
    std::vector<std::byte> buffer(1 << 20);
    for (std::size_t size = file.read(buffer); size != 0; size = file.read(buffer)) {
      hash.update(ByteView(buffer).first(size));
    }
    return Given{hash.finish(), std::nullopt};
  });
}

sigstore::Expectation expectation_of(const World& world,
                                     const Options& options,
                                     const Given& given) {
  sigstore::Expectation expected;
  expected.artifact = sigstore::Artifact{given.digest, std::nullopt};
  if (given.content) {
    expected.artifact->content = *given.content;
  }
  expected.predicate_type = options.get("predicate-type");
  const bool keyless =
      options.get("certificate-identity") || options.get("certificate-oidc-issuer");
  if (const auto key = options.get("key")) {
    if (keyless) {
      throw UsageError("bundle verify: --key and an identity are both there", "give one of them");
    }
    expected.key = while_doing("reading the key " + printable(*key), [&] {
      return sigstore::PublicKey::parse_pem(
          os::read_file(world.directory / *key, sigstore::kMaxKeyBytes));
    });
    return expected;
  }
  sigstore::Identity identity;
  identity.issuer = required(options, "certificate-oidc-issuer");
  identity.subject = required(options, "certificate-identity");
  expected.identities.push_back(std::move(identity));
  return expected;
}

nlohmann::json to_json(const std::vector<sigstore::Evidence>& evidence) {
  nlohmann::json lines = nlohmann::json::array();
  for (const sigstore::Evidence& one : evidence) {
    lines.push_back({{"check", sigstore::to_string(one.check)}, {"evidence", one.text}});
  }
  return lines;
}

nlohmann::json to_json(const sigstore::Verified& verified) {
  nlohmann::json logs = nlohmann::json::array();
  for (const sigstore::LoggedIn& log : verified.logs()) {
    logs.push_back({{"log", log.log}, {"operator", log.operator_name}, {"index", log.index}});
  }
  nlohmann::json times = nlohmann::json::array();
  for (const Time time : verified.times()) {
    times.push_back(sigstore::to_rfc3339(time));
  }
  nlohmann::json result{{"verified", true},
                        {"bundle", verified.bundle().to_string()},
                        {"logs", logs},
                        {"times", times},
                        {"checks", to_json(verified.evidence())}};
  if (verified.signer()) {
    result["signer"] = {{"issuer", verified.signer()->issuer},
                        {"subject", verified.signer()->subject}};
  }
  if (verified.statement()) {
    result["predicateType"] = verified.statement()->predicate_type;
  }
  return result;
}

std::string explain(const std::vector<sigstore::Evidence>& evidence) {
  std::string text;
  for (const sigstore::Evidence& one : evidence) {
    text += fmt::format("ok       {:<10} {}\n", sigstore::to_string(one.check), one.text);
  }
  return text;
}

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

[[noreturn]] void refuse(const sigstore::Rejection& rejection, const Options& options) {
  if (options.flag("json")) {
    put(nlohmann::json{{"verified", false},
                       {"check", sigstore::to_string(rejection.check)},
                       {"why", rejection.why},
                       {"checks", to_json(rejection.passed)}}
            .dump(2) +
        "\n");
  } else if (options.flag("explain")) {
    put(explain(rejection.passed) +
        fmt::format("refused  {:<10} {}\n", sigstore::to_string(rejection.check), rejection.why));
  }
  throw IntegrityError(
      fmt::format(
          "the bundle is refused: {}: {}", sigstore::to_string(rejection.check), rejection.why),
      options.flag("explain") ? "" : "--explain shows each check");
}

int verify(const World& world, const Options& options, const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) {
    throw UsageError("bundle verify: name one artifact, a file or sha256:DIGEST",
                     "'nix-seed bundle --help' shows an example");
  }
  const std::string file = required(options, "bundle");
  const std::string bundle = os::read_file(world.directory / file, sigstore::kMaxBundleBytes);
  const auto root_file = options.get("trusted-root");
  const sigstore::TrustedRoot own_root =
      root_file ? sigstore::parse_trusted_roots(
                      os::read_file(world.directory / *root_file, sigstore::kMaxTrustedRootBytes))
                : sigstore::TrustedRoot{};
  const Given given = read_artifact(world, arguments.front());
  const sigstore::Verdict verdict =
      sigstore::verify(bundle,
                       root_file ? own_root : sigstore::embedded_trusted_root(),
                       expectation_of(world, options, given));
  if (const auto* rejection = std::get_if<sigstore::Rejection>(&verdict)) {
    refuse(*rejection, options);
  }
  const auto& verified = std::get<sigstore::Verified>(verdict);
  if (options.flag("json")) {
    put(to_json(verified).dump(2) + "\n");
  } else if (options.flag("explain")) {
    put(explain(verified.evidence()));
  } else {
    put(fmt::format("verified: {} is about {}\n", printable(file), given.digest.to_string()));
  }
  return 0;
}

struct Verb {
  std::string_view name;
  int (*run)(const World&, const Options&, const std::vector<std::string>&);
};

constexpr std::array kVerbs{Verb{"verify", verify}, Verb{"sign", bundle_sign}};

int run_bundle(const World& world, const Options& options) {
  const auto& words = options.positional();
  const auto verb =
      words.empty() ? kVerbs.end() : std::ranges::find(kVerbs, words.front(), &Verb::name);
  if (verb == kVerbs.end()) {
    throw UsageError(words.empty()
                         ? std::string("bundle: say what to do with it")
                         : fmt::format("bundle: there is no '{}'", printable(words.front())),
                     "nix-seed bundle verify --bundle FILE ... ARTIFACT, or bundle sign");
  }
  return verb->run(world, options, {words.begin() + 1, words.end()});
}

}  // namespace

const Command kBundleCommand{
    "bundle",
    "verify FILE|sha256:DIGEST, sign FILE",
    "check or make a Sigstore bundle",
    "verify: whether the bundle is a signature over the artifact, or a statement about it, by who "
    "is\n"
    "named, with proof from the logs and authorities of the trusted root. Nothing is fetched.\n"
    "sign: with this job's identity token (SIGSTORE_ID_TOKEN, or the CI host's) or with a key; "
    "logs\n"
    "the signature, verifies the bundle, and writes it.",
    kOptions,
    run_bundle,
    "nix-seed bundle verify --bundle app.sigstore.json --key release.pub app.tar"};

}  // namespace seed::app
