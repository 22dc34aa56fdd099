// SPDX-License-Identifier: Apache-2.0
// The usage rows of a SqliteStore.
#pragma once

#include <filesystem>

#include "store/commit_queue.h"
#include "store/sqlite_writer.h"
#include "store/usage_rows.h"

namespace claviger {

class SqliteUsageRows final : public UsageRows {
public:
    /// Jobs of `queue` may use the connection of `writer`; both belong to the store.
    SqliteUsageRows(std::filesystem::path file, CommitQueue& queue, SqliteWriter& writer)
        : file_(std::move(file)), queue_(queue), writer_(writer) {}

    Result<UsageNumbers> number(std::span<const std::string> permissions, Day today) override;
    Result<void> merge(std::span<const UsageRow> rows) override;
    Result<void> for_each_of(TenantId tenant, const Credential& credential, Day from, Day to,
                             const Visit& visit) override;
    Result<void> for_each_since(TenantId tenant, Day from, const Visit& visit) override;
    Result<std::vector<LastUse>> last_uses(TenantId tenant) override;
    Result<std::uint64_t> remove_before(TenantId tenant, Day before) override;

private:
    Result<void> merge_one(const UsageRow& row);
    Result<std::unique_ptr<Connection>> open_reader() const;

    std::filesystem::path file_;
    CommitQueue& queue_;
    SqliteWriter& writer_;
};

} // namespace claviger
