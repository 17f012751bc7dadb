#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace seed::nix::sqlite {

enum class Open {
  read,            ///< an existing file, other processes may write
  read_immutable,  ///< no locks and no write-ahead log: nobody may write meanwhile
  create,          ///< for this process alone
};

/// A connection. Its methods throw Error with SQLite's own message and the file's name.
class Database {
 public:
  Database(const std::filesystem::path& file, Open how);
  Database(Database&&) noexcept;
  ~Database();

  /// One or more statements without results.
  void run(const char* sql);

 private:
  friend class Statement;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A prepared statement, for as long as its database is there. Parameters and columns count from 0.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  Statement(Statement&&) noexcept;
  ~Statement();

  /// The text is copied.
  void bind(int parameter, std::string_view text);
  void bind(int parameter, std::int64_t number);

  /// Whether there is a row. reset() comes before the next bind.
  bool step();
  void reset();

  std::int64_t number(int column) const;  ///< 0 for NULL
  std::string text(int column) const;     ///< "" for NULL

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seed::nix::sqlite
