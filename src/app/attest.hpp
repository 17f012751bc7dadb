#pragma once

#include <string>
#include <vector>

#include "app/seeding.hpp"
#include "report/record.hpp"

namespace seed::app {

/// Where the project's source is, as https://host/owner/repo; empty where git does not say.
std::string source_of(const Project& project);

/// Throws UsageError where `--provenance` names a file that can't be made.
void check_provenance_file(const World& world, const Options& options);

/// Makes the provenance statement of a pushed seed, keeps it beside the run's other output and
/// attaches it to the image as a referrer. Returns the file.
std::string attest_seed(const World& world,
                        const Options& options,
                        const Project& project,
                        const Contents& contents,
                        const image::Image& image,
                        nix::Nix& nix,
                        oci::Repository& repository,
                        image::Compression compression,
                        Time started);

/// The same for what a build made: one subject for each output, the SHA-256 of its NAR. Returns the
/// file; attaches it to the seed's image where `repository` is given.
std::string attest_build(const World& world,
                         const Options& options,
                         const Project& project,
                         const report::BuildRecord& record,
                         const std::string& nix_version,
                         const std::vector<Digest>& nar_hashes,
                         oci::Repository* repository,
                         const std::optional<oci::Descriptor>& seed,
                         Time started);

}  // namespace seed::app
