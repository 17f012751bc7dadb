#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "app/bundle_sign.hpp"
#include "app/bundle_verify.hpp"
#include "app/commands.hpp"
#include "app/signing.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::app {
namespace {

constexpr std::array kOptions{
    OptionSpec{
        "bundle", "FILE", "a Sigstore bundle, or JSON Lines of them; sign: where it is written"},
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

struct Verb {
  std::string_view name;
  int (*run)(const World&, const Options&, const std::vector<std::string>&);
};

constexpr std::array kVerbs{Verb{"verify", bundle_verify}, Verb{"sign", bundle_sign}};

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
    "verify FILE|sha256:DIGEST..., sign FILE",
    "check or make a Sigstore bundle",
    "verify: whether the bundle is a signature over the artifact, or a statement about it, by who "
    "is\n"
    "named, with proof from the logs and authorities of the trusted root. Nothing is fetched. Of\n"
    "JSON Lines every bundle has to hold: each for the artifact in its place, or all for the one.\n"
    "sign: with this job's identity token (SIGSTORE_ID_TOKEN, or the CI host's) or with a key; "
    "logs\n"
    "the signature, verifies the bundle, and writes it.",
    kOptions,
    run_bundle,
    "nix-seed bundle verify --bundle app.sigstore.json --key release.pub app.tar"};

}  // namespace seed::app
