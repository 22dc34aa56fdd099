// SPDX-License-Identifier: Apache-2.0
#include "auth/last_logins.h"

#include <algorithm>

namespace claviger {

void LastLogins::record(const LoginId& id, Timestamp at) {
    const Uuid value = std::visit([](const auto& of) { return of.value; }, id);
    Shard& shard = shard_of(value);
    const std::scoped_lock lock(shard.mutex);
    shard.seen.insert_or_assign(value, Seen{id, at, false});
}

std::optional<Timestamp> LastLogins::latest(const Uuid& id, std::optional<Timestamp> stored) const {
    const Shard& shard = shard_of(id);
    const std::scoped_lock lock(shard.mutex);
    const auto at = shard.seen.find(id);
    if (at == shard.seen.end()) {
        return stored;
    }
    return stored ? std::max(*stored, at->second.at) : at->second.at;
}

Result<void> LastLogins::flush(Store& store) {
    std::vector<LastLogin> batch;
    for (Shard& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        for (auto& [id, seen] : shard.seen) {
            if (!seen.written) {
                batch.push_back({seen.id, seen.at});
                seen.written = true;
            }
        }
    }
    if (batch.empty()) {
        return {};
    }
    return store.record_last_logins(batch);
}

} // namespace claviger
