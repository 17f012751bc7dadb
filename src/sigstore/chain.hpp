#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sigstore/certificate.hpp"

namespace seed::sigstore {

enum class Purpose { code_signing, timestamping };

/// The certificates of an authority that somebody trusts, leaf-most first: the last is the anchor,
/// which may be an intermediate of somebody else's. Copies share what was found out about it; const
/// use is thread-safe.
class Chain {
 public:
  /// Throws FormatError where there is none or more than kMaxChain.
  explicit Chain(std::vector<Certificate> certificates);

  const std::vector<Certificate>& certificates() const;

  /// The certificate of the chain that issued `leaf`, from where the path of RFC 5280 §6 leads to
  /// the anchor, each step allowed for `purpose`. Time is left to `invalid_at`. Throws
  /// IntegrityError.
  const Certificate& issuer_of(const Certificate& leaf, Purpose purpose) const;

  /// Why `leaf`, or one of the path from its issuer to the anchor, was not valid at `time`.
  std::optional<std::string> invalid_at(Time time,
                                        const Certificate& leaf,
                                        const Certificate& issuer) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace seed::sigstore
