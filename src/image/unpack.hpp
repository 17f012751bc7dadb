#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "image/compress.hpp"
#include "oci/repository.hpp"

namespace seed::image {

/// Extracts a tar stream (ustar and PAX: what TarWriter writes, and GNU long names) below `root`.
/// Names that are absolute, hold `..` or lead through a link out of `root` are a FormatError, as
/// are devices. Owners are not applied. Push bytes with write(); finish() at the end.
class TarExtractor {
 public:
  explicit TarExtractor(std::filesystem::path root);
  TarExtractor(TarExtractor&&) noexcept;
  ~TarExtractor();
  void write(ByteView bytes);
  void finish();

  /// The two halves of finish(), for several tars into one root: folders get their modes, which may
  /// be read-only, and times when all of them are through.
  void finish_entries();
  void apply_directory_modes();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Fetches and extracts every layer of `manifest` below `root`, `workers` at a time where layers
/// are disjoint (ours are). Verifies digest and diff_id of each. The folder is complete or an Error
/// is thrown.
void unpack_image(oci::Repository& repository,
                  const oci::Manifest& manifest,
                  std::span<const Digest> diff_ids,
                  const std::filesystem::path& root,
                  unsigned workers);

}  // namespace seed::image
