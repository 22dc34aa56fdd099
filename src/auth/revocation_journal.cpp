// SPDX-License-Identifier: Apache-2.0
#include "auth/revocation_journal.h"

#include <algorithm>
#include <map>
#include <vector>

#include "auth/issue_token.h"
#include "auth/key_ring.h"
#include "store/row_facts.h"

namespace claviger {
namespace {

Revocation revocation_of(TenantId tenant, RevocationKind kind, Timestamp at) {
    Revocation made;
    made.tenant = tenant;
    made.kind = kind;
    made.at = at;
    made.expires_at = at.plus_seconds(longest_token_lifetime_seconds + clock_skew_seconds);
    return made;
}

/// What the rows of one tenant revoke. A new account, user or key revokes nothing: no token of it
/// is out.
class Derivation {
public:
    explicit Derivation(const TenantState& before) : before_(before) {}

    void operator()(const Tenant& tenant) {
        const auto& not_before = tenant.tokens_not_before;
        if (not_before && not_before != before_.tenant.tokens_not_before) {
            add(revocation_of(tenant.id, RevocationKind::tenant, *not_before));
        }
    }
    void operator()(const ServiceAccount& row) {
        const AccountEntry* old = before_.accounts.find(row.id.value);
        if (old != nullptr && tells_more(row, *old)) {
            add_principal(row, PrincipalKind::service_account);
        } else if (old != nullptr) {
            add_secrets(row, old->secrets.all(), row.name);
        }
        add_limits(row, old == nullptr ? nullptr : &old->limits);
    }
    void operator()(const User& row) {
        const User* old = before_.users.find(row.id.value);
        if (old != nullptr && tells_more(row, *old)) {
            add_principal(row, PrincipalKind::user);
        }
        if (old == nullptr || row.groups != old->groups) { // rules may name who was not here yet
            add_rules(row.updated_at);
        }
    }
    void operator()(const AccessKey& row) {
        const AccessKeyEntry* old = before_.access_keys.find(row.id.value);
        if (old != nullptr && (row.deleted_at || row.epoch != old->epoch)) {
            Revocation made =
                revocation_of(row.id.tenant, RevocationKind::access_key, row.updated_at);
            made.id = row.id.value;
            made.name = row.client_id;
            made.epoch = row.epoch;
            made.active = !row.deleted_at;
            add(std::move(made));
        } else if (old != nullptr) {
            add_secrets(row, old->secrets, row.client_id);
        }
        add_limits(row, old == nullptr ? nullptr : &old->bounds);
    }
    void operator()(const SigningKey& row) {
        Revocation made = revocation_of(row.tenant, RevocationKind::signing_keys, facts_of(row).at);
        made.name = row.kid;
        made.active = !row.burned_at;
        add(std::move(made));
    }
    void operator()(const Role& row) { add_rules(row.updated_at); }
    void operator()(const OrgUnit& row) { add_rules(row.updated_at); }
    void operator()(const AccessRule& row) { add_rules(row.updated_at); }

    // These end no token, or say so themselves: revoke_session().
    void operator()(const Session&) {}
    void operator()(const IdentityProvider&) {}
    void operator()(const TenantSettings&) {}
    void operator()(const Revocation&) {}

    std::vector<Revocation> take() { return std::move(made_); }

private:
    /// Whether verifiers must hear of the row.
    template <class Noun, class Old>
    static bool tells_more(const Noun& row, const Old& old) {
        return row.deleted_at || row.epoch != old.epoch || row.enabled != old.enabled;
    }
    template <class Noun>
    void add_principal(const Noun& row, PrincipalKind kind) {
        Revocation made = revocation_of(row.id.tenant, RevocationKind::principal, row.updated_at);
        made.id = row.id.value;
        made.name = subject_claim(kind, row.id.value);
        made.epoch = row.epoch;
        made.active = row.enabled && !row.deleted_at;
        add(std::move(made));
    }
    /// Of the secrets whose tokens end with this change; what ends all tokens of the key says so.
    template <class Noun>
    void add_secrets(const Noun& row, const std::vector<ClientSecret>& old,
                     const std::string& client_id) {
        for (const ClientSecret& secret : old) {
            if (!secret.tokens_ended && have_tokens_ended(row.secrets, secret.number)) {
                Revocation made =
                    revocation_of(row.id.tenant, RevocationKind::secret, row.updated_at);
                made.id = secret.id;
                made.name = client_id;
                made.epoch = secret.number;
                made.active = false;
                add(std::move(made));
            }
        }
    }
    /// Verifiers decide within the limits of a key, also of a new one.
    template <class Noun>
    void add_limits(const Noun& row, const LimitsPointer* old) {
        const bool had_limits = old != nullptr && *old;
        if (row.limits != (had_limits ? std::string_view((*old)->text) : no_limits)) {
            add_rules(row.updated_at);
        }
    }
    /// One for all rules, roles, limits and units of the change.
    void add_rules(Timestamp at) {
        add(revocation_of(before_.tenant.id, RevocationKind::rules, at));
    }
    /// A row that is put twice revokes once, what the last one says.
    void add(Revocation revocation) {
        const auto same = std::ranges::find_if(made_, [&](const Revocation& old) {
            return old.kind == revocation.kind && old.id == revocation.id &&
                   old.name == revocation.name;
        });
        if (same == made_.end()) {
            made_.push_back(std::move(revocation));
        } else {
            *same = std::move(revocation);
        }
    }

    const TenantState& before_;
    std::vector<Revocation> made_;
};

} // namespace

Result<void> record_revocations(Transaction& transaction, const DirectoryState& before,
                                std::span<const Row> rows) {
    std::map<TenantId, Derivation> tenants;
    for (const Row& row : rows) {
        const TenantId id = facts_of(row).tenant;
        const TenantStatePointer state = before.find(id);
        if (state != nullptr) { // a new tenant has nothing that could end
            std::visit(tenants.try_emplace(id, *state).first->second, row);
        }
    }
    for (auto& [id, derivation] : tenants) {
        for (Revocation& revocation : derivation.take()) {
            TRY(append_revocation(transaction, std::move(revocation)));
        }
    }
    return {};
}

Result<void> append_revocation(Transaction& transaction, Revocation revocation) {
    const std::uint64_t last = TRY(transaction.revocations().last_number(revocation.tenant));
    revocation.number = last + 1;
    return transaction.revocations().append(revocation);
}

Result<void> revoke_session(Transaction& transaction, Session session, Timestamp now) {
    session.deleted_at = now;
    session.updated_at = now;
    TRY(transaction.sessions().put(session));
    Revocation revocation = revocation_of(session.id.tenant, RevocationKind::session, now);
    revocation.id = session.id.value;
    return append_revocation(transaction, std::move(revocation));
}

} // namespace claviger
