#include "app/showing.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/seed_root.hpp"
#include "os/parallel.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDefaultCacheBytes = std::uint64_t{50} << 30;
/// Layers fetched at a time: one connection often gives less than the line has, and each takes some
/// 16 MiB to decompress.
constexpr unsigned kConnections = 6;

enum class Delivery { automatic, mount, unpack };

Delivery delivery_of(const Options& options) {
  const std::string text = options.get("delivery").value_or("auto");
  if (text == "auto") {
    return Delivery::automatic;
  }
  if (text != "mount" && text != "unpack") {
    throw UsageError(fmt::format("--delivery is '{}'", printable(text)),
                     "it is auto, mount or unpack");
  }
  return text == "mount" ? Delivery::mount : Delivery::unpack;
}

class MountedRunner final : public os::Runner {
 public:
  MountedRunner(std::unique_ptr<os::Runner> inner, std::shared_ptr<const image::MountedSeed> seed)
      : inner_(std::move(inner)), seed_(std::move(seed)) {}

  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override {
    const os::Exit exit = inner_->run(command, out, err);
    seed_->rethrow_failure();
    return exit;
  }

 private:
  std::unique_ptr<os::Runner> inner_;
  std::shared_ptr<const image::MountedSeed> seed_;
};

}  // namespace

std::uint64_t cache_limit(const Options& options, const fs::path& cache) {
  if (const auto mebibytes = options.number("cache-size", 0, 1U << 30)) {
    return std::uint64_t{*mebibytes} << 20;
  }
  std::error_code code;
  const fs::space_info space = fs::space(cache, code);
  return code ? kDefaultCacheBytes
              : std::min<std::uint64_t>(kDefaultCacheBytes, space.available / 2);
}

void check_delivery(const Options& options) {
  delivery_of(options);
  options.number("cache-size", 0, 1U << 30);
}

image::MountedSeed mount_seed(const World& world,
                              const Options& options,
                              oci::Repository& repository,
                              const image::FoundSeed& seed,
                              const fs::path& cache,
                              const MountWay& way) {
  image::MountedSeed mounted = image::mount_seed(repository,
                                                 seed,
                                                 cache,
                                                 {.backing = way.backing,
                                                  .lazily = way.lazily,
                                                  .connections = kConnections,
                                                  .limit_bytes = cache_limit(options, cache),
                                                  .sudo = way.sudo},
                                                 world.progress);
  std::string how;
  if (mounted.lazy_bytes != 0) {
    how = fmt::format(": {} to be read as needed", human_size(mounted.lazy_bytes));
  }
  if (mounted.lazy_bytes == 0 || mounted.fetched_bytes + mounted.cached_bytes != 0) {
    how += fmt::format("{} {} fetched, {} at hand",
                       how.empty() ? ":" : ",",
                       human_size(mounted.fetched_bytes),
                       human_size(mounted.cached_bytes));
  }
  world.progress.step(fmt::format("the seed is mounted{}{}{}",
                                  mounted.lent ? " by sudo" : "",
                                  way.backing == os::Backing::loop ? " through loop devices" : "",
                                  how));
  return mounted;
}

void say_what_came(const World& world, const image::MountedSeed* seed) {
  if (seed != nullptr && seed->lazy_tars) {
    world.progress.step(fmt::format("{} of the seed's {} were fetched meanwhile",
                                    human_size(seed->lazy_tars->fetched_bytes()),
                                    human_size(seed->lazy_bytes)));
  }
}

ShownSeed show_seed(const World& world,
                    const Options& options,
                    oci::Repository& repository,
                    const image::FoundSeed& seed,
                    const os::Sudo* sudo,
                    const fs::path& cache) {
  const Delivery delivery = delivery_of(options);
  image::MountSupport support{.backing = std::nullopt, .why_not = "--delivery is unpack"};
  if (delivery != Delivery::unpack) {
    support = image::mount_support(cache, sudo);
  }
  if (delivery == Delivery::mount && !support.backing) {
    throw Error(fmt::format("the seed can't be mounted: {}", support.why_not),
                "--delivery auto unpacks it where mounts fail");
  }
  if (!support.backing) {
    world.progress.step(fmt::format("the seed is unpacked, not mounted: {}", support.why_not));
    image::UnpackedSeed unpacked = image::ensure_unpacked(repository,
                                                          seed,
                                                          cache,
                                                          cache_limit(options, cache),
                                                          os::default_workers(),
                                                          world.progress);
    return {.root = unpacked.root,
            .shown_at = unpacked.root,
            .mounted = nullptr,
            .in_use = std::move(unpacked.in_use)};
  }
  auto mounted = std::make_shared<const image::MountedSeed>(mount_seed(
      world, options, repository, seed, cache, {*support.backing, support.lazily, sudo}));
  return {.root = mounted->root,
          .shown_at = mounted->shown_at,
          .mounted = mounted,
          .in_use = std::nullopt};
}

std::unique_ptr<os::Runner> for_mounted(std::unique_ptr<os::Runner> inner,
                                        std::shared_ptr<const image::MountedSeed> seed) {
  return std::make_unique<MountedRunner>(std::move(inner), std::move(seed));
}

}  // namespace seed::app
