// SPDX-License-Identifier: Apache-2.0
// The tree below a tenant: clusters, departments, projects. A department named "default" comes with
// every cluster, so that projects without a parent have a place (contract 3.3).
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/caller.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/store.h"

namespace claviger {

inline constexpr std::string_view default_department = "default";

struct OrgUnitDraft {
    ScopeType type = ScopeType::cluster;
    ScopeId parent;
    std::string name;
    std::string description;
    std::string attributes = "{}"; // a JSON object, checked by the caller
};

struct OrgUnitChange {
    std::optional<std::string> name; // clusters only
    std::optional<std::string> description;
    /// From the attributes as they are when the change is made to those that shall be; empty: stay.
    std::function<Result<std::string>(const std::string& before)> attributes;
};

/// The namespace of a project in its cluster: the one that its attributes request, or
/// "runai-<name>".
std::string project_namespace(const OrgUnit& project);

/// Names that are about to be taken: no state shows them yet, and nobody else may take them.
class NameReservations {
public:
    class Reservation {
    public:
        Reservation(NameReservations& owner, std::vector<std::string> names);
        ~Reservation();
        Reservation(const Reservation&) = delete;
        Reservation& operator=(const Reservation&) = delete;
        /// False when somebody else holds one of the names.
        bool holds() const { return holds_; }

    private:
        NameReservations& owner_;
        std::vector<std::string> names_;
        bool holds_ = false;
    };

private:
    std::mutex mutex_;
    std::set<std::string, std::less<>> names_;
};

class OrgUnits {
public:
    OrgUnits(Store& store, const Directory& directory, const Clock& clock, Random& random);

    /// `conflict` when the name is taken: clusters once per tenant, departments and projects once
    /// per cluster, and so is the namespace of a project, which must be a DNS label.
    Result<OrgUnit> create(const Caller& caller, const OrgUnitDraft& draft);
    Result<OrgUnit> update(const Caller& caller, const ScopeId& id, const OrgUnitChange& change);
    /// Removes the unit and the access rules at it. `conflict` while something is below it, unless
    /// `with_content`; a cluster's empty default department goes with the cluster.
    Result<void> remove(const Caller& caller, const ScopeId& id, bool with_content);

private:
    TenantStatePointer state_of(const Caller& caller) const;
    Result<void> create_project(const Caller& caller, OrgUnit& unit);
    Result<void> insert(Transaction& transaction, const Caller& caller, OrgUnit& unit);
    Result<void> erase(Transaction& transaction, const Caller& caller, OrgUnit unit, Timestamp now);
    Result<void> erase_tree(Transaction& transaction, const Caller& caller, const OrgUnit& unit,
                            bool with_content, Timestamp now);

    Store& store_;
    const Directory& directory_;
    NameReservations being_made_;
    const Clock& clock_;
    Random& random_;
};

/// "cluster", "department", "project": the resource type that guards a kind of unit.
std::string_view resource_type_of(ScopeType type);

} // namespace claviger
