#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "nix/store_path.hpp"
#include "os/process.hpp"

namespace seed::nix {

/// Sees which derivations an evaluation itself builds (import from derivation): they are in no
/// build graph, yet an offline evaluation needs their outputs. Runs `nix eval` with --debug and
/// reads what it says; outputs should be there already, else their inputs are counted too.
class EvaluationWatch final : public os::Runner {
 public:
  explicit EvaluationWatch(os::Runner& inner) : inner_(inner) {}

  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override;

  const std::set<StorePath>& built() const { return built_; }

 private:
  os::Runner& inner_;
  std::set<StorePath> built_;
};

/// The derivation that a debug line says is being obtained. The wordings are those of Nix 2.8
/// to 2.26
/// ("building of"), and 2.34 ("obtaining derivation from", "getting output").
std::optional<StorePath> built_by_evaluation(std::string_view line);

}  // namespace seed::nix
