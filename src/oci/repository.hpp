#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "oci/reference.hpp"
#include "oci/types.hpp"

namespace seed::oci {

/// A manifest's exact bytes; `descriptor.digest` is theirs, checked.
struct RawManifest {
  Descriptor descriptor;
  std::string bytes;
};

using Target = std::variant<std::string, Digest>;  ///< tag or digest

/// What an upload did.
enum class Pushed { already_there, mounted, sent };

/// What refers to a subject, and what said so: "referrers API", "referrers tag" or "index.json".
struct ReferrerList {
  std::vector<Descriptor> entries;
  std::string source;
};

/// One repository: of a registry over HTTP, or of an image layout directory. Thread-safe.
///
/// Reads are verified before they are handed out: manifests whole, blobs at their end (so a Sink
/// may have seen bad bytes when IntegrityError is thrown and must be prepared to throw its result
/// away). Failures are NetworkError (registry) or Error (directory); "absent" is an empty optional.
class Repository {
 public:
  virtual ~Repository() = default;

  /// Where it is, for messages: ghcr.io/o/r or oci:/path.
  virtual std::string name() const = 0;

  virtual std::optional<RawManifest> get_manifest(const Target& target) = 0;
  /// Digest and size without the body; nothing where the target is absent.
  virtual std::optional<Descriptor> head_manifest(const Target& target) = 0;
  /// Stores the bytes under their digest and, where given, the tag. All blobs must be there
  /// already. Re-read and compared afterwards.
  virtual Descriptor put_manifest(std::string_view media_type,
                                  std::string_view bytes,
                                  const std::optional<std::string>& tag) = 0;

  virtual bool has_blob(const Descriptor& blob) = 0;
  virtual void get_blob(const Descriptor& blob, const Sink& sink) = 0;
  /// Bytes [offset, offset + length) of the blob. Not verified: the caller must.
  virtual void get_blob_range(const Descriptor& blob,
                              std::uint64_t offset,
                              std::uint64_t length,
                              const Sink& sink) = 0;
  /// Checks first whether the blob is there, then tries to mount it from `mount_from` (a repository
  /// name on the same registry), then sends the file.
  virtual Pushed put_blob(const Descriptor& blob,
                          const std::filesystem::path& file,
                          const std::optional<std::string>& mount_from = std::nullopt) = 0;
  virtual Pushed put_blob(const Descriptor& blob, std::string_view content) = 0;
  /// Throws what pushing would meet, before there is anything to push; leaves nothing behind.
  virtual void check_push() = 0;

  virtual std::vector<std::string> tags() = 0;

  /// Manifests whose subject is `subject`: the referrers API, or the fallback tag
  /// (distribution-spec, "Listing Referrers"). An empty type means all.
  virtual std::vector<Descriptor> referrers(const Digest& subject,
                                            const std::string& artifact_type) = 0;
  /// The same of every type, and where the list comes from.
  virtual ReferrerList list_referrers(const Digest& subject) = 0;
  /// Pushes a manifest that has a subject, and lists it under the fallback tag where the registry
  /// has no referrers API. Any number of writers may do so at once.
  virtual Descriptor put_referrer(const Manifest& manifest) = 0;
  /// The same of a manifest that others wrote, byte for byte. Throws FormatError where it is no
  /// manifest with a subject.
  virtual Descriptor put_raw_referrer(std::string_view manifest) = 0;
};

}  // namespace seed::oci
