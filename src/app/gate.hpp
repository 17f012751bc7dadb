#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/trust_material.hpp"
#include "app/world.hpp"
#include "image/publish.hpp"
#include "trust/quorum_verdict.hpp"

namespace seed::app {

// Options of every command that uses a seed, beside kTrustedRootOption.
inline constexpr OptionSpec kVerifyOption{
    "verify", "HOW", "who made the seed, before it is used: auto (default), require, or off"};
inline constexpr OptionSpec kSeedPolicyOption{
    "policy", "FILE", "whom to believe of it, or 'flake'; default: the CI of this repository"};

enum class VerifyMode { automatic, require, off };

/// Whom a run believes of seeds.
struct Gate {
  VerifyMode mode = VerifyMode::automatic;
  std::optional<trust::AnyPolicy> policy;  ///< nothing: nobody is known
  std::string origin;                      ///< where the policy comes from, or why there is none
};

/// From `--verify` and `--policy`; else whoever runs in the CI of this very repository, as the CI
/// host or git says. Throws UsageError where verification is required and nobody is known, before
/// any work.
Gate gate_of(const World& world, const Options& options, const Project& project);

/// Looks for proof of the seed `manifest` in `repository` and holds it to the gate. Says what came
/// of it; returns that as well, empty where nothing was asked. Throws Error with the exit code
/// `refused` where proof is there and does not hold, or none is and it is required, as it is
/// wherever the policy asks for a quorum; NetworkError where a place that may have it does not
/// answer.
std::string pass_gate(const World& world,
                      const Options& options,
                      const Gate& gate,
                      oci::Repository& repository,
                      const Digest& manifest,
                      const trust::Expected& expected);

/// What the run itself knows of a seed for `project`. The lock is not asked for where the user
/// named the image.
trust::Expected expected_of(const Project& project,
                            const std::string& system,
                            const Digest& closure,
                            bool named);

/// Recomputes the closure digest of an unpacked seed, or of the container that this is (`root` is
/// `/`), from its list and from its store's database. Throws IntegrityError where they, or
/// `expected`, are not the same. `root` may be below /proc/self/fd.
Digest check_closure(const std::filesystem::path& root, const std::optional<Digest>& expected);

/// In a container of a seed: checks what can be checked from inside, and says what can't. Returns
/// what `pass_gate` does of the image that the job names, where it names one. `root` is `/`, but in
/// tests.
std::string pass_gate_inside(const World& world,
                             const Options& options,
                             const Gate& gate,
                             const std::string& system,
                             const std::filesystem::path& root = "/");

}  // namespace seed::app
