// SPDX-License-Identifier: Apache-2.0
#include "auth/account_table.h"

#include <algorithm>

namespace claviger {

std::shared_ptr<const std::string> TextPool::share(const std::string& text) {
    auto& shared = texts_[text];
    if (!shared) {
        shared = std::make_shared<const std::string>(text);
    }
    return shared;
}

AccountEntry entry_of(const ServiceAccount& account, TextPool& pool) {
    AccountEntry entry;
    entry.id = account.id.value;
    entry.name = account.name;
    entry.epoch = account.epoch;
    entry.enabled = account.enabled;
    entry.secrets = SecretSet(account.secrets);
    entry.limits = read_limits(account.id.tenant, account.limits);
    entry.created_by = pool.share(account.created_by);
    entry.created_at = account.created_at;
    entry.updated_at = account.updated_at;
    entry.last_login = account.last_login;
    return entry;
}

ServiceAccount row_of(TenantId tenant, const AccountEntry& entry) {
    ServiceAccount account;
    account.id = {tenant, entry.id};
    account.name = entry.name;
    account.epoch = entry.epoch;
    account.enabled = entry.enabled;
    account.secrets = entry.secrets.all();
    account.limits = entry.limits ? entry.limits->text : std::string(no_limits);
    account.created_by = *entry.created_by;
    account.created_at = entry.created_at;
    account.updated_at = entry.updated_at;
    account.last_login = entry.last_login;
    return account;
}

AccountTable AccountTable::build(std::vector<AccountEntry> entries) {
    AccountTable table;
    std::vector<NameIndex> names;
    names.reserve(entries.size());
    for (const AccountEntry& entry : entries) {
        names.push_back({hash_of(std::string_view(entry.name)), entry.id});
    }
    table.by_name_ = decltype(table.by_name_)::build(std::move(names));
    table.by_id_ = decltype(table.by_id_)::build(std::move(entries));
    return table;
}

const AccountEntry* AccountTable::find_by_name(std::string_view name) const {
    const AccountEntry* found = nullptr;
    const auto hash = static_cast<std::int64_t>(hash_of(name));
    by_name_.for_each_equal(hash, [&](const NameIndex& row) {
        const AccountEntry* entry = by_id_.find(row.id);
        if (entry != nullptr && entry->name == name) {
            found = entry;
        }
    });
    return found;
}

AccountTable AccountTable::with(AccountEntry entry) const {
    AccountTable next = without(entry.id);
    next.by_name_ = next.by_name_.add({hash_of(std::string_view(entry.name)), entry.id});
    next.by_id_ = next.by_id_.put(std::move(entry));
    return next;
}

AccountTable AccountTable::without(const Uuid& id) const {
    const AccountEntry* old = by_id_.find(id);
    if (old == nullptr) {
        return *this;
    }
    AccountTable next = *this;
    next.by_name_ =
        next.by_name_.remove(static_cast<std::int64_t>(hash_of(std::string_view(old->name))),
                             [&](const NameIndex& row) { return row.id == id; });
    next.by_id_ = next.by_id_.remove(id);
    return next;
}

UserTable UserTable::build(std::vector<User> users) {
    UserTable table;
    std::vector<EmailIndex> emails;
    emails.reserve(users.size());
    for (const User& user : users) {
        emails.push_back({user.email, user.id.value});
    }
    table.by_email_ = decltype(table.by_email_)::build(std::move(emails));
    table.by_id_ = decltype(table.by_id_)::build(std::move(users));
    return table;
}

const User* UserTable::find_by_email(std::string_view email) const {
    const EmailIndex* row = by_email_.find(email);
    return row == nullptr ? nullptr : by_id_.find(row->id);
}

UserTable UserTable::with(const User& user) const {
    UserTable next = without(user.id.value);
    next.by_email_ = next.by_email_.put({user.email, user.id.value});
    next.by_id_ = next.by_id_.put(user);
    return next;
}

UserTable UserTable::without(const Uuid& id) const {
    const User* old = by_id_.find(id);
    if (old == nullptr) {
        return *this;
    }
    UserTable next = *this;
    next.by_email_ = next.by_email_.remove(std::string_view(old->email));
    next.by_id_ = next.by_id_.remove(id);
    return next;
}

} // namespace claviger
