#include "support/tuf_repository.hpp"

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/canonical_json.hpp"

namespace seed::test {
namespace {

using nlohmann::json;

json describe_key(const TestKey& key) {
  if (key.public_key().type() == sigstore::KeyType::ed25519) {
    const Bytes& spki = key.public_key().spki();
    return {{"keytype", "ed25519"},
            {"scheme", "ed25519"},
            {"keyval", {{"public", to_hex(ByteView(spki).last(32))}}}};
  }
  return {{"keytype", "ecdsa"},
          {"scheme",
           key.public_key().type() == sigstore::KeyType::p256 ? "ecdsa-sha2-nistp256"
                                                              : "ecdsa-sha2-nistp384"},
          {"keyval", {{"public", key.public_key().pem()}}}};
}

json describe_file(const std::string& text, std::int64_t version) {
  return {{"version", version},
          {"length", text.size()},
          {"hashes", {{"sha256", Digest::of(text).hex()}}}};
}

}  // namespace

std::string keyid_of(const TestKey& key) {
  return key.public_key().id().hex();
}

std::string sign_metadata(const json& body, const std::vector<TestKey>& keys) {
  const std::string bytes = sigstore::canonical_json(body);
  json signatures = json::array();
  for (const TestKey& key : keys) {
    signatures.push_back({{"keyid", keyid_of(key)}, {"sig", to_hex(key.sign(bytes_of(bytes)))}});
  }
  return json{{"signatures", signatures}, {"signed", body}}.dump(1);
}

TufRepository::TufRepository() {
  root = {.keys = {TestKey::p256(), TestKey::ed25519(), TestKey::p256()}, .threshold = 2};
  timestamp.keys = {TestKey::p256()};
  snapshot.keys = {TestKey::ed25519()};
  targets.keys = {TestKey::p384()};
  contents["trusted_root.json"] = "the trusted root, version 1";
  publish_root();
  publish_targets();
  publish_snapshot();
  publish_timestamp();
}

json TufRepository::signed_part(const char* type, const Role& role) const {
  return {{"_type", type},
          {"spec_version", "1.0.31"},
          {"version", role.version},
          {"expires", role.expires}};
}

std::string TufRepository::sign(const char* type,
                                json body,
                                const std::vector<TestKey>& keys) const {
  if (const auto patch = patches.find(type); patch != patches.end()) {
    body.merge_patch(patch->second);
  }
  const auto others = signers.find(type);
  return sign_metadata(body, others == signers.end() ? keys : others->second);
}

void TufRepository::put(const char* type, const Role& role, const std::string& text) {
  const std::string name = std::string(type) + ".json";
  files[consistent ? std::to_string(role.version) + "." + name : name] = text;
}

void TufRepository::publish_root() {
  json body = signed_part("root", root);
  body["consistent_snapshot"] = consistent;
  const auto add = [&](const char* name, const Role& role) {
    json keyids = json::array();
    for (const TestKey& key : role.keys) {
      keyids.push_back(keyid_of(key));
      body["keys"][keyid_of(key)] = describe_key(key);
    }
    body["roles"][name] = {{"keyids", keyids}, {"threshold", role.threshold}};
  };
  add("root", root);
  add("timestamp", timestamp);
  add("snapshot", snapshot);
  add("targets", targets);
  files[std::to_string(root.version) + ".root.json"] = sign("root", body, root.keys);
}

void TufRepository::publish_targets() {
  json body = signed_part("targets", targets);
  body["targets"] = json::object();
  for (const auto& [path, bytes] : contents) {
    const std::string hash = Digest::of(bytes).hex();
    body["targets"][path] = {{"length", bytes.size()}, {"hashes", {{"sha256", hash}}}};
    files["targets/" + (consistent ? hash + "." + path : path)] = bytes;
  }
  put("targets", targets, sign("targets", body, targets.keys));
}

void TufRepository::publish_snapshot() {
  json body = signed_part("snapshot", snapshot);
  const std::string name =
      consistent ? std::to_string(targets.version) + ".targets.json" : "targets.json";
  body["meta"]["targets.json"] = describe_file(files.at(name), targets.version);
  put("snapshot", snapshot, sign("snapshot", body, snapshot.keys));
}

void TufRepository::publish_timestamp() {
  json body = signed_part("timestamp", timestamp);
  const std::string name =
      consistent ? std::to_string(snapshot.version) + ".snapshot.json" : "snapshot.json";
  body["meta"]["snapshot.json"] = describe_file(files.at(name), snapshot.version);
  files["timestamp.json"] = sign("timestamp", body, timestamp.keys);
}

void TufRepository::publish_next() {
  ++targets.version;
  ++snapshot.version;
  ++timestamp.version;
  publish_targets();
  publish_snapshot();
  publish_timestamp();
}

void TufRepository::rotate(const std::function<void(TufRepository&)>& change) {
  std::vector<TestKey> both = root.keys;
  change(*this);
  ++root.version;
  both.insert(both.end(), root.keys.begin(), root.keys.end());
  const auto before = signers;
  signers.emplace("root", both);
  publish_root();
  signers = before;
}

http::Response TufServer::send(const http::Request& request) {
  const std::string base = std::string(kTufUrl) + "/";
  if (!request.url.starts_with(base)) {
    throw Error("the test's server was asked for " + request.url);
  }
  const std::string name = request.url.substr(base.size());
  asked.push_back(name);
  if (before) {
    before(name);
  }
  if (down) {
    throw NetworkError("tuf.example: no route to host", {}, 0, true);
  }
  if (const auto status = statuses.find(name); status != statuses.end()) {
    return {.status = status->second};
  }
  const auto file = repository_.files.find(name);
  if (file == repository_.files.end()) {
    return {.status = 404};
  }
  http::Response response{.status = 200, .body_size_bytes = file->second.size()};
  if (!request.into) {
    response.body = file->second;
    return response;
  }
  const Sink sink = request.into(response);
  for (ByteView rest = bytes_of(file->second); !rest.empty();) {
    const ByteView chunk = rest.first(std::min(chunk_bytes, rest.size()));
    sink(chunk);
    rest = rest.subspan(chunk.size());
    if (between) {
      between();
    }
  }
  return response;
}

}  // namespace seed::test
