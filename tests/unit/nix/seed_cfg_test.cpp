#include "nix/seed_cfg.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::nix {

TEST_CASE("the registry of what lib.mkSeedCfg made is read") {
  // `nix eval --json .#seedCfg` of Nix 2.8.0
  const SeedCfg cfg = parse_seed_cfg(
      R"({"builders":{},"registry":"ghcr.io/acme/app-seed","rekor":{"deadline":1800,"logQuorum":1,)"
      R"("logs":["https://rekor.sigstore.dev"],"quorum":1},"trust":"innocent","version":1})");
  CHECK(cfg.registry == "ghcr.io/acme/app-seed");
}

TEST_CASE("a seedCfg written by hand is read, and may leave the registry out") {
  CHECK(parse_seed_cfg(R"({"registry":"oci:/mnt/seeds"})").registry == "oci:/mnt/seeds");
  CHECK(parse_seed_cfg(R"({"trust":"innocent"})") == SeedCfg{});
  CHECK(parse_seed_cfg(R"({"registry":null})") == SeedCfg{});
}

TEST_CASE("a seedCfg with one thing wrong is refused") {
  const auto [message, text] = GENERATE(table<std::string, std::string>({
      {"the flake's seedCfg: the text ends in the middle of a JSON value (truncated?)", "{"},
      {"the flake's seedCfg is no set", "[]"},
      {"the flake's seedCfg has no option 'regsitry'", R"({"regsitry":"ghcr.io/a/b"})"},
      {"the flake's seedCfg has version 2, this program reads 1", R"({"version":2})"},
      {"'registry' of the flake's seedCfg names no registry", R"({"registry":7})"},
      {"'registry' of the flake's seedCfg names no registry", R"({"registry":""})"},
  }));
  CHECK_THROWS_WITH(parse_seed_cfg(text), message);
}

TEST_CASE("a flake.nix without the word has no seedCfg to evaluate") {
  CHECK(mentions_seed_cfg("outputs = _: { seedCfg.trust = \"innocent\"; };"));
  CHECK_FALSE(mentions_seed_cfg("outputs = _: { seed = 1; };"));
}

}  // namespace seed::nix
