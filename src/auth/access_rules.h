// SPDX-License-Identifier: Apache-2.0
// Access rules: subject, role, scope. There is no update. Nobody can give, or take away, more than
// they hold themselves (contract 4.2).
#pragma once

#include <span>
#include <vector>

#include "access/decide.h"
#include "auth/caller.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

struct AccessRuleDraft {
    Subject subject;
    RoleId role;
    ScopeId scope;
};

/// The subjects that rules may name to reach a caller: itself first, then its groups.
class Subjects {
public:
    explicit Subjects(const Principal& principal);
    operator std::span<const Subject>() const { // NOLINT(google-explicit-constructor)
        return all_.empty() ? std::span(&self_, 1) : std::span<const Subject>(all_);
    }

private:
    Subject self_; // most callers are in no group: nothing is allocated for them
    std::vector<Subject> all_;
};
inline Subjects subjects_of(const Principal& principal) {
    return Subjects(principal);
}

/// The subject of a rule, as a caller may spell it: a user's e-mail or id, a group's name, a
/// service account's name, client id or id. Users and groups need not exist.
Result<Subject> resolve_subject(const TenantState& state, SubjectType type, std::string_view text);

/// `access_denied` unless the caller's permissions at the scope include all of the role's.
Result<void> check_escalation(const Caller& caller, RoleId role, NodeIndex scope);

class AccessRules {
public:
    AccessRules(Store& store, const Clock& clock);

    /// `conflict` when the same rule exists. The caller must hold access_rules:create at the scope;
    /// the escalation rule is checked here.
    Result<AccessRule> create(const Caller& caller, const AccessRuleDraft& draft);
    /// `conflict` for the tenant's last System administrator. The escalation rule applies.
    Result<void> remove(const Caller& caller, AccessRuleId id);

private:
    Store& store_;
    const Clock& clock_;
};

} // namespace claviger
