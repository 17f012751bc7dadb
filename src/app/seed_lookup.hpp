#pragma once

#include <optional>
#include <string>

#include "app/project.hpp"
#include "image/publish.hpp"

namespace seed::app {

/// A seed that is there, and what its tag names: an index, or the image itself.
struct KnownSeed {
  image::FoundSeed seed;
  Digest index;
  bool named = false;  ///< the lock's tag and key lead to it
};

/// The seed under `target`. What is no seed, or one of a version whose config is not ours, is none.
std::optional<image::FoundSeed> find_ours(oci::Repository& repository,
                                          const oci::Target& target,
                                          const std::string& system);

/// Whether `tag` leads to this manifest already.
bool leads_to(oci::Repository& repository,
              const std::string& tag,
              const std::string& system,
              const Digest& manifest);

/// The seed that was made of the inputs with this fingerprint.
std::optional<KnownSeed> find_fitting(oci::Repository& repository,
                                      const Project& project,
                                      const std::string& system,
                                      const std::string& fingerprint);

/// Another one, under the lock's tag or its key.
std::optional<KnownSeed> find_older(oci::Repository& repository,
                                    const Project& project,
                                    const std::string& system);

/// Gives it the lock's tags. Returns what they name.
Digest add_tags(oci::Repository& repository,
                const KnownSeed& known,
                const Project& project,
                const std::string& system);

}  // namespace seed::app
