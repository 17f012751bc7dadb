#include "nix/store_db.hpp"

#include <unordered_map>

#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/sqlite.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAskNix = "ask Nix itself: nix-store --query --requisites";

void check_schema(const fs::path& folder) {
  const std::string text = os::read_file(folder / "schema", 64);
  if (trim(text) != kStoreSchema) {
    throw Error(fmt::format("{}: schema '{}' is not known ({} is)",
                            (folder / "schema").string(),
                            printable(trim(text)),
                            kStoreSchema),
                kAskNix);
  }
}

/// Size and time of the database file, 0 where it is not there.
struct Stamp {
  std::uintmax_t size = 0;
  fs::file_time_type time;

  explicit Stamp(const fs::path& file) {
    std::error_code code;
    if (fs::exists(file, code)) {
      size = fs::file_size(file, code);
      time = fs::last_write_time(file, code);
    }
  }

  bool operator==(const Stamp&) const = default;
};

/// Keeps a reader that takes no locks honest. Without locks and without the write-ahead log we see
/// the file itself only: that is the whole truth as long as the log is absent or empty and the
/// file stays as it is. Both are looked at before and after each answer, so that a writer makes us
/// fail instead of making us wrong.
class Unlocked {
 public:
  explicit Unlocked(const fs::path& file)
      : file_(file), log_(file.string() + "-wal"), before_(file), log_before_(log_) {}

  void check() const {
    if (log_before_.size != 0 || !(Stamp(log_) == log_before_) || !(Stamp(file_) == before_)) {
      throw Error(
          fmt::format("database {} is being written to, and we may not lock it", file_.string()),
          "run as the owner of the store, or when nothing else uses it");
    }
  }

 private:
  fs::path file_;
  fs::path log_;
  Stamp before_;
  Stamp log_before_;
};

/// Runs `step` in one read transaction, so that all rows are of one moment.
template <class Step>
auto in_snapshot(sqlite::Database& database, const std::optional<Unlocked>& unlocked, Step&& step) {
  struct Transaction {
    sqlite::Database& database;

    explicit Transaction(sqlite::Database& d) : database(d) { database.run("begin"); }

    ~Transaction() {
      try {
        database.run("rollback");
      } catch (const Error&) {
        // Nothing was written; the connection goes with us.
      }
    }
  };

  auto result = [&] {
    const Transaction transaction(database);
    return step();
  }();
  if (unlocked) {
    unlocked->check();
  }
  return result;
}

class SqliteStoreDatabase final : public StoreDatabase {
 public:
  SqliteStoreDatabase(const fs::path& file, sqlite::Open how)
      : unlocked_(how == sqlite::Open::read_immutable ? std::optional<Unlocked>(file)
                                                      : std::nullopt),
        database_(file, how),
        by_path_(database_, "select id, path, hash, narSize from ValidPaths where path = ?"),
        by_id_(database_, "select id, path, hash, narSize from ValidPaths where id = ?"),
        references_(database_, "select reference from Refs where referrer = ?") {
    if (unlocked_) {
      unlocked_->check();
    }
  }

  std::vector<std::optional<PathInfo>> query(std::span<const StorePath> paths) override {
    return in_snapshot(database_, unlocked_, [&] {
      std::vector<std::optional<PathInfo>> infos;
      infos.reserve(paths.size());
      for (const StorePath& path : paths) {
        infos.push_back(read(path));
      }
      return infos;
    });
  }

  Closure closure(std::span<const StorePath> roots) override {
    return in_snapshot(database_, unlocked_, [&] { return walk(roots); });
  }

 private:
  struct Row {
    std::int64_t id;
    PathInfo info;
  };

  static std::optional<Row> take(sqlite::Statement& statement) {
    std::optional<Row> row;
    if (statement.step()) {
      row = Row{statement.number(0),
                {.path = StorePath::parse(statement.text(1)),
                 .nar_hash = Digest::parse(statement.text(2)),
                 .nar_size = static_cast<std::uint64_t>(statement.number(3)),
                 .references = {}}};
    }
    statement.reset();
    return row;
  }

  std::optional<PathInfo> read(const StorePath& path) {
    auto row = find(path);
    if (!row) {
      return std::nullopt;
    }
    for (const std::int64_t id : references_of(row->id)) {
      row->info.references.insert(read_by_id(id).info.path);
    }
    return std::move(row->info);
  }

  std::optional<Row> find(const StorePath& path) {
    by_path_.bind(0, path.to_string());
    return take(by_path_);
  }

  Row read_by_id(std::int64_t id) {
    by_id_.bind(0, id);
    auto row = take(by_id_);
    if (!row) {
      throw Error(fmt::format("the store's database refers to row {}, which is not there", id),
                  "nix-store --verify tells what is wrong with the store");
    }
    return std::move(*row);
  }

  std::vector<std::int64_t> references_of(std::int64_t id) {
    std::vector<std::int64_t> ids;
    references_.bind(0, id);
    while (references_.step()) {
      ids.push_back(references_.number(0));
    }
    references_.reset();
    return ids;
  }

  Closure walk(std::span<const StorePath> roots) {
    std::vector<PathInfo> infos;
    std::vector<std::vector<std::int64_t>> edges;
    std::unordered_map<std::int64_t, std::size_t> index;
    const auto add = [&](Row row) {
      if (index.emplace(row.id, infos.size()).second) {
        edges.push_back(references_of(row.id));
        infos.push_back(std::move(row.info));
      }
    };
    for (const StorePath& root : roots) {
      auto row = find(root);
      if (!row) {
        throw Error(
            fmt::format("{} is not valid in this store", root.to_string()),
            fmt::format("build or fetch it first: nix-store --realise {}", root.to_string()));
      }
      add(std::move(*row));
    }
    for (std::size_t at = 0; at < infos.size(); ++at) {
      // By index: add() moves the vectors.
      for (std::size_t k = 0; k < edges[at].size(); ++k) {
        if (!index.contains(edges[at][k])) {
          add(read_by_id(edges[at][k]));
        }
      }
    }
    for (std::size_t at = 0; at < infos.size(); ++at) {
      for (const std::int64_t id : edges[at]) {
        infos[at].references.insert(infos[index.at(id)].path);
      }
    }
    return make_closure(std::move(infos));
  }

  std::optional<Unlocked> unlocked_;
  sqlite::Database database_;
  sqlite::Statement by_path_;
  sqlite::Statement by_id_;
  sqlite::Statement references_;
};

}  // namespace

std::unique_ptr<StoreDatabase> open_store_database(const fs::path& state_dir) {
  const fs::path folder = state_dir / "db";
  const fs::path file = folder / "db.sqlite";
  return while_doing("reading the store's database", [&]() -> std::unique_ptr<StoreDatabase> {
    check_schema(folder);
    try {
      return std::make_unique<SqliteStoreDatabase>(file, sqlite::Open::read);
    } catch (const Error&) {
      // A database with a write-ahead log needs its -shm file, which a reader has to make where it
      // is absent: not possible in a folder that we may not write (a user beside a daemon, a
      // read-only mount). Anything else that is wrong shows again below.
      if (::access(folder.c_str(), W_OK) == 0 || ::access(file.c_str(), R_OK) != 0) {
        throw;
      }
      return std::make_unique<SqliteStoreDatabase>(file, sqlite::Open::read_immutable);
    }
  });
}

}  // namespace seed::nix
