// SPDX-License-Identifier: Apache-2.0
// What Claviger asks of a database, split by noun. The server answers from memory; a store makes
// changes durable, keeps what must hold across rows, and gives everything back at start.
//
// A Transaction is all or nothing. Every put() also appends to the change log under the same
// commit. Implementations: memory (tests), sqlite.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/model.h"
#include "store/audit_source.h"
#include "store/usage_rows.h"

namespace claviger {

class TenantRows {
public:
    virtual ~TenantRows() = default;
    virtual Result<std::optional<Tenant>> find(TenantId id) = 0;
    virtual Result<std::vector<Tenant>> all() = 0;
    virtual Result<void> put(const Tenant& tenant) = 0;
};

class ServiceAccountRows {
public:
    virtual ~ServiceAccountRows() = default;
    /// Deleted accounts are not found.
    virtual Result<std::optional<ServiceAccount>> find(ServiceAccountId id) = 0;
    virtual Result<std::optional<ServiceAccount>> find_by_name(TenantId tenant,
                                                               std::string_view name) = 0;
    virtual Result<void> put(const ServiceAccount& account) = 0;
};

class UserRows {
public:
    virtual ~UserRows() = default;
    virtual Result<std::optional<User>> find(UserId id) = 0;
    virtual Result<std::optional<User>> find_by_email(TenantId tenant, std::string_view email) = 0;
    virtual Result<void> put(const User& user) = 0;
};

class AccessKeyRows {
public:
    virtual ~AccessKeyRows() = default;
    virtual Result<std::optional<AccessKey>> find(AccessKeyId id) = 0;
    virtual Result<std::optional<AccessKey>> find_by_name(UserId owner, std::string_view name) = 0;
    /// In the order of creation.
    virtual Result<std::vector<AccessKey>> of_user(UserId owner) = 0;
    virtual Result<void> put(const AccessKey& key) = 0;
};

class SessionRows {
public:
    virtual ~SessionRows() = default;
    virtual Result<std::optional<Session>> find(SessionId id) = 0;
    /// In the order of creation.
    virtual Result<std::vector<Session>> of_user(UserId user) = 0;
    virtual Result<void> put(const Session& session) = 0;
};

/// Of the tenants' own roles.
class RoleRows {
public:
    virtual ~RoleRows() = default;
    virtual Result<std::optional<Role>> find(RoleId id) = 0;
    virtual Result<std::optional<Role>> find_by_name(TenantId tenant, std::string_view name) = 0;
    /// By number.
    virtual Result<std::vector<Role>> all(TenantId tenant) = 0;
    virtual Result<void> put(const Role& role) = 0;
};

class IdentityProviderRows {
public:
    virtual ~IdentityProviderRows() = default;
    virtual Result<std::optional<IdentityProvider>> find(TenantId tenant,
                                                         std::string_view alias) = 0;
    /// By alias.
    virtual Result<std::vector<IdentityProvider>> all(TenantId tenant) = 0;
    virtual Result<void> put(const IdentityProvider& provider) = 0;
};

class TenantSettingsRows {
public:
    virtual ~TenantSettingsRows() = default;
    virtual Result<std::optional<TenantSettings>> find(TenantId tenant) = 0;
    virtual Result<void> put(const TenantSettings& settings) = 0;
};

class OrgUnitRows {
public:
    virtual ~OrgUnitRows() = default;
    virtual Result<std::optional<OrgUnit>> find(const ScopeId& id) = 0;
    /// By name among the units of one type below `parent` (or anywhere in the cluster for projects:
    /// the caller passes the parent that must hold the name once).
    virtual Result<std::optional<OrgUnit>> find_by_name(const ScopeId& parent, ScopeType type,
                                                        std::string_view name) = 0;
    virtual Result<std::vector<OrgUnit>> children(const ScopeId& parent) = 0;
    virtual Result<void> put(const OrgUnit& unit) = 0;
};

class AccessRuleRows {
public:
    virtual ~AccessRuleRows() = default;
    virtual Result<std::optional<AccessRule>> find(AccessRuleId id) = 0;
    /// The live rule with exactly this subject, role and scope.
    virtual Result<std::optional<AccessRule>> find_same(const AccessRule& rule) = 0;
    virtual Result<std::vector<AccessRule>> of_subject(TenantId tenant, const Subject& subject) = 0;
    virtual Result<std::vector<AccessRule>> at_scope(const ScopeId& scope) = 0;
    virtual Result<std::vector<AccessRule>> of_role(RoleId role) = 0;
    virtual Result<void> put(const AccessRule& rule) = 0;
};

class SigningKeyRows {
public:
    virtual ~SigningKeyRows() = default;
    virtual Result<std::vector<SigningKey>> all(TenantId tenant) = 0;
    virtual Result<void> put(const SigningKey& key) = 0;
};

/// Of all tenants. They stand in the database as long as they can matter.
class RevocationRows {
public:
    virtual ~RevocationRows() = default;
    /// Of the tenant's last one; 0 before the first.
    virtual Result<std::uint64_t> last_number(TenantId tenant) = 0;
    /// `revocation.number` must be the last one's plus one.
    virtual Result<void> append(const Revocation& revocation) = 0;
    /// The longest expired at `now`. A tenant's last one never is: the numbers go on from it.
    virtual Result<std::vector<Revocation>> expired(Timestamp now, std::size_t most) = 0;
    /// With `deleted_at` set.
    virtual Result<void> remove(const Revocation& revocation) = 0;
};

/// Of the data directory, not of a tenant: without change log.
class RootKeyRows {
public:
    virtual ~RootKeyRows() = default;
    /// Oldest first.
    virtual Result<std::vector<SealedRootKey>> all() = 0;
    virtual Result<void> put(const SealedRootKey& key) = 0;
    virtual Result<void> remove(std::string_view master_key_id) = 0;
};

class ChangeEventRows {
public:
    virtual ~ChangeEventRows() = default;
    virtual Result<AuditHead> head(TenantId tenant) = 0;
    /// `entry.number` must be the head's plus one.
    virtual Result<void> append(const AuditEntry& entry) = 0;
};

/// The counters that ids come from: database-wide, never given back.
enum class Sequence : std::uint8_t { tenant, org_unit, access_rule, role };

class Transaction {
public:
    virtual ~Transaction() = default;
    virtual TenantRows& tenants() = 0;
    virtual ServiceAccountRows& service_accounts() = 0;
    virtual UserRows& users() = 0;
    virtual AccessKeyRows& access_keys() = 0;
    virtual SessionRows& sessions() = 0;
    virtual RoleRows& roles() = 0;
    virtual IdentityProviderRows& identity_providers() = 0;
    virtual TenantSettingsRows& tenant_settings() = 0;
    virtual OrgUnitRows& org_units() = 0;
    virtual AccessRuleRows& access_rules() = 0;
    virtual SigningKeyRows& signing_keys() = 0;
    virtual RevocationRows& revocations() = 0;
    virtual RootKeyRows& root_keys() = 0;
    virtual ChangeEventRows& change_events() = 0;
    /// The next number of a sequence, starting at 1.
    virtual Result<std::int32_t> next(Sequence sequence) = 0;
};

/// Who or what may get tokens.
using LoginId = std::variant<ServiceAccountId, UserId, AccessKeyId>;

/// When it last got a token; written in batches, without change log or audit.
struct LastLogin {
    LoginId id;
    Timestamp at;
};

class Store : public AuditSource { // of change events
public:
    using Work = std::function<Result<void>(Transaction&)>;
    /// `change_number` grows by one with every committed row but revocations, which have numbers
    /// of their own.
    using CommitListener =
        std::function<void(std::uint64_t change_number, std::span<const Row> rows)>;
    /// Gets the rows that a work has put, until it puts the first one itself.
    using Completion = std::function<Result<void>(Transaction&, std::span<const Row> rows)>;
    using RowVisitor = std::function<void(const Row&)>;

    /// Runs `work` and commits it together with the work of other callers (one sync for all).
    /// Returns only when it is durable; on an error of `work` nothing of it is kept. `work` may be
    /// run on another thread, but never beside another work, and not after write() has returned.
    virtual Result<void> write(const Work& work) = 0;

    /// Called after each commit, in commit order, before write() returns. Set once, before use.
    virtual void set_commit_listener(CommitListener listener) = 0;

    /// Called after each work that succeeded, as its last part: what it puts is committed with the
    /// work, or neither is. Set once, before use.
    virtual void set_completion(Completion completion) = 0;

    /// Gives every row that is not deleted to `visit`: tenants, service accounts, users, access
    /// keys, sessions, roles, units (parents before children), rules, signing keys, identity
    /// providers, settings, revocations (by number).
    virtual Result<void> load(const RowVisitor& visit) = 0;

    virtual Result<void> record_last_logins(std::span<const LastLogin> logins) = 0;

    /// Adds the counts of a day up; of the rest the new use is kept.
    virtual Result<void> record_secret_uses(std::span<const SecretUse> uses) = 0;
    /// Of the secrets of one service account or access key, as far as they were used.
    virtual Result<std::vector<SecretUse>> secret_uses(TenantId tenant, const Uuid& key) = 0;

    /// Makes a commit that changes nothing: whether a write would succeed now.
    virtual Result<void> try_write() = 0;

    /// The committed ones after number `after`, in their order.
    virtual Result<std::vector<Revocation>> revocations(TenantId tenant, std::uint64_t after,
                                                        std::size_t most) = 0;

    /// Deleted rules, oldest first, for lists that ask for them.
    virtual Result<std::vector<AccessRule>> deleted_access_rules(TenantId tenant) = 0;

    /// Each of its calls is a transaction of its own.
    virtual UsageRows& usage() = 0;
};

} // namespace claviger
