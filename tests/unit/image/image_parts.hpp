#pragma once

#include <string>

#include "image/assemble.hpp"

namespace seed::image {

inline const std::string kX86 = "x86_64-linux";
inline const std::string kArm = "aarch64-linux";

inline nix::StorePath path(char digit, const std::string& name) {
  return nix::StorePath::from_base_name(std::string(32, digit) + "-" + name);
}

inline LayerPath layer_path(char digit, const std::string& name, std::uint64_t size) {
  return {path(digit, name), Digest::of(name), size};
}

inline LayerBlob blob_of(const std::string& content) {
  return {.digest = Digest::of(content),
          .diff_id = Digest::of(content + " tar"),
          .size_bytes = content.size(),
          .media_type = std::string(oci::kLayerZstdType)};
}

/// An image of two layers that are made of `content`.
inline ImageParts parts_of(const std::string& system, const std::string& content) {
  return {.system = system,
          .plan = {{.paths = {layer_path('a', "gcc-12.2.0", 300),
                              layer_path('b', "libc-2.36", 200),
                              layer_path('c', "zlib", 100)},
                    .reuse = std::nullopt}},
          .store_layers = {blob_of(content)},
          .own_layers = {blob_of(content + " own")},
          .own_names = {"files"},
          .closure = Digest::of(content + " closure"),
          .environment = {{"PATH", "/bin"}, {"X", "a=b"}},
          .entrypoint = {},
          .command = {"bash"},
          .first_reads = {"/nix/store/cccccccccccccccccccccccccccccccc-zlib/lib/libz.so"}};
}

}  // namespace seed::image
