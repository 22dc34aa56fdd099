// SPDX-License-Identifier: Apache-2.0
#include "auth/what_if.h"

#include <algorithm>

#include "auth/asked_subject.h"
#include "auth/last_administrator.h"
#include "auth/usage_reports.h"

namespace claviger {
namespace {

AccessSnapshot changed(const AccessSnapshot& before, const ProposedChange& change) {
    AccessSnapshot::Change next(before);
    for (const Role& role : change.roles) {
        next.put(role);
    }
    for (const AccessRuleId id : change.removed) {
        if (auto rule = before.rule(id)) {
            rule->deleted_at = rule->updated_at;
            next.put(*rule);
        }
    }
    for (const AccessRule& rule : change.added) {
        next.put(rule);
    }
    return next.finish();
}

/// Whose rules count for a credential; nothing when it is of nobody who is here.
std::optional<Subject> subject_of(const TenantState& state, CredentialKind kind,
                                  const Uuid& owner) {
    if (kind == CredentialKind::service_account) {
        return Subject{SubjectType::service_account, owner.text()};
    }
    const User* user = state.users.find(owner);
    return user == nullptr ? std::nullopt : std::optional(Subject{SubjectType::user, user->email});
}

bool can_sign_in(const TenantState& state, const Subject& subject) {
    if (subject.type == SubjectType::user) {
        const User* user = state.users.find_by_email(subject.value);
        return user != nullptr && counts_as_administrator(*user);
    }
    const auto id =
        subject.type == SubjectType::service_account ? Uuid::parse(subject.value) : std::nullopt;
    const AccountEntry* account = id ? state.accounts.find(*id) : nullptr;
    return account != nullptr && account->enabled;
}

} // namespace

WhatIf::WhatIf(const TenantState& state, const ProposedChange& change)
    : state_(state), after_(changed(state.access, change)) {
    touch_subjects(change);
}

void WhatIf::touch_subjects(const ProposedChange& change) {
    for (const AccessRule& rule : change.added) {
        touched_.insert(rule.subject);
    }
    for (const AccessRuleId id : change.removed) {
        if (const auto rule = state_.access.rule(id)) {
            touched_.insert(rule->subject);
        }
    }
    if (!change.roles.empty()) {
        state_.access.for_each_rule([&](const RuleInPlace& rule) {
            if (std::ranges::any_of(change.roles,
                                    [&](const Role& role) { return role.id.value == rule.role; })) {
                touched_.insert(rule.subject());
            }
        });
    }
    std::vector<Subject> groups;
    std::ranges::copy_if(touched_, std::back_inserter(groups),
                         [](const Subject& subject) { return subject.type == SubjectType::group; });
    for (const User* user : members_of(state_, groups)) {
        touched_.insert({SubjectType::user, user->email});
    }
}

std::vector<SubjectDifference> WhatIf::differences() const {
    std::vector<SubjectDifference> found;
    for (const Subject& subject : touched_) {
        const AskedRights rights(state_, subject);
        auto scopes = access_difference(state_.access, after_, rights.holder());
        if (!scopes.empty()) {
            found.push_back({subject, std::move(scopes)});
        }
    }
    return found;
}

PermissionSet WhatIf::refused(const BrokenCredential& candidate, NodeIndex scope,
                              const PermissionSet& used) const {
    const auto subject = subject_of(state_, candidate.credential.kind, candidate.owner);
    if (!subject || !touched_.contains(*subject)) {
        return {};
    }
    const AskedRights rights(state_, *subject);
    AccessHolder holder = rights.holder();
    const AccessKeyEntry* key = candidate.credential.kind == CredentialKind::access_key
                                    ? state_.access_keys.find(candidate.credential.id)
                                    : nullptr;
    const AccessLimit* ceiling =
        key != nullptr && key->bounds && key->bounds->ceiling ? &*key->bounds->ceiling : nullptr;
    if (ceiling != nullptr) {
        holder.limits = {&ceiling, 1};
    }
    PermissionSet granted_now = used;
    granted_now.keep_only(permissions_at(state_.access, holder, scope));
    return without(granted_now, permissions_at(after_, holder, scope));
}

Result<std::vector<BrokenCredential>> WhatIf::broken(Usage& usage, Day since) const {
    const UsesByScope uses = TRY(read_uses(usage, state_.tenant.id, since));
    const auto numbers = TRY(usage.numbers());
    std::vector<BrokenCredential> found;
    for (const auto& [use, there] : uses) {
        const auto scope = state_.access.find(use.scope);
        if (!scope) {
            continue; // rights went with it
        }
        BrokenCredential candidate{use.credential, use.owner, {}};
        PermissionSet lost = refused(candidate, *scope, numbers->permissions_of(there.permissions));
        if (lost.empty()) {
            continue;
        }
        if (found.empty() || found.back().credential != use.credential) {
            found.push_back(std::move(candidate));
        }
        found.back().uses.push_back({*scope, std::move(lost), there.last});
    }
    return found;
}

bool WhatIf::leaves_administrator() const {
    bool is_left = false;
    after_.for_each_rule([&](const RuleInPlace& rule) {
        is_left = is_left || (rule.role == system_administrator && rule.scope == after_.root() &&
                              can_sign_in(state_, rule.subject()));
    });
    return is_left;
}

} // namespace claviger
