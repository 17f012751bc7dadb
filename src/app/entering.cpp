#include "app/entering.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// Why the seed that was chosen is not used after all.
void drop_seed(SeedChoice& choice, std::string reason, std::string hint) {
  choice.reason = std::move(reason);
  choice.hint = std::move(hint);
  choice.image.clear();
  choice.verified.clear();
  choice.seed.reset();
}

}  // namespace

bool inside_seed() {
  return fs::exists("/etc/nix-seed/seed.json");
}

Place enter_seed(const World& world,
                 const Options& options,
                 const Gate& gate,
                 const Project& project,
                 const std::string& system,
                 const Inside& inside,
                 SeedChoice& choice,
                 std::optional<os::FileLock>& lock) {
  if (inside_seed()) {
    choice.verified = pass_gate_inside(world, options, gate, system);
    choice.image = named_image(options);
    return {.stores = {fs::path(nix::kStoreDir)}, .options = {"--offline"}};
  }
  choice = choose_seed(world, options, project, system);
  if (!choice.seed) {
    return {};
  }
  Entry entry;
  try {
    entry = find_entry(world, options);
  } catch (const Error& error) {
    drop_seed(choice,
              fmt::format("the seed can't be entered: {}", error.message()),
              "be root, let this user sudo without a password, allow user namespaces to users, or "
              "run in a container of the image itself");
    return {};
  }
  const Digest closure = choice.seed->config.closure;
  try {
    choice.verified =
        pass_gate(world,
                  options,
                  gate,
                  *choice.open.repository,
                  choice.seed->manifest.digest,
                  expected_of(project, system, closure, options.get("image").has_value()));
  } catch (const NetworkError& error) {
    if (gate.mode == VerifyMode::require) {
      throw;
    }
    drop_seed(choice, error.message(), error.hint());
    choice.unreachable = error;
    return {};
  }
  Place place = place_in_seed(
      world, options, project, choice, entry, inside, usable_cache(world.environment), lock);
  if (gate.mode != VerifyMode::off) {
    try {
      check_closure(place.stores.back().parent_path().parent_path(), closure);
    } catch (const Error&) {
      if (place.mounted) {
        place.mounted->rethrow_failure();  // says why it could not be read
      }
      throw;
    }
  }
  return place;
}

}  // namespace seed::app
