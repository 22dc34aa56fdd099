// SPDX-License-Identifier: Apache-2.0
// What a change of access rules and roles would do, without doing it: who could do more, who less,
// and which credentials would be refused what they have used.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <vector>

#include "access/access_difference.h"
#include "auth/directory.h"
#include "auth/usage.h"

namespace claviger {

struct ProposedChange {
    std::vector<AccessRule> added; // with numbers that no other rule has
    std::vector<AccessRuleId> removed;
    std::vector<Role> roles; // as they would be
};

struct SubjectDifference {
    Subject subject;
    std::vector<ScopeDifference> scopes; // never empty
};

/// What a credential used at a scope and would not be granted any more.
struct RefusedUse {
    NodeIndex scope{};
    PermissionSet permissions;
    Day last_used; // of anything there
};

struct BrokenCredential {
    Credential credential;
    Uuid owner;                   // the user of an access key; of others their own id
    std::vector<RefusedUse> uses; // never empty
};

class WhatIf {
public:
    /// `state` must outlive it.
    WhatIf(const TenantState& state, const ProposedChange& change);

    /// Subjects that a changed rule or role names, and the known members of such groups.
    std::size_t touched_count() const { return touched_.size(); }
    /// Those for whom something changes, in the order of their types and names. Users are judged
    /// with the groups that they are in, service accounts within their limits.
    std::vector<SubjectDifference> differences() const;
    /// By what was used since that day.
    Result<std::vector<BrokenCredential>> broken(Usage& usage, Day since) const;
    /// Whether somebody is left who can sign in and is System administrator of the tenant.
    bool leaves_administrator() const;

private:
    void touch_subjects(const ProposedChange& change);
    PermissionSet refused(const BrokenCredential& candidate, NodeIndex scope,
                          const PermissionSet& used) const;

    const TenantState& state_;
    AccessSnapshot after_;
    std::set<Subject> touched_;
};

} // namespace claviger
