#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "image/checklist.hpp"

// The first line is an image's config, the rest a layer. Only FormatError refuses, and what is
// found through links is never outside the image.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  try {
    std::atomic<std::int64_t> budget_bytes = 1 << 20;
    seed::image::LayerNamesReader reader(budget_bytes);
    reader.write(
        seed::bytes_of(end == std::string_view::npos ? std::string_view() : text.substr(end + 1)));
    const seed::image::LayerNames names = reader.finish();
    seed::image::ImageTree tree;
    tree.add(names);
    tree.add(names);
    for (const auto& [path, node] : names) {
      const auto found = tree.find(path);
      if (found && (found->path.starts_with('/') || found->path.find("../") == 0)) {
        std::abort();
      }
    }
    seed::image::check_job_image({.manifest = seed::oci::describe("", ""),
                                  .config = seed::image::parse_run_config(text.substr(0, end)),
                                  .tree = std::move(tree),
                                  .annotations = {}});
  } catch (const seed::FormatError&) {
  }
  return 0;
}
