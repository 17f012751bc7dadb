#pragma once

#include <span>
#include <vector>

#include "nix/flake_lock.hpp"
#include "oci/repository.hpp"
#include "report/record.hpp"
#include "trust/provenance.hpp"

namespace seed::app {

/// What differs, by name: revisions where there are any, hashes where not.
std::vector<report::ChangedInput> compare_inputs(std::span<const trust::Material> before,
                                                 std::span<const trust::Material> after);

/// The inputs of `lock` that are others than those of the seed `manifest`, as its provenance has
/// them. Empty where it has none that can be read: this is told to people, nothing depends on it.
std::vector<report::ChangedInput> changed_inputs(oci::Repository& repository,
                                                 const Digest& manifest,
                                                 const nix::FlakeLock& lock);

}  // namespace seed::app
