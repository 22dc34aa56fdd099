// SPDX-License-Identifier: Apache-2.0
// The service accounts and users of one tenant in memory: immutable tables, found by id and by the
// name they sign in with. Small rows, because there may be a million.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/credential_limits.h"
#include "auth/secret_set.h"
#include "base/sharded_table.h"
#include "model/model.h"

namespace claviger {

/// A service account as kept in memory. The creators' names are few and shared.
struct AccountEntry {
    Uuid id;
    std::string name;
    std::uint32_t epoch = 1;
    bool enabled = true;
    SecretSet secrets;
    LimitsPointer limits;                          // usually null
    std::shared_ptr<const std::string> created_by; // shared: one text for all that it created
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> last_login; // as of start or the last change
};

/// Shares equal texts while many rows are read.
class TextPool {
public:
    std::shared_ptr<const std::string> share(const std::string& text);

private:
    std::unordered_map<std::string, std::shared_ptr<const std::string>> texts_; // one owner a text
};

AccountEntry entry_of(const ServiceAccount& account, TextPool& pool);
ServiceAccount row_of(TenantId tenant, const AccountEntry& entry);

class AccountTable {
public:
    static AccountTable build(std::vector<AccountEntry> entries);
    const AccountEntry* find(const Uuid& id) const { return by_id_.find(id); }
    const AccountEntry* find_by_name(std::string_view name) const;
    std::size_t size() const { return by_id_.size(); }
    template <class Visit>
    void for_each(Visit visit) const {
        by_id_.for_each(visit);
    }
    AccountTable with(AccountEntry entry) const;
    AccountTable without(const Uuid& id) const;

private:
    struct IdOf {
        const Uuid& operator()(const AccountEntry& entry) const { return entry.id; }
    };
    struct NameIndex {
        std::uint64_t name_hash = 0;
        Uuid id;
    };
    struct NameHash {
        std::int64_t operator()(const NameIndex& row) const {
            return static_cast<std::int64_t>(row.name_hash);
        }
    };
    ShardedTable<AccountEntry, IdOf, true> by_id_;
    ShardedTable<NameIndex, NameHash, true> by_name_;
};

class UserTable {
public:
    static UserTable build(std::vector<User> users);
    const User* find(const Uuid& id) const { return by_id_.find(id); }
    /// `email` in lower case.
    const User* find_by_email(std::string_view email) const;
    std::size_t size() const { return by_id_.size(); }
    template <class Visit>
    void for_each(Visit visit) const {
        by_id_.for_each(visit);
    }
    UserTable with(const User& user) const;
    UserTable without(const Uuid& id) const;

private:
    struct IdOf {
        const Uuid& operator()(const User& user) const { return user.id.value; }
    };
    struct EmailIndex {
        std::string email;
        Uuid id;
    };
    struct EmailOf {
        std::string_view operator()(const EmailIndex& row) const { return row.email; }
    };
    ShardedTable<User, IdOf, true> by_id_;
    ShardedTable<EmailIndex, EmailOf, true> by_email_;
};

} // namespace claviger
