#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/seeding.hpp"
#include "app/signing.hpp"
#include "image/publish.hpp"
#include "report/record.hpp"

namespace seed::app {

/// Where the project's source is, as https://host/owner/repo; empty where git does not say.
std::string source_of(const Project& project);

/// Throws UsageError where `--provenance` names a file that can't be made.
void check_provenance_file(const World& world, const Options& options);

/// What a run left of its provenance.
struct Attested {
  std::string file;                 ///< the statement
  std::string bundle;               ///< the file with its bundle; empty: it is not signed
  std::vector<oci::Descriptor> on;  ///< what it was attached to
};

/// A pushed seed, before any tag names it.
struct SeedClaim {
  const Contents& contents;
  const image::Image& image;
  std::vector<image::LayerReceipt> layers;
  std::vector<oci::Descriptor> indexes;  ///< of all systems, that the tags are going to name
  image::Compression compression;
  Time started;
};

/// Makes the provenance statement of a seed, signs it where this run can, keeps it beside the run's
/// other output, and attaches it to the image and the indexes: the bundle, or where nothing is
/// signed the statement as it is, which is said once.
Attested attest_seed(const World& world,
                     const Options& options,
                     const Project& project,
                     const SeedClaim& claim,
                     const Signing& signing,
                     nix::Nix& nix,
                     oci::Repository& repository);

/// What a build made.
struct BuildClaim {
  const report::BuildRecord& record;
  std::string nix_version;
  std::map<std::string, std::string> nix_settings;
  std::vector<Digest> nar_hashes;       ///< of each result
  std::optional<oci::Descriptor> seed;  ///< that it was made in
  Time started;
};

/// The same for a build: one subject for each output, the SHA-256 of its NAR. Attached to the
/// seed's image where `repository` is given.
Attested attest_build(const World& world,
                      const Options& options,
                      const Project& project,
                      const BuildClaim& claim,
                      const Signing& signing,
                      oci::Repository* repository);

}  // namespace seed::app
