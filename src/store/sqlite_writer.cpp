// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_writer.h"

#include "store/data_directory.h"

namespace claviger {

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::open(const std::filesystem::path& file,
                                                         Migrations migrations,
                                                         const SqliteOptions& options) {
    auto connection = TRY(Connection::open(file, Connection::Mode::read_write));
    const std::string mode = TRY(connection->ask("PRAGMA journal_mode = WAL"));
    if (mode != "wal") {
        return fail(ErrorCode::unavailable, file.string() + " cannot use a write-ahead log");
    }
    TRY(connection->execute("PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST"));
    TRY(connection->execute(options.lose_acknowledged_writes_at_power_loss
                                ? "PRAGMA synchronous = NORMAL"
                                : "PRAGMA synchronous = FULL"));
    // Otherwise a power loss could bring back the rollback journal of the switch to WAL.
    TRY(sync_directory(file.parent_path()));
    TRY(migrate(*connection, migrations));
    // Frames of a former process may stand in the page cache only: bring them to disk.
    TRY(connection->ask("PRAGMA wal_checkpoint(TRUNCATE)"));
    TRY(sync_directory(file.parent_path()));
    return std::unique_ptr<SqliteWriter>(new SqliteWriter(std::move(connection), options));
}

SqliteWriter::~SqliteWriter() {
    if (!connection_->io_failed()) {
        // A failure leaves a longer log, which the next start reads.
        static_cast<void>(connection_->ask("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
}

Result<void> SqliteWriter::begin() {
    if (connection_->io_failed()) {
        return fail(ErrorCode::unavailable,
                    connection_->name() + " could not be synced; restart claviger");
    }
    return connection_->run("BEGIN IMMEDIATE");
}

Result<void> SqliteWriter::commit() {
    auto committed = connection_->run("COMMIT");
    if (!committed) {
        roll_back();
    }
    return committed;
}

void SqliteWriter::roll_back() {
    if (connection_->in_transaction()) {
        // It fails only where SQLite has rolled back by itself.
        static_cast<void>(connection_->run("ROLLBACK"));
    }
}

bool SqliteWriter::checkpoint_if_due() {
    const int pages = connection_->wal_pages();
    if (pages < checkpointed_pages_) {
        checkpointed_pages_ = 0; // the log has started from its beginning again
    }
    const bool is_due = pages - checkpointed_pages_ > options_.checkpoint_above_pages;
    if (is_due) {
        // A full disk is no harm: the log keeps everything. A failed sync stops later writes.
        static_cast<void>(connection_->ask("PRAGMA wal_checkpoint(PASSIVE)"));
        checkpointed_pages_ = pages;
    }
    return is_due;
}

} // namespace claviger
