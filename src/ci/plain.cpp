#include "ci/adapters.hpp"

namespace seed::ci {
namespace {

/// What there is to say is in the log, and in the result on standard output.
class Plain final : public Host {
 public:
  using Host::Host;

  Effects deliver(const Report&) const override { return {}; }
};

}  // namespace

std::unique_ptr<Host> make_plain_host(HostKind kind) {
  return std::make_unique<Plain>(Facts{.kind = kind});
}

}  // namespace seed::ci
