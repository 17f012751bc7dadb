#include "nix/seed_cfg.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

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

/// What lib/seed-cfg.nix makes of the value, as JSON.
nlohmann::json as_nix_has_it(const SeedCfg& cfg) {
  using nlohmann::json;
  const auto given = [](const std::string& text) { return text.empty() ? json() : json(text); };
  json builders = json::object();
  for (const auto& [name, builder] : cfg.builders) {
    builders[name] = {{"master", builder.master},
                      {"issuer", given(builder.issuer)},
                      {"identity", given(builder.identity)},
                      {"key", given(builder.key)},
                      {"repository", given(builder.repository)},
                      {"repositoryId", given(builder.repository_id)},
                      {"ownerId", given(builder.owner_id)},
                      {"registry", given(builder.registry)},
                      {"corporateParent", given(builder.corporate_parent)},
                      {"jurisdiction", given(builder.jurisdiction)},
                      {"runner", given(builder.runner)}};
  }
  return {{"version", 1},
          {"registry", given(cfg.registry.value_or(""))},
          {"trust", to_string(cfg.trust)},
          {"independent", cfg.independent},
          {"builders", builders},
          {"rekor",
           {{"quorum", cfg.quorum},
            {"deadline", cfg.deadline.count()},
            {"logs", cfg.logs},
            {"logQuorum", cfg.log_quorum}}}};
}

TEST_CASE("the program and lib/seed-cfg.nix say the same of every case of tests/nix") {
  // Nix's half, which 70-flake.test compares with Nix's own answer.
  const auto cases = nlohmann::json::parse(test::checkout_file("tests/golden/seed_cfg_cases.json"));
  CHECK(cases.size() > 60);
  for (const auto& one : cases) {
    INFO(one["name"].get<std::string>());
    std::string problem;
    try {
      const SeedCfg cfg = parse_seed_cfg(one["given"].dump());
      CHECK(as_nix_has_it(cfg) == one["value"]);
      CHECK(parse_seed_cfg(one["value"].dump()) == cfg);
    } catch (const FormatError& error) {
      problem = error.message() + "; " + error.hint();
    }
    CHECK(problem == (one["problem"].is_null() ? "" : one["problem"].get<std::string>()));
  }
}

TEST_CASE("a seedCfg that Nix could not have made is refused") {
  const auto [message, text] = GENERATE(table<std::string, std::string>({
      {"the flake's seedCfg: the text ends in the middle of a JSON value (truncated?)", "{"},
      {"seedCfg: the argument is an empty list, which is not a set of options", "[]"},
      {"the flake's seedCfg has version 2, this program reads 1", R"({"version":2})"},
      {"seedCfg: 'registry' is \"\", which is not HOST/NAME in lower case without a tag, or "
       "oci:PATH",
       R"({"registry":""})"},
      {"seedCfg: 'rekor.quorum' is 5000000000, which is not a whole number from 1 on",
       R"({"rekor":{"quorum":5000000000}})"},
  }));
  CHECK_THROWS_WITH(parse_seed_cfg(text), message);
}

TEST_CASE("a seedCfg with more builders than anybody counts is refused") {
  nlohmann::json builders;
  for (int i = 0; i < 1001; ++i) {
    builders["b" + std::to_string(i)] = {{"issuer", "https://ci.example.org"},
                                         {"identity", "b" + std::to_string(i) + "@example.org"}};
  }
  CHECK_THROWS_WITH(parse_seed_cfg(nlohmann::json{{"builders", builders}}.dump()),
                    "seedCfg: 'builders' has 1001, and no more than 1000 are counted");
}

TEST_CASE("a flake.nix without the word has no seedCfg to evaluate") {
  CHECK(mentions_seed_cfg("outputs = _: { seedCfg.trust = \"innocent\"; };"));
  CHECK_FALSE(mentions_seed_cfg("outputs = _: { seed = 1; };"));
}

}  // namespace seed::nix
