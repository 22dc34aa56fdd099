// SPDX-License-Identifier: Apache-2.0
// A store for tests: in memory, one write at a time, look-ups by plain search. A failed write is
// taken back step by step.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "store/memory_usage.h"
#include "store/store.h"

namespace claviger {

struct MemoryTables;

class MemoryStore final : public Store {
public:
    MemoryStore();
    ~MemoryStore() override;

    Result<void> write(const Work& work) override;
    void set_commit_listener(CommitListener listener) override;
    void set_completion(Completion completion) override;
    Result<std::vector<Revocation>> revocations(TenantId tenant, std::uint64_t after,
                                                std::size_t most) override;
    Result<void> load(const RowVisitor& visit) override;
    Result<void> record_last_logins(std::span<const LastLogin> logins) override;
    Result<void> record_secret_uses(std::span<const SecretUse> uses) override;
    Result<std::vector<SecretUse>> secret_uses(TenantId tenant, const Uuid& key) override;
    Result<void> try_write() override { return {}; }
    Result<std::vector<AccessRule>> deleted_access_rules(TenantId tenant) override;
    UsageRows& usage() override { return usage_; }
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override;
    Result<std::uint64_t> remove_oldest(TenantId tenant, Timestamp before) override;

private:
    std::vector<Row> live_rows();

    std::mutex mutex_;
    std::unique_ptr<MemoryTables> tables_;
    std::map<Uuid, SecretUse> secret_uses_; // by the secret
    CommitListener listener_;
    Completion completion_;
    MemoryUsageRows usage_;
};

} // namespace claviger
