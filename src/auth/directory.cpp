// SPDX-License-Identifier: Apache-2.0
#include "auth/directory.h"

#include <algorithm>
#include <future>
#include <map>

#include "auth/revocation_journal.h"

namespace claviger {
namespace {

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

TenantId tenant_of(const Row& row) {
    return std::visit(Overloaded{[](const Tenant& tenant) { return tenant.id; },
                                 [](const SigningKey& key) { return key.tenant; },
                                 [](const IdentityProvider& provider) { return provider.tenant; },
                                 [](const TenantSettings& settings) { return settings.tenant; },
                                 [](const Revocation& revocation) { return revocation.tenant; },
                                 [](const auto& other) { return other.id.tenant; }},
                      row);
}

/// The rows of one tenant while they are being read at start.
struct Loading {
    explicit Loading(const Tenant& of) : tenant(of) {}
    Tenant tenant;
    std::vector<AccountEntry> accounts;
    AccountTable account_table;
    std::vector<User> users;
    std::vector<AccessKey> access_keys;
    std::vector<Session> sessions;
    std::vector<Role> roles;
    std::vector<OrgUnit> units;
    std::vector<AccessRule> rules;
    std::vector<OpenedKey> keys;
    IdentityProviderTable identity_providers;
    TenantSettings settings;
    std::vector<Revocation> revocations;
    TextPool pool;
};

/// Takes a row of a tenant while it is being read.
struct Take {
    Loading& loading;
    const KeyVault& vault;

    Result<void> operator()(const Tenant&) const { return {}; }
    Result<void> operator()(const ServiceAccount& account) const {
        loading.accounts.push_back(entry_of(account, loading.pool));
        return {};
    }
    Result<void> operator()(const User& user) const { return keep(loading.users, user); }
    Result<void> operator()(const AccessKey& key) const { return keep(loading.access_keys, key); }
    Result<void> operator()(const Session& session) const {
        return keep(loading.sessions, session);
    }
    Result<void> operator()(const Role& role) const { return keep(loading.roles, role); }
    Result<void> operator()(const OrgUnit& unit) const { return keep(loading.units, unit); }
    Result<void> operator()(const AccessRule& rule) const { return keep(loading.rules, rule); }
    Result<void> operator()(const SigningKey& key) const {
        if (key.state == KeyState::gone) {
            return {};
        }
        auto opened = TRY(vault.open(key));
        loading.keys.push_back(std::move(opened));
        return {};
    }
    Result<void> operator()(const IdentityProvider& provider) const {
        loading.identity_providers.insert_or_assign(provider.alias, provider);
        return {};
    }
    Result<void> operator()(const TenantSettings& settings) const {
        loading.settings = settings;
        return {};
    }
    Result<void> operator()(const Revocation& revocation) const {
        return keep(loading.revocations, revocation);
    }

private:
    template <class Noun>
    static Result<void> keep(std::vector<Noun>& nouns, const Noun& noun) {
        nouns.push_back(noun);
        return {};
    }
};

/// The rows that load() gives after the accounts.
bool follows_accounts(const Row& row) {
    return !std::holds_alternative<Tenant>(row) && !std::holds_alternative<ServiceAccount>(row);
}

TenantStatePointer finish(Loading&& loading) {
    auto state = std::make_shared<TenantState>(loading.tenant);
    state->accounts = std::move(loading.account_table);
    state->users = UserTable::build(std::move(loading.users));
    state->access_keys = AccessKeyTable::build(loading.access_keys);
    state->sessions = SessionTable::build(std::move(loading.sessions));
    state->access =
        AccessSnapshot::build(loading.tenant, loading.units, loading.rules, loading.roles);
    state->keys = KeyRing(std::move(loading.keys));
    state->identity_providers = // shared between the generations
        std::make_shared<const IdentityProviderTable>(std::move(loading.identity_providers));
    state->settings = std::move(loading.settings);
    state->revocations = RevocationTable::build(loading.revocations);
    return state;
}

} // namespace

TenantStatePointer DirectoryState::find(TenantId id) const {
    const auto at = std::ranges::find_if(
        tenants, [&](const TenantStatePointer& state) { return state->tenant.id == id; });
    return at == tenants.end() ? nullptr : *at;
}

TenantStatePointer DirectoryState::find_by_host(std::string_view host) const {
    const auto at = std::ranges::find_if(tenants, [&](const TenantStatePointer& state) {
        return !state->tenant.host.empty() && state->tenant.host == host;
    });
    if (at != tenants.end()) {
        return *at;
    }
    const auto hostless = std::ranges::find_if(
        tenants, [](const TenantStatePointer& state) { return state->tenant.host.empty(); });
    const bool answers = hostless != tenants.end() && (tenants.size() == 1 || host == default_host);
    return answers ? *hostless : nullptr;
}

Directory::Directory(const KeyVault& vault, std::string default_host, Log& log)
    : vault_(vault), log_(log), default_host_(std::move(default_host)), serial_(next_serial()),
      state_(std::make_shared<const DirectoryState>()) {}

Result<void> Directory::attach(Store& store) {
    std::map<TenantId, Loading> tenants;
    const auto build_accounts = [&] {
        for (auto& [id, loading] : tenants) {
            loading.account_table = AccountTable::build(std::move(loading.accounts));
        }
    };
    std::future<void> built; // while the other rows are read: it is half of the work
    Result<void> outcome;
    TRY(store.load([&](const Row& row) {
        if (!built.valid() && follows_accounts(row)) {
            built = std::async(std::launch::async, build_accounts);
        }
        if (const auto* tenant = std::get_if<Tenant>(&row)) {
            tenants.emplace(tenant->id, Loading(*tenant));
        } else if (outcome) {
            outcome = std::visit(Take{tenants.at(tenant_of(row)), vault_}, row);
        }
    }));
    if (built.valid()) {
        built.get();
    } else {
        build_accounts();
    }
    if (!outcome) {
        return outcome;
    }
    auto next = std::make_shared<DirectoryState>();
    next->default_host = default_host_;
    for (auto& [id, loading] : tenants) {
        next->tenants.push_back(finish(std::move(loading)));
    }
    publish(std::move(next));
    store.set_completion([this](Transaction& transaction, std::span<const Row> rows) {
        return record_revocations(transaction, *current(), rows);
    });
    store.set_commit_listener([this](std::uint64_t change_number, std::span<const Row> rows) {
        apply(change_number, rows);
    });
    return {};
}

std::shared_ptr<const DirectoryState> Directory::current() const {
    struct Copy {
        std::uint64_t directory = 0;
        std::uint64_t revision = 0;
        std::shared_ptr<const DirectoryState> state; // keeps what this thread is reading
    };
    static thread_local Copy copy;
    const std::uint64_t revision = revision_.load(std::memory_order_acquire);
    if (copy.directory != serial_ || copy.revision != revision) {
        const std::scoped_lock lock(mutex_);
        copy = {serial_, revision_.load(std::memory_order_relaxed), state_};
    }
    return copy.state;
}

void Directory::publish(std::shared_ptr<const DirectoryState> next) {
    const std::scoped_lock lock(mutex_);
    state_ = std::move(next);
    revision_.fetch_add(1, std::memory_order_release);
}

namespace {

/// A tenant while the rows of a commit are put into it: its access rules are changed at once.
struct Changing {
    explicit Changing(const TenantState& before)
        : state(std::make_shared<TenantState>(before)), access(before.access) {}
    std::shared_ptr<TenantState> state; // becomes shared with readers
    AccessSnapshot::Change access;
};

/// Puts one committed row into the state of its tenant.
struct Apply {
    TenantState& state;
    AccessSnapshot::Change& access;
    const KeyVault& vault;
    Log& log;

    void operator()(const Tenant& tenant) const {
        state.tenant = tenant;
        access.put(tenant);
    }
    void operator()(const ServiceAccount& account) const {
        TextPool pool;
        state.accounts = account.deleted_at ? state.accounts.without(account.id.value)
                                            : state.accounts.with(entry_of(account, pool));
    }
    void operator()(const User& user) const { put_or_remove(state.users, user); }
    void operator()(const AccessKey& key) const { put_or_remove(state.access_keys, key); }
    void operator()(const Session& session) const { put_or_remove(state.sessions, session); }
    void operator()(const Role& role) const { access.put(role); }
    void operator()(const OrgUnit& unit) const { access.put(unit); }
    void operator()(const AccessRule& rule) const { access.put(rule); }
    void operator()(const SigningKey& key) const {
        std::vector<OpenedKey> keys = state.keys.keys();
        std::erase_if(keys, [&](const OpenedKey& old) { return old.row.kid == key.kid; });
        if (key.state != KeyState::gone) {
            auto opened = vault.open(key);
            if (opened) {
                keys.push_back(*std::move(opened));
            } else {
                log.write(LogLevel::error, opened.error().detail());
            }
        }
        state.keys = KeyRing(std::move(keys));
    }
    void operator()(const IdentityProvider& provider) const {
        IdentityProviderTable next = *state.identity_providers;
        next.erase(provider.alias);
        if (!provider.deleted_at) {
            next.emplace(provider.alias, provider);
        }
        state.identity_providers = // shared between the generations
            std::make_shared<const IdentityProviderTable>(std::move(next));
    }
    void operator()(const TenantSettings& settings) const { state.settings = settings; }
    void operator()(const Revocation& revocation) const { state.revocations.put(revocation); }

private:
    template <class Table, class Noun>
    static void put_or_remove(Table& table, const Noun& noun) {
        table = noun.deleted_at ? table.without(noun.id.value) : table.with(noun);
    }
};

} // namespace

void Directory::apply(std::uint64_t change_number, std::span<const Row> rows) {
    // The store calls this in commit order, one call at a time.
    std::shared_ptr<const DirectoryState> before;
    {
        const std::scoped_lock lock(mutex_);
        before = state_;
    }
    std::map<TenantId, Changing> changed;
    for (const Row& row : rows) {
        const TenantId id = tenant_of(row);
        auto at = changed.find(id);
        if (at == changed.end()) {
            const TenantStatePointer old = before->find(id);
            const auto* tenant = std::get_if<Tenant>(&row);
            if (!old && tenant == nullptr) {
                log_.write(LogLevel::error, "a committed row names an unknown tenant",
                           {{"tenant", std::int64_t{number_of(id)}}});
                continue;
            }
            at = changed.emplace(id, old ? Changing(*old) : Changing(TenantState(*tenant))).first;
            at->second.state->revision = change_number;
        }
        Changing& changing = at->second;
        std::visit(Apply{*changing.state, changing.access, vault_, log_}, row);
    }
    auto next = std::make_shared<DirectoryState>(*before);
    for (auto& [id, changing] : changed) {
        changing.state->access = changing.access.finish();
        const auto slot =
            std::ranges::find(next->tenants, id, [](const auto& old) { return old->tenant.id; });
        if (slot != next->tenants.end()) {
            *slot = std::move(changing.state);
        } else {
            next->tenants.push_back(std::move(changing.state));
        }
    }
    publish(std::move(next));
    if (change_listener_) {
        change_listener_();
    }
}

void Directory::set_change_listener(std::function<void()> listener) {
    change_listener_ = std::move(listener);
}

} // namespace claviger
