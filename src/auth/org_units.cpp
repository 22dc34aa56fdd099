// SPDX-License-Identifier: Apache-2.0
#include "auth/org_units.h"

#include <algorithm>

#include "auth/names.h"

namespace claviger {
namespace {

constexpr std::size_t longest_description = 4096; // bytes

Result<OrgUnit> find(Transaction& transaction, const ScopeId& id) {
    const auto unit = TRY(transaction.org_units().find(id));
    if (!unit) {
        return fail(ErrorCode::not_found,
                    "the " + std::string(resource_type_of(id.type)) + " was deleted meanwhile");
    }
    return *unit;
}

Result<void> check_name_free(Transaction& transaction, const ScopeId& parent, ScopeType type,
                             std::string_view name) {
    const auto same = TRY(transaction.org_units().find_by_name(parent, type, name));
    if (same) {
        return fail(ErrorCode::conflict, "Resource with this name already exists");
    }
    return {};
}

Result<void> check_description(std::string_view description) {
    if (description.size() > longest_description) {
        return fail(ErrorCode::invalid_request, "description is longer than 4096 bytes");
    }
    return {};
}

constexpr std::string_view namespace_prefix = "runai-";

/// The namespace that the attributes of a project request; empty when they do not. They are JSON as
/// our own encoder writes it, where this text stands nowhere else: inside a string its quotes would
/// be escaped.
std::string_view requested_namespace(std::string_view attributes) {
    constexpr std::string_view start = R"("requestedNamespace":")";
    const std::size_t at = attributes.find(start);
    if (at == std::string_view::npos) {
        return {};
    }
    attributes.remove_prefix(at + start.size());
    return attributes.substr(0, attributes.find('"'));
}

bool has_namespace(const OrgUnit& project, std::string_view wanted) {
    const std::string_view requested = requested_namespace(project.attributes);
    if (!requested.empty()) {
        return requested == wanted;
    }
    return wanted.starts_with(namespace_prefix) &&
           wanted.substr(namespace_prefix.size()) == project.name;
}

Result<void> check_namespace(const OrgUnit& project) {
    if (is_dns_label(project_namespace(project))) {
        return {};
    }
    if (!requested_namespace(project.attributes).empty()) {
        return fail(ErrorCode::invalid_request,
                    "requestedNamespace must be 1 to 63 lower-case letters, digits and hyphens, "
                    "and neither start nor end with a hyphen");
    }
    return fail(ErrorCode::invalid_request,
                "the namespace would be runai-<name>: give a requestedNamespace, or a name of at "
                "most 57 lower-case letters, digits and hyphens that does not end with a hyphen");
}

Result<NodeIndex> cluster_of(const AccessSnapshot& access, const ScopeId& department) {
    const auto node = access.find(department);
    const auto cluster = node ? access.parent(*node) : std::nullopt;
    if (!cluster) {
        return fail(ErrorCode::not_found, "the department was deleted meanwhile");
    }
    return *cluster;
}

/// `conflict` when a project of the cluster has the name or the namespace already.
Result<void> check_project_is_new(const AccessSnapshot& access, NodeIndex cluster,
                                  const OrgUnit& project) {
    const std::string wanted = project_namespace(project);
    std::string_view taken;
    access.for_each_unit(ScopeType::project, [&](NodeIndex node, const OrgUnit& other) {
        const bool same_name = other.name == project.name;
        if ((same_name || has_namespace(other, wanted)) && access.is_same_or_below(node, cluster)) {
            taken = same_name ? "name" : "namespace";
        }
    });
    if (!taken.empty()) {
        return fail(ErrorCode::conflict,
                    "Resource with this " + std::string(taken) + " already exists");
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

std::string project_namespace(const OrgUnit& project) {
    const std::string_view requested = requested_namespace(project.attributes);
    return requested.empty() ? std::string(namespace_prefix) + project.name
                             : std::string(requested);
}

NameReservations::Reservation::Reservation(NameReservations& owner, std::vector<std::string> names)
    : owner_(owner), names_(std::move(names)) {
    const std::lock_guard lock(owner_.mutex_);
    holds_ = std::ranges::none_of(
        names_, [this](const std::string& name) { return owner_.names_.contains(name); });
    if (holds_) {
        owner_.names_.insert(names_.begin(), names_.end());
    }
}

NameReservations::Reservation::~Reservation() {
    if (holds_) {
        const std::lock_guard lock(owner_.mutex_);
        for (const std::string& name : names_) {
            owner_.names_.erase(name);
        }
    }
}

OrgUnits::OrgUnits(Store& store, const Directory& directory, const Clock& clock, Random& random)
    : store_(store), directory_(directory), clock_(clock), random_(random) {}

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
    AuditEvent event =
        change_event(caller, unit.created_at, audit_action::create,
                     std::string(resource_type_of(unit.id.type)), unit.id.value, unit.name);
    TRY(name_cluster(event, transaction, unit.id));
    return append_change_event(transaction, event);
}

Result<OrgUnit> OrgUnits::create(const Caller& caller, const OrgUnitDraft& draft) {
    TRY(check_description(draft.description));
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
    if (draft.type == ScopeType::project) {
        TRY(create_project(caller, unit));
        return unit;
    }
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

TenantStatePointer OrgUnits::state_of(const Caller& caller) const {
    return directory_.current()->find(caller.tenant());
}

Result<void> OrgUnits::create_project(const Caller& caller, OrgUnit& unit) {
    TRY(check_namespace(unit));
    const NodeIndex cluster = TRY(cluster_of(state_of(caller)->access, unit.parent));
    const std::string place = state_of(caller)->access.scope_id(cluster).value;
    const NameReservations::Reservation reservation(
        being_made_,
        {place + " name " + unit.name, place + " namespace " + project_namespace(unit)});
    if (!reservation.holds()) {
        return fail(ErrorCode::conflict, "Resource with this name already exists");
    }
    // The state of now shows what was made before the names were reserved; the reservation keeps
    // out what is made at the same time. The database would have to look at every department.
    TRY(check_project_is_new(state_of(caller)->access, cluster, unit));
    return store_.write(
        [&](Transaction& transaction) { return insert(transaction, caller, unit); });
}

Result<OrgUnit> OrgUnits::update(const Caller& caller, const ScopeId& id,
                                 const OrgUnitChange& change) {
    if (change.name && !is_display_name(*change.name)) {
        return fail(ErrorCode::invalid_request,
                    "name must be 1 to 255 bytes of text without control characters");
    }
    TRY(check_description(change.description.value_or("")));
    OrgUnit unit;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        unit = TRY(find(transaction, id));
        if (change.name && *change.name != unit.name) {
            TRY(check_name_free(transaction, unit.parent, unit.id.type, *change.name));
            unit.name = *change.name;
        }
        unit.description = change.description.value_or(unit.description);
        if (change.attributes) {
            unit.attributes = TRY(change.attributes(unit.attributes));
        }
        unit.updated_by = caller.principal.name;
        unit.updated_at = clock_.now();
        TRY(transaction.org_units().put(unit));
        AuditEvent event =
            change_event(caller, unit.updated_at, audit_action::update,
                         std::string(resource_type_of(id.type)), id.value, unit.name);
        TRY(name_cluster(event, transaction, id));
        return append_change_event(transaction, event);
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
    AuditEvent event =
        change_event(caller, now, audit_action::remove, std::string(resource_type_of(unit.id.type)),
                     unit.id.value, unit.name);
    TRY(name_cluster(event, transaction, unit.id)); // while it is there
    unit.deleted_at = now;
    unit.updated_at = now;
    unit.updated_by = caller.principal.name;
    TRY(transaction.org_units().put(unit));
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
