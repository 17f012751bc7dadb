#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "image/publish.hpp"

namespace seed::report {

/// What became of a seed run (DESIGN §3, `seed`).
enum class SeedStatus {
  reused,     ///< the tags named the right image already
  aliased,    ///< an image that was there got the new tags
  refreshed,  ///< built on top of an earlier seed's layers
  built,      ///< built from nothing
};

std::string_view to_string(SeedStatus status);

struct Timing {
  std::string step;
  double seconds = 0;
};

/// Everything a seed run has to tell, for people and machines alike.
struct SeedRecord {
  SeedStatus status = SeedStatus::built;
  std::string repository;  ///< ghcr.io/o/r-seed or oci:/path
  std::string tag;         ///< lock tag
  std::string key;
  std::string system;
  Digest index;     ///< what the tags name
  Digest manifest;  ///< this system's image
  Digest closure;
  std::size_t paths = 0;
  std::uint64_t nar_size = 0;
  std::size_t own_derivations = 0;
  std::vector<std::string> targets;
  std::vector<image::LayerReceipt> layers;
  std::string tools;  ///< where the image's tools came from
  std::string nix;    ///< version line
  std::vector<std::string> notices;
  std::string provenance;  ///< path of the statement; empty where none was made
  std::vector<Timing> timings;

  std::string image() const { return repository + "@" + index.to_string(); }
};

struct BuildResult {
  std::string attribute;
  std::string output;
  std::string store_path;
  std::string location;  ///< where it is on this machine
  std::string link;      ///< empty where none was made
  std::uint64_t nar_size = 0;
};

enum class BuildMode { in_seed, stale, seedless };

std::string_view to_string(BuildMode mode);

struct BuildRecord {
  BuildMode mode = BuildMode::in_seed;
  std::string reason;  ///< why it was seedless
  std::string image;   ///< the seed, by digest; empty where there is none
  std::string system;
  std::vector<std::string> built;    ///< derivations that had to be built
  std::vector<std::string> missing;  ///< what a stale seed lacks
  std::vector<BuildResult> results;
  std::string flake;
  std::string provenance;
  std::vector<Timing> timings;
};

std::string to_markdown(const SeedRecord& record);
std::string to_markdown(const BuildRecord& record);
std::string to_json(const SeedRecord& record);
std::string to_json(const BuildRecord& record);

/// The few lines a person sees at the end of a run.
std::string to_text(const SeedRecord& record);
std::string to_text(const BuildRecord& record);

}  // namespace seed::report
