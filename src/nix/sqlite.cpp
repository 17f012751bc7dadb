#include "nix/sqlite.hpp"

#include <fmt/core.h>
#include <sqlite3.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"

namespace seed::nix::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 60'000;  // another process may hold the lock for a large commit

/// As a file: URI, in which these would end the path.
std::string uri_of(const std::filesystem::path& file, Open how) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    switch (c) {
      case '%':
        uri += "%25";
        break;
      case '?':
        uri += "%3f";
        break;
      case '#':
        uri += "%23";
        break;
      default:
        uri += c;
    }
  }
  return uri + (how == Open::create ? "?mode=rwc"
                : how == Open::read ? "?mode=ro"
                                    : "?immutable=1");
}

}  // namespace

struct Database::Impl {
  Handle<sqlite3, sqlite3_close_v2> connection;
  std::string file;

  [[noreturn]] void fail() const {
    throw Error(fmt::format(
        "database {}: {}", file, connection ? sqlite3_errmsg(connection.get()) : "out of memory"));
  }

  void check(int result) const {
    if (result != SQLITE_OK) {
      fail();
    }
  }
};

Database::Database(const std::filesystem::path& file, Open how) : impl_(std::make_unique<Impl>()) {
  impl_->file = file.string();
  const int flags =
      SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
      (how == Open::create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  sqlite3* connection = nullptr;
  const int result = sqlite3_open_v2(uri_of(file, how).c_str(), &connection, flags, nullptr);
  impl_->connection.reset(connection);
  impl_->check(result);
  impl_->check(sqlite3_busy_timeout(connection, kBusyTimeoutMs));
}

Database::Database(Database&&) noexcept = default;
Database::~Database() = default;

void Database::run(const char* sql) {
  impl_->check(sqlite3_exec(impl_->connection.get(), sql, nullptr, nullptr, nullptr));
}

struct Statement::Impl {
  Handle<sqlite3_stmt, sqlite3_finalize> statement;
  const Database::Impl* database;
};

Statement::Statement(Database& database, std::string_view sql) : impl_(std::make_unique<Impl>()) {
  impl_->database = database.impl_.get();
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v2(database.impl_->connection.get(),
                                        sql.data(),
                                        static_cast<int>(sql.size()),
                                        &statement,
                                        nullptr);
  impl_->statement.reset(statement);
  impl_->database->check(result);
}

Statement::Statement(Statement&&) noexcept = default;
Statement::~Statement() = default;

void Statement::bind(int parameter, std::string_view text) {
  impl_->database->check(sqlite3_bind_text64(impl_->statement.get(),
                                             parameter + 1,
                                             text.data(),
                                             text.size(),
                                             SQLITE_TRANSIENT,
                                             SQLITE_UTF8));
}

void Statement::bind(int parameter, std::int64_t number) {
  impl_->database->check(sqlite3_bind_int64(impl_->statement.get(), parameter + 1, number));
}

bool Statement::step() {
  const int result = sqlite3_step(impl_->statement.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) {
    impl_->database->fail();
  }
  return result == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(impl_->statement.get());
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(impl_->statement.get(), column);
}

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(impl_->statement.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(impl_->statement.get(), column));
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text), size);
}

}  // namespace seed::nix::sqlite
