// SPDX-License-Identifier: Apache-2.0
// What the record of uses comes to: what one credential used, which keys nobody uses, and which
// rules gave nothing that was used. It tells what was exercised, not what is needed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/directory.h"
#include "auth/last_logins.h"
#include "auth/usage.h"

namespace claviger {

/// What a credential used at one scope.
struct ScopeUsage {
    ScopeId scope;
    std::vector<std::string> permissions; // in order
    Day first;
    Day last;
    std::int32_t days = 0; // on which there was a use
};

/// All days of one credential at one scope together: far fewer than rows.
struct CredentialAtScope {
    Credential credential;
    Uuid owner;
    ScopeId scope;
    friend auto operator<=>(const CredentialAtScope&, const CredentialAtScope&) = default;
};
struct UsedThere {
    Bytes permissions; // PermissionNumbers reads them
    Day last;
};
using UsesByScope = std::map<CredentialAtScope, UsedThere>;

/// What all credentials of a tenant used since that day.
Result<UsesByScope> read_uses(Usage& usage, TenantId tenant, Day since);

/// From the top of the tree down; both days included.
Result<std::vector<ScopeUsage>> find_usage(Usage& usage, TenantId tenant,
                                           const Credential& credential, Day from, Day to);

/// When credentials were last used: what was granted to them, not the tokens that they got.
class LastUses {
public:
    static Result<LastUses> read(Usage& usage, TenantId tenant);
    std::optional<Day> find(const Credential& credential) const;

private:
    struct Hash {
        std::size_t operator()(const Credential& credential) const {
            return hash_of(credential.id);
        }
    };
    std::unordered_map<Credential, Day, Hash> days_;
};

/// Says of rules whether anybody to whom they apply used what they give, since some day. Users
/// count with the groups that they are in now, and with what their access keys did.
class ExercisedRules {
public:
    /// `state` must outlive it.
    static Result<ExercisedRules> read(Usage& usage, const TenantState& state, Day since);
    bool contains(const RuleInPlace& rule) const;

private:
    enum class SubjectNumber : std::uint32_t {};
    struct Place {
        SubjectNumber subject{};
        NodeIndex scope{};
        friend bool operator==(const Place&, const Place&) = default;
    };
    struct Hash {
        std::size_t operator()(const Place& place) const {
            return hash_of(static_cast<std::int64_t>(place.subject) << 32 |
                           static_cast<std::int64_t>(place.scope));
        }
        std::size_t operator()(const Uuid& id) const { return hash_of(id); }
    };
    using ByName = std::map<std::string, SubjectNumber, std::less<>>;

    explicit ExercisedRules(const TenantState& state) : state_(&state) {}
    void add(const Credential& credential, const Uuid& owner, NodeIndex scope,
             const PermissionSet& used);
    void add_at(SubjectNumber subject, NodeIndex scope, const PermissionSet& used);
    SubjectNumber number_of(ByName& names, const std::string& name);
    SubjectNumber next_number() { return SubjectNumber{subject_count_++}; }
    std::optional<SubjectNumber> subject_of(const RuleInPlace& rule) const;

    const TenantState* state_;
    std::uint32_t subject_count_ = 0;
    std::unordered_map<Uuid, SubjectNumber, Hash> accounts_;
    ByName users_, groups_;
    std::unordered_map<Place, PermissionSet, Hash> used_; // there or below
};

} // namespace claviger
