// SPDX-License-Identifier: Apache-2.0
#include "store/memory_usage.h"

#include <algorithm>

namespace claviger {

Result<UsageNumbers> MemoryUsageRows::number(std::span<const std::string> permissions, Day today) {
    const std::scoped_lock lock(mutex_);
    if (!has_begun_) {
        numbers_.since = today;
        has_begun_ = true;
    }
    for (const std::string& permission : permissions) {
        if (std::ranges::find(numbers_.permissions, permission) == numbers_.permissions.end()) {
            numbers_.permissions.push_back(permission);
        }
    }
    return numbers_;
}

Result<void> MemoryUsageRows::merge(std::span<const UsageRow> rows) {
    const std::scoped_lock lock(mutex_);
    for (const UsageRow& row : rows) {
        UsageRow& kept =
            rows_.try_emplace({row.scope.tenant, row.day, row.credential, row.scope}, row)
                .first->second;
        add_bits(kept.permissions, row.permissions);
    }
    return {};
}

std::vector<UsageRow> MemoryUsageRows::rows_since(TenantId tenant, Day from) {
    const std::scoped_lock lock(mutex_);
    std::vector<UsageRow> found;
    for (auto at = rows_.lower_bound({tenant, from, {}, {}});
         at != rows_.end() && std::get<TenantId>(at->first) == tenant; ++at) {
        found.push_back(at->second);
    }
    return found;
}

Result<void> MemoryUsageRows::for_each_of(TenantId tenant, const Credential& credential, Day from,
                                          Day to, const Visit& visit) {
    for (const UsageRow& row : rows_since(tenant, from)) {
        if (row.credential == credential && row.day <= to) {
            visit(row);
        }
    }
    return {};
}

Result<void> MemoryUsageRows::for_each_since(TenantId tenant, Day from, const Visit& visit) {
    std::ranges::for_each(rows_since(tenant, from), visit);
    return {};
}

Result<std::vector<LastUse>> MemoryUsageRows::last_uses(TenantId tenant) {
    std::map<Credential, Day> last;
    for (const UsageRow& row : rows_since(tenant, {})) {
        last.insert_or_assign(row.credential, row.day);
    }
    std::vector<LastUse> found;
    found.reserve(last.size());
    for (const auto& [credential, day] : last) {
        found.push_back({credential, day});
    }
    return found;
}

Result<std::uint64_t> MemoryUsageRows::remove_before(TenantId tenant, Day before) {
    const std::scoped_lock lock(mutex_);
    std::uint64_t removed = 0;
    auto at = rows_.lower_bound({tenant, {}, {}, {}});
    while (removed < most_removed_usage && at != rows_.end() &&
           std::get<TenantId>(at->first) == tenant && std::get<Day>(at->first) < before) {
        at = rows_.erase(at);
        ++removed;
    }
    return removed;
}

} // namespace claviger
