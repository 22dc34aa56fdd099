// SPDX-License-Identifier: Apache-2.0
// The one connection that writes to and checkpoints a database. Two connections of which one
// checkpoints can corrupt a database under SQLite 3.7.0 to 3.51.2 (the WAL-reset bug), so nobody
// else ever does either.
#pragma once

#include <filesystem>
#include <memory>

#include "store/migrations.h"
#include "store/sqlite_connection.h"

namespace claviger {

struct SqliteOptions {
    /// The write-ahead log is copied into the main file when it has grown by this much.
    int checkpoint_above_pages = 1024; // 4 MiB

    /// For the crash test, which must find the losses that this causes. Never set it.
    bool lose_acknowledged_writes_at_power_loss = false;
};

class SqliteWriter {
public:
    /// Opens or makes the file, migrates it, and makes it durable under its name.
    static Result<std::unique_ptr<SqliteWriter>>
    open(const std::filesystem::path& file, Migrations migrations, const SqliteOptions& options);
    ~SqliteWriter();

    Connection& connection() { return *connection_; }

    /// Refused for good once the disk has failed: what a failed sync left behind is unknown until
    /// the database is opened anew.
    Result<void> begin();
    /// Durable when it succeeds. On failure the transaction is rolled back.
    Result<void> commit();
    void roll_back();

    /// Call between transactions. True when it was due.
    bool checkpoint_if_due();

private:
    SqliteWriter(std::unique_ptr<Connection> connection, const SqliteOptions& options)
        : connection_(std::move(connection)), options_(options) {}

    std::unique_ptr<Connection> connection_;
    SqliteOptions options_;
    int checkpointed_pages_ = 0;
};

} // namespace claviger
