#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "image/rootfs.hpp"
#include "nix/seed_inputs.hpp"
#include "os/root_view.hpp"
#include "os/sudo.hpp"

namespace seed::image {

/// A Runner whose programs see a RootView: each command starts `self enter VIEW -- argv` with the
/// given environment and the command's own additions; through sudo where the view has an invoker.
class ViewRunner final : public os::Runner {
 public:
  ViewRunner(os::Runner& inner,
             std::filesystem::path self,
             os::RootView view,
             os::Environment environment);
  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override;

  /// The same view, at whose end nothing waits for the disk.
  std::unique_ptr<ViewRunner> unsynced() const;

 private:
  os::Runner& inner_;
  std::filesystem::path self_;
  os::RootView view_;
  os::Environment environment_;
};

/// The command line by which a ViewRunner starts `argv`, and its reading in the started process.
struct EnterRequest {
  os::RootView view;
  std::vector<std::string> environment;  ///< NAME=value
  std::vector<std::string> argv;
};

std::vector<std::string> to_arguments(const EnterRequest& request);
EnterRequest parse_enter(const std::vector<std::string>& arguments);

/// What a view is entered with.
struct Entrance {
  os::Runner& runner;
  std::filesystem::path self;      ///< this program
  const os::Sudo* sudo = nullptr;  ///< for who may not make namespaces; null: nobody helps
};

/// Proves that a seed is closed: in a root that has the image's own files and of the store only
/// what the seed's database knows, offline, Nix would build the flake's own derivations and nothing
/// else. Throws Error naming what is missing. Returns how many derivations a job would build.
std::size_t check_closed(const nix::SeedInputs& inputs,
                         const std::vector<RootEntry>& entries,
                         const Tools& tools,
                         const Entrance& entrance,
                         const std::filesystem::path& scratch,
                         Progress& progress);

/// Where what the dry run writes is to go: a file for each derivation, and a copy of the checkout.
/// In memory where that is little of what is available: a disk may take minutes for ten thousand
/// small files that are gone a moment later.
os::Writes writes_of(std::size_t derivations,
                     std::uint64_t source_bytes,
                     std::uint64_t available_bytes);

/// What of a dry run is not in `allowed`: derivations a closed seed would not have to build, and
/// paths that would have to be fetched.
std::vector<nix::StorePath> holes_in(const nix::DryRun& dry_run,
                                     const std::set<nix::StorePath>& allowed);

}  // namespace seed::image
