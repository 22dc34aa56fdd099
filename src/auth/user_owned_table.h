// SPDX-License-Identifier: Apache-2.0
// What belongs to the users of one tenant, in memory: access keys and sessions. Immutable tables,
// found by id and by owner; a row has an `id` and a `user`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/credential_limits.h"
#include "base/sharded_table.h"
#include "model/model.h"

namespace claviger {

template <class Row>
class UserOwnedTable {
public:
    static UserOwnedTable build(std::vector<Row> rows) {
        UserOwnedTable table;
        std::vector<Owned> owned;
        owned.reserve(rows.size());
        for (const Row& row : rows) {
            owned.push_back({row.user, row.id.value});
        }
        table.by_user_ = decltype(table.by_user_)::build(std::move(owned));
        table.by_id_ = decltype(table.by_id_)::build(std::move(rows));
        return table;
    }

    const Row* find(const Uuid& id) const { return by_id_.find(id); }
    std::size_t size() const { return by_id_.size(); }
    template <class Visit>
    void for_each(Visit visit) const {
        by_id_.for_each(visit);
    }
    /// In no order.
    template <class Visit>
    void for_each_of(const Uuid& user, Visit visit) const {
        by_user_.for_each_equal(user, [&](const Owned& owned) {
            if (const Row* row = by_id_.find(owned.id)) {
                visit(*row);
            }
        });
    }

    UserOwnedTable with(const Row& row) const {
        UserOwnedTable next = without(row.id.value);
        next.by_user_ = next.by_user_.add({row.user, row.id.value});
        next.by_id_ = next.by_id_.put(row);
        return next;
    }
    UserOwnedTable without(const Uuid& id) const {
        const Row* old = by_id_.find(id);
        if (old == nullptr) {
            return *this;
        }
        UserOwnedTable next = *this;
        next.by_user_ =
            next.by_user_.remove(old->user, [&](const Owned& owned) { return owned.id == id; });
        next.by_id_ = next.by_id_.remove(id);
        return next;
    }

private:
    struct IdOf {
        const Uuid& operator()(const Row& row) const { return row.id.value; }
    };
    struct Owned {
        Uuid user;
        Uuid id;
    };
    struct UserOf {
        const Uuid& operator()(const Owned& owned) const { return owned.user; }
    };
    ShardedTable<Row, IdOf, true> by_id_;
    ShardedTable<Owned, UserOf> by_user_;
};

using SessionTable = UserOwnedTable<Session>;

/// An access key as kept in memory: its row, and the limits that the row tells as text.
struct AccessKeyEntry : AccessKey {
    AccessKeyEntry() = default;
    explicit AccessKeyEntry(const AccessKey& row)
        : AccessKey(row), bounds(read_limits(row.id.tenant, row.limits)) {}
    LimitsPointer bounds; // usually null
};

/// Access keys, found by their client ids as well.
class AccessKeyTable {
public:
    static AccessKeyTable build(const std::vector<AccessKey>& keys);
    const AccessKeyEntry* find(const Uuid& id) const { return keys_.find(id); }
    const AccessKeyEntry* find_by_client_id(std::string_view client_id) const;
    std::size_t size() const { return keys_.size(); }
    template <class Visit>
    void for_each(Visit visit) const {
        keys_.for_each(visit);
    }
    template <class Visit>
    void for_each_of(const Uuid& user, Visit visit) const {
        keys_.for_each_of(user, visit);
    }
    AccessKeyTable with(const AccessKey& key) const;
    AccessKeyTable without(const Uuid& id) const;

private:
    struct ClientIndex {
        std::string client_id;
        Uuid id;
    };
    struct ClientIdOf {
        std::string_view operator()(const ClientIndex& row) const { return row.client_id; }
    };
    UserOwnedTable<AccessKeyEntry> keys_;
    ShardedTable<ClientIndex, ClientIdOf, true> by_client_id_;
};

} // namespace claviger
