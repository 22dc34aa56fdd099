// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_connection.h"

#include <system_error>

#include <fcntl.h>

#include "store/file.h"

namespace claviger {

namespace {

constexpr int busy_timeout_milliseconds = 5'000;

/// What the caller can do about a failure of SQLite.
ErrorCode code_of(int status) {
    if (status == SQLITE_CONSTRAINT_UNIQUE || status == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return ErrorCode::conflict;
    }
    switch (status & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
        return ErrorCode::unavailable;
    default:
        return ErrorCode::internal;
    }
}

} // namespace

void Binder::add_integer(std::int64_t value) {
    keep(sqlite3_bind_int64(statement_, next_++, value));
}

void Binder::add(const std::optional<Timestamp>& at) {
    if (at) {
        add(*at);
    } else {
        keep(sqlite3_bind_null(statement_, next_++));
    }
}

void Binder::add(std::string_view text) {
    const char* data = text.data() == nullptr ? "" : text.data(); // null would bind NULL
    keep(sqlite3_bind_text64(statement_, next_++, data, text.size(), copy_, SQLITE_UTF8));
}

void Binder::add(std::span<const std::uint8_t> bytes) {
    const void* data = bytes.data() == nullptr ? static_cast<const void*>("") : bytes.data();
    keep(sqlite3_bind_blob64(statement_, next_++, data, bytes.size(), copy_));
}

Statement::~Statement() {
    if (statement_ != nullptr) {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
}

Result<bool> Statement::step() {
    const int status = sqlite3_step(statement_);
    if (status == SQLITE_ROW || status == SQLITE_DONE) {
        return status == SQLITE_ROW;
    }
    TRY(connection_->check(status));
    return false;
}

std::string_view Statement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {reinterpret_cast<const char*>(data), size};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<Timestamp> Statement::optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Mode mode) {
    const int access =
        mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    std::error_code ignored;
    if (mode == Mode::read_write && !std::filesystem::exists(file, ignored)) {
        // SQLite would let others read it. What it puts beside a file gets the file's mode.
        TRY(File::open(file, O_RDWR | O_CREAT | O_EXCL));
    }
    sqlite3* database = nullptr;
    const int status = sqlite3_open_v2(
        file.c_str(), &database, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    if (database == nullptr) {
        return fail(ErrorCode::unavailable, file.string() + ": out of memory");
    }
    std::unique_ptr<Connection> connection(new Connection(database, file.string()));
    TRY(connection->check(status));
    sqlite3_busy_timeout(database, busy_timeout_milliseconds);
    // Only an explicit checkpoint of the one writer may touch the main file.
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    TRY(connection->execute("PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0;"
                            "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY"));
    sqlite3_wal_hook(database, note_wal_pages, connection.get());
    return connection;
}

int Connection::note_wal_pages(void* connection, sqlite3*, const char*, int pages) {
    static_cast<Connection*>(connection)->wal_pages_ = pages;
    return SQLITE_OK;
}

Result<void> Connection::check(int status) {
    if (status == SQLITE_OK) {
        return {};
    }
    io_failed_ = io_failed_ || (status & 0xFF) == SQLITE_IOERR;
    const ErrorCode code = code_of(status);
    if (code == ErrorCode::conflict) {
        return fail(code, "Such an object already exists"); // the message would show the schema
    }
    return fail(code, name_ + ": " + sqlite3_errmsg(database_.get()));
}

Result<void> Connection::execute(const std::string& sql) {
    return check(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

Result<std::string> Connection::ask(std::string_view sql) {
    Statement answer = TRY(query(sql));
    const bool found = TRY(answer.step());
    return found ? std::string(answer.text(0)) : std::string();
}

sqlite3_destructor_type Connection::transient() {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast" // inside SQLite's macro
    return SQLITE_TRANSIENT;
#pragma GCC diagnostic pop
}

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
    if (const auto known = statements_.find(sql); known != statements_.end()) {
        return known->second.get();
    }
    sqlite3_stmt* statement = nullptr;
    TRY(check(sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                 SQLITE_PREPARE_PERSISTENT, &statement, nullptr)));
    statements_.emplace(sql, statement);
    return statement;
}

} // namespace claviger
