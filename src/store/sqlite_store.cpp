// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_store.h"

#include <array>
#include <exception>

#include "store/sqlite_audit.h"
#include "store/sqlite_load.h"
#include "store/sqlite_rows.h"
#include "store/sqlite_secrets.h"

namespace claviger {

namespace {

constexpr std::uint64_t most_removed_events = 4096; // at once: changes wait meanwhile

} // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& directory,
                                                       const SqliteOptions& options) {
    const auto file = directory / store_file_name;
    auto writer = TRY(SqliteWriter::open(file, store_migrations(), options));
    std::unique_ptr<SqliteStore> store(new SqliteStore(file, std::move(writer)));
    TRY(store->add_missing_blocks());
    return store;
}

SqliteStore::SqliteStore(std::filesystem::path file, std::unique_ptr<SqliteWriter> writer)
    : file_(std::move(file)), writer_(std::move(writer)), changes_(writer_->connection()),
      transaction_(writer_->connection(), changes_),
      queue_([this](std::span<CommitQueue::Entry* const> batch) { run_batch(batch); }),
      usage_(file_, queue_, *writer_) {}

SqliteStore::~SqliteStore() = default;

Result<void> SqliteStore::write(const Work& work) {
    return queue_.submit([&]() -> Result<void> {
        const std::size_t before = changes_.rows().size();
        TRY(work(transaction_));
        return completion_ ? completion_(transaction_, changes_.rows().subspan(before))
                           : Result<void>{};
    });
}

void SqliteStore::set_completion(Completion completion) {
    completion_ = std::move(completion);
}

void SqliteStore::set_commit_listener(CommitListener listener) {
    listener_ = std::move(listener);
}

Result<void> SqliteStore::record_last_logins(std::span<const LastLogin> logins) {
    return queue_.submit([&]() -> Result<void> {
        Connection& connection = writer_->connection();
        for (const LastLogin& login : logins) {
            static constexpr std::array<std::string_view, 3> updates{
                "UPDATE service_account SET last_login = ? WHERE tenant = ? AND id = ?",
                "UPDATE user SET last_login = ? WHERE tenant = ? AND id = ?",
                "UPDATE access_key SET last_login = ? WHERE tenant = ? AND id = ?"};
            TRY(std::visit(
                [&](const auto& id) {
                    return connection.run(updates[login.id.index()], login.at, id.tenant, id.value);
                },
                login.id));
        }
        return {};
    });
}

Result<void> SqliteStore::record_secret_uses(std::span<const SecretUse> uses) {
    return queue_.submit([&] { return add_secret_uses(writer_->connection(), uses); });
}

Result<std::vector<SecretUse>> SqliteStore::secret_uses(TenantId tenant, const Uuid& key) {
    const auto reader = TRY(open_reader());
    return find_secret_uses(*reader, tenant, key);
}

Result<void> SqliteStore::try_write() {
    // SQLite leaves out an UPDATE that changes nothing, but always writes this.
    return queue_.submit([&] { return writer_->connection().run("PRAGMA user_version = 0"); });
}

void SqliteStore::run_batch(std::span<CommitQueue::Entry* const> batch) {
    if (const auto committed = commit(batch); !committed) {
        for (CommitQueue::Entry* entry : batch) {
            if (entry->outcome) {
                entry->outcome = std::unexpected(committed.error());
            }
        }
        return;
    }
    if (listener_ && !changes_.rows().empty()) {
        listener_(changes_.number(), changes_.rows());
    }
    writer_->checkpoint_if_due();
}

Result<void> SqliteStore::commit(std::span<CommitQueue::Entry* const> batch) {
    TRY(writer_->begin());
    const auto ran = [&]() -> Result<void> {
        TRY(changes_.begin());
        for (CommitQueue::Entry* entry : batch) {
            TRY(batch.size() == 1 ? run_alone(*entry) : run_in_savepoint(*entry));
        }
        return changes_.finish();
    }();
    if (!ran) {
        writer_->roll_back();
        return ran;
    }
    return writer_->commit();
}

namespace {

Result<void> run_guarded(const CommitQueue::Job& job) {
    try {
        return job();
    } catch (const std::exception& thrown) {
        return fail(ErrorCode::internal, std::string("a write threw: ") + thrown.what());
    } catch (...) {
        return fail(ErrorCode::internal, "a write threw");
    }
}

} // namespace

/// Without a savepoint, below which SQLite keeps the former pages of the whole work in memory and
/// goes through them after each statement.
Result<void> SqliteStore::run_alone(CommitQueue::Entry& entry) {
    entry.outcome = run_guarded(entry.job);
    if (entry.outcome && !writer_->connection().in_transaction()) {
        return fail(ErrorCode::unavailable, "the transaction was rolled back");
    }
    return entry.outcome;
}

/// Fails only when the whole transaction is lost.
Result<void> SqliteStore::run_in_savepoint(CommitQueue::Entry& entry) {
    Connection& connection = writer_->connection();
    const ChangeLog::Mark before = changes_.mark();
    TRY(connection.run("SAVEPOINT work"));
    entry.outcome = run_guarded(entry.job);
    if (!connection.in_transaction()) {
        // A full disk or a failed one made SQLite roll back the works before it as well.
        return fail(ErrorCode::unavailable, entry.outcome ? "the transaction was rolled back"
                                                          : entry.outcome.error().detail());
    }
    if (!entry.outcome) {
        TRY(connection.run("ROLLBACK TO work"));
        changes_.rewind(before);
    }
    return connection.run("RELEASE work");
}

Result<std::unique_ptr<Connection>> SqliteStore::open_reader() const {
    return Connection::open(file_, Connection::Mode::read_only);
}

Result<void> SqliteStore::load(const RowVisitor& visit) {
    const auto reader = TRY(open_reader());
    return load_rows(*reader, visit);
}

Result<std::vector<Revocation>> SqliteStore::revocations(TenantId tenant, std::uint64_t after,
                                                         std::size_t most) {
    static const std::string sql = select(
        revocation_columns, "revocation WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?");
    const auto reader = TRY(open_reader());
    Statement found = TRY(reader->query(sql, tenant, after, static_cast<std::int64_t>(most)));
    std::vector<Revocation> revocations;
    for (bool more = TRY(found.step()); more;) {
        read_row(found, revocations.emplace_back());
        more = TRY(found.step());
    }
    return revocations;
}

Result<std::vector<AccessRule>> SqliteStore::deleted_access_rules(TenantId tenant) {
    static const std::string sql =
        select(access_rule_columns, "access_rule WHERE tenant = ? AND deleted_at IS NOT NULL "
                                    "ORDER BY deleted_at, id");
    const auto reader = TRY(open_reader());
    Statement found = TRY(reader->query(sql, tenant));
    std::vector<AccessRule> rules;
    for (bool more = TRY(found.step()); more;) {
        read_row(found, rules.emplace_back());
        more = TRY(found.step());
    }
    return rules;
}

Result<std::unique_ptr<AuditReader>> SqliteStore::open_audit_reader() {
    return SqliteAuditReader::open(file_, change_event_table(), {});
}

Result<std::uint64_t> SqliteStore::remove_oldest(TenantId tenant, Timestamp before) {
    std::uint64_t removed = 0;
    TRY(queue_.submit([&]() -> Result<void> {
        removed = TRY(remove_oldest_entries(writer_->connection(), change_event_table(), tenant,
                                            before, most_removed_events));
        return {};
    }));
    return removed;
}

Result<void> SqliteStore::add_missing_blocks() {
    return queue_.submit([&]() -> Result<void> {
        const auto tenants = TRY(transaction_.tenants().all());
        for (const Tenant& tenant : tenants) {
            TRY(claviger::add_missing_blocks(writer_->connection(), change_event_table(),
                                             tenant.id));
        }
        return {};
    });
}

} // namespace claviger
