// SPDX-License-Identifier: Apache-2.0
#include "auth/roles.h"

#include <algorithm>

#include "access/permission_sets.h"
#include "auth/access_rules.h"
#include "auth/names.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr const char* entity = "roles";

Result<void> check_form(const RoleDraft& draft) {
    if (!is_display_name(draft.name)) {
        return fail(ErrorCode::invalid_request,
                    "name must be 1 to 255 bytes of text without control characters, and neither "
                    "start nor end with a space");
    }
    if (draft.description.size() > longest_role_description ||
        !is_printable_utf8(draft.description)) {
        return fail(ErrorCode::invalid_request,
                    "description must be at most 1024 bytes of text without control characters");
    }
    if (draft.permission_sets.size() > most_permission_sets) {
        return fail(ErrorCode::invalid_request, "permissionSets must be at most 64");
    }
    for (const Uuid& id : draft.permission_sets) {
        if (find_permission_set(id) == nullptr) {
            return fail(ErrorCode::invalid_request, "no permission set has the id " + id.text());
        }
    }
    const auto number = draft.kubernetes_role ? parse_integer<std::int32_t>(*draft.kubernetes_role)
                                              : std::optional(system_administrator);
    if (!number || find_role(*number) == nullptr) {
        return fail(ErrorCode::invalid_request,
                    "kubernetesPermissions.predefinedRole is no id of a predefined role");
    }
    return {};
}

Result<void> check_name_free(const std::vector<Role>& own, const Role& role) {
    const auto is_same = [&](std::string_view name) { return ascii_iequal(name, role.name); };
    const bool taken = std::ranges::any_of(predefined_roles(), is_same, &PredefinedRole::name) ||
                       std::ranges::any_of(own, [&](const Role& other) {
                           return other.id != role.id && is_same(other.name);
                       });
    if (taken) {
        return fail(ErrorCode::conflict, "A role with this name already exists");
    }
    return {};
}

/// Puts what the draft says into `role`; a set that is named twice counts once.
void apply(const RoleDraft& draft, Role& role) {
    role.name = draft.name;
    role.description = draft.description;
    role.enabled = draft.enabled;
    role.kubernetes_role = draft.kubernetes_role;
    role.permission_sets.clear();
    for (const Uuid& id : draft.permission_sets) {
        if (std::ranges::find(role.permission_sets, id) == role.permission_sets.end()) {
            role.permission_sets.push_back(id);
        }
    }
}

Result<void> check_within_caller(const Caller& caller, const Role& role) {
    return check_escalation(caller, permissions_of_sets(role.permission_sets), role.name,
                            caller.state->access.root());
}

Result<void> append_event(Transaction& transaction, const Caller& caller, const Role& role,
                          std::string_view action) {
    AuditEvent event = change_event(caller, role.updated_at, action, entity,
                                    std::to_string(role.id.value), role.name);
    std::string sets;
    for (const Uuid& id : role.permission_sets) {
        const PredefinedPermissionSet* set = find_permission_set(id);
        sets += (sets.empty() ? "" : ", ") + (set != nullptr ? set->name : id.text());
    }
    event.metadata.emplace_back("permissionSets", std::move(sets));
    event.metadata.emplace_back("enabled", role.enabled ? "true" : "false");
    return append_change_event(transaction, event);
}

std::size_t count_rules(const AccessSnapshot& access, std::int32_t role) {
    std::size_t count = 0;
    access.for_each_rule([&](const RuleInPlace& rule) { count += rule.role == role ? 1U : 0U; });
    return count;
}

Result<void> check_unused(std::size_t rules) {
    if (rules != 0) {
        return fail(ErrorCode::conflict,
                    "access rules that use this role: " + std::to_string(rules) +
                        "; delete them first, or disable the role");
    }
    return {};
}

} // namespace

Roles::Roles(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

Result<Role> Roles::create(const Caller& caller, const RoleDraft& draft) {
    TRY(check_form(draft));
    Role role;
    role.id.tenant = caller.tenant();
    apply(draft, role);
    TRY(check_within_caller(caller, role));
    role.created_by = caller.principal.name;
    role.created_at = clock_.now();
    role.updated_at = role.created_at;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto own = TRY(transaction.roles().all(caller.tenant()));
        TRY(check_name_free(own, role));
        if (own.size() >= most_own_roles) {
            return fail(ErrorCode::conflict, "the tenant has 1000 roles of its own already");
        }
        const std::int32_t number = TRY(transaction.next(Sequence::role));
        role.id.value = first_own_role + number;
        TRY(transaction.roles().put(role));
        return append_event(transaction, caller, role, audit_action::create);
    }));
    return role;
}

Result<Role> Roles::change(const Caller& caller, RoleId id, std::string_view action,
                           const Change& change) {
    if (find_role(id.value) != nullptr) {
        return fail(ErrorCode::access_denied,
                    "predefined roles cannot be changed; make a role from permission sets");
    }
    const Timestamp now = clock_.now();
    Role role;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto found = TRY(transaction.roles().find(id));
        if (!found || id.tenant != caller.tenant()) {
            return fail(ErrorCode::not_found, "no role has this roleId");
        }
        role = *found;
        TRY(check_within_caller(caller, role));
        TRY(change(transaction, role));
        TRY(check_within_caller(caller, role));
        role.updated_at = now;
        TRY(transaction.roles().put(role));
        return append_event(transaction, caller, role, action);
    }));
    return role;
}

Result<Role> Roles::update(const Caller& caller, RoleId id, const RoleDraft& draft) {
    TRY(check_form(draft));
    return change(caller, id, audit_action::update,
                  [&](Transaction& transaction, Role& role) -> Result<void> {
                      apply(draft, role);
                      const auto own = TRY(transaction.roles().all(id.tenant));
                      return check_name_free(own, role);
                  });
}

Result<void> Roles::set_enabled(const Caller& caller, RoleId id, bool enabled) {
    TRY(change(caller, id, audit_action::update, [&](Transaction&, Role& role) -> Result<void> {
        role.enabled = enabled;
        return {};
    }));
    return {};
}

Result<void> Roles::remove(const Caller& caller, RoleId id) {
    // All rules are counted in memory, those that were made meanwhile in the transaction.
    const std::size_t known = count_rules(caller.state->access, id.value);
    TRY(change(caller, id, audit_action::remove,
               [&](Transaction& transaction, Role& role) -> Result<void> {
                   TRY(check_unused(known));
                   const auto rules = TRY(transaction.access_rules().of_role(id));
                   TRY(check_unused(rules.size()));
                   role.deleted_at = clock_.now();
                   return {};
               }));
    return {};
}

} // namespace claviger
