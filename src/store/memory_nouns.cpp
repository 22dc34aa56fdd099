// SPDX-License-Identifier: Apache-2.0
#include "store/memory_nouns.h"

#include <algorithm>
#include <limits>

namespace claviger {

namespace {

template <class Noun>
void sort_by_creation(std::vector<Noun>& nouns) {
    std::ranges::sort(nouns, {},
                      [](const Noun& noun) { return std::pair(noun.created_at, noun.id); });
}

} // namespace

Result<std::optional<AccessKey>> MemoryAccessKeyRows::find(AccessKeyId id) {
    return find_live(context_.tables.access_keys, id);
}

Result<std::optional<AccessKey>> MemoryAccessKeyRows::find_by_name(UserId owner,
                                                                   std::string_view name) {
    return first_live(context_.tables.access_keys, [&](const AccessKey& key) {
        return key.id.tenant == owner.tenant && key.user == owner.value && key.name == name;
    });
}

Result<std::vector<AccessKey>> MemoryAccessKeyRows::of_user(UserId owner) {
    auto keys = live(context_.tables.access_keys, [&](const AccessKey& key) {
        return key.id.tenant == owner.tenant && key.user == owner.value;
    });
    sort_by_creation(keys);
    return keys;
}

Result<void> MemoryAccessKeyRows::put(const AccessKey& key) {
    TRY(context_.check_tenant(key.id.tenant));
    const auto taken = first_live(context_.tables.access_keys, [&](const AccessKey& other) {
        const bool same_name = other.user == key.user && other.name == key.name;
        return other.id.tenant == key.id.tenant && other.id != key.id &&
               (same_name || other.client_id == key.client_id);
    });
    if (taken && !key.deleted_at) {
        return conflict();
    }
    return context_.put(context_.tables.access_keys, key.id, key);
}

Result<std::optional<Session>> MemorySessionRows::find(SessionId id) {
    return find_live(context_.tables.sessions, id);
}

Result<std::vector<Session>> MemorySessionRows::of_user(UserId user) {
    auto sessions = live(context_.tables.sessions, [&](const Session& session) {
        return session.id.tenant == user.tenant && session.user == user.value;
    });
    sort_by_creation(sessions);
    return sessions;
}

Result<void> MemorySessionRows::put(const Session& session) {
    TRY(context_.check_tenant(session.id.tenant));
    return context_.put(context_.tables.sessions, session.id, session);
}

Result<std::optional<Role>> MemoryRoleRows::find(RoleId id) {
    return find_live(context_.tables.roles, id);
}

Result<std::optional<Role>> MemoryRoleRows::find_by_name(TenantId tenant, std::string_view name) {
    return first_live(context_.tables.roles, [&](const Role& role) {
        return role.id.tenant == tenant && role.name == name;
    });
}

Result<std::vector<Role>> MemoryRoleRows::all(TenantId tenant) {
    return live(context_.tables.roles, [&](const Role& role) { return role.id.tenant == tenant; });
}

Result<void> MemoryRoleRows::put(const Role& role) {
    TRY(context_.check_tenant(role.id.tenant));
    const auto same = TRY(find_by_name(role.id.tenant, role.name));
    if (same && same->id != role.id && !role.deleted_at) {
        return conflict();
    }
    return context_.put(context_.tables.roles, role.id, role);
}

Result<std::optional<IdentityProvider>> MemoryIdentityProviderRows::find(TenantId tenant,
                                                                         std::string_view alias) {
    return find_live(context_.tables.identity_providers, std::pair(tenant, std::string(alias)));
}

Result<std::vector<IdentityProvider>> MemoryIdentityProviderRows::all(TenantId tenant) {
    return live(context_.tables.identity_providers,
                [&](const IdentityProvider& provider) { return provider.tenant == tenant; });
}

Result<void> MemoryIdentityProviderRows::put(const IdentityProvider& provider) {
    TRY(context_.check_tenant(provider.tenant));
    return context_.put(context_.tables.identity_providers,
                        std::pair(provider.tenant, provider.alias), provider);
}

Result<std::optional<TenantSettings>> MemoryTenantSettingsRows::find(TenantId tenant) {
    const auto at = context_.tables.tenant_settings.find(tenant);
    return at == context_.tables.tenant_settings.end() ? std::nullopt : std::optional(at->second);
}

Result<void> MemoryTenantSettingsRows::put(const TenantSettings& settings) {
    TRY(context_.check_tenant(settings.tenant));
    return context_.put(context_.tables.tenant_settings, settings.tenant, settings);
}

// --- revocations --------------------------------------------------------------------------------

Result<std::uint64_t> MemoryRevocationRows::last_number(TenantId tenant) {
    const auto& table = context_.tables.revocations;
    const auto after = table.lower_bound({tenant, std::numeric_limits<std::uint64_t>::max()});
    const bool any = after != table.begin() && std::prev(after)->first.first == tenant;
    return any ? std::prev(after)->first.second : 0;
}

Result<void> MemoryRevocationRows::append(const Revocation& revocation) {
    TRY(context_.check_tenant(revocation.tenant));
    const std::uint64_t last = TRY(last_number(revocation.tenant));
    return revocation.number == last + 1
               ? put(revocation)
               : fail(ErrorCode::internal, "a revocation is out of its order");
}

Result<std::vector<Revocation>> MemoryRevocationRows::expired(Timestamp now, std::size_t most) {
    std::vector<Revocation> found;
    for (const auto& [key, row] : context_.tables.revocations) {
        const std::uint64_t last = TRY(last_number(row.tenant));
        if (!row.deleted_at && row.expires_at <= now && row.number < last) {
            found.push_back(row);
        }
    }
    std::ranges::stable_sort(found, {}, &Revocation::expires_at);
    found.resize(std::min(found.size(), most));
    return found;
}

Result<void> MemoryRevocationRows::remove(const Revocation& revocation) {
    return put(revocation);
}

/// Without a number in the change log.
Result<void> MemoryRevocationRows::put(const Revocation& revocation) {
    context_.set(context_.tables.revocations, std::pair(revocation.tenant, revocation.number),
                 revocation);
    context_.rows.push_back(revocation);
    return {};
}

} // namespace claviger
