// The content half of the fake registry: blobs, uploads, manifests, lists.
#include <algorithm>
#include <regex>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/types.hpp"
#include "support/fake_registry_parts.hpp"

namespace seed::test {

using http::Method;
using http::Response;

namespace {

Response with_status(int status) {
  Response response;
  response.status = status;
  return response;
}

bool is_digest(const std::string& text) {
  static const std::regex kDigest("sha256:[0-9a-f]{64}");
  return std::regex_match(text, kDigest);
}

}  // namespace

Response FakeRegistry::ranged(const Call& call, const std::string& content) const {
  Response response = with_status(200);
  response.headers.set("Content-Type", "application/octet-stream");
  response.body = content;
  if (const auto range = call.request.headers.get("Range"); range && options_.ranges) {
    static const std::regex kRange("bytes=([0-9]+)-([0-9]+)");
    std::smatch match;
    if (!std::regex_match(*range, match, kRange)) {
      return refusal(416, "RANGE_INVALID", "bad range");
    }
    const auto first = std::stoull(match[1]);
    const auto last = std::min<std::uint64_t>(std::stoull(match[2]), content.size() - 1);
    if (first >= content.size() || last < first) {
      return refusal(416, "RANGE_INVALID", "range not satisfiable");
    }
    response.status = 206;
    response.headers.set("Content-Range",
                         fmt::format("bytes {}-{}/{}", first, last, content.size()));
    response.body = content.substr(first, last - first + 1);
  }
  response.headers.set("Content-Length", std::to_string(response.body.size()));
  return response;
}

Response FakeRegistry::storage(const Call& call) {
  if (call.request.headers.get("Authorization")) {
    return refusal(400, "InvalidArgument", "Only one auth mechanism allowed");
  }
  // Signed addresses are for one method.
  if (call.request.method != Method::get || call.query.count("signature") == 0) {
    return refusal(403, "AccessDenied", "signature does not match");
  }
  for (const auto& [name, repo] : repos) {
    if (const auto found = repo.blobs.find(call.path.substr(1)); found != repo.blobs.end()) {
      return ranged(call, found->second);
    }
  }
  return refusal(404, "NoSuchKey", "no such key");
}

Response FakeRegistry::blob(Call& call) {
  const std::string& digest = call.rest.front();
  if (!is_digest(digest)) {
    return refusal(400, "DIGEST_INVALID", "bad digest");
  }
  const auto& blobs = repos[call.repo].blobs;
  const auto found = blobs.find(digest);
  if (found == blobs.end()) {
    return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
  }
  if (options_.redirect_blobs) {
    Response response = with_status(307);
    response.headers.set("Location",
                         fmt::format("https://storage.test/{}?signature=abc%2Fdef", digest));
    return response;
  }
  Response response = ranged(call, found->second);
  response.headers.set("Docker-Content-Digest", digest);
  return response;
}

Response FakeRegistry::upload_location(int status, const std::string& id, bool with_range) {
  Upload& upload = uploads_.at(id);
  const std::string path =
      fmt::format("/v2/{}/blobs/uploads/{}?_state={}", upload.repo, id, ++upload.state);
  Response response = with_status(status);
  response.headers.set("Location",
                       options_.absolute_location ? std::string("https://") + kHost + path : path);
  if (with_range) {
    const auto size = upload.data.size();
    response.headers.set("Range", fmt::format("0-{}", size == 0 ? 0 : size - 1));
  }
  if (options_.min_chunk_bytes != 0) {
    response.headers.set("OCI-Chunk-Min-Length", std::to_string(options_.min_chunk_bytes));
  }
  return response;
}

Response FakeRegistry::start_upload(Call& call) {
  if (call.request.method != Method::post) {
    return refusal(405, "UNSUPPORTED", "method not allowed");
  }
  const auto mount = call.query.find("mount");
  const auto from = call.query.find("from");
  if (mount != call.query.end() && from != call.query.end() && options_.mount) {
    const auto source = repos.find(from->second);
    if (source != repos.end() && source->second.blobs.count(mount->second) != 0) {
      repos[call.repo].blobs[mount->second] = source->second.blobs.at(mount->second);
      Response response = with_status(201);
      response.headers.set("Location", fmt::format("/v2/{}/blobs/{}", call.repo, mount->second));
      return response;
    }
  }
  const std::string id = fmt::format("upload-{}", next_id_++);
  uploads_[id] = {.repo = call.repo, .data = {}, .state = 0};
  return upload_location(202, id, true);
}

Response FakeRegistry::continue_upload(Call& call) {
  const std::string& id = call.rest.back();
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end() || upload->second.repo != call.repo) {
    return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  }
  if (call.request.method == Method::get) {
    return upload_location(204, id, true);
  }
  if (call.request.method == Method::del) {
    uploads_.erase(upload);
    return with_status(204);
  }
  const auto state = call.query.find("_state");
  if (state == call.query.end() || state->second != std::to_string(upload->second.state)) {
    return refusal(404, "BLOB_UPLOAD_INVALID", "the state is an old one");
  }
  return call.request.method == Method::patch ? append_chunk(call, id) : commit_upload(call, id);
}

Response FakeRegistry::append_chunk(Call& call, const std::string& id) {
  Upload& upload = uploads_.at(id);
  const std::string expected = fmt::format(
      "{}-{}", upload.data.size(), upload.data.size() + call.request.body_size_bytes - 1);
  const bool fits =
      call.request.body_size_bytes <= options_.max_chunk_bytes &&
      (call.request.body_size_bytes >= options_.min_chunk_bytes || options_.min_chunk_bytes == 0);
  if (call.request.headers.get("Content-Range") != expected || !fits) {
    return refusal(416, "RANGE_INVALID", "bad offset or size of chunk");
  }
  upload.data += call.body;
  return upload_location(202, id, true);
}

Response FakeRegistry::commit_upload(Call& call, const std::string& id) {
  Upload& upload = uploads_.at(id);
  const auto digest = call.query.find("digest");
  if (digest == call.query.end() || !is_digest(digest->second)) {
    return refusal(400, "DIGEST_INVALID", "no digest");
  }
  upload.data += call.body;
  if (call.body.size() != call.request.body_size_bytes) {
    return with_status(499);  // the peer went away; what came is kept
  }
  const std::string data = upload.data;
  uploads_.erase(id);
  if (Digest::of(data).to_string() != digest->second) {
    return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  repos[call.repo].blobs[digest->second] = data;
  Response response = with_status(201);
  response.headers.set("Location", fmt::format("/v2/{}/blobs/{}", call.repo, digest->second));
  if (options_.digest_headers) {
    response.headers.set("Docker-Content-Digest", digest->second);
  }
  return response;
}

Response FakeRegistry::manifest(Call& call) {
  const std::string& target = call.rest.front();
  static const std::regex kTag("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");
  if (!is_digest(target) && !std::regex_match(target, kTag)) {
    return refusal(404, "MANIFEST_INVALID", "bad reference");
  }
  if (call.request.method == Method::put) {
    return put_manifest(call);
  }
  const Repo& repo = repos[call.repo];
  const auto tag = repo.tags.find(target);
  const auto found = repo.manifests.find(tag != repo.tags.end() ? tag->second : target);
  if (found == repo.manifests.end()) {
    return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
  }
  // Registries turn what is not accepted into something else.
  const std::string accept = call.request.headers.get("Accept").value_or("");
  if (accept.find(found->second.type) == std::string::npos) {
    return refusal(404, "MANIFEST_UNKNOWN", "OCI manifest found, but Accept does not list it");
  }
  Response response = with_status(200);
  response.headers.set("Content-Type", found->second.type);
  response.headers.set("Content-Length", std::to_string(found->second.bytes.size()));
  if (options_.digest_headers) {
    response.headers.set("Docker-Content-Digest", found->first);
  }
  response.body = found->second.bytes;
  return response;
}

Response FakeRegistry::put_manifest(Call& call) {
  const std::string& target = call.rest.front();
  const std::string digest = Digest::of(call.body).to_string();
  const auto json = nlohmann::json::parse(call.body, nullptr, false);
  const std::string type = call.request.headers.get("Content-Type").value_or("");
  if (!json.is_object() || json.value("schemaVersion", 0) != 2 ||
      json.value("mediaType", type) != type || call.body.size() > 4 << 20) {
    return refusal(400, "MANIFEST_INVALID", "manifest invalid");
  }
  if (is_digest(target) && target != digest) {
    return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  Repo& repo = repos[call.repo];
  std::vector<std::string> blobs;
  if (type == oci::kManifestType) {
    blobs.push_back(json.at("config").at("digest"));
    for (const auto& layer : json.at("layers")) {
      blobs.push_back(layer.at("digest"));
    }
  } else {
    for (const auto& child : json.at("manifests")) {
      if (repo.manifests.count(child.at("digest")) == 0) {
        return refusal(400, "MANIFEST_BLOB_UNKNOWN", "manifest of the index unknown");
      }
    }
  }
  for (const auto& blob : blobs) {
    if (repo.blobs.count(blob) == 0) {
      return refusal(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    }
  }
  repo.manifests[digest] = {type, call.body};
  if (!is_digest(target)) {
    repo.tags[target] = digest;
  }
  Response response = with_status(201);
  response.headers.set("Location", fmt::format("/v2/{}/manifests/{}", call.repo, digest));
  if (options_.digest_headers) {
    response.headers.set("Docker-Content-Digest", digest);
  }
  if (options_.referrers_api && !options_.false_referrers && json.contains("subject")) {
    response.headers.set("OCI-Subject", json.at("subject").at("digest").get<std::string>());
  }
  return response;
}

Response FakeRegistry::tag_list(const Call& call) {
  const auto repo = repos.find(call.repo);
  if (repo == repos.end()) {
    return refusal(404, "NAME_UNKNOWN", "repository name not known to registry");
  }
  const auto last = call.query.find("last");
  auto next = last == call.query.end() ? repo->second.tags.begin()
                                       : repo->second.tags.upper_bound(last->second);
  nlohmann::json tags = nlohmann::json::array();
  for (; next != repo->second.tags.end() && tags.size() < options_.page_size; ++next) {
    tags.push_back(next->first);
  }
  Response response = with_status(200);
  response.body = nlohmann::json{{"name", call.repo}, {"tags", tags}}.dump();
  if (next != repo->second.tags.end()) {
    response.headers.set("Link",
                         fmt::format("</v2/{}/tags/list?last={}&n={}>; rel=\"next\"",
                                     call.repo,
                                     tags.back().get<std::string>(),
                                     options_.page_size));
  }
  return response;
}

Response FakeRegistry::referrers(const Call& call) {
  if (options_.false_referrers) {
    Response response = with_status(200);
    response.headers.set("Content-Type", "text/html");
    response.body = "<html>welcome</html>";
    return response;
  }
  if (!options_.referrers_api) {
    return refusal(404, "UNSUPPORTED", "404 page not found");
  }
  const auto wanted = call.query.find("artifactType");
  const auto skip = call.query.find("page");
  std::vector<nlohmann::json> all;
  for (const auto& [digest, stored] : repos[call.repo].manifests) {
    const auto json = nlohmann::json::parse(stored.bytes);
    if (!json.contains("subject") || json.at("subject").at("digest") != call.rest.front()) {
      continue;
    }
    const std::string type = json.contains("artifactType")
                                 ? json.at("artifactType").get<std::string>()
                                 : json.at("config").at("mediaType").get<std::string>();
    if (wanted == call.query.end() || wanted->second == type) {
      all.push_back({{"mediaType", stored.type},
                     {"digest", digest},
                     {"size", stored.bytes.size()},
                     {"artifactType", type},
                     {"annotations", json.value("annotations", nlohmann::json::object())}});
    }
  }
  const std::size_t first = skip == call.query.end() ? 0 : std::stoull(skip->second);
  const std::size_t end = std::min(all.size(), first + options_.page_size);
  nlohmann::json index{
      {"schemaVersion", 2}, {"mediaType", oci::kIndexType}, {"manifests", nlohmann::json::array()}};
  for (std::size_t i = first; i < end; ++i) {
    index["manifests"].push_back(all[i]);
  }
  Response response = with_status(200);
  response.headers.set("Content-Type", std::string(oci::kIndexType));
  response.body = index.dump();
  if (end < all.size()) {
    response.headers.set("Link", fmt::format("<{}?page={}>; rel=\"next\"", call.path, end));
  }
  return response;
}

}  // namespace seed::test
