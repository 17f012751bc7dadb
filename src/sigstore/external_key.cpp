#include <fmt/core.h>

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/private_key.hpp"

namespace seed::sigstore {
namespace {

constexpr std::uint64_t kMaxAnswerBytes = 64 << 10;
constexpr std::string_view kProtocol =
    "docs/signing.md says what it has to take and print, under 'A signer of your own'";

std::string ask(os::Runner& runner,
                const std::vector<std::string>& argv,
                std::vector<std::string> more,
                std::string input) {
  os::Command command{.argv = argv, .input = std::move(input)};
  command.argv.insert(command.argv.end(),
                      std::make_move_iterator(more.begin()),
                      std::make_move_iterator(more.end()));
  const os::Captured answer = os::capture(runner, command, kMaxAnswerBytes);
  if (!answer.exit.ok()) {
    throw Error(fmt::format("the signer '{}' ended with {}: {}",
                            printable(os::to_shell(command.argv)),
                            answer.exit.code,
                            printable(trim(answer.err), 500)),
                std::string(kProtocol));
  }
  return answer.out;
}

PublicKey ask_public_key(os::Runner& runner, const std::vector<std::string>& argv) {
  if (argv.empty()) {
    throw UsageError("--signer names no program", std::string(kProtocol));
  }
  return while_doing("asking the signer for its public key", [&] {
    const PublicKey key = PublicKey::parse_pem(ask(runner, argv, {"public-key"}, {}));
    if (key.type() != KeyType::p256 && key.type() != KeyType::ed25519) {
      throw UsageError("the signer's key is neither ECDSA on P-256 nor Ed25519",
                       "let it use a key of one of these");
    }
    return key;
  });
}

}  // namespace

ExternalKey::ExternalKey(os::Runner& runner, std::vector<std::string> argv)
    : runner_(runner), argv_(std::move(argv)), public_key_(ask_public_key(runner_, argv_)) {}

Bytes ExternalKey::sign(ByteView message) {
  const std::string printed =
      ask(runner_, argv_, {"sign", Digest::of(message).to_string()}, std::string(text_of(message)));
  const auto signature = from_base64(trim(printed));
  if (!signature) {
    throw IntegrityError("the signer printed no base64 but '" + printable(printed, 60) + "'",
                         std::string(kProtocol));
  }
  if (!public_key_.verify(message, *signature)) {
    throw IntegrityError("what the signer printed is no signature by its key over these bytes",
                         std::string(kProtocol));
  }
  return *signature;
}

}  // namespace seed::sigstore
