#include "image/image_tree.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/compress.hpp"
#include "os/parallel.hpp"

namespace seed::image {
namespace {

using Kind = TarEntry::Kind;

constexpr std::string_view kStore = "nix/store/";
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
/// Linux gives up after as many links (path_resolution(7)).
constexpr int kMaxLinks = 40;
constexpr std::uint64_t kMaxContentBytes = 64 << 10;
/// Loaders of glibc have about 250 KiB.
constexpr std::uint64_t kMaxLoaderBytes = 2 << 20;
/// All names of an image in memory: millions, more than any image has.
constexpr std::int64_t kMaxNamesBytes = std::int64_t{512} << 20;
/// A bomb ends here.
constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{256} << 30;

std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {{}, path};
  }
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool is_read(std::string_view name) {
  constexpr std::array<std::string_view, 3> kRead{"passwd", "gitconfig", "seed.json"};
  return name.ends_with("release") || std::ranges::find(kRead, name) != kRead.end();
}

bool is_loader(std::string_view name) {
  return name.starts_with("ld-") || name.starts_with("ld64.so") || name.starts_with("ld.so");
}

bool is_kept(const TarEntry& entry) {
  const std::string_view name = split_path(entry.path).second;
  switch (entry.kind) {
    case Kind::symlink:
    case Kind::hard_link:
      return true;
    case Kind::directory:
      return !entry.path.starts_with(kStore);
    case Kind::other:
      return false;
    case Kind::file:
      break;
  }
  return !entry.path.starts_with(kStore) || (entry.mode & 0111) != 0 || name.ends_with(".crt") ||
         name.ends_with(".pem") || name.find(".so") != std::string_view::npos || is_read(name);
}

/// The texts in a loader that are a folder's path: glibc ends those of its search path with a slash
/// (elf/dl-load.c, system_dirs), and nothing else in it looks like that.
std::vector<std::string> folders_in(std::string_view loader) {
  std::vector<std::string> folders;
  for (const std::string_view text : split(loader, '\0')) {
    const bool plain =
        std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127 && c != '%'; });
    if (text.size() > 2 && text.starts_with('/') && text.ends_with('/') && plain &&
        std::ranges::find(folders, text) == folders.end()) {
      folders.emplace_back(text);
    }
  }
  return folders;
}

}  // namespace

void ImageTree::remove_below(const std::string& folder) {
  const auto first = nodes_.lower_bound(folder + "/");
  const auto last = nodes_.lower_bound(folder + "0");  // the character after the slash
  nodes_.erase(first, last);
}

void ImageTree::add(const LayerNames& layer) {
  for (const auto& [path, node] : layer) {
    const auto [folder, name] = split_path(path);
    const auto where = name.starts_with(kWhiteout) ? resolve(folder) : std::nullopt;
    if (where && name == kOpaque) {
      remove_below(*where);
    } else if (where) {
      const std::string gone =
          fmt::format("{}{}{}", *where, where->empty() ? "" : "/", name.substr(kWhiteout.size()));
      nodes_.erase(gone);
      remove_below(gone);
    }
  }
  for (const auto& [path, node] : layer) {
    const auto [folder, name] = split_path(path);
    const auto where = resolve(folder);
    if (path.empty() || name.starts_with(kWhiteout) || !where) {
      continue;
    }
    const std::string at = fmt::format("{}{}{}", *where, where->empty() ? "" : "/", name);
    if (node.kind == Kind::directory) {
      nodes_[at] = node;
      continue;
    }
    ImageNode put = node;
    if (node.kind == Kind::hard_link) {
      const auto target = nodes_.find(node.link);
      if (target == nodes_.end()) {
        continue;  // of a file that no check looks at
      }
      put = target->second;
    }
    remove_below(at);
    nodes_.insert_or_assign(at, std::move(put));
  }
}

/// Folders need not be known: a path through one that is not named is taken as it is.
std::optional<std::string> ImageTree::resolve(std::string_view path) const {
  std::deque<std::string> ahead;
  const auto push_front = [&](std::string_view text) {
    const auto parts = split(text, '/');
    ahead.insert(ahead.begin(), parts.begin(), parts.end());
  };
  push_front(path);
  std::string at;
  int links = 0;
  while (!ahead.empty()) {
    const std::string part = std::move(ahead.front());
    ahead.pop_front();
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      at = split_path(at).first;
      continue;
    }
    const std::string next = at.empty() ? part : at + "/" + part;
    const auto node = nodes_.find(next);
    if (node == nodes_.end() || node->second.kind == Kind::directory) {
      at = next;
    } else if (node->second.kind == Kind::symlink) {
      if (++links > kMaxLinks) {
        return std::nullopt;
      }
      push_front(node->second.link);
      at = node->second.link.starts_with('/') ? "" : at;
    } else if (ahead.empty()) {
      return next;
    } else {
      return std::nullopt;  // through a file
    }
  }
  return at;
}

std::optional<ImageTree::Found> ImageTree::find(std::string_view path) const {
  auto where = resolve(path);
  const auto node = where ? nodes_.find(*where) : nodes_.end();
  if (node == nodes_.end()) {
    return std::nullopt;
  }
  return Found{std::move(*where), &node->second};
}

std::optional<ImageTree::Found> ImageTree::find_program(std::string_view name,
                                                        std::string_view search_path) const {
  for (const std::string_view folder : split(search_path, ':')) {
    if (folder.starts_with('/')) {
      auto found = find(fmt::format("{}/{}", folder, name));
      if (found && found->node->kind == Kind::file && (found->node->mode & 0111) != 0) {
        return found;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> ImageTree::entries_of(std::string_view folder) const {
  const auto where = resolve(folder);
  std::vector<std::string> entries;
  const std::string prefix = where.value_or("") + "/";
  for (auto node = nodes_.lower_bound(prefix);
       where && node != nodes_.end() && node->first.starts_with(prefix);
       ++node) {
    if (node->first.find('/', prefix.size()) == std::string::npos) {
      entries.push_back(node->first);
    }
  }
  return entries;
}

struct LayerNamesReader::State final : TarHandler {
  explicit State(std::atomic<std::int64_t>& budget)
      : reader(*this, TarScope::any), budget_bytes(budget) {}

  void entry(const TarEntry& entry) override {
    const std::string_view name = split_path(entry.path).second;
    loader = is_loader(name) && entry.size_bytes <= kMaxLoaderBytes;
    reading = loader || (is_read(name) && entry.size_bytes <= kMaxContentBytes);
    kept = is_kept(entry);
    content.clear();
    if (kept) {
      spend(entry.path.size() + entry.link.size() + 2 * sizeof(ImageNode));
      names.emplace_back(entry.path, ImageNode{entry.kind, entry.mode, entry.link, {}, {}});
    }
  }

  void data(ByteView bytes) override {
    if (reading && kept) {
      content += text_of(bytes);
    }
  }

  void end_data() override {
    if (reading && kept) {
      spend(content.size());
    }
    if (loader && kept) {
      names.back().second.folders = folders_in(content);
    } else if (reading && kept) {
      names.back().second.content = std::move(content);
    }
  }

  void spend(std::uint64_t bytes) {
    const auto cost = static_cast<std::int64_t>(bytes);
    if (budget_bytes.fetch_sub(cost) < cost) {
      throw FormatError("the image has more names than fit into memory");
    }
  }

  TarReader reader;
  std::atomic<std::int64_t>& budget_bytes;
  LayerNames names;
  std::string content;
  bool kept = false;
  bool loader = false;
  bool reading = false;
};

LayerNamesReader::LayerNamesReader(std::atomic<std::int64_t>& budget_bytes)
    : state_(std::make_unique<State>(budget_bytes)) {}

LayerNamesReader::LayerNamesReader(LayerNamesReader&&) noexcept = default;
LayerNamesReader::~LayerNamesReader() = default;

void LayerNamesReader::write(ByteView bytes) {
  state_->reader.write(bytes);
}

LayerNames LayerNamesReader::finish() {
  state_->reader.finish();
  return std::move(state_->names);
}

namespace {

LayerNames read_layer(oci::Repository& repository,
                      const oci::Descriptor& layer,
                      std::atomic<std::int64_t>& budget_bytes) {
  LayerNamesReader reader(budget_bytes);
  const std::string_view type = layer.media_type;
  if (type.ends_with(".tar")) {
    repository.get_blob(layer, [&](ByteView bytes) { reader.write(bytes); });
    return reader.finish();
  }
  if (!type.ends_with("gzip") && !type.ends_with("zstd")) {
    throw FormatError(fmt::format("layer has the media type '{}'", printable(type)),
                      "layers are tar, alone or with zstd or gzip");
  }
  const auto decompressor = make_decompressor(
      type.ends_with("gzip") ? Compression::gzip : Compression::zstd,
      [&](ByteView bytes) { reader.write(bytes); },
      kMaxLayerBytes);
  repository.get_blob(layer, [&](ByteView bytes) { decompressor->write(bytes); });
  decompressor->finish();
  return reader.finish();
}

}  // namespace

ImageTree read_image_tree(oci::Repository& repository,
                          const oci::Manifest& manifest,
                          unsigned workers) {
  const std::size_t count = manifest.layers.size();
  std::vector<LayerNames> layers(count);
  std::atomic<std::int64_t> budget_bytes = kMaxNamesBytes;
  os::for_each_index(count, workers, [&](std::size_t i) {
    const oci::Descriptor& layer = manifest.layers[i];
    layers[i] = while_doing("reading layer " + layer.digest.to_string(),
                            [&] { return read_layer(repository, layer, budget_bytes); });
  });
  ImageTree tree;
  for (const LayerNames& layer : layers) {
    tree.add(layer);
  }
  return tree;
}

}  // namespace seed::image
