// SPDX-License-Identifier: Apache-2.0
#include "auth/asked_subject.h"

#include <algorithm>
#include <set>

#include "access/who_can.h"
#include "auth/access_rules.h"
#include "auth/eligible.h"

namespace claviger {
namespace {

const AccountEntry* account_of(const TenantState& state, const Subject& subject) {
    const auto id = Uuid::parse(subject.value);
    return id ? state.accounts.find(*id) : nullptr;
}

} // namespace

std::optional<Subject> find_asked_subject(const TenantState& state, SubjectType type,
                                          std::string_view id) {
    auto found = resolve_subject(state, type, id);
    return found ? std::optional(*std::move(found)) : std::nullopt;
}

std::string shown_id(const TenantState& state, const Subject& subject) {
    if (subject.type == SubjectType::service_account) {
        const AccountEntry* account = account_of(state, subject);
        return account == nullptr ? subject.value : account->name;
    }
    return subject.value;
}

AskedRights::AskedRights(const TenantState& state, const Subject& subject) : subjects_{subject} {
    if (subject.type == SubjectType::service_account) {
        if (const AccountEntry* account = account_of(state, subject)) {
            limits_ = account->limits;
        }
    } else if (subject.type == SubjectType::user) {
        if (const User* user = state.users.find_by_email(subject.value)) {
            for (const std::string& group : user->groups) {
                subjects_.push_back({SubjectType::group, group});
            }
        }
    }
    ceiling_ = limits_ && limits_->ceiling ? &*limits_->ceiling : nullptr;
}

AccessHolder AskedRights::holder() const {
    return {subjects_, {&ceiling_, ceiling_ == nullptr ? 0U : 1U}};
}

Decision AskedRights::decide(const AccessSnapshot& access, Permission permission,
                             NodeIndex scope) const {
    return claviger::decide(access, {subjects_, permission, scope, holder().limits});
}

std::optional<std::string_view> why_not_served(const TenantState& state, const Subject& subject,
                                               Timestamp now) {
    const UseOfCredential asked{now, asked_from_anywhere};
    Eligibility standing;
    if (subject.type == SubjectType::service_account) {
        const AccountEntry* account = account_of(state, subject);
        if (account == nullptr) {
            return name_of(Ineligible::unknown);
        }
        standing =
            eligible(state, PrincipalKind::service_account, account->id, std::nullopt, asked);
    } else if (subject.type == SubjectType::user) {
        if (const User* user = state.users.find_by_email(subject.value)) {
            standing = eligible(state, PrincipalKind::user, user->id.value, std::nullopt, asked);
        }
    }
    // With a temporary password nobody signs in, but their access keys go on.
    const bool served = !standing.refused || standing.refused == Ineligible::password_is_temporary;
    return served ? std::nullopt : std::optional(name_of(*standing.refused));
}

std::vector<const User*> members_of(const TenantState& state, const std::vector<Subject>& groups) {
    std::set<std::string_view> names;
    for (const Subject& group : groups) {
        if (group.type == SubjectType::group) {
            names.insert(group.value);
        }
    }
    std::vector<const User*> members;
    if (names.empty()) {
        return members;
    }
    state.users.for_each([&](const User& user) {
        if (std::ranges::any_of(user.groups,
                                [&](const std::string& group) { return names.contains(group); })) {
            members.push_back(&user);
        }
    });
    return members;
}

std::vector<Subject> who_is_allowed(const TenantState& state, Permission permission,
                                    NodeIndex scope, Timestamp now,
                                    std::optional<SubjectType> type) {
    const std::vector<Subject> all = who_can(state.access, permission, scope);
    std::vector<Subject> found;
    std::ranges::copy_if(all, std::back_inserter(found),
                         [&](const Subject& subject) { return !type || subject.type == *type; });
    if (!type || *type == SubjectType::user) {
        for (const User* member : members_of(state, all)) {
            found.push_back({SubjectType::user, member->email});
        }
        std::ranges::sort(found);
        const auto repeated = std::ranges::unique(found);
        found.erase(repeated.begin(), repeated.end());
    }
    // A ceiling may stand in the way of what rules permit.
    std::erase_if(found, [&](const Subject& subject) {
        return why_not_served(state, subject, now) ||
               !AskedRights(state, subject).decide(state.access, permission, scope).allowed();
    });
    return found;
}

} // namespace claviger
