#pragma once

#include <string>
#include <vector>

#include "image/job_image.hpp"

namespace seed::image {

/// How one item of a list of checks came out. What is advised is worth putting right; the work
/// goes on without it.
enum class CheckStatus { passed, advised, failed };

struct Check {
  std::string name;
  CheckStatus status = CheckStatus::passed;
  std::string found;  ///< what is there, or what is missing
  std::string fix;    ///< what to do; empty where it passed

  bool operator==(const Check&) const = default;
};

/// Whether nothing that is needed failed.
bool all_passed(const std::vector<Check>& checks);

/// Whether jobs of GitHub's, Forgejo's and GitLab's runners can run in the image: a shell and the
/// programs that runners call, the loader and libraries for the Node that they bring along, and
/// what git and Nix need to read a checkout that is another user's.
std::vector<Check> check_job_image(const JobImage& image);

}  // namespace seed::image
