// SPDX-License-Identifier: Apache-2.0
// A store in front of another that fails the n-th mutating call (put, append, next) inside a
// write, for fault tests: whatever n is, all or nothing of the write must be kept.
#pragma once

#include <atomic>
#include <cstdint>

#include "store/store.h"

namespace claviger {

/// Counts mutating calls and fails one of them.
class FaultPlan {
public:
    Result<void> pass() {
        if (++calls_ == failing_call_) {
            return fail(ErrorCode::unavailable, "a fault that a test asked for");
        }
        return {};
    }
    /// From now on the n-th call fails, counted from 1; 0 is none.
    void fail_call(std::uint64_t number) {
        calls_ = 0;
        failing_call_ = number;
    }
    std::uint64_t calls() const { return calls_; }

private:
    std::atomic<std::uint64_t> calls_ = 0;
    std::atomic<std::uint64_t> failing_call_ = 0;
};

/// The transaction of a FailingStore.
class FailingTransaction final : public Transaction {
public:
    FailingTransaction(Transaction& inner, FaultPlan& plan)
        : inner_(inner), plan_(plan), tenants_{inner.tenants(), plan},
          service_accounts_{inner.service_accounts(), plan}, users_{inner.users(), plan},
          access_keys_{inner.access_keys(), plan}, sessions_{inner.sessions(), plan},
          roles_{inner.roles(), plan}, identity_providers_{inner.identity_providers(), plan},
          tenant_settings_{inner.tenant_settings(), plan}, org_units_{inner.org_units(), plan},
          access_rules_{inner.access_rules(), plan}, signing_keys_{inner.signing_keys(), plan},
          revocations_{inner.revocations(), plan}, root_keys_{inner.root_keys(), plan},
          change_events_{inner.change_events(), plan} {}

    TenantRows& tenants() override { return tenants_; }
    ServiceAccountRows& service_accounts() override { return service_accounts_; }
    UserRows& users() override { return users_; }
    AccessKeyRows& access_keys() override { return access_keys_; }
    SessionRows& sessions() override { return sessions_; }
    RoleRows& roles() override { return roles_; }
    IdentityProviderRows& identity_providers() override { return identity_providers_; }
    TenantSettingsRows& tenant_settings() override { return tenant_settings_; }
    OrgUnitRows& org_units() override { return org_units_; }
    AccessRuleRows& access_rules() override { return access_rules_; }
    SigningKeyRows& signing_keys() override { return signing_keys_; }
    RevocationRows& revocations() override { return revocations_; }
    RootKeyRows& root_keys() override { return root_keys_; }
    ChangeEventRows& change_events() override { return change_events_; }
    Result<std::int32_t> next(Sequence sequence) override {
        TRY(plan_.pass());
        return inner_.next(sequence);
    }

private:
    /// What the rows of every noun share.
    template <class Rows, class Noun>
    class Failing : public Rows {
    public:
        Failing(Rows& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}
        Result<void> put(const Noun& noun) override {
            TRY(plan_.pass());
            return inner_.put(noun);
        }

    protected:
        Rows& inner_;

    private:
        FaultPlan& plan_;
    };

    struct Tenants final : Failing<TenantRows, Tenant> {
        using Failing::Failing;
        Result<std::optional<Tenant>> find(TenantId id) override { return inner_.find(id); }
        Result<std::vector<Tenant>> all() override { return inner_.all(); }
    };
    struct ServiceAccounts final : Failing<ServiceAccountRows, ServiceAccount> {
        using Failing::Failing;
        Result<std::optional<ServiceAccount>> find(ServiceAccountId id) override {
            return inner_.find(id);
        }
        Result<std::optional<ServiceAccount>> find_by_name(TenantId tenant,
                                                           std::string_view name) override {
            return inner_.find_by_name(tenant, name);
        }
    };
    struct Users final : Failing<UserRows, User> {
        using Failing::Failing;
        Result<std::optional<User>> find(UserId id) override { return inner_.find(id); }
        Result<std::optional<User>> find_by_email(TenantId tenant,
                                                  std::string_view email) override {
            return inner_.find_by_email(tenant, email);
        }
    };
    struct AccessKeys final : Failing<AccessKeyRows, AccessKey> {
        using Failing::Failing;
        Result<std::optional<AccessKey>> find(AccessKeyId id) override { return inner_.find(id); }
        Result<std::optional<AccessKey>> find_by_name(UserId owner,
                                                      std::string_view name) override {
            return inner_.find_by_name(owner, name);
        }
        Result<std::vector<AccessKey>> of_user(UserId owner) override {
            return inner_.of_user(owner);
        }
    };
    struct Sessions final : Failing<SessionRows, Session> {
        using Failing::Failing;
        Result<std::optional<Session>> find(SessionId id) override { return inner_.find(id); }
        Result<std::vector<Session>> of_user(UserId user) override { return inner_.of_user(user); }
    };
    struct Roles final : Failing<RoleRows, Role> {
        using Failing::Failing;
        Result<std::optional<Role>> find(RoleId id) override { return inner_.find(id); }
        Result<std::optional<Role>> find_by_name(TenantId tenant, std::string_view name) override {
            return inner_.find_by_name(tenant, name);
        }
        Result<std::vector<Role>> all(TenantId tenant) override { return inner_.all(tenant); }
    };
    struct IdentityProviders final : Failing<IdentityProviderRows, IdentityProvider> {
        using Failing::Failing;
        Result<std::optional<IdentityProvider>> find(TenantId tenant,
                                                     std::string_view alias) override {
            return inner_.find(tenant, alias);
        }
        Result<std::vector<IdentityProvider>> all(TenantId tenant) override {
            return inner_.all(tenant);
        }
    };
    struct Settings final : Failing<TenantSettingsRows, TenantSettings> {
        using Failing::Failing;
        Result<std::optional<TenantSettings>> find(TenantId tenant) override {
            return inner_.find(tenant);
        }
    };
    struct OrgUnits final : Failing<OrgUnitRows, OrgUnit> {
        using Failing::Failing;
        Result<std::optional<OrgUnit>> find(const ScopeId& id) override { return inner_.find(id); }
        Result<std::optional<OrgUnit>> find_by_name(const ScopeId& parent, ScopeType type,
                                                    std::string_view name) override {
            return inner_.find_by_name(parent, type, name);
        }
        Result<std::vector<OrgUnit>> children(const ScopeId& parent) override {
            return inner_.children(parent);
        }
    };
    struct AccessRules final : Failing<AccessRuleRows, AccessRule> {
        using Failing::Failing;
        Result<std::optional<AccessRule>> find(AccessRuleId id) override { return inner_.find(id); }
        Result<std::optional<AccessRule>> find_same(const AccessRule& rule) override {
            return inner_.find_same(rule);
        }
        Result<std::vector<AccessRule>> of_subject(TenantId tenant,
                                                   const Subject& subject) override {
            return inner_.of_subject(tenant, subject);
        }
        Result<std::vector<AccessRule>> at_scope(const ScopeId& scope) override {
            return inner_.at_scope(scope);
        }
        Result<std::vector<AccessRule>> of_role(RoleId role) override {
            return inner_.of_role(role);
        }
    };
    struct SigningKeys final : Failing<SigningKeyRows, SigningKey> {
        using Failing::Failing;
        Result<std::vector<SigningKey>> all(TenantId tenant) override { return inner_.all(tenant); }
    };
    struct Revocations final : RevocationRows {
        Revocations(RevocationRows& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}
        Result<std::uint64_t> last_number(TenantId tenant) override {
            return inner_.last_number(tenant);
        }
        Result<void> append(const Revocation& revocation) override {
            TRY(plan_.pass());
            return inner_.append(revocation);
        }
        Result<std::vector<Revocation>> expired(Timestamp now, std::size_t most) override {
            return inner_.expired(now, most);
        }
        Result<void> remove(const Revocation& revocation) override {
            TRY(plan_.pass());
            return inner_.remove(revocation);
        }

    private:
        RevocationRows& inner_;
        FaultPlan& plan_;
    };
    struct RootKeys final : RootKeyRows {
        RootKeys(RootKeyRows& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}
        Result<std::vector<SealedRootKey>> all() override { return inner_.all(); }
        Result<void> put(const SealedRootKey& key) override {
            TRY(plan_.pass());
            return inner_.put(key);
        }
        Result<void> remove(std::string_view master_key_id) override {
            TRY(plan_.pass());
            return inner_.remove(master_key_id);
        }

    private:
        RootKeyRows& inner_;
        FaultPlan& plan_;
    };
    struct ChangeEvents final : ChangeEventRows {
        ChangeEvents(ChangeEventRows& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}
        Result<AuditHead> head(TenantId tenant) override { return inner_.head(tenant); }
        Result<void> append(const AuditEntry& entry) override {
            TRY(plan_.pass());
            return inner_.append(entry);
        }

    private:
        ChangeEventRows& inner_;
        FaultPlan& plan_;
    };

    Transaction& inner_;
    FaultPlan& plan_;
    Tenants tenants_;
    ServiceAccounts service_accounts_;
    Users users_;
    AccessKeys access_keys_;
    Sessions sessions_;
    Roles roles_;
    IdentityProviders identity_providers_;
    Settings tenant_settings_;
    OrgUnits org_units_;
    AccessRules access_rules_;
    SigningKeys signing_keys_;
    Revocations revocations_;
    RootKeys root_keys_;
    ChangeEvents change_events_;
};

/// Fails all calls for a while.
class FailingUsageRows final : public UsageRows {
public:
    explicit FailingUsageRows(UsageRows& inner) : inner_(inner) {}
    void fail_calls(std::uint64_t count) { left_ = count; }

    Result<UsageNumbers> number(std::span<const std::string> permissions, Day today) override {
        TRY(pass());
        return inner_.number(permissions, today);
    }
    Result<void> merge(std::span<const UsageRow> rows) override {
        TRY(pass());
        return inner_.merge(rows);
    }
    Result<void> for_each_of(TenantId tenant, const Credential& credential, Day from, Day to,
                             const Visit& visit) override {
        TRY(pass());
        return inner_.for_each_of(tenant, credential, from, to, visit);
    }
    Result<void> for_each_since(TenantId tenant, Day from, const Visit& visit) override {
        TRY(pass());
        return inner_.for_each_since(tenant, from, visit);
    }
    Result<std::vector<LastUse>> last_uses(TenantId tenant) override {
        TRY(pass());
        return inner_.last_uses(tenant);
    }
    Result<std::uint64_t> remove_before(TenantId tenant, Day before) override {
        TRY(pass());
        return inner_.remove_before(tenant, before);
    }

private:
    Result<void> pass() {
        if (left_ > 0) {
            --left_;
            return fail(ErrorCode::unavailable, "a fault that a test asked for");
        }
        return {};
    }
    UsageRows& inner_;
    std::atomic<std::uint64_t> left_ = 0;
};

class FailingStore final : public Store {
public:
    explicit FailingStore(Store& inner) : inner_(inner) {}

    /// Counts from here; the n-th mutating call fails. 0 is none.
    void fail_call(std::uint64_t number) { plan_.fail_call(number); }
    /// Mutating calls since fail_call().
    std::uint64_t calls() const { return plan_.calls(); }

    Result<void> write(const Work& work) override {
        return inner_.write([&](Transaction& transaction) {
            FailingTransaction failing(transaction, plan_);
            return work(failing);
        });
    }
    void set_commit_listener(CommitListener listener) override {
        inner_.set_commit_listener(std::move(listener));
    }
    void set_completion(Completion completion) override {
        inner_.set_completion([this, completion = std::move(completion)](
                                  Transaction& transaction, std::span<const Row> rows) {
            FailingTransaction failing(transaction, plan_);
            return completion(failing, rows);
        });
    }
    Result<std::vector<Revocation>> revocations(TenantId tenant, std::uint64_t after,
                                                std::size_t most) override {
        return inner_.revocations(tenant, after, most);
    }
    Result<void> load(const RowVisitor& visit) override { return inner_.load(visit); }
    Result<void> record_last_logins(std::span<const LastLogin> logins) override {
        return inner_.record_last_logins(logins);
    }
    Result<void> record_secret_uses(std::span<const SecretUse> uses) override {
        return inner_.record_secret_uses(uses);
    }
    Result<std::vector<SecretUse>> secret_uses(TenantId tenant, const Uuid& key) override {
        return inner_.secret_uses(tenant, key);
    }
    Result<void> try_write() override { return inner_.try_write(); }
    Result<std::vector<AccessRule>> deleted_access_rules(TenantId tenant) override {
        return inner_.deleted_access_rules(tenant);
    }
    /// The next calls of the noun of usage fail, which are in no write.
    void fail_usage(std::uint64_t count) { usage_.fail_calls(count); }
    UsageRows& usage() override { return usage_; }
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override {
        return inner_.open_audit_reader();
    }
    Result<std::uint64_t> remove_oldest(TenantId tenant, Timestamp before) override {
        return inner_.remove_oldest(tenant, before);
    }

private:
    Store& inner_;
    FaultPlan plan_;
    FailingUsageRows usage_{inner_.usage()};
};

} // namespace claviger
