#include "image/assemble.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "unit/image/image_parts.hpp"

namespace seed::image {

TEST_CASE("an image's config and manifest are these bytes") {
  const Image image = assemble(parts_of(kX86, "one"));
  CHECK(test::golden("image/config.json", image.config));
  CHECK(test::golden("image/manifest.json", image.manifest));
  CHECK(image.descriptor.digest == Digest::of(image.manifest));
  CHECK(image.descriptor.platform->architecture == "amd64");
  CHECK(image.descriptor.annotations.at("dev.nix-seed.system") == kX86);
  CHECK(assemble(parts_of(kX86, "one")).manifest == image.manifest);
}

TEST_CASE("a seed's config comes back as it was") {
  ImageParts parts = parts_of(kArm, "one");
  const SeedImageConfig config = parse_seed_image_config(assemble(parts).config);
  CHECK(config.system == kArm);
  CHECK(config.closure == parts.closure);
  CHECK(config.environment == parts.environment);
  CHECK(config.diff_ids == std::vector{parts.store_layers[0].diff_id, parts.own_layers[0].diff_id});
  parts.plan[0].reuse = parts.store_layers[0];
  CHECK(config.plan == parts.plan);
  CHECK(config.first_reads == parts.first_reads);
}

TEST_CASE("a config with one thing wrong is refused") {
  const nlohmann::json good = nlohmann::json::parse(assemble(parts_of(kX86, "one")).config);
  REQUIRE_NOTHROW(parse_seed_image_config(good.dump()));
  CHECK_THROWS_WITH(parse_seed_image_config("{}"),
                    "the image config has no nix-seed member: this is not a seed");
  CHECK_THROWS_AS(parse_seed_image_config("["), FormatError);
  for (const auto& [pointer, value] :
       std::vector<std::pair<std::string, nlohmann::json>>{{"/nix-seed", 1},
                                                           {"/nix-seed/system", 1},
                                                           {"/nix-seed/closure", "sha256:0"},
                                                           {"/nix-seed/plan", nullptr},
                                                           {"/nix-seed/first", "x"},
                                                           {"/nix-seed/first/0", 1},
                                                           {"/rootfs", nullptr},
                                                           {"/rootfs/diff_ids", "x"},
                                                           {"/rootfs/diff_ids/0", "md5:0"},
                                                           {"/config/Env", 1},
                                                           {"/config/Env/0", 1}}) {
    INFO(pointer);
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    CHECK_THROWS_AS(parse_seed_image_config(bad.dump()), FormatError);
  }
}

TEST_CASE("an index is sorted by system, whatever order its manifests come in") {
  const auto arm = assemble(parts_of(kArm, "one")).descriptor;
  const auto x86 = assemble(parts_of(kX86, "one")).descriptor;
  CHECK(make_index({x86, arm}, "https://example.org/r") ==
        make_index({arm, x86}, "https://example.org/r"));
  const oci::Index index = make_index({x86, arm}, "https://example.org/r");
  CHECK(index.manifests == std::vector{arm, x86});
  CHECK(index.annotations ==
        oci::Annotations{{"org.opencontainers.image.source", "https://example.org/r"}});
  CHECK(make_index({}, "").annotations.empty());
}

}  // namespace seed::image
