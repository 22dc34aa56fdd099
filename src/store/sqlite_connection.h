// SPDX-License-Identifier: Apache-2.0
// A thin owner of SQLite's C API: one connection, its prepared statements, and failures as Result.
// It knows nothing of the schema. A connection belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <sqlite3.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/time.h"
#include "base/uuid.h"
#include "model/model.h"

namespace claviger {

/// Binds values in order and remembers the first failure.
class Binder {
public:
    /// `copy` is SQLITE_STATIC when the values outlive the statement's use.
    Binder(sqlite3_stmt* statement, sqlite3_destructor_type copy)
        : statement_(statement), copy_(copy) {}

    template <class T>
        requires std::integral<T> || std::is_enum_v<T>
    void add(T value) {
        add_integer(static_cast<std::int64_t>(value));
    }
    void add(Timestamp at) { add_integer(at.microseconds); }
    void add(const std::optional<Timestamp>& at);
    void add(std::string_view text);
    /// A template, so that it does not compete for texts.
    template <std::same_as<std::optional<std::string>> Text>
    void add(const Text& text) {
        text ? add(std::string_view(*text)) : add(std::optional<Timestamp>());
    }
    void add(std::span<const std::uint8_t> bytes);
    void add(const Uuid& id) { add(std::span<const std::uint8_t>(id.bytes)); }

    int status() const { return status_; }

private:
    void add_integer(std::int64_t value);
    void keep(int status) { status_ = status_ == SQLITE_OK ? status : status_; }

    sqlite3_stmt* statement_;
    sqlite3_destructor_type copy_;
    int next_ = 1;
    int status_ = SQLITE_OK;
};

class Connection;

/// One use of a prepared statement: it is reset when this dies.
class Statement {
public:
    Statement(Connection& connection, sqlite3_stmt* statement)
        : connection_(&connection), statement_(statement) {}
    Statement(Statement&& other) noexcept
        : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)) {}
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    /// True when there is a row to read.
    Result<bool> step();

    std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
    /// Valid until the next step, like all bytes read from a row.
    std::string_view text(int column) const;
    std::span<const std::uint8_t> blob(int column) const;
    bool is_null(int column) const {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }

    bool flag(int column) const { return integer(column) != 0; }
    Timestamp time(int column) const { return Timestamp{integer(column)}; }
    std::optional<Timestamp> optional_time(int column) const;
    /// The column as an array of bytes; zero where the blob has another length.
    template <std::size_t size>
    std::array<std::uint8_t, size> bytes(int column) const {
        std::array<std::uint8_t, size> out{};
        const auto found = blob(column);
        if (found.size() == size) {
            std::ranges::copy(found, out.begin());
        }
        return out;
    }

private:
    Connection* connection_;
    sqlite3_stmt* statement_;
};

class Connection {
public:
    enum class Mode { read_only, read_write };

    static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, Mode mode);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs statements that give no rows, without bound values.
    Result<void> execute(const std::string& sql);

    template <class... Values>
    Result<void> run(std::string_view sql, const Values&... values) {
        sqlite3_stmt* statement = TRY(prepare(sql));
        Statement use(*this, statement);
        Binder binder(statement, SQLITE_STATIC);
        (binder.add(values), ...);
        TRY(check(binder.status()));
        TRY(use.step());
        return {};
    }

    template <class... Values>
    Result<Statement> query(std::string_view sql, const Values&... values) {
        sqlite3_stmt* statement = TRY(prepare(sql));
        Binder binder(statement, transient());
        (binder.add(values), ...);
        TRY(check(binder.status()));
        return Statement(*this, statement);
    }

    /// The single text or number that `sql` gives, as text.
    Result<std::string> ask(std::string_view sql);

    bool in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
    /// The disk failed under this connection: what it wrote may or may not be there.
    bool io_failed() const { return io_failed_; }
    /// Pages in the write-ahead log after the last commit of this connection.
    int wal_pages() const { return wal_pages_; }
    /// The file, for messages.
    const std::string& name() const { return name_; }

    Result<void> check(int status);

private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };

    Connection(sqlite3* database, std::string name) : database_(database), name_(std::move(name)) {}

    static int note_wal_pages(void* connection, sqlite3*, const char*, int pages);
    static sqlite3_destructor_type transient();
    Result<sqlite3_stmt*> prepare(std::string_view sql);

    std::unique_ptr<sqlite3, Close> database_;
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, TextHash,
                       std::equal_to<>>
        statements_;
    std::string name_; // of the file, for messages
    bool io_failed_ = false;
    int wal_pages_ = 0;
};

} // namespace claviger
