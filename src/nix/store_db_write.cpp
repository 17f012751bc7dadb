#include <array>
#include <cerrno>
#include <fstream>

#include <fmt/core.h>

#include "base/error.hpp"
#include "nix/sqlite.hpp"
#include "nix/store_db.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

/// Schema 10: names, types and constraints are what Nix's own statements rely on.
constexpr const char* kTables = R"sql(
create table ValidPaths (
    id               integer primary key autoincrement not null,
    path             text unique not null,
    hash             text not null,
    registrationTime integer not null,
    deriver          text,
    narSize          integer,
    ultimate         integer,
    sigs             text,
    ca               text
);
create table Refs (
    referrer  integer not null,
    reference integer not null,
    primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict
);
create index IndexReferrer on Refs(referrer);
create index IndexReference on Refs(reference);
create trigger DeleteSelfRefs before delete on ValidPaths
  begin
    delete from Refs where referrer = old.id and reference = old.id;
  end;
create table DerivationOutputs (
    drv  integer not null,
    id   text not null,
    path text not null,
    primary key (drv, id),
    foreign key (drv) references ValidPaths(id) on delete cascade
);
create index IndexDerivationOutputs on DerivationOutputs(path);
)sql";

/// Everything that would let the host show in the bytes: no journal, fixed page size and encoding,
/// no temporary files.
constexpr const char* kSettings = R"sql(
pragma page_size = 4096;
pragma encoding = 'UTF-8';
pragma auto_vacuum = none;
pragma journal_mode = off;
pragma synchronous = off;
pragma locking_mode = exclusive;
pragma temp_store = memory;
)sql";

void insert_paths(sqlite::Database& database, const Closure& closure) {
  sqlite::Statement path(database,
                         "insert into ValidPaths (id, path, hash, registrationTime, narSize) "
                         "values (?, ?, ?, 1, ?)");
  std::int64_t id = 0;
  for (const PathInfo& info : closure.paths()) {
    path.bind(0, ++id);
    path.bind(1, info.path.to_string());
    path.bind(2, info.nar_hash.to_string());
    path.bind(3, static_cast<std::int64_t>(info.nar_size));
    path.step();
    path.reset();
  }
}

void insert_references(sqlite::Database& database, const Closure& closure) {
  sqlite::Statement edge(database, "insert into Refs (referrer, reference) values (?, ?)");
  const auto id_of = [&](const PathInfo* info) {
    return static_cast<std::int64_t>(info - closure.paths().data()) + 1;
  };
  for (const PathInfo& info : closure.paths()) {
    for (const StorePath& reference : info.references) {
      edge.bind(0, id_of(&info));
      edge.bind(1, id_of(closure.find(reference)));
      edge.step();
      edge.reset();
    }
  }
}

/// The header names the release of SQLite that wrote last (fileformat2 §1.3.14). No reader goes by
/// it; with a fixed number the bytes do not change with the library.
void fix_writer_version(const fs::path& file) {
  constexpr std::streamoff kOffset = 96;
  constexpr std::array kVersion{std::byte{0}, std::byte{0x2e}, std::byte{0x63}, std::byte{0x01}};
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(kOffset);
  stream << text_of(kVersion);
  stream.close();
  if (!stream) {
    throw Error(fmt::format("writing {} failed", file.string()));
  }
}

}  // namespace

void write_store_database(const fs::path& file, const Closure& closure) {
  while_doing("writing the store's database", [&] {
    const os::TempDir scratch(fs::absolute(file).parent_path());
    const fs::path draft = scratch.path() / "db.sqlite";
    {
      sqlite::Database database(draft, sqlite::Open::create);
      database.run(kSettings);
      database.run("begin");
      database.run(kTables);
      insert_paths(database, closure);
      insert_references(database, closure);
      database.run("commit");
      database.run("vacuum");
    }
    fix_writer_version(draft);
    std::error_code code;
    fs::permissions(draft, fs::perms{0644}, code);  // whatever the umask
    fs::rename(draft, file, code);
    if (code) {
      errno = code.value();
      os::throw_errno("writing", file);
    }
  });
}

}  // namespace seed::nix
