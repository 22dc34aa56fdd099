// SPDX-License-Identifier: Apache-2.0
// The usage rows of a MemoryStore.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <tuple>

#include "store/usage_rows.h"

namespace claviger {

class MemoryUsageRows final : public UsageRows {
public:
    Result<UsageNumbers> number(std::span<const std::string> permissions, Day today) override;
    Result<void> merge(std::span<const UsageRow> rows) override;
    Result<void> for_each_of(TenantId tenant, const Credential& credential, Day from, Day to,
                             const Visit& visit) override;
    Result<void> for_each_since(TenantId tenant, Day from, const Visit& visit) override;
    Result<std::vector<LastUse>> last_uses(TenantId tenant) override;
    Result<std::uint64_t> remove_before(TenantId tenant, Day before) override;

private:
    using Key = std::tuple<TenantId, Day, Credential, ScopeId>;
    std::vector<UsageRow> rows_since(TenantId tenant, Day from);

    std::mutex mutex_;
    UsageNumbers numbers_;
    bool has_begun_ = false;
    std::map<Key, UsageRow> rows_;
};

} // namespace claviger
