#include "nix/changed_copy.hpp"

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/perturb.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

/// RFC 3986, section 2.3 and 3.3: unreserved characters, slashes and those of `more` stay.
std::string percent_encoded(std::string_view text, std::string_view more = "") {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos ||
                       more.find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

/// A '%' that two hex digits do not follow stands for itself.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? from_hex(to_lower(text.substr(i + 1, 2))) : std::nullopt;
    if (byte && byte->size() == 1) {
      decoded += static_cast<char>(byte->front());
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Runs git in `folder` and nowhere else: a hook that started us has pointed git at its own
/// repository by the variables below, and they win over -C.
void run_git(os::Runner& runner,
             const fs::path& folder,
             const std::vector<std::string>& arguments) {
  os::Command command;
  command.argv = {"git",
                  "-C",
                  folder.string(),
                  "-c",
                  "user.name=nix-seed",
                  "-c",
                  "user.email=nix-seed@invalid",
                  "-c",
                  "commit.gpgsign=false",
                  "-c",
                  "core.autocrlf=false",
                  "-c",
                  "core.hooksPath=/dev/null"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.extra = {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_SYSTEM", "/dev/null"}};
  command.unset = {"GIT_DIR",
                   "GIT_WORK_TREE",
                   "GIT_INDEX_FILE",
                   "GIT_COMMON_DIR",
                   "GIT_OBJECT_DIRECTORY",
                   "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                   "GIT_NAMESPACE",
                   "GIT_PREFIX",
                   "GIT_TEMPLATE_DIR",
                   "GIT_CONFIG",
                   "GIT_CONFIG_COUNT",
                   "GIT_CONFIG_PARAMETERS"};
  const os::Captured result = os::capture(runner, command);
  if (!result.exit.ok()) {
    throw Error(fmt::format("git {} failed in a copy of the flake: {}",
                            arguments.front(),
                            printable(trim(result.err), 500)),
                "run it yourself: " + os::to_shell(command.argv));
  }
}

}  // namespace

std::string perturbed_flake(const FlakeMetadata& metadata,
                            const fs::path& scratch,
                            int how,
                            os::Runner& runner) {
  const fs::path copy = scratch / fmt::format("perturbed-{}", how);
  if (fs::exists(copy)) {
    os::remove_tree(copy);
  }
  copy_perturbed(metadata.source.to_string(), copy, static_cast<Perturbation>(how));
  return flake_in(copy, metadata, runner);
}

std::string flake_in(const fs::path& folder, const FlakeMetadata& metadata, os::Runner& runner) {
  // Nix 2.8 does not decode `path:`, so nothing is encoded without need.
  const std::string url =
      percent_encoded(folder.string(), "!$&'()*+,;=:@") +
      (metadata.subdir.empty() ? "" : "?dir=" + percent_encoded(metadata.subdir));
  if (!metadata.reference.starts_with("git+")) {
    return "path:" + url;
  }
  // A commit of its own, so that what depends on self.rev or self.lastModified differs too.
  run_git(runner, folder, {"init", "-q"});
  run_git(runner, folder, {"add", "-A", "-f"});
  if (!metadata.revision.empty()) {
    run_git(runner, folder, {"commit", "-q", "-m", "perturbed"});
  }
  return "git+file://" + url;
}

fs::path local_folder(std::string_view reference) {
  for (const std::string_view prefix : {"git+file://", "path:"}) {
    if (reference.starts_with(prefix)) {
      reference.remove_prefix(prefix.size());
      return percent_decoded(reference.substr(0, reference.find('?')));
    }
  }
  return {};
}

}  // namespace seed::nix
