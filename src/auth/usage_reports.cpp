// SPDX-License-Identifier: Apache-2.0
#include "auth/usage_reports.h"

#include <algorithm>
#include <map>
#include <set>

namespace claviger {

// --- one credential -----------------------------------------------------------------------------

Result<std::vector<ScopeUsage>> find_usage(Usage& usage, TenantId tenant,
                                           const Credential& credential, Day from, Day to) {
    struct Found {
        Bytes bits;
        std::set<Day> days; // a use may be visited twice
    };
    std::map<ScopeId, Found> by_scope;
    TRY(usage.for_each_of(tenant, credential, from, to, [&](const UsageRow& row) {
        Found& found = by_scope[row.scope];
        add_bits(found.bits, row.permissions);
        found.days.insert(row.day);
    }));
    const auto numbers = TRY(usage.numbers());
    std::vector<ScopeUsage> scopes;
    scopes.reserve(by_scope.size());
    for (const auto& [scope, found] : by_scope) {
        scopes.push_back({scope, numbers->texts_of(found.bits), *found.days.begin(),
                          *found.days.rbegin(), static_cast<std::int32_t>(found.days.size())});
    }
    return scopes;
}

Result<UsesByScope> read_uses(Usage& usage, TenantId tenant, Day since) {
    UsesByScope uses;
    TRY(usage.for_each_since(tenant, since, [&](const UsageRow& row) {
        UsedThere& there = uses[{row.credential, row.owner, row.scope}];
        add_bits(there.permissions, row.permissions);
        there.last = std::max(there.last, row.day);
    }));
    return uses;
}

// --- keys ---------------------------------------------------------------------------------------

Result<LastUses> LastUses::read(Usage& usage, TenantId tenant) {
    LastUses last;
    const auto uses = TRY(usage.last_uses(tenant));
    for (const LastUse& use : uses) {
        Day& day = last.days_.try_emplace(use.credential, use.day).first->second;
        day = std::max(day, use.day);
    }
    return last;
}

std::optional<Day> LastUses::find(const Credential& credential) const {
    const auto at = days_.find(credential);
    return at == days_.end() ? std::nullopt : std::optional(at->second);
}

// --- rules --------------------------------------------------------------------------------------

namespace {

bool have_common(PermissionSet some, const PermissionSet& others) {
    some.keep_only(others);
    return !some.empty();
}

} // namespace

Result<ExercisedRules> ExercisedRules::read(Usage& usage, const TenantState& state, Day since) {
    const UsesByScope uses = TRY(read_uses(usage, state.tenant.id, since));
    const auto numbers = TRY(usage.numbers());
    ExercisedRules rules(state);
    for (const auto& [use, there] : uses) {
        if (const auto scope = state.access.find(use.scope)) { // rules go with their scope
            rules.add(use.credential, use.owner, *scope,
                      numbers->permissions_of(there.permissions));
        }
    }
    return rules;
}

ExercisedRules::SubjectNumber ExercisedRules::number_of(ByName& names, const std::string& name) {
    const auto at = names.find(name);
    return at == names.end() ? names.emplace(name, next_number()).first->second : at->second;
}

void ExercisedRules::add(const Credential& credential, const Uuid& owner, NodeIndex scope,
                         const PermissionSet& used) {
    if (credential.kind == CredentialKind::service_account) {
        const auto at = accounts_.find(credential.id);
        add_at(at == accounts_.end() ? accounts_.emplace(credential.id, next_number()).first->second
                                     : at->second,
               scope, used);
        return;
    }
    const User* user = state_->users.find(owner);
    if (user == nullptr) {
        return;
    }
    add_at(number_of(users_, user->email), scope, used);
    for (const std::string& group : user->groups) {
        add_at(number_of(groups_, group), scope, used);
    }
}

void ExercisedRules::add_at(SubjectNumber subject, NodeIndex scope, const PermissionSet& used) {
    for (std::optional<NodeIndex> at = scope; at; at = state_->access.parent(*at)) {
        used_[{subject, *at}].add(used);
    }
}

std::optional<ExercisedRules::SubjectNumber>
ExercisedRules::subject_of(const RuleInPlace& rule) const {
    if (rule.account != nullptr) {
        const auto at = accounts_.find(*rule.account);
        return at == accounts_.end() ? std::nullopt : std::optional(at->second);
    }
    const ByName& names = rule.named->type == SubjectType::group ? groups_ : users_;
    const auto at = names.find(rule.named->value);
    return at == names.end() ? std::nullopt : std::optional(at->second);
}

bool ExercisedRules::contains(const RuleInPlace& rule) const {
    const auto subject = subject_of(rule);
    const PermissionSet* given = state_->access.permissions_of_role(rule.role);
    if (!subject || given == nullptr) {
        return false;
    }
    const auto at = used_.find({*subject, rule.scope});
    return at != used_.end() && have_common(at->second, *given);
}

} // namespace claviger
