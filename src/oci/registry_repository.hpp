#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "oci/repository.hpp"
#include "oci/session.hpp"
#include "oci/upload.hpp"

namespace seed::oci {

/// A repository of a registry (distribution-spec 1.1).
class RegistryRepository final : public Repository {
 public:
  RegistryRepository(const Reference& reference,
                     http::Transport& transport,
                     CredentialSource& credentials,
                     const RegistryOptions& options)
      : chunk_bytes_(options.chunk_bytes), session_(reference, transport, credentials, options) {}

  std::string name() const override { return session_.repository(); }

  std::optional<RawManifest> get_manifest(const Target& target) override;
  std::optional<Descriptor> head_manifest(const Target& target) override;
  Descriptor put_manifest(std::string_view media_type,
                          std::string_view bytes,
                          const std::optional<std::string>& tag) override;
  bool has_blob(const Descriptor& blob) override;
  void get_blob(const Descriptor& blob, const Sink& sink) override;
  void get_blob_range(const Descriptor& blob,
                      std::uint64_t offset,
                      std::uint64_t length,
                      const Sink& sink) override;
  Pushed put_blob(const Descriptor& blob,
                  const std::filesystem::path& file,
                  const std::optional<std::string>& mount_from) override;
  Pushed put_blob(const Descriptor& blob, std::string_view content) override;
  void check_push() override;
  std::vector<std::string> tags() override;
  std::vector<Descriptor> referrers(const Digest& subject,
                                    const std::string& artifact_type) override;
  ReferrerList list_referrers(const Digest& subject) override;
  Descriptor put_referrer(const Manifest& manifest) override;
  Descriptor put_raw_referrer(std::string_view manifest) override;

 private:
  /// Sends the bytes and compares the registry's word for their digest; its other headers.
  http::Headers store_manifest(const Descriptor& descriptor,
                               std::string_view bytes,
                               const Target& target);
  void check_stored(const Descriptor& descriptor, const Target& target);
  http::Request manifest_request(http::Method method, const Target& target) const;

  /// Calls `page` for each page of a list; false where there is no such list, or `page` said so.
  bool for_each_page(const std::string& first_url,
                     const std::function<bool(const http::Response&)>& page);
  std::optional<std::vector<Descriptor>> referrers_by_api(const Digest& subject,
                                                          const std::string& artifact_type);
  Index fallback_index(const Digest& subject);
  std::vector<Descriptor> store_list(const std::string& tag,
                                     Index index,
                                     std::vector<Descriptor>& seen);
  void list_under_fallback_tag(const Digest& subject, const Descriptor& referrer);

  std::uint64_t chunk_bytes_;
  Session session_;
  std::mutex fallback_mutex_;
};

/// `sha256-<hex>` (distribution-spec, "Referrers Tag Schema")
std::string fallback_tag(const Digest& subject);

}  // namespace seed::oci
