#include "oci/reference.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string refusal(const std::string& text) {
  try {
    Reference::parse(text);
    return "accepted";
  } catch (const FormatError& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("a registry reference is taken apart") {
  const auto reference = Reference::parse("docker://GHCR.io:443/owner/a-b__c.d:V1@" + kDigest);
  CHECK_FALSE(reference.is_layout());
  CHECK(reference.host() == "ghcr.io:443");
  CHECK(reference.name() == "owner/a-b__c.d");
  CHECK(reference.tag() == "V1");
  CHECK(reference.digest() == Digest::parse(kDigest));
  CHECK(reference.repository() == "ghcr.io:443/owner/a-b__c.d");
  CHECK(reference.to_string() == "ghcr.io:443/owner/a-b__c.d:V1@" + kDigest);
  CHECK(reference.with_tag("x").to_string() == "ghcr.io:443/owner/a-b__c.d:x");
  CHECK(reference.with_digest(Digest::parse(kDigest)).to_string() ==
        "ghcr.io:443/owner/a-b__c.d@" + kDigest);
}

TEST_CASE("a layout reference is a folder, a tag and a digest") {
  CHECK(Reference::parse("oci:dir").layout_path() == "dir");
  const auto reference = Reference::parse("oci:/a:b/C d:tag@" + kDigest);
  CHECK(reference.is_layout());
  CHECK(reference.layout_path() == "/a:b/C d");
  CHECK(reference.tag() == "tag");
  CHECK(reference.repository() == "oci:/a:b/C d");
  CHECK(reference.to_string() == "oci:/a:b/C d:tag@" + kDigest);
  CHECK_FALSE(Reference::parse("oci:/a:b/c").tag());
}

TEST_CASE("what a reference prints is read back the same") {
  for (const std::string text : {"localhost/a",
                                 "localhost:5000/a/b:c",
                                 "[::1]:5000/a",
                                 "127.0.0.1:1/x@sha256:"
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                 "oci:/x/y:z",
                                 "oci:x@y"}) {
    CHECK(Reference::parse(text).to_string() == text);
  }
}

TEST_CASE("a wrong reference is refused for what is wrong") {
  CHECK(refusal("") == "reference '' names no registry");
  CHECK(refusal("ubuntu") == "reference 'ubuntu' names no registry");
  CHECK(refusal("library/ubuntu") == "reference 'library/ubuntu' names no registry");
  CHECK(refusal("ghcr.io/Owner/x") == "repository name 'Owner/x' has upper case");
  CHECK(refusal("ghcr.io/a//b") == "'a//b' is not a repository name");
  CHECK(refusal("ghcr.io/") == "'' is not a repository name");
  CHECK(refusal("ghcr.io/a_-b") == "'a_-b' is not a repository name");
  CHECK(refusal("ghcr.io/a___b") == "'a___b' is not a repository name");
  CHECK(refusal("ghcr.io/a..b") == "'a..b' is not a repository name");
  CHECK(refusal("ghcr.io/-a") == "'-a' is not a repository name");
  CHECK(refusal("ghcr.io/a:") == "'' is not a tag");
  CHECK(refusal("ghcr.io/a:-x") == "'-x' is not a tag");
  CHECK(refusal("ghcr.io/a:" + std::string(129, 'x')) ==
        "'" + std::string(129, 'x') + "' is not a tag");
  CHECK(refusal("ghcr.io/a:" + std::string(128, 'x')) == "accepted");
  CHECK(refusal("ghcr.io/a@sha512:00") == "'sha512:00' is not a sha256 digest");
  CHECK(refusal("https://ghcr.io/a") == "reference 'https://ghcr.io/a' has a scheme");
  CHECK(refusal("a.b:0/x") == "'a.b:0' is not a registry host");
  CHECK(refusal("a.b:65536/x") == "'a.b:65536' is not a registry host");
  CHECK(refusal("a b.c/x") == "'a b.c' is not a registry host");
  CHECK(refusal("a..b/x") == "'a..b' is not a registry host");
  CHECK(refusal("user@ghcr.io/x") == "'ghcr.io/x' is not a sha256 digest");
  CHECK(refusal("ghcr.io/" + std::string(248, 'a')) ==
        "reference 'ghcr.io/" + std::string(192, 'a') + "...' has more than 255 characters");
  CHECK(refusal("oci:") == "reference 'oci:' has no folder");
  CHECK(refusal("oci:/a:b:c") == "reference 'oci:/a:b:c' has two tags");
  CHECK(refusal("OCI:5000/a") == "reference 'OCI:5000/a' names a host 'oci' with a port");
  CHECK(refusal("docker://oci:5000/a") ==
        "reference 'docker://oci:5000/a' names a host 'oci' with a port");
  CHECK(refusal("oci:/a:?") == "'?' is not a tag");
}

}  // namespace seed::oci
