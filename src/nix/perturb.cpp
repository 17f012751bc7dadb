#include "nix/perturb.hpp"

#include <optional>
#include <string_view>

#include <sys/stat.h>

#include "nix/tree.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallFileBytes = 200;

class Copier final : public TreeVisitor {
 public:
  Copier(fs::path target, Perturbation how) : target_(std::move(target)), how_(how) {}

  void enter_directory(std::string_view path) override { os::make_dirs(at(path)); }

  void leave_directory(std::string_view) override {}

  void symlink(std::string_view path, std::string_view link) override {
    fs::create_symlink(link, at(path));
  }

  void begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) override {
    file_.emplace(os::File::create_new(at(path), executable ? 0755 : 0644));
    suffix_ = suffix_for(path, size_bytes);
  }

  void file_data(ByteView chunk) override { file_->write(chunk); }

  void end_file() override {
    file_->write(bytes_of(suffix_));
    file_->close();
    file_.reset();
  }

 private:
  fs::path at(std::string_view path) const { return path.empty() ? target_ : target_ / path; }

  std::string_view suffix_for(std::string_view path, std::uint64_t size_bytes) const {
    if (path == "flake.lock" || path.ends_with("/flake.lock") || path == ".gitmodules") {
      return "";
    }
    if (path.ends_with(".nix")) {
      return "\n# perturbed\n";
    }
    const bool keep = how_ == Perturbation::nix_files ||
                      (how_ == Perturbation::larger_files && size_bytes < kSmallFileBytes);
    return keep ? "" : "\n";
  }

  fs::path target_;
  Perturbation how_;
  std::optional<os::File> file_;
  std::string_view suffix_;
};

}  // namespace

void copy_perturbed(const fs::path& source, const fs::path& target, Perturbation how) {
  Copier copier(target, how);
  visit_tree(source, copier);
  os::atomic_write(target / ".nix-seed-perturbed", "perturbed\n");
}

}  // namespace seed::nix
