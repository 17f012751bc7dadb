#include "oci/registry.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/blob_read.hpp"
#include "oci/limits.hpp"
#include "oci/link_header.hpp"
#include "oci/registry_repository.hpp"
#include "os/file.hpp"

namespace seed::oci {
namespace {

bool is_success(const http::Response& response) {
  return response.status >= 200 && response.status < 300;
}

std::string to_text(const Target& target) {
  const auto* digest = std::get_if<Digest>(&target);
  return digest != nullptr ? digest->to_string() : std::get<std::string>(target);
}

/// The registry's word for the digest, where it gives one that we understand.
std::optional<Digest> stated_digest(const http::Headers& headers) {
  const auto text = headers.get("Docker-Content-Digest");
  if (!text || !text->starts_with("sha256:")) {
    return std::nullopt;
  }
  return Digest::parse(*text);
}

std::string media_type_of(const http::Response& response) {
  const std::string text = response.headers.get("Content-Type").value_or("");
  return to_lower(trim(std::string_view(text).substr(0, text.find(';'))));
}

bool is_manifest_type(std::string_view type) {
  return type == kManifestType || type == kIndexType || type == kDockerManifestType ||
         type == kDockerListType;
}

/// One document must not be read as another than it was signed as: where the header and the
/// document both name a type, they must agree (image-spec, "mediaType").
std::string checked_type(const std::string& header, std::string_view bytes, const Digest& digest) {
  const auto document = nlohmann::json::parse(bytes, nullptr, false);
  if (!document.is_object()) {
    throw FormatError(fmt::format("manifest {} is not a JSON object", digest.to_string()));
  }
  const auto member = document.find("mediaType");
  if (member == document.end() || !member->is_string()) {
    return is_manifest_type(header) ? header : std::string(kManifestType);
  }
  const auto inside = member->get<std::string>();
  if (is_manifest_type(header) && header != inside) {
    throw IntegrityError(fmt::format("manifest {} is sent as {} and says it is {}",
                                     digest.to_string(),
                                     printable(header),
                                     printable(inside)));
  }
  return inside;
}

void check_digest(const std::string& what, const Digest& wanted, const Digest& got) {
  if (wanted != got) {
    throw IntegrityError(fmt::format("{} is {}, not {}", what, got.to_string(), wanted.to_string()),
                         "the registry's content was changed or damaged; don't use it");
  }
}

void accept_all_manifests(http::Request& request) {
  request.headers.set(
      "Accept",
      fmt::format(
          "{}, {}, {}, {}", kIndexType, kManifestType, kDockerListType, kDockerManifestType));
}

}  // namespace

http::Request RegistryRepository::manifest_request(http::Method method,
                                                   const Target& target) const {
  if (const auto* tag = std::get_if<std::string>(&target)) {
    check_tag(*tag);
  }
  http::Request request;
  request.method = method;
  request.url = session_.url("manifests/" + to_text(target));
  request.max_response_bytes = kMaxManifestBytes;
  return request;
}

std::optional<RawManifest> RegistryRepository::get_manifest(const Target& target) {
  http::Request request = manifest_request(http::Method::get, target);
  accept_all_manifests(request);
  Exchanged exchanged = session_.send(request, Access::pull);
  http::Response& response = exchanged.response;
  if (response.status == 404) {
    return std::nullopt;
  }
  if (response.status != 200) {
    session_.refuse(exchanged, Access::pull);
  }
  const Digest digest = Digest::of(response.body);
  const std::string what = fmt::format("manifest {}/{}", name(), to_text(target));
  if (const auto* wanted = std::get_if<Digest>(&target)) {
    check_digest(what, *wanted, digest);
  }
  if (const auto stated = stated_digest(response.headers)) {
    check_digest(what, *stated, digest);
  }
  Descriptor descriptor{.media_type = checked_type(media_type_of(response), response.body, digest),
                        .digest = digest,
                        .size_bytes = response.body.size(),
                        .annotations = {},
                        .artifact_type = {},
                        .platform = {}};
  return RawManifest{std::move(descriptor), std::move(response.body)};
}

std::optional<Descriptor> RegistryRepository::head_manifest(const Target& target) {
  http::Request request = manifest_request(http::Method::head, target);
  accept_all_manifests(request);
  const Exchanged exchanged = session_.send(request, Access::pull);
  const http::Response& response = exchanged.response;
  if (response.status == 404) {
    return std::nullopt;
  }
  if (response.status != 200) {
    session_.refuse(exchanged, Access::pull);
  }
  const auto digest = stated_digest(response.headers);
  const auto size = http::parse_size(response.headers.get("Content-Length").value_or(""));
  const std::string type = media_type_of(response);
  if (!digest || !size || *size == 0 || !is_manifest_type(type)) {
    auto manifest = get_manifest(target);
    return manifest ? std::optional(std::move(manifest->descriptor)) : std::nullopt;
  }
  if (const auto* wanted = std::get_if<Digest>(&target)) {
    check_digest(fmt::format("manifest {}/{}", name(), to_text(target)), *wanted, *digest);
  }
  return Descriptor{.media_type = type,
                    .digest = *digest,
                    .size_bytes = *size,
                    .annotations = {},
                    .artifact_type = {},
                    .platform = {}};
}

http::Headers RegistryRepository::store_manifest(const Descriptor& descriptor,
                                                 std::string_view bytes,
                                                 const Target& target) {
  if (bytes.size() > kMaxManifestBytes) {
    throw FormatError(
        fmt::format("a manifest of {} bytes; registries take {}", bytes.size(), kMaxManifestBytes));
  }
  http::Request request = manifest_request(http::Method::put, target);
  request.headers.set("Content-Type", descriptor.media_type);
  request.body_size_bytes = bytes.size();
  request.body = [bytes] { return source_of(bytes); };
  Exchanged exchanged = session_.send(request, Access::push);
  if (!is_success(exchanged.response)) {
    session_.refuse(exchanged, Access::push);
  }
  if (const auto stated = stated_digest(exchanged.response.headers)) {
    check_digest(fmt::format("what {} stored", name()), descriptor.digest, *stated);
  }
  return std::move(exchanged.response.headers);
}

/// A tag is mutable state: what was written is what is read, or someone else wrote too.
void RegistryRepository::check_stored(const Descriptor& descriptor, const Target& target) {
  const auto stored = head_manifest(target);
  if (!stored) {
    throw NetworkError(fmt::format("{} took {} and does not have it", name(), to_text(target)));
  }
  if (stored->digest != descriptor.digest) {
    throw IntegrityError(fmt::format("{}/{} is {}, not {}, which was just written",
                                     name(),
                                     to_text(target),
                                     stored->digest.to_string(),
                                     descriptor.digest.to_string()),
                         "another job wrote the same tag");
  }
}

Descriptor RegistryRepository::put_manifest(std::string_view media_type,
                                            std::string_view bytes,
                                            const std::optional<std::string>& tag) {
  const Descriptor descriptor = describe(media_type, bytes);
  const Target target = tag ? Target(*tag) : Target(descriptor.digest);
  store_manifest(descriptor, bytes, target);
  check_stored(descriptor, target);
  return descriptor;
}

bool RegistryRepository::has_blob(const Descriptor& blob) {
  return blob_exists(session_, blob);
}

void RegistryRepository::get_blob(const Descriptor& blob, const Sink& sink) {
  Sha256 hash;
  const Sink both = [&](ByteView chunk) {
    hash.update(chunk);
    sink(chunk);
  };
  try {
    read_blob(session_, blob, 0, blob.size_bytes, both);
  } catch (const IntegrityError& error) {
    throw IntegrityError(
        fmt::format("{}; what came is {}", error.message(), hash.finish().to_string()));
  }
  check_digest(fmt::format("a blob of {}", name()), blob.digest, hash.finish());
}

void RegistryRepository::get_blob_range(const Descriptor& blob,
                                        std::uint64_t offset,
                                        std::uint64_t length,
                                        const Sink& sink) {
  read_blob(session_, blob, offset, length, sink);
}

Pushed RegistryRepository::put_blob(const Descriptor& blob,
                                    const std::filesystem::path& file,
                                    const std::optional<std::string>& mount_from) {
  const std::uint64_t size = os::File::open_read(file).size();
  if (size != blob.size_bytes) {
    throw IntegrityError(fmt::format("{} has {} bytes, {} has {}",
                                     file.string(),
                                     size,
                                     blob.digest.to_string(),
                                     blob.size_bytes));
  }
  const SourceAt content = [&file](std::uint64_t offset) -> Source {
    auto open = std::make_shared<os::File>(os::File::open_read(file));
    open->seek(offset);
    return [open](std::span<std::byte> buffer) { return open->read(buffer); };
  };
  return upload_blob(session_, blob, content, mount_from, chunk_bytes_);
}

Pushed RegistryRepository::put_blob(const Descriptor& blob, std::string_view content) {
  if (describe(blob.media_type, content).digest != blob.digest) {
    throw IntegrityError(fmt::format("the content is not {}", blob.digest.to_string()));
  }
  return upload_blob(
      session_,
      blob,
      [content](std::uint64_t offset) {
        return source_of(content.substr(static_cast<std::size_t>(offset)));
      },
      std::nullopt,
      chunk_bytes_);
}

void RegistryRepository::check_push() {
  try_upload(session_);
}

bool RegistryRepository::for_each_page(const std::string& first_url,
                                       const std::function<bool(const http::Response&)>& page) {
  const http::Url origin = http::Url::parse(first_url);
  http::Url next = origin;
  std::uint64_t total_bytes = 0;
  for (unsigned pages = 1;; ++pages) {
    http::Request request;
    request.url = next.to_string();
    request.max_response_bytes = kMaxListBytes;
    const Exchanged exchanged = session_.send(request, Access::pull);
    total_bytes += exchanged.response.body.size();
    if (pages > kMaxPages || total_bytes > kMaxListTotalBytes) {
      throw NetworkError(fmt::format("{} lists without end", http::redact_url(first_url)));
    }
    const int status = exchanged.response.status;
    if (status != 200) {
      const bool absent = status == 404 || status == 405 || status == 501;
      if (absent && pages == 1) {
        return false;
      }
      session_.refuse(exchanged, Access::pull);
    }
    if (!page(exchanged.response)) {
      return false;
    }
    const auto link = next_link(exchanged.response.headers.get("Link").value_or(""));
    if (!link) {
      return true;
    }
    next = session_.follow(exchanged.url, *link);
    if (!next.same_origin(origin)) {
      throw NetworkError(fmt::format(
          "{} goes on at another server, {}", http::redact_url(first_url), next.authority()));
    }
  }
}

std::vector<std::string> RegistryRepository::tags() {
  std::vector<std::string> tags;
  for_each_page(session_.url("tags/list"), [&](const http::Response& response) {
    const auto document = nlohmann::json::parse(response.body, nullptr, false);
    if (!document.is_object()) {
      throw FormatError(fmt::format("the tag list of {} is not a JSON object", name()));
    }
    const auto list = document.find("tags");
    if (list == document.end() || list->is_null()) {
      return true;
    }
    for (const auto& tag : *list) {
      if (!tag.is_string()) {
        throw FormatError(fmt::format("the tag list of {} has an entry that is no text", name()));
      }
      tags.push_back(tag.get<std::string>());
      check_tag(tags.back());
    }
    return true;
  });
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

std::unique_ptr<Repository> open_registry(const Reference& reference,
                                          http::Transport& transport,
                                          CredentialSource& credentials,
                                          RegistryOptions options) {
  if (reference.is_layout()) {
    throw UsageError(fmt::format("{} is a directory, not a registry", reference.to_string()));
  }
  return std::make_unique<RegistryRepository>(reference, transport, credentials, options);
}

}  // namespace seed::oci
