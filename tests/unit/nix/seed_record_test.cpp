#include "nix/seed_record.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::nix {
namespace {

SeedRecord example() {
  return {.key = "k-8d5ad592934e3834887a78317d34e21d",
          .lock = "988904cb03cb3472709a32e21ae52165e7ceeff8bc86bf78609e1e4b5abc8ad6",
          .rev = "c2e59bd47da2513748410f015309d95e6f461660",
          .image = "ghcr.io/acme/app-seed",
          .systems = {{"x86_64-linux", Digest::of("x86")}, {"aarch64-linux", Digest::of("arm")}},
          .built_at = 1'795'190'991};
}

std::string with(const std::string& members) {
  return R"({"schema":1)" + (members.empty() ? "" : "," + members) + "}";
}

TEST_CASE("a record is printed with sorted keys, and read back as it was") {
  const std::string text = print_seed_record(example());
  CHECK(text == R"({
  "builtAt": 1795190991,
  "image": "ghcr.io/acme/app-seed",
  "key": "k-8d5ad592934e3834887a78317d34e21d",
  "lock": "988904cb03cb3472709a32e21ae52165e7ceeff8bc86bf78609e1e4b5abc8ad6",
  "rev": "c2e59bd47da2513748410f015309d95e6f461660",
  "schema": 1,
  "systems": {
    "aarch64-linux": {
      "digest": "sha256:ddf7ff5ebd9d66ce161466c1c0262430fa04de32b0e420ee3f489e2e2112e386"
    },
    "x86_64-linux": {
      "digest": "sha256:13d6a668eb0789a68e20ff5b93a5fd42981d81c14f9fb6a0756a9368b8e2037e"
    }
  }
}
)");
  CHECK(parse_seed_record(text) == example());
}

TEST_CASE("a record that only makes a place is read") {
  CHECK(parse_seed_record(R"({"schema":1,"key":"","tag":"none","systems":{}})") == SeedRecord{});
  CHECK(parse_seed_record(R"({"schema":1,"rekor":[{"uuid":"x"}]})") == SeedRecord{});
}

TEST_CASE("a record with one thing wrong is refused for that reason") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"", "seed.json: the text ends in the middle of a JSON value (truncated?)"},
      {"[]", "seed.json: expected an object, found array"},
      {"{}", "seed.json: member 'schema' is missing"},
      {R"({"schema":2})", "seed.json: schema 2 is not known (1 is)"},
      {R"({"schema":1.0})", "seed.json: schema 1.0 is not known (1 is)"},
      {with(R"("key":"k-1")"), "seed.json: 'k-1' is no key"},
      {with(R"("key":7)"), "seed.json: member 'key' is not a string but number"},
      {with(R"("lock":"x")"), "seed.json: 'x' is no lock"},
      {with(R"("rev":"C2E59BD47DA2513748410F015309D95E6F461660")"),
       "seed.json: 'C2E59BD47DA2513748410F015309D95E6F461660' is no rev"},
      {with(R"("image":"a b")"), "seed.json: 'a b' is no image"},
      {with(R"("image":"a\n::set-output name=x::y")"),
       R"(seed.json: 'a\x0a::set-output name=x::y' is no image)"},
      {with(R"("systems":[])"), "seed.json: systems: expected an object, found array"},
      {with(R"("systems":{"":{}})"), "seed.json: '' is no system"},
      {with(R"("systems":{"x":{}})"), "seed.json: system x: member 'digest' is missing"},
      {with(R"("systems":{"x":{"digest":"sha256:1"}})"),
       "seed.json: system x: '1' is not 64 lower-case hex digits"},
      {with(R"("builtAt":-1)"), "seed.json: builtAt is not a time"},
      {with(R"("builtAt":1e3)"), "seed.json: builtAt is not a time"},
      {std::string(kMaxSeedRecordBytes + 1, ' '), "seed.json: larger than 64.0 KiB"},
  }));
  CHECK_THROWS_WITH(parse_seed_record(text), reason);
  CHECK_THROWS_AS(parse_seed_record(text), FormatError);
}

// Nix 2.8.0, 2.26.3 and 2.34.8 each locked a repository with this seed.json at this narHash.
TEST_CASE("the hash of a record's tree is the one that Nix locks") {
  CHECK(nar_hash_of_record(R"({"key":"k-1","schema":1,"systems":{}})"
                           "\n") == "sha256-W/m/8EyEzrDB7tfyP1f8MCiSUEwNn84ycTxn+qhD7y0=");
}

}  // namespace
}  // namespace seed::nix
