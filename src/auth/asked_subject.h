// SPDX-License-Identifier: Apache-2.0
// Somebody about whom a decision is asked, who need not be the caller: how they are spelled, whose
// rules count for them, and whether they are served at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide.h"
#include "auth/directory.h"

namespace claviger {

/// The subject as access rules speak of it: a service account by its name, client id or id, a user
/// by e-mail or id, a group by its name. Nothing when it cannot be anybody.
std::optional<Subject> find_asked_subject(const TenantState& state, SubjectType type,
                                          std::string_view id);

/// As a rule shows it: an account's name, a user's e-mail, a group's name.
std::string shown_id(const TenantState& state, const Subject& subject);

/// What a subject may do, as decisions take it: itself first, then the groups of a user who is
/// known here; and the ceiling of a service account. Keys of users and narrowed tokens play no
/// part.
class AskedRights {
public:
    AskedRights(const TenantState& state, const Subject& subject);
    AskedRights(const AskedRights&) = delete;
    AskedRights& operator=(const AskedRights&) = delete;

    AccessHolder holder() const;
    Decision decide(const AccessSnapshot& access, Permission permission, NodeIndex scope) const;

private:
    std::vector<Subject> subjects_;
    LimitsPointer limits_; // shared with the account
    const AccessLimit* ceiling_ = nullptr;
};

/// Why a subject gets nothing whatever its rules say: it is disabled, or no account any more. Users
/// and groups that are not known here may come from elsewhere: their rules count.
std::optional<std::string_view> why_not_served(const TenantState& state, const Subject& subject,
                                               Timestamp now);

/// The users who are in one of the groups.
std::vector<const User*> members_of(const TenantState& state, const std::vector<Subject>& groups);

/// Whom a decision allows this, of one type or of all, each once, in their own order. Members of a
/// group stand among the users.
std::vector<Subject> who_is_allowed(const TenantState& state, Permission permission,
                                    NodeIndex scope, Timestamp now,
                                    std::optional<SubjectType> type = {});

} // namespace claviger
