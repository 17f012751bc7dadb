#include "sigstore/log_watch.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/merkle.hpp"
#include "support/catch.hpp"
#include "support/key_builder.hpp"

namespace seed::sigstore {
namespace {

/// A log in memory, of version 1 (proofs on request) or 2 (tiles), which can be made to lie.
class FakeLog final : public http::Transport {
 public:
  explicit FakeLog(bool with_tiles) : tiles(with_tiles) {}

  http::Response send(const http::Request& request) override {
    const http::Url url = http::Url::parse(request.url);
    ++asked;
    const std::string path = url.target;
    if (path == "/api/v2/checkpoint") {
      return tiles ? ok(note()) : http::Response{.status = 404};
    }
    if (path == "/api/v1/log") {
      return ok(nlohmann::json{{"signedTreeHead", note()}}.dump());
    }
    if (path.starts_with("/api/v1/log/proof?")) {
      return ok(proof(path));
    }
    if (path.starts_with("/api/v2/tile/")) {
      return ok(tile(path.substr(13)));
    }
    return {.status = 404};
  }

  TrustedLog trusted() const {
    const PublicKey public_key = PublicKey::parse_pem(key.pem());
    const Digest id = public_key.id();
    return {.base_url = "https://log.example.org",
            .operator_name = "example.org",
            .log_id = Bytes(id.raw().begin(), id.raw().end()),
            .key = public_key,
            .validity = {.start = Time{}}};
  }

  void grow(int count, const std::string& content = "entry") {
    for (int i = 0; i < count; ++i) {
      entries.push_back(fmt::format("{} {}", content, entries.size()));
    }
  }

  std::string note() const {
    const Digest root = root_of(0, static_cast<std::int64_t>(entries.size()));
    const std::string text = fmt::format("{}{}\n{}\n{}\n",
                                         origin_name,
                                         tiles ? "" : " - " + tree,
                                         entries.size(),
                                         to_base64(root.raw()));
    const TrustedLog log = trusted();
    Bytes signature(log.log_id.begin(), log.log_id.begin() + 4);
    const Bytes made = key.sign(text);
    signature.insert(signature.end(), made.begin(), made.end());
    return text + "\n— " + origin_name + " " + to_base64(signature) + "\n";
  }

  Digest root_of(std::int64_t from, std::int64_t to) const {
    if (to == from) {
      return Digest::of("");
    }
    if (to - from == 1) {
      return leaf_hash(bytes_of(entries[static_cast<std::size_t>(from)]));
    }
    std::int64_t left = 1;
    while (left * 2 < to - from) {
      left *= 2;
    }
    return node_hash(root_of(from, from + left), root_of(from + left, to));
  }

  bool tiles;
  std::string origin_name = "log.example.org";
  std::string tree = "1234";
  std::vector<std::string> entries;
  std::string other_entry;  ///< shown in place of the last one
  std::size_t asked = 0;
  test::KeyBuilder key;

 private:
  static http::Response ok(std::string body) { return {.status = 200, .body = std::move(body)}; }

  void subproof(std::int64_t m,
                std::int64_t from,
                std::int64_t to,
                bool whole,
                nlohmann::json& hashes) const {
    if (m == to - from) {
      if (!whole) {
        hashes.push_back(root_of(from, to).hex());
      }
      return;
    }
    std::int64_t left = 1;
    while (left * 2 < to - from) {
      left *= 2;
    }
    if (m <= left) {
      subproof(m, from, from + left, whole, hashes);
      hashes.push_back(root_of(from + left, to).hex());
    } else {
      subproof(m - left, from + left, to, false, hashes);
      hashes.push_back(root_of(from, from + left).hex());
    }
  }

  std::string proof(const std::string& path) const {
    CHECK(path.find("&treeID=1234") != std::string::npos);
    const auto number = [&](const std::string& name) {
      return std::stoll(path.substr(path.find(name) + name.size()));
    };
    nlohmann::json hashes = nlohmann::json::array();
    subproof(number("firstSize="), 0, number("lastSize="), true, hashes);
    return nlohmann::json{{"rootHash", ""}, {"hashes", hashes}}.dump();
  }

  /// LEVEL/NNN[.p/W] or entries/NNN[.p/W], for fewer than a thousand tiles.
  std::string tile(const std::string& name) const {
    const std::size_t slash = name.find('/');
    const std::string level = name.substr(0, slash);
    const std::size_t partial = name.find(".p/");
    const std::int64_t number = std::stoll(name.substr(slash + 1));
    const std::int64_t width =
        partial == std::string::npos ? 256 : std::stoll(name.substr(partial + 3));
    std::string bytes;
    for (std::int64_t i = number * 256; i < number * 256 + width; ++i) {
      if (level == "entries") {
        std::string entry = entries.at(static_cast<std::size_t>(i));
        if (!other_entry.empty() && i + 1 == static_cast<std::int64_t>(entries.size())) {
          entry = other_entry;
        }
        bytes += static_cast<char>(entry.size() / 256);
        bytes += static_cast<char>(entry.size() % 256);
        bytes += entry;
      } else {
        const std::int64_t span = level == "0" ? 1 : 256;
        bytes += text_of(root_of(i * span, (i + 1) * span).raw());
      }
    }
    return bytes;
  }
};

/// A note without its signature, which is another each time.
std::string text_of_note(const FakeLog& log) {
  const std::string note = log.note();
  return note.substr(0, note.find("\n\n") + 2);
}

std::string refusal(FakeLog& log, LogState state) {
  const TrustedLog trusted = log.trusted();
  LogReader reader(log, trusted);
  try {
    watch(reader, state);
  } catch (const IntegrityError& error) {
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("a log that only grows is followed, by tiles and by proofs") {
  const bool tiles = GENERATE(true, false);
  FakeLog log(tiles);
  const TrustedLog trusted = log.trusted();
  LogState state;
  std::int64_t before = 0;
  for (const int more : {1, 1, 2, 5, 247, 1, 256, 100}) {
    log.grow(more);
    LogReader reader(log, trusted);
    const LogGrowth growth = watch(reader, state);
    CHECK(growth.now.size() == before + more);
    CHECK(growth.before.has_value() == (before != 0));
    before += more;
    CHECK(parse_log_state(to_json(state)) == state);
  }
  LogReader reader(log, trusted);
  CHECK(watch(reader, state).now.size() == 613);
}

TEST_CASE("a log that rolls back, forks or shows two views is refused with both checkpoints") {
  const bool tiles = GENERATE(true, false);
  FakeLog log(tiles);
  log.grow(300);
  const TrustedLog trusted = log.trusted();
  LogState state;
  {
    LogReader reader(log, trusted);
    watch(reader, state);
  }
  const auto head = [&] {
    const auto size = static_cast<std::int64_t>(log.entries.size());
    return fmt::format("\n{}\n{}\n", size, to_base64(log.root_of(0, size).raw()));
  };
  const std::string before = head();
  std::string what;
  SECTION("rollback") {
    log.entries.resize(299);
    what = "has lost entries (a rollback)";
  }
  SECTION("split view") {
    log.entries.back() = "another one";
    what = "has two contents of one size (a split view)";
  }
  SECTION("fork") {
    log.entries[7] = "another one";
    log.grow(20);
    what = "is not the one it was (a fork)";
  }
  const std::string message = refusal(log, state);
  INFO(message);
  CHECK(message.find(what) != std::string::npos);
  CHECK(message.find(before) != std::string::npos);
  CHECK(message.find(head()) != std::string::npos);
}

TEST_CASE("a Rekor v1 is known by its key, whatever host it says it is") {
  FakeLog log(false);
  log.origin_name = "rekor.internal";
  log.grow(3);
  LogState state;
  const TrustedLog trusted = log.trusted();
  LogReader reader(log, trusted);
  CHECK(watch(reader, state).now.origin() == "rekor.internal - 1234");
  log.grow(2);
  CHECK(watch(reader, state).before->size() == 3);
}

TEST_CASE("a log that begins another tree by the same key is refused with both checkpoints") {
  FakeLog log(false);
  log.grow(3);
  LogState state;
  const TrustedLog trusted = log.trusted();
  LogReader reader(log, trusted);
  watch(reader, state);
  const std::string before = text_of_note(log);
  log.tree = "5678";
  const std::string why = refusal(log, state);
  CHECK(why.find("'log.example.org - 1234' and 'log.example.org - 5678' are two logs by one key") !=
        std::string::npos);
  CHECK(why.find(before) != std::string::npos);
  CHECK(why.find(text_of_note(log)) != std::string::npos);
}

TEST_CASE("a checkpoint by another key, or of another log, is not believed") {
  FakeLog log(true);
  log.grow(3);
  const TrustedLog trusted = log.trusted();
  const std::string note = log.note();
  CHECK(verify_checkpoint(note, trusted).size() == 3);
  TrustedLog other = trusted;
  other.base_url = "https://log.example.com";
  CHECK_THROWS_AS(verify_checkpoint(note, other), IntegrityError);
  FakeLog stranger(true);
  CHECK_THROWS_AS(verify_checkpoint(note, stranger.trusted()), IntegrityError);
  std::string changed = note;
  changed.replace(changed.find("\n3\n"), 3, "\n4\n");
  CHECK_THROWS_AS(verify_checkpoint(changed, trusted), IntegrityError);
  // What is kept is checked too: whoever can write the file can't make the log a liar.
  LogState state{{"log.example.org", changed}};
  LogReader reader(log, trusted);
  CHECK_THROWS_AS(watch(reader, state), IntegrityError);
}

TEST_CASE("new entries are read in order, and proven to be in the tree") {
  FakeLog log(true);
  log.grow(300);
  const TrustedLog trusted = log.trusted();
  LogState state;
  LogReader reader(log, trusted);
  watch(reader, state);
  log.grow(400);
  const LogGrowth growth = watch(reader, state);
  std::vector<std::string> read;
  const auto take = [&](std::int64_t index, std::string_view body) {
    CHECK(index == static_cast<std::int64_t>(300 + read.size()));
    read.emplace_back(body);
  };
  reader.read_entries(*growth.before, growth.now, 1000, take);
  REQUIRE(read.size() == 400);
  CHECK(read.front() == "entry 300");
  CHECK(read.back() == "entry 699");
  CHECK_THROWS_WITH(reader.read_entries(*growth.before, growth.now, 399, take),
                    "the log has 400 new entries, and 399 are read in one run");
  log.other_entry = "what the tree has not";
  CHECK_THROWS_AS(reader.read_entries(*growth.before, growth.now, 1000, [](auto, auto) {}),
                  IntegrityError);
}

TEST_CASE("tiles are named as C2SP has it") {
  CHECK(tile_path(0, 0, 256) == "tile/0/000");
  CHECK(tile_path(1, 1234067, 1234068LL * 256) == "tile/1/x001/x234/067");
  CHECK(tile_path(0, 1, 300) == "tile/0/001.p/44");
  CHECK(tile_path(-1, 0, 7) == "tile/entries/000.p/7");
}

TEST_CASE("a bundle of entries that is cut short is refused") {
  const std::string two("\0\1a\0\2bc", 7);
  CHECK(parse_entry_bundle(two) == std::vector<std::string>{"a", "bc"});
  CHECK(parse_entry_bundle("").empty());
  for (const std::size_t size : {1U, 2U, 4U, 5U, 6U}) {
    CHECK_THROWS_AS(parse_entry_bundle(two.substr(0, size)), FormatError);
  }
}

}  // namespace seed::sigstore
