// SPDX-License-Identifier: Apache-2.0
#include "auth/org_units.h"

#include <algorithm>

#include "auth/names.h"

namespace claviger {
namespace {

Result<OrgUnit> find(Transaction& transaction, const ScopeId& id) {
    const auto unit = TRY(transaction.org_units().find(id));
    if (!unit) {
        return fail(ErrorCode::not_found,
                    "the " + std::string(resource_type_of(id.type)) + " was deleted meanwhile");
    }
    return *unit;
}

/// True when a project of this name stands anywhere in the cluster: its namespace must be free.
Result<bool> project_name_taken(Transaction& transaction, const ScopeId& department,
                                std::string_view name) {
    const OrgUnit parent = TRY(find(transaction, department));
    const auto departments = TRY(transaction.org_units().children(parent.parent));
    for (const OrgUnit& sibling : departments) {
        const auto same =
            TRY(transaction.org_units().find_by_name(sibling.id, ScopeType::project, name));
        if (same) {
            return true;
        }
    }
    return false;
}

Result<void> check_name_free(Transaction& transaction, const ScopeId& parent, ScopeType type,
                             std::string_view name) {
    bool taken = false;
    if (type == ScopeType::project) {
        taken = TRY(project_name_taken(transaction, parent, name));
    } else {
        const auto same = TRY(transaction.org_units().find_by_name(parent, type, name));
        taken = same.has_value();
    }
    if (taken) {
        return fail(ErrorCode::conflict, "Resource with this name already exists");
    }
    return {};
}

} // namespace

std::string_view resource_type_of(ScopeType type) {
    switch (type) {
    case ScopeType::cluster:
        return "cluster";
    case ScopeType::department:
        return "department";
    case ScopeType::project:
        return "project";
    case ScopeType::system:
    case ScopeType::tenant:
        break;
    }
    return "tenant";
}

OrgUnits::OrgUnits(Store& store, const Clock& clock, Random& random)
    : store_(store), clock_(clock), random_(random) {}

Result<void> OrgUnits::insert(Transaction& transaction, const Caller& caller, OrgUnit& unit) {
    if (unit.parent.type != ScopeType::tenant) {
        TRY(find(transaction, unit.parent));
    }
    TRY(check_name_free(transaction, unit.parent, unit.id.type, unit.name));
    if (unit.id.type == ScopeType::cluster) {
        unit.id.value = Uuid::make(random_).text();
    } else {
        const std::int32_t number = TRY(transaction.next(Sequence::org_unit));
        unit.id.value = std::to_string(number);
    }
    TRY(transaction.org_units().put(unit));
    return append_change_event(transaction,
                               change_event(caller, unit.created_at, audit_action::create,
                                            std::string(resource_type_of(unit.id.type)),
                                            unit.id.value, unit.name));
}

Result<OrgUnit> OrgUnits::create(const Caller& caller, const OrgUnitDraft& draft) {
    if (!is_display_name(draft.name)) {
        return fail(ErrorCode::invalid_request,
                    "name must be 1 to 255 bytes of text without control characters, and neither "
                    "start nor end with a space");
    }
    OrgUnit unit;
    unit.id = {caller.tenant(), draft.type, {}};
    unit.parent = draft.parent;
    unit.name = draft.name;
    unit.description = draft.description;
    unit.attributes = draft.attributes;
    unit.created_by = caller.principal.name;
    unit.updated_by = caller.principal.name;
    unit.created_at = clock_.now();
    unit.updated_at = unit.created_at;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        TRY(insert(transaction, caller, unit));
        if (draft.type == ScopeType::cluster) {
            OrgUnit department = unit;
            department.id.type = ScopeType::department;
            department.parent = unit.id;
            department.name = default_department;
            department.attributes = "{}";
            TRY(insert(transaction, caller, department));
        }
        return {};
    }));
    return unit;
}

Result<OrgUnit> OrgUnits::update(const Caller& caller, const ScopeId& id,
                                 const OrgUnitChange& change) {
    if (change.name && !is_display_name(*change.name)) {
        return fail(ErrorCode::invalid_request,
                    "name must be 1 to 255 bytes of text without control characters");
    }
    OrgUnit unit;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        unit = TRY(find(transaction, id));
        if (change.name && *change.name != unit.name) {
            TRY(check_name_free(transaction, unit.parent, unit.id.type, *change.name));
            unit.name = *change.name;
        }
        unit.description = change.description.value_or(unit.description);
        unit.attributes = change.attributes.value_or(unit.attributes);
        unit.updated_by = caller.principal.name;
        unit.updated_at = clock_.now();
        TRY(transaction.org_units().put(unit));
        return append_change_event(
            transaction, change_event(caller, unit.updated_at, audit_action::update,
                                      std::string(resource_type_of(id.type)), id.value, unit.name));
    }));
    return unit;
}

Result<void> OrgUnits::erase(Transaction& transaction, const Caller& caller, OrgUnit unit,
                             Timestamp now) {
    auto rules = TRY(transaction.access_rules().at_scope(unit.id));
    for (AccessRule& rule : rules) {
        rule.deleted_at = now;
        rule.updated_at = now;
        TRY(transaction.access_rules().put(rule));
    }
    unit.deleted_at = now;
    unit.updated_at = now;
    unit.updated_by = caller.principal.name;
    TRY(transaction.org_units().put(unit));
    AuditEvent event =
        change_event(caller, now, audit_action::remove, std::string(resource_type_of(unit.id.type)),
                     unit.id.value, unit.name);
    event.metadata.emplace_back("access_rules_removed", std::to_string(rules.size()));
    return append_change_event(transaction, event);
}

Result<void> OrgUnits::erase_tree(Transaction& transaction, const Caller& caller,
                                  const OrgUnit& unit, bool with_content, Timestamp now) {
    const auto children = TRY(transaction.org_units().children(unit.id));
    for (const OrgUnit& child : children) {
        // The default department came with its cluster and goes with it, if nobody used it.
        const bool goes_along =
            unit.id.type == ScopeType::cluster && child.name == default_department;
        if (!with_content && !goes_along) {
            return fail(ErrorCode::conflict, "there is still something below it (" + child.name +
                                                 "); delete that first");
        }
        TRY(erase_tree(transaction, caller, child, with_content, now));
    }
    return erase(transaction, caller, unit, now);
}

Result<void> OrgUnits::remove(const Caller& caller, const ScopeId& id, bool with_content) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        const OrgUnit unit = TRY(find(transaction, id));
        return erase_tree(transaction, caller, unit, with_content, now);
    });
}

} // namespace claviger
