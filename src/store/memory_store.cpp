// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.h"

#include <algorithm>
#include <exception>
#include <ranges>

#include "store/memory_tables.h"

namespace claviger {

namespace {

bool has_secret(const MemoryTables& tables, const SecretUse& use) {
    const auto is_in = [&](const auto& owners) {
        const auto owner = owners.find({use.tenant, use.key});
        return owner != owners.end() &&
               std::ranges::find(owner->second.secrets, use.secret, &ClientSecret::id) !=
                   owner->second.secrets.end();
    };
    return is_in(tables.service_accounts) || is_in(tables.access_keys);
}

} // namespace

MemoryStore::MemoryStore() : tables_(std::make_unique<MemoryTables>()) {}

MemoryStore::~MemoryStore() = default;

namespace {

Result<void> run_guarded(const Store::Work& work, Transaction& transaction) {
    try {
        return work(transaction);
    } catch (const std::exception& thrown) {
        return fail(ErrorCode::internal, std::string("a write threw: ") + thrown.what());
    } catch (...) {
        return fail(ErrorCode::internal, "a write threw");
    }
}

} // namespace

Result<void> MemoryStore::write(const Work& work) {
    const std::scoped_lock lock(mutex_);
    MemoryTransaction transaction(*tables_);
    const auto complete = [&](Transaction& open) -> Result<void> {
        TRY(work(open));
        return completion_ ? completion_(open, transaction.rows()) : Result<void>{};
    };
    auto outcome = run_guarded(complete, transaction);
    if (!outcome) {
        transaction.undo();
    } else if (listener_ && !transaction.rows().empty()) {
        listener_(tables_->change_number, transaction.rows());
    }
    return outcome;
}

void MemoryStore::set_commit_listener(CommitListener listener) {
    listener_ = std::move(listener);
}

void MemoryStore::set_completion(Completion completion) {
    completion_ = std::move(completion);
}

Result<std::vector<Revocation>> MemoryStore::revocations(TenantId tenant, std::uint64_t after,
                                                         std::size_t most) {
    const std::scoped_lock lock(mutex_);
    std::vector<Revocation> found;
    for (auto at = tables_->revocations.upper_bound({tenant, after});
         at != tables_->revocations.end() && at->first.first == tenant && found.size() < most;
         ++at) {
        if (!at->second.deleted_at) {
            found.push_back(at->second);
        }
    }
    return found;
}

std::vector<Row> MemoryStore::live_rows() {
    const std::scoped_lock lock(mutex_);
    std::vector<Row> rows;
    const auto add_live = [&](const auto& table) {
        for (const auto& noun : std::views::values(table)) {
            if (!noun.deleted_at) {
                rows.emplace_back(noun);
            }
        }
    };
    for (const Tenant& tenant : std::views::values(tables_->tenants)) {
        rows.emplace_back(tenant);
    }
    add_live(tables_->service_accounts);
    add_live(tables_->users);
    add_live(tables_->access_keys);
    add_live(tables_->sessions);
    add_live(tables_->roles);
    add_live(tables_->org_units); // by type within a tenant: clusters, departments, projects
    add_live(tables_->access_rules);
    for (const SigningKey& key : std::views::values(tables_->signing_keys)) {
        rows.emplace_back(key);
    }
    add_live(tables_->identity_providers);
    for (const TenantSettings& settings : std::views::values(tables_->tenant_settings)) {
        rows.emplace_back(settings);
    }
    add_live(tables_->revocations);
    return rows;
}

Result<void> MemoryStore::load(const RowVisitor& visit) {
    std::ranges::for_each(live_rows(), visit);
    return {};
}

Result<void> MemoryStore::record_last_logins(std::span<const LastLogin> logins) {
    const std::scoped_lock lock(mutex_);
    const auto record = [](auto& table, const auto& id, Timestamp at) {
        if (const auto found = table.find(id); found != table.end()) {
            found->second.last_login = at;
        }
    };
    for (const LastLogin& login : logins) {
        if (const auto* account = std::get_if<ServiceAccountId>(&login.id)) {
            record(tables_->service_accounts, *account, login.at);
        } else if (const auto* user = std::get_if<UserId>(&login.id)) {
            record(tables_->users, *user, login.at);
        } else {
            record(tables_->access_keys, std::get<AccessKeyId>(login.id), login.at);
        }
    }
    return {};
}

Result<void> MemoryStore::record_secret_uses(std::span<const SecretUse> uses) {
    const std::scoped_lock lock(mutex_);
    for (const SecretUse& use : uses) {
        if (!has_secret(*tables_, use)) {
            continue; // it is gone meanwhile
        }
        SecretUse& kept = secret_uses_[use.secret];
        const std::uint64_t before = kept.day == use.day ? kept.count : 0;
        kept = use;
        kept.count += before;
    }
    return {};
}

Result<std::vector<SecretUse>> MemoryStore::secret_uses(TenantId tenant, const Uuid& key) {
    const std::scoped_lock lock(mutex_);
    std::vector<SecretUse> uses;
    for (const SecretUse& use : std::views::values(secret_uses_)) {
        if (use.tenant == tenant && use.key == key && has_secret(*tables_, use)) {
            uses.push_back(use);
        }
    }
    return uses;
}

Result<std::vector<AccessRule>> MemoryStore::deleted_access_rules(TenantId tenant) {
    const std::scoped_lock lock(mutex_);
    std::vector<AccessRule> rules;
    for (const AccessRule& rule : std::views::values(tables_->access_rules)) {
        if (rule.id.tenant == tenant && rule.deleted_at) {
            rules.push_back(rule);
        }
    }
    std::ranges::stable_sort(rules, {}, [](const AccessRule& rule) { return *rule.deleted_at; });
    return rules;
}

Result<std::unique_ptr<AuditReader>> MemoryStore::open_audit_reader() {
    const std::scoped_lock lock(mutex_);
    return read_chains(tables_->change_events);
}

Result<std::uint64_t> MemoryStore::remove_oldest(TenantId tenant, Timestamp before) {
    const std::scoped_lock lock(mutex_);
    return tables_->change_events[tenant].remove_older_than(before);
}

} // namespace claviger
