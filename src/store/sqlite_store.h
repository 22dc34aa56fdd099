// SPDX-License-Identifier: Apache-2.0
// The store in an SQLite file: every write is in the write-ahead log and synced before it is
// acknowledged, and the writes of concurrent callers share one sync.
#pragma once

#include <filesystem>
#include <memory>

#include "store/commit_queue.h"
#include "store/sqlite_transaction.h"
#include "store/sqlite_usage.h"
#include "store/sqlite_writer.h"
#include "store/store.h"

namespace claviger {

inline constexpr std::string_view store_file_name = "claviger.db";

class SqliteStore final : public Store {
public:
    /// `directory` exists and is owned by this process (DataDirectory).
    static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& directory,
                                                     const SqliteOptions& options = {});
    ~SqliteStore() override;

    Result<void> write(const Work& work) override;
    void set_commit_listener(CommitListener listener) override;
    void set_completion(Completion completion) override;
    Result<std::vector<Revocation>> revocations(TenantId tenant, std::uint64_t after,
                                                std::size_t most) override;
    Result<void> load(const RowVisitor& visit) override;
    Result<void> record_last_logins(std::span<const LastLogin> logins) override;
    Result<void> record_secret_uses(std::span<const SecretUse> uses) override;
    Result<std::vector<SecretUse>> secret_uses(TenantId tenant, const Uuid& key) override;
    Result<void> try_write() override;
    Result<std::vector<AccessRule>> deleted_access_rules(TenantId tenant) override;
    UsageRows& usage() override { return usage_; }
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override;
    Result<std::uint64_t> remove_oldest(TenantId tenant, Timestamp before) override;

private:
    SqliteStore(std::filesystem::path file, std::unique_ptr<SqliteWriter> writer);

    Result<void> add_missing_blocks();
    void run_batch(std::span<CommitQueue::Entry* const> batch);
    Result<void> commit(std::span<CommitQueue::Entry* const> batch);
    Result<void> run_alone(CommitQueue::Entry& entry);
    Result<void> run_in_savepoint(CommitQueue::Entry& entry);
    Result<std::unique_ptr<Connection>> open_reader() const;

    std::filesystem::path file_;
    std::unique_ptr<SqliteWriter> writer_; // used by the leader of the queue only
    ChangeLog changes_;
    SqliteTransaction transaction_;
    CommitListener listener_;
    Completion completion_;
    CommitQueue queue_;
    SqliteUsageRows usage_;
};

} // namespace claviger
