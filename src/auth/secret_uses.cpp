// SPDX-License-Identifier: Apache-2.0
#include "auth/secret_uses.h"

#include <algorithm>

namespace claviger {
namespace {

/// Adds what was seen earlier to what was seen later.
void add_earlier(SecretUse& later, const SecretUse& earlier) {
    later.count += earlier.day == later.day ? earlier.count : 0;
}

} // namespace

void SecretUses::record(TenantId tenant, const Uuid& key, const Uuid& secret, const Origin& origin,
                        Timestamp at) {
    const Day day = day_of(at);
    Shard& shard = shards_[place_of(secret)];
    const std::scoped_lock lock(shard.mutex);
    SecretUse& use = shard.seen[secret];
    use.count = use.day == day ? use.count + 1 : 1;
    use.day = day;
    use.tenant = tenant;
    use.key = key;
    use.secret = secret;
    use.at = at;
    use.source_ip = origin.source_ip;
    use.user_agent = origin.user_agent.substr(0, longest_user_agent);
    std::ranges::replace_if(use.user_agent, [](char c) { return c < ' ' || c > '~'; }, '?');
}

Result<std::vector<SecretUse>> SecretUses::of_key(Store& store, TenantId tenant,
                                                  const Uuid& key) const {
    std::vector<SecretUse> uses = TRY(store.secret_uses(tenant, key));
    for (const Shard& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        for (const auto& [secret, seen] : shard.seen) {
            if (seen.tenant != tenant || seen.key != key) {
                continue;
            }
            const auto stored = std::ranges::find(uses, secret, &SecretUse::secret);
            SecretUse newest = seen;
            if (stored == uses.end()) {
                uses.push_back(std::move(newest));
            } else {
                add_earlier(newest, *stored);
                *stored = std::move(newest);
            }
        }
    }
    return uses;
}

Result<void> SecretUses::flush(Store& store) {
    std::vector<SecretUse> batch;
    for (Shard& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        for (auto& [secret, use] : shard.seen) {
            batch.push_back(std::move(use));
        }
        shard.seen.clear();
    }
    if (batch.empty()) {
        return {};
    }
    auto written = store.record_secret_uses(batch);
    if (!written) {
        for (SecretUse& use : batch) {
            Shard& shard = shards_[place_of(use.secret)];
            const std::scoped_lock lock(shard.mutex);
            const auto [newer, is_new] = shard.seen.try_emplace(use.secret, use);
            if (!is_new) {
                add_earlier(newer->second, use);
            }
        }
    }
    return written;
}

} // namespace claviger
