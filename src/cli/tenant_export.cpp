// SPDX-License-Identifier: Apache-2.0
#include "cli/tenant_export.h"

#include <algorithm>
#include <array>

#include "access/permission_sets.h"
#include "cli/tenant_records.h"

namespace claviger {
namespace {

constexpr std::size_t piece_size = 64 * 1024; // bytes
constexpr std::array<std::string_view, 3> provider_types{"saml", "oidc", "openshift-v4"};

/// Gathers small texts into pieces.
class Pieces {
public:
    using Write = std::function<Result<void>(std::string_view)>;
    explicit Pieces(const Write& write) : write_(write) {}

    Result<void> add(std::string_view text) {
        piece_ += text;
        return piece_.size() >= piece_size ? flush() : Result<void>{};
    }
    Result<void> flush() {
        TRY(write_(piece_));
        piece_.clear();
        return {};
    }

    /// `"name": [` one record a line `]`, sorted by what `key` gives.
    template <class Record, class Key>
    Result<void> add_section(std::string_view name, std::vector<Record> records, Key key) {
        std::ranges::sort(records, {}, key);
        TRY(add(",\n\"" + std::string(name) + "\": ["));
        std::string_view separator = "\n  ";
        for (const Record& record : records) {
            std::string line(separator);
            JsonWriter out(line);
            encode(out, record);
            TRY(add(line));
            separator = ",\n  ";
        }
        return add(records.empty() ? "]" : "\n]");
    }

private:
    const Write& write_;
    std::string piece_;
};

/// JSON that the store holds.
std::optional<RawJson> stored_json(const std::string& text) {
    return text == "{}" ? std::nullopt : std::optional(RawJson{text});
}

std::optional<std::string> not_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

Result<void> add_roles(Pieces& pieces, const TenantState& state) {
    std::vector<RoleRecord> records;
    state.access.for_each_own_role([&](const OwnRole& role) {
        RoleRecord record;
        record.name = role.row.name;
        record.description = not_empty(role.row.description);
        record.enabled = role.row.enabled;
        for (const Uuid& id : role.row.permission_sets) {
            const PredefinedPermissionSet* set = find_permission_set(id);
            record.permission_sets.push_back(set != nullptr ? set->name : id.text());
        }
        record.kubernetes_role = role.row.kubernetes_role;
        record.created_by = role.row.created_by;
        record.created_at = role.row.created_at;
        record.updated_at = role.row.updated_at;
        records.push_back(std::move(record));
    });
    return pieces.add_section(tenant_section::roles, std::move(records), &RoleRecord::name);
}

Result<void> add_users(Pieces& pieces, const TenantState& state) {
    std::vector<UserRecord> records;
    records.reserve(state.users.size());
    state.users.for_each([&](const User& user) {
        UserRecord record{user.email,
                          user.enabled,
                          user.is_local,
                          {},
                          stored_json(user.attributes),
                          user.created_by,
                          user.created_at,
                          user.updated_at,
                          user.last_login};
        if (!user.groups.empty()) {
            record.groups = user.groups;
        }
        records.push_back(std::move(record));
    });
    return pieces.add_section(tenant_section::users, std::move(records), &UserRecord::email);
}

Result<void> add_accounts(Pieces& pieces, const TenantState& state) {
    std::vector<ServiceAccountRecord> records;
    records.reserve(state.accounts.size());
    Result<void> outcome;
    state.accounts.for_each([&](const AccountEntry& entry) {
        auto limits = limits_record(state, entry.limits);
        if (!limits) {
            outcome = std::unexpected(std::move(limits).error());
            return;
        }
        records.push_back({entry.name, entry.enabled, *entry.created_by, entry.created_at,
                           entry.updated_at, entry.last_login, *std::move(limits)});
    });
    TRY(outcome);
    return pieces.add_section(tenant_section::service_accounts, std::move(records),
                              &ServiceAccountRecord::name);
}

Result<void> add_access_keys(Pieces& pieces, const TenantState& state) {
    std::vector<AccessKeyRecord> records;
    records.reserve(state.access_keys.size());
    Result<void> outcome;
    state.access_keys.for_each([&](const AccessKeyEntry& key) {
        const User* owner = state.users.find(key.user);
        auto limits = limits_record(state, key.bounds);
        if (!limits) {
            outcome = std::unexpected(std::move(limits).error());
        } else if (owner != nullptr) {
            records.push_back({owner->email, key.name, key.client_id, key.created_at,
                               key.updated_at, key.last_login, *std::move(limits)});
        }
    });
    TRY(outcome);
    return pieces.add_section(
        tenant_section::access_keys, std::move(records),
        [](const AccessKeyRecord& record) { return std::pair(record.user, record.name); });
}

OrgUnitRecord unit_record(const AccessSnapshot& access, NodeIndex node, const OrgUnit& unit) {
    OrgUnitRecord record;
    std::optional<NodeIndex> above = access.parent(node);
    if (unit.id.type == ScopeType::project && above) {
        record.department = access.name(*above);
        above = access.parent(*above);
    }
    if (unit.id.type != ScopeType::cluster && above) {
        record.cluster = access.name(*above);
    }
    record.name = unit.name;
    record.description = not_empty(unit.description);
    record.attributes = stored_json(unit.attributes);
    record.created_by = unit.created_by;
    record.updated_by = unit.updated_by;
    record.created_at = unit.created_at;
    record.updated_at = unit.updated_at;
    return record;
}

Result<void> add_units(Pieces& pieces, const TenantState& state) {
    constexpr std::array sections{std::pair(ScopeType::cluster, tenant_section::clusters),
                                  std::pair(ScopeType::department, tenant_section::departments),
                                  std::pair(ScopeType::project, tenant_section::projects)};
    for (const auto& [type, section] : sections) {
        std::vector<OrgUnitRecord> records;
        state.access.for_each_unit(type, [&](NodeIndex node, const OrgUnit& unit) {
            records.push_back(unit_record(state.access, node, unit));
        });
        TRY(pieces.add_section(section, std::move(records), [](const OrgUnitRecord& record) {
            return std::tuple(record.cluster, record.department, record.name);
        }));
    }
    return {};
}

Result<void> add_identity_providers(Pieces& pieces, const TenantState& state) {
    std::vector<IdentityProviderRecord> records;
    for (const auto& [alias, provider] : *state.identity_providers) {
        records.push_back({alias, std::string(name_of(provider.type)), not_empty(provider.name),
                           stored_json(provider.settings), stored_json(provider.mappers),
                           provider.created_by, provider.created_at, provider.updated_at});
    }
    return pieces.add_section(tenant_section::identity_providers, std::move(records),
                              &IdentityProviderRecord::alias);
}

std::vector<std::string> path_of(const AccessSnapshot& access, NodeIndex node) {
    std::vector<std::string> names;
    for (auto at = std::optional(node); at && *at != access.root(); at = access.parent(*at)) {
        names.emplace_back(access.name(*at));
    }
    std::ranges::reverse(names);
    return names;
}

Result<void> add_access_rules(Pieces& pieces, const TenantState& state) {
    std::vector<AccessRuleRecord> records;
    state.access.for_each_rule([&](const RuleInPlace& rule) {
        const bool is_of_account = rule.account != nullptr;
        const AccountEntry* account = is_of_account ? state.accounts.find(*rule.account) : nullptr;
        if (is_of_account && account == nullptr) {
            return; // rules go with their account: there is none
        }
        records.push_back({{rule.subject_type()},
                           is_of_account ? account->name : rule.named->value,
                           std::string(state.access.role_name(rule.role)),
                           path_of(state.access, rule.scope),
                           *rule.creator,
                           rule.created_at,
                           rule.updated_at});
    });
    return pieces.add_section(
        tenant_section::access_rules, std::move(records), [](const AccessRuleRecord& record) {
            return std::tie(record.subject_type.value, record.subject, record.scope, record.role);
        });
}

Result<void> add_head(Pieces& pieces, const TenantState& state) {
    std::string head =
        "{\n\"claviger\": " + std::to_string(tenant_document_version) + ",\n\"tenant\": ";
    JsonWriter out(head);
    out.begin_object();
    out.name("realm");
    out.value(std::string_view(state.tenant.realm));
    out.name("name");
    out.value(std::string_view(state.tenant.name));
    out.end_object();
    TRY(pieces.add(head));
    return pieces.add(",\n\"settings\": " + state.settings.values);
}

} // namespace

std::string_view name_of(IdentityProviderType type) {
    return provider_types[static_cast<std::size_t>(type)];
}

std::optional<IdentityProviderType> find_identity_provider_type(std::string_view name) {
    const auto at = std::ranges::find(provider_types, name);
    if (at == provider_types.end()) {
        return std::nullopt;
    }
    return static_cast<IdentityProviderType>(at - provider_types.begin());
}

Result<void> write_tenant_document(const TenantState& state, const Pieces::Write& write) {
    Pieces pieces(write);
    TRY(add_head(pieces, state));
    TRY(add_roles(pieces, state));
    TRY(add_users(pieces, state));
    TRY(add_accounts(pieces, state));
    TRY(add_access_keys(pieces, state));
    TRY(add_units(pieces, state));
    TRY(add_identity_providers(pieces, state));
    TRY(add_access_rules(pieces, state));
    TRY(pieces.add("\n}\n"));
    return pieces.flush();
}

} // namespace claviger
