// SPDX-License-Identifier: Apache-2.0
// Access rules: subject, role, scope. There is no update. Nobody can give, or take away, more than
// they hold themselves (contract 4.2).
#pragma once

#include <span>
#include <vector>

#include "auth/caller.h"
#include "auth/rights.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

struct AccessRuleDraft {
    Subject subject;
    RoleId role;
    ScopeId scope;
};

/// Whether any rule names one of the subjects.
bool is_reached_by_a_rule(const AccessSnapshot& access, std::span<const Subject> subjects);

/// The subject of a rule, as a caller may spell it: a user's e-mail or id, a group's name, a
/// service account's name, client id or id. Users and groups need not exist.
Result<Subject> resolve_subject(const TenantState& state, SubjectType type, std::string_view text);

/// `access_denied` unless the caller's permissions at the scope include all of the role's.
Result<void> check_escalation(const Caller& caller, RoleId role, NodeIndex scope);
/// The same for what `role_name` holds or is about to hold.
Result<void> check_escalation(const Caller& caller, const PermissionSet& wanted,
                              std::string_view role_name, NodeIndex scope);
/// `access_denied` when a credential of `holder` that `limits` bind could do more than the caller,
/// be it by rules, within the limits of key and token, or by time and place: whoever gets the
/// credential would hold it then. Asked by everything that makes a credential, gives it another
/// secret or password, or widens its limits. `limits` may be null.
Result<void> check_no_wider(const Caller& caller, const Principal& holder,
                            const CredentialLimits* limits);
/// `access_denied` when some rule that names the user gives what the caller does not hold there.
Result<void> check_holds_no_more(const Caller& caller, const Principal& holder);

/// What became of the entries of a batch, in their order. An entry that is refused
/// (`invalid_request`, `access_denied`, `not_found`, `conflict`) leaves the others alone.
using RulesCreated = std::vector<Result<AccessRule>>;
using RulesRemoved = std::vector<Result<void>>;

/// A rehearsal gives the same outcomes and changes nothing.
enum class BatchMode : std::uint8_t { real, rehearsal };

class AccessRules {
public:
    AccessRules(Store& store, const Clock& clock);

    /// `conflict` when the same rule exists. The caller must hold access_rules:create at the scope;
    /// the escalation rule is checked here.
    Result<AccessRule> create(const Caller& caller, const AccessRuleDraft& draft);
    /// `conflict` for the tenant's last System administrator. The escalation rule applies.
    Result<void> remove(const Caller& caller, AccessRuleId id);

    /// Each draft is judged as create() judges it, after those before it. What passes is one
    /// transaction: when it fails, nothing is done.
    Result<RulesCreated> create_all(const Caller& caller, std::span<const AccessRuleDraft> drafts);
    /// Likewise. Of several rules that make System administrators, the last one stays.
    Result<RulesRemoved> remove_all(const Caller& caller, std::span<const AccessRuleId> ids,
                                    BatchMode mode);

private:
    Result<AccessRule> create_one(Transaction& transaction, const Caller& caller,
                                  const AccessRuleDraft& draft, Timestamp now);
    Result<void> remove_one(Transaction& transaction, const Caller& caller, AccessRuleId id,
                            Timestamp now);

    Store& store_;
    const Clock& clock_;
};

} // namespace claviger
