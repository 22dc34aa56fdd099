// SPDX-License-Identifier: Apache-2.0
#include "auth/user_owned_table.h"

namespace claviger {

AccessKeyTable AccessKeyTable::build(const std::vector<AccessKey>& keys) {
    AccessKeyTable table;
    std::vector<ClientIndex> index;
    index.reserve(keys.size());
    for (const AccessKey& key : keys) {
        index.push_back({key.client_id, key.id.value});
    }
    table.by_client_id_ = decltype(table.by_client_id_)::build(std::move(index));
    table.keys_ = UserOwnedTable<AccessKeyEntry>::build({keys.begin(), keys.end()});
    return table;
}

const AccessKeyEntry* AccessKeyTable::find_by_client_id(std::string_view client_id) const {
    const ClientIndex* row = by_client_id_.find(client_id);
    return row == nullptr ? nullptr : keys_.find(row->id);
}

AccessKeyTable AccessKeyTable::with(const AccessKey& key) const {
    AccessKeyTable next = without(key.id.value);
    next.by_client_id_ = next.by_client_id_.put({key.client_id, key.id.value});
    next.keys_ = next.keys_.with(AccessKeyEntry(key));
    return next;
}

AccessKeyTable AccessKeyTable::without(const Uuid& id) const {
    const AccessKey* old = keys_.find(id);
    if (old == nullptr) {
        return *this;
    }
    AccessKeyTable next = *this;
    next.by_client_id_ = next.by_client_id_.remove(std::string_view(old->client_id));
    next.keys_ = next.keys_.without(id);
    return next;
}

} // namespace claviger
