// SPDX-License-Identifier: Apache-2.0
#include "auth/asked_subject.h"

#include <algorithm>
#include <set>

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

std::vector<Subject> subjects_for(const TenantState& state, const Subject& subject) {
    std::vector<Subject> subjects{subject};
    const User* user = subject.type == SubjectType::user
                           ? state.users.find_by_email(subject.value)
                           : nullptr;
    if (user != nullptr) {
        for (const std::string& group : user->groups) {
            subjects.push_back({SubjectType::group, group});
        }
    }
    return subjects;
}

std::optional<std::string_view> why_not_served(const TenantState& state, const Subject& subject) {
    Eligibility standing;
    if (subject.type == SubjectType::service_account) {
        const AccountEntry* account = account_of(state, subject);
        if (account == nullptr) {
            return name_of(Ineligible::unknown);
        }
        standing = eligible(state, PrincipalKind::service_account, account->id, std::nullopt);
    } else if (subject.type == SubjectType::user) {
        if (const User* user = state.users.find_by_email(subject.value)) {
            standing = eligible(state, PrincipalKind::user, user->id.value, std::nullopt);
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

} // namespace claviger
