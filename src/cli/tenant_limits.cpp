// SPDX-License-Identifier: Apache-2.0
#include "cli/tenant_limits.h"

#include "auth/directory.h"
#include "cli/tenant_import.h"

namespace claviger {
namespace {

std::vector<std::string> path_of(const AccessSnapshot& access, NodeIndex node) {
    std::vector<std::string> names;
    for (auto at = std::optional(node); at && *at != access.root(); at = access.parent(*at)) {
        names.insert(names.begin(), std::string(access.name(*at)));
    }
    return names;
}

CeilingRecord ceiling_record(const TenantState& state, const KeyCeiling& ceiling) {
    CeilingRecord record;
    record.permissions = ceiling.permissions;
    if (ceiling.role_ids) {
        record.roles.emplace();
        for (const std::int32_t role : *ceiling.role_ids) {
            if (state.access.permissions_of_role(role) != nullptr) {
                record.roles->emplace_back(state.access.role_name(role));
            }
        }
    }
    if (ceiling.scopes) {
        record.scopes.emplace();
        for (const KeyCeilingScope& scope : *ceiling.scopes) {
            const auto node =
                state.access.find({state.tenant.id, scope.scope_type.value, scope.scope_id});
            if (node) {
                record.scopes->push_back(path_of(state.access, *node));
            }
        }
    }
    return record;
}

} // namespace

Result<std::optional<LimitsRecord>> limits_record(const TenantState& state,
                                                  const LimitsPointer& limits) {
    if (!limits) {
        return std::optional<LimitsRecord>();
    }
    const KeyLimits read = TRY(read_key_limits(limits.get()));
    LimitsRecord record{read.expires_at, read.addresses, read.address_mode, std::nullopt,
                        read.honey};
    if (read.ceiling) {
        record.ceiling = ceiling_record(state, *read.ceiling);
    }
    return std::optional(std::move(record));
}

std::optional<std::string>
TenantImport::limits_of_record(const std::optional<LimitsRecord>& record) {
    if (!record) {
        return std::string(no_limits);
    }
    KeyLimits limits{record->expires_at, record->addresses, record->address_mode, std::nullopt,
                     record->honey};
    if (record->ceiling) {
        KeyCeiling& ceiling = limits.ceiling.emplace();
        ceiling.permissions = record->ceiling->permissions;
        if (record->ceiling->roles) {
            ceiling.role_ids.emplace();
            for (const std::string& name : *record->ceiling->roles) {
                const auto role = roles_.find(name);
                if (role == roles_.end()) {
                    add_problem("there is no role " + name);
                    return std::nullopt;
                }
                ceiling.role_ids->push_back(role->second);
            }
        }
        if (record->ceiling->scopes) {
            ceiling.scopes.emplace();
            for (const Path& path : *record->ceiling->scopes) {
                const auto place = places_.find(path);
                if (place == places_.end()) {
                    add_problem("a scope of the ceiling is not there");
                    return std::nullopt;
                }
                ceiling.scopes->push_back({{place->second.type}, place->second.value});
            }
        }
    }
    std::string text = limits_text(limits);
    if (auto parsed = parse_limits(tenant_, text); !parsed) {
        add_problem(parsed.error().detail());
        return std::nullopt;
    }
    return text;
}

} // namespace claviger
