#include "app/bundle_sign.hpp"

#include "app/signing.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"

namespace seed::app {
namespace {

/// Signatures over a file are over all of it, and a key that is elsewhere gets it whole.
constexpr std::uint64_t kMaxFileBytes = 256 << 20;

}  // namespace

int bundle_sign(const World& world,
                const Options& options,
                const std::vector<std::string>& arguments) {
  const auto to = options.get("bundle");
  if (arguments.size() != 1 || !to) {
    throw UsageError("bundle sign: name one file, and with --bundle where its bundle goes",
                     "nix-seed bundle sign --bundle app.sigstore.json app.tar");
  }
  const Signing signing = prepare_signing(world, options, {}, SignMode::always);
  const bool in_toto = options.flag("in-toto");
  const std::string& name = arguments.front();
  const std::string content = while_doing("reading " + printable(name), [&] {
    return os::read_file(world.directory / name,
                         in_toto ? sigstore::kMaxStatementBytes : kMaxFileBytes);
  });
  if (in_toto) {
    while_doing("reading " + printable(name), [&] { sigstore::parse_statement(content); });
  }
  const sigstore::SignedBundle made =
      sign(world,
           signing,
           in_toto ? sigstore::Signable(sigstore::StatementText{content})
                   : sigstore::Signable(sigstore::FileContent{content}));
  os::atomic_write(world.directory / *to, made.json);
  world.progress.step(describe(made.facts));
  return 0;
}

}  // namespace seed::app
