#include "app/bundle_verify.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/verify.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// Longer artifacts are hashed as they are read; keys that sign the file itself and not its SHA-256
/// can't be checked for them.
constexpr std::uint64_t kMaxArtifactInMemory = 256 << 20;

/// A bundle has about 10 KiB.
constexpr std::uint64_t kMaxBundleFileBytes = 256 << 20;
constexpr std::size_t kMaxBundles = 10'000;
constexpr std::size_t kMaxTold = 20;  ///< refusals in one message

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

/// But for the artifact.
sigstore::Expectation expectation_of(const World& world, const Options& options) {
  sigstore::Expectation expected;
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

nlohmann::json to_json(const sigstore::Rejection& rejection) {
  return {{"verified", false},
          {"check", sigstore::to_string(rejection.check)},
          {"why", rejection.why},
          {"checks", to_json(rejection.passed)}};
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

std::string explain(const sigstore::Verdict& verdict) {
  const auto* rejection = std::get_if<sigstore::Rejection>(&verdict);
  const auto& evidence =
      rejection == nullptr ? std::get<sigstore::Verified>(verdict).evidence() : rejection->passed;
  std::string text;
  for (const sigstore::Evidence& one : evidence) {
    text += fmt::format("ok       {:<10} {}\n", sigstore::to_string(one.check), one.text);
  }
  if (rejection != nullptr) {
    text +=
        fmt::format("refused  {:<10} {}\n", sigstore::to_string(rejection->check), rejection->why);
  }
  return text;
}

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// One bundle after it was looked at.
struct Result {
  std::string name;  ///< the file, and which line of it
  Digest artifact;
  sigstore::Verdict verdict;
};

const sigstore::Rejection* refusal(const Result& result) {
  return std::get_if<sigstore::Rejection>(&result.verdict);
}

std::vector<Result> verify_all(const World& world,
                               const Options& options,
                               const std::vector<std::string_view>& bundles,
                               const std::vector<std::string>& artifacts) {
  const auto root_file = options.get("trusted-root");
  const sigstore::TrustedRoot own_root =
      root_file ? sigstore::parse_trusted_roots(
                      os::read_file(world.directory / *root_file, sigstore::kMaxTrustedRootBytes))
                : sigstore::TrustedRoot{};
  const sigstore::TrustedRoot& root = root_file ? own_root : sigstore::embedded_trusted_root();
  const sigstore::Expectation expected = expectation_of(world, options);
  const std::string file = printable(required(options, "bundle"));
  const auto only =
      artifacts.size() == 1 ? std::optional(read_artifact(world, artifacts[0])) : std::nullopt;
  std::vector<std::optional<Result>> slots(bundles.size());
  os::for_each_index(bundles.size(), os::default_workers(), [&](std::size_t i) {
    const Given given =
        only ? Given{only->digest, std::nullopt} : read_artifact(world, artifacts[i]);
    const auto& content = only ? only->content : given.content;
    sigstore::Expectation own = expected;
    own.artifact = sigstore::Artifact{
        given.digest, content ? std::optional<std::string_view>(*content) : std::nullopt};
    slots[i] = Result{bundles.size() == 1 ? file : fmt::format("{}, line {}", file, i + 1),
                      given.digest,
                      sigstore::verify(bundles[i], root, own)};
  });
  std::vector<Result> results;
  results.reserve(slots.size());
  for (auto& slot : slots) {
    results.push_back(*std::move(slot));
  }
  return results;
}

void print_json(const std::vector<Result>& results) {
  nlohmann::json list = nlohmann::json::array();
  for (const Result& result : results) {
    list.push_back(
        std::visit([](const auto& verdict) { return to_json(verdict); }, result.verdict));
  }
  if (results.size() == 1) {
    return put(list.front().dump(2) + "\n");
  }
  put(nlohmann::json{{"verified", std::ranges::none_of(results, refusal)}, {"bundles", list}}.dump(
          2) +
      "\n");
}

void print_explained(const std::vector<Result>& results) {
  for (const Result& result : results) {
    if (results.size() > 1) {
      put(fmt::format("{}, about {}\n", result.name, result.artifact.to_string()));
    }
    put(explain(result.verdict));
  }
}

/// Throws unless every bundle holds.
void conclude(const std::vector<Result>& results, bool explained) {
  const auto refused = static_cast<std::size_t>(std::ranges::count_if(results, refusal));
  if (refused == 0) {
    return;
  }
  const char* hint = explained ? "" : "--explain shows each check";
  std::string text;
  for (std::size_t i = 0, told = 0; i < results.size() && told < kMaxTold; ++i) {
    if (const auto* rejection = refusal(results[i])) {
      const std::string why =
          fmt::format("{}: {}", sigstore::to_string(rejection->check), rejection->why);
      if (results.size() == 1) {
        throw IntegrityError("the bundle is refused: " + why, hint);
      }
      text += fmt::format("\n  {}: {}", results[i].name, why);
      ++told;
    }
  }
  if (refused > kMaxTold) {
    text += fmt::format("\n  and {} more", refused - kMaxTold);
  }
  throw IntegrityError(
      fmt::format("{} of {} bundles are refused:{}", refused, results.size(), text), hint);
}

}  // namespace

int bundle_verify(const World& world,
                  const Options& options,
                  const std::vector<std::string>& arguments) {
  constexpr const char* kHint = "'nix-seed bundle --help' shows an example";
  if (arguments.empty()) {
    throw UsageError("bundle verify: name one artifact, a file or sha256:DIGEST", kHint);
  }
  const std::string file = required(options, "bundle");
  const std::string text = os::read_file(world.directory / file, kMaxBundleFileBytes);
  std::vector<std::string_view> bundles = sigstore::split_bundles(text);
  if (bundles.empty()) {
    bundles = {text};  // and verification says what it lacks
  }
  if (bundles.size() > kMaxBundles) {
    throw UsageError(fmt::format("bundle verify: {} has {} bundles, and at most {} are read",
                                 printable(file),
                                 bundles.size(),
                                 kMaxBundles),
                     "split the file");
  }
  if (arguments.size() != 1 && arguments.size() != bundles.size()) {
    throw UsageError(fmt::format("bundle verify: {} artifacts for the {} bundles of {}",
                                 arguments.size(),
                                 bundles.size(),
                                 printable(file)),
                     "name one for each, in their order, or one for all");
  }
  const std::vector<Result> results = verify_all(world, options, bundles, arguments);
  const bool explained = options.flag("explain");
  if (options.flag("json")) {
    print_json(results);
  } else if (explained) {
    print_explained(results);
  }
  conclude(results, explained);
  if (!options.flag("json") && !explained) {
    put(results.size() == 1
            ? fmt::format("verified: {} is about {}\n",
                          results.front().name,
                          results.front().artifact.to_string())
            : fmt::format("verified: {} bundles of {}\n", results.size(), printable(file)));
  }
  return 0;
}

}  // namespace seed::app
