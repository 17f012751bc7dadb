#include "sigstore/embedded.hpp"

#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

// Read when it is first asked for: most runs need it not.
const TrustedRoot& embedded_trusted_root() {
  static const TrustedRoot root = parse_trusted_root(embedded::kTrustedRoot);
  return root;
}

}  // namespace seed::sigstore
