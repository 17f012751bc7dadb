#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  stale,      ///< an older one is there, which may lack something, and this run may not make one
  missing,    ///< none is there, and this run may not or could not make one
};

std::string_view to_string(SeedStatus status);

/// A step of a run; steps follow one another.
struct Timing {
  std::string step;
  double seconds = 0;
};

/// A derivation that was built, or begun, in this run.
struct BuiltDerivation {
  std::string path;
  double start = 0;  ///< seconds since the run began
  double seconds = 0;
  bool failed = false;
};

/// An input of flake.lock that is another than the seed was made with.
struct ChangedInput {
  std::string name;
  std::string before;  ///< revision or hash; empty: the seed did not have it
  std::string after;   ///< empty: the lock has it no more
};

/// Where a run took place, for links and the last line; what is empty is left out.
struct RunContext {
  std::string version;     ///< of nix-seed
  std::string run_url;     ///< of the CI job
  std::string source_url;  ///< https://github.com/acme/app
};

/// Everything a seed run has to tell, for people and machines alike.
struct SeedRecord {
  SeedStatus status = SeedStatus::built;
  std::string repository;  ///< ghcr.io/o/r-seed or oci:/path
  std::string tag;         ///< lock tag
  std::string key;
  std::string system;
  std::optional<Digest> index;     ///< what the tags name
  std::optional<Digest> manifest;  ///< this system's image
  std::optional<Digest> closure;
  std::size_t paths = 0;
  std::uint64_t nar_size = 0;
  std::size_t own_derivations = 0;
  std::vector<std::string> targets;
  std::vector<image::LayerReceipt> layers;
  std::string tools;  ///< where the image's tools came from
  std::string nix;    ///< version line
  std::vector<std::string> notices;
  std::string reason;                 ///< why the seed is stale or missing
  std::vector<ChangedInput> changed;  ///< since the earlier seed
  std::string provenance;             ///< path of the statement; empty where none was made
  std::vector<Timing> timings;
  std::vector<BuiltDerivation> derivations;
  RunContext run;

  /// REPOSITORY@sha256:…, empty where there is none.
  std::string image() const { return index ? repository + "@" + index->to_string() : ""; }
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
  std::string reason;    ///< why it was seedless, or what else a stale seed did not do
  std::string image;     ///< the seed, by digest; empty where there is none
  std::string verified;  ///< what proves it: by whom, in which log, since when; may be empty
  std::string system;
  std::vector<std::string> built;     ///< derivations that had to be built
  std::vector<std::string> missing;   ///< what a stale seed lacks
  std::vector<ChangedInput> changed;  ///< since that seed was made
  std::vector<BuildResult> results;
  std::string flake;
  std::string provenance;
  std::vector<Timing> timings;
  std::vector<BuiltDerivation> derivations;  ///< those of `built` whose times are known
  RunContext run;
};

/// A derivation whose builder failed.
struct FailedDerivation {
  std::string path;
  std::string why;               ///< "exit code 1"; may be empty
  std::vector<std::string> log;  ///< its last lines, oldest first
  std::size_t log_lines = 0;     ///< of so many
};

/// A run that ended with an error.
struct Failure {
  std::string command;  ///< seed or build
  std::string message;
  std::string hint;
  int exit_code = 1;
  std::string id;    ///< of the error catalogue, NS002; may be empty
  std::string step;  ///< what was under way; may be empty
  std::string flake;
  std::string system;
  std::string image;                     ///< the seed in use, by digest; may be empty
  std::vector<FailedDerivation> failed;  ///< in the order in which they failed
  bool nix_log = true;                   ///< this machine's Nix has the whole of their logs
  std::vector<std::string> notices;      ///< what the run had said so far
  std::vector<BuiltDerivation> derivations;
  std::vector<Timing> timings;
  RunContext run;
};

/// GitHub-flavoured Markdown for a job's summary; never more than kMaxSummaryBytes.
std::string to_markdown(const SeedRecord& record);
std::string to_markdown(const BuildRecord& record);
std::string to_markdown(const Failure& failure);

/// GitHub takes 1 MiB a step; other steps' and our own messages need some of it.
inline constexpr std::size_t kMaxSummaryBytes = 900'000;

/// docs/summary.schema.json says which members there are.
std::string to_json(const SeedRecord& record);
std::string to_json(const BuildRecord& record);
std::string to_json(const Failure& failure);

/// The few lines a person sees at the end of a run.
std::string to_text(const SeedRecord& record);
std::string to_text(const BuildRecord& record);
std::string to_text(const Failure& failure);

/// A row of a test report: a derivation that was built, or the run itself where it failed
/// otherwise.
struct TestCase {
  std::string name;
  double seconds = 0;
  std::string failure;  ///< empty: it passed
};

std::vector<TestCase> test_cases(const SeedRecord& record);
std::vector<TestCase> test_cases(const BuildRecord& record);
std::vector<TestCase> test_cases(const Failure& failure);

}  // namespace seed::report
