// SPDX-License-Identifier: Apache-2.0
// The tree below a tenant: clusters, departments, projects. A department named "default" comes with
// every cluster, so that projects without a parent have a place (contract 3.3).
#pragma once

#include <string_view>

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
    std::optional<std::string> attributes;
};

class OrgUnits {
public:
    OrgUnits(Store& store, const Clock& clock, Random& random);

    /// `conflict` when the name is taken: clusters and projects once per tenant and cluster,
    /// departments once per cluster.
    Result<OrgUnit> create(const Caller& caller, const OrgUnitDraft& draft);
    Result<OrgUnit> update(const Caller& caller, const ScopeId& id, const OrgUnitChange& change);
    /// Removes the unit and the access rules at it. `conflict` while something is below it, unless
    /// `with_content`; a cluster's empty default department goes with the cluster.
    Result<void> remove(const Caller& caller, const ScopeId& id, bool with_content);

private:
    Result<void> insert(Transaction& transaction, const Caller& caller, OrgUnit& unit);
    Result<void> erase(Transaction& transaction, const Caller& caller, OrgUnit unit, Timestamp now);
    Result<void> erase_tree(Transaction& transaction, const Caller& caller, const OrgUnit& unit,
                            bool with_content, Timestamp now);

    Store& store_;
    const Clock& clock_;
    Random& random_;
};

/// "cluster", "department", "project": the resource type that guards a kind of unit.
std::string_view resource_type_of(ScopeType type);

} // namespace claviger
