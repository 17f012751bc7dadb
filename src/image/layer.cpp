#include "image/layer.hpp"

#include <optional>

#include <fmt/core.h>

#include "base/error.hpp"
#include "image/toc.hpp"
#include "nix/nar.hpp"
#include "nix/tree.hpp"
#include "os/file.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

/// One visit, seen by two.
class BothVisitors final : public nix::TreeVisitor {
 public:
  BothVisitors(nix::NarHasher& nar, TarTree& tar) : nar_(nar), tar_(tar) {}

  void enter_directory(std::string_view path) override {
    nar_.enter_directory(path);
    tar_.enter_directory(path);
  }

  void leave_directory(std::string_view path) override {
    nar_.leave_directory(path);
    tar_.leave_directory(path);
  }

  void symlink(std::string_view path, std::string_view target) override {
    nar_.symlink(path, target);
    tar_.symlink(path, target);
  }

  void begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) override {
    nar_.begin_file(path, executable, size_bytes);
    tar_.begin_file(path, executable, size_bytes);
  }

  void file_data(ByteView chunk) override {
    nar_.file_data(chunk);
    tar_.file_data(chunk);
  }

  void end_file() override {
    nar_.end_file();
    tar_.end_file();
  }

 private:
  nix::NarHasher& nar_;
  TarTree& tar_;
};

void write_path(const nix::PathInfo& info,
                const fs::path& store_dir,
                nix::NarHasher& nar,
                TarWriter& tar) {
  const std::string& name = info.path.base_name();
  if (!fs::exists(fs::symlink_status(store_dir / name))) {
    throw Error(
        fmt::format("{} is in the store database but no longer on the disk", info.path.to_string()),
        fmt::format("restore it with: nix-store --repair-path {}", info.path.to_string()));
  }
  TarTree tree(tar, "nix/store/" + name);
  BothVisitors both(nar, tree);
  nix::visit_tree(store_dir / name, both);
  if (const auto found = nar.finish();
      found.hash != info.nar_hash || found.size_bytes != info.nar_size) {
    throw IntegrityError(
        fmt::format("{} has the NAR hash {} and size {}; the store database says {} and {}",
                    info.path.to_string(),
                    found.hash.to_string(),
                    found.size_bytes,
                    info.nar_hash.to_string(),
                    info.nar_size),
        fmt::format("repair it with: nix-store --repair-path {}", info.path.to_string()));
  }
}

}  // namespace

LayerBlob write_layer(const std::function<void(TarWriter&)>& fill,
                      const fs::path& path,
                      Compression compression) {
  os::File file = os::File::create(path);
  Sha256 digest;
  Sha256 diff_id;
  // The format is zstd's, and gzip knows no frames that readers pass over.
  std::optional<TocWriter> toc;
  if (compression == Compression::zstd) {
    toc.emplace();
  }
  const Sink write = [&](ByteView frame) {
    digest.update(frame);
    file.write(frame);
  };
  const auto compressor = make_compressor(compression, [&](ByteView frame) {
    write(frame);
    if (toc) {
      toc->frame(frame);
    }
  });
  TarWriter tar(
      [&](ByteView chunk) {
        diff_id.update(chunk);
        compressor->write(chunk);
      },
      toc ? Sink([&](ByteView headers) { toc->headers(headers); }) : Sink());
  fill(tar);
  tar.finish();
  compressor->finish();
  if (toc) {
    write(toc->finish(tar.size_bytes()));
  }
  file.close();
  const std::uint64_t size_bytes = digest.size_bytes();
  return {.digest = digest.finish(),
          .diff_id = diff_id.finish(),
          .size_bytes = size_bytes,
          .media_type = std::string(media_type_of(compression)),
          .toc = toc ? std::optional(toc->place()) : std::nullopt};
}

LayerBlob write_store_layer(const PlannedLayer& layer,
                            const nix::Closure& closure,
                            const fs::path& file,
                            const PackOptions& options) {
  return write_layer(
      [&](TarWriter& tar) {
        tar.directory("nix", 0755);
        tar.directory("nix/store", 0755);
        nix::NarHasher nar;
        for (const LayerPath& path : layer.paths) {
          const nix::PathInfo* info = closure.find(path.path);
          if (info == nullptr) {
            throw Error(fmt::format("{} is not in the closure", path.path.to_string()));
          }
          while_doing("packing " + path.path.to_string(),
                      [&] { write_path(*info, options.store_dir, nar, tar); });
        }
      },
      file,
      options.compression);
}

}  // namespace seed::image
