#include "oci/types.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::oci {
namespace {

// sha256sum of "{}"
constexpr const char* kEmptyDigest =
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

Manifest example() {
  Manifest manifest{.config = describe(kEmptyType, "{}"),
                    .layers = {describe(kLayerZstdType, "layer")},
                    .artifact_type = "application/vnd.example",
                    .subject = describe(kManifestType, "subject"),
                    .annotations = {{"b", "2"}, {"a", "1"}}};
  manifest.layers[0].annotations["k"] = "v\n\"\xc3\xa9";
  return manifest;
}

std::string replace(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void check_message(const std::string& text, const std::string& message) {
  INFO(text);
  try {
    parse_manifest(text);
    FAIL("was accepted");
  } catch (const FormatError& error) {
    CHECK(error.message() == message);
  }
}

}  // namespace

TEST_CASE("a manifest is written as canonical JSON") {
  Manifest manifest{.config = describe(kEmptyType, "{}"),
                    .layers = {},
                    .artifact_type = {},
                    .subject = std::nullopt,
                    .annotations = {}};
  CHECK(to_json(manifest) ==
        "{\"config\":{\"digest\":\"" + std::string(kEmptyDigest) +
            "\",\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"size\":2},\"layers\":[],"
            "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2}");
}

TEST_CASE("an index is written as canonical JSON") {
  Index index{.manifests = {describe(kManifestType, "{}")},
              .artifact_type = {},
              .subject = std::nullopt,
              .annotations = {}};
  index.manifests[0].platform = Platform{"linux", "arm64", "v8"};
  CHECK(to_json(index) ==
        "{\"manifests\":[{\"digest\":\"" + std::string(kEmptyDigest) +
            "\",\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"platform\":{"
            "\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"},\"size\":2}],"
            "\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"schemaVersion\":2}");
}

TEST_CASE("what is written is read back the same") {
  CHECK(parse_manifest(to_json(example())) == example());
  Index index{.manifests = {describe(kManifestType, "a"), describe(kManifestType, "b")},
              .artifact_type = "application/vnd.example",
              .subject = describe(kManifestType, "c"),
              .annotations = {{"x", "y"}}};
  index.manifests[1].platform = Platform{"linux", "amd64", ""};
  CHECK(parse_index(to_json(index)) == index);
}

TEST_CASE("Docker's schema 2 is read as its OCI counterpart") {
  const std::string text = replace(
      to_json(example()),
      R"("mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion")",
      R"("mediaType":"application/vnd.docker.distribution.manifest.v2+json","schemaVersion")");
  CHECK(parse_manifest(text) == example());
  CHECK(parse_index(R"({"schemaVersion":2,"manifests":null,"mediaType":)"
                    R"("application/vnd.docker.distribution.manifest.list.v2+json"})")
            .manifests.empty());
}

TEST_CASE("text that is not UTF-8 is not written") {
  Manifest manifest = example();
  manifest.annotations["a"] = "\xff";
  CHECK_THROWS_AS(to_json(manifest), Error);
}

TEST_CASE("a manifest with one thing wrong is refused for it") {
  const std::string good = to_json(example());
  const std::string digest = example().layers[0].digest.to_string();
  check_message("", "manifest is not JSON: ''");
  check_message(
      good.substr(0, good.size() - 1) + "\x01",
      "manifest is not JSON: '{\"annotations\":{\"a\":\"1\",\"b\":\"2\"},\"artifactType\":"
      "\"application...'");
  check_message("[]", "manifest is not a JSON object");
  check_message("3", "manifest is not a JSON object");
  check_message(replace(good, "\"schemaVersion\":2", "\"schemaVersion\":1"),
                "manifest has a schemaVersion that is not 2");
  check_message(replace(good, "\"schemaVersion\":2", "\"schemaVersion\":\"2\""),
                "'schemaVersion' is not a size");
  check_message(replace(good, "\"layers\":[", "\"manifests\":[],\"layers\":["),
                "manifest has a member 'manifests'");
  check_message(replace(good, "\"layers\":", "\"laYers\":"), "'layers' is missing");
  check_message(replace(good, "\"config\":", "\"c\":"), "manifest has no 'config'");
  check_message(replace(good, "\"a\":\"1\"", "\"b\":\"1\""), "manifest has 'b' twice");
  check_message(replace(good, "\"a\":\"1\"", "\"a\":1"), "annotation 'a' is not a text");
  check_message(replace(good, "\"size\":5", "\"size\":-5"),
                "reading layers[0]: 'size' is not a size");
  check_message(replace(good, "\"size\":5", "\"size\":5.0"),
                "reading layers[0]: 'size' is not a size");
  check_message(replace(good, "\"size\":5", "\"size\":9223372036854775808"),
                "reading layers[0]: 'size' is not a size");
  check_message(replace(good, digest, "sha512:00"),
                "reading layers[0]: reading 'digest': 'sha512:00' is not a sha256 digest");
  check_message(replace(good, "application/vnd.oci.image.layer.v1.tar+zstd", "zstd"),
                "reading layers[0]: 'zstd' is not a media type");
  check_message(
      replace(good, "manifest.v1+json\",\"schemaVersion\"", "index.v1+json\",\"schemaVersion\""),
      "manifest has the media type 'application/vnd.oci.image.index.v1+json'");
}

TEST_CASE("an index that has layers is refused") {
  CHECK_THROWS_WITH(parse_index(R"({"schemaVersion":2,"manifests":[],"layers":[]})"),
                    "index has a member 'layers'");
}

TEST_CASE("a manifest above 4 MiB or 64 levels deep is refused") {
  check_message(std::string((4 << 20) + 1, ' '),
                "manifest has 4194305 bytes; at most 4194304 are read");
  check_message("{\"a\":" + std::string(64, '[') + std::string(64, ']') + "}",
                "manifest has more than 64 levels");
}

}  // namespace seed::oci
