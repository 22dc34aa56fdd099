// SPDX-License-Identifier: Apache-2.0
#include "auth/revocations.h"

#include <algorithm>

#include "auth/access_rules.h"
#include "auth/issue_token.h"
#include "auth/key_row.h"
#include "auth/last_administrator.h"
#include "auth/revocation_journal.h"
#include "auth/rights.h"

namespace claviger {
namespace {

constexpr std::size_t removed_at_once = 512; // other changes wait meanwhile

/// What an audit entry says instead of which member has changed.
constexpr std::string_view tokens_member = "tokens";
constexpr const char* ended = "revoked";

Result<void> record(Transaction& transaction, const Caller& caller, Timestamp now,
                    std::string entity_type, std::string entity_id, std::string entity_name) {
    AuditEvent event = change_event(caller, now, audit_action::update, std::move(entity_type),
                                    std::move(entity_id), std::move(entity_name));
    event.metadata.emplace_back(tokens_member, ended);
    return append_change_event(transaction, event);
}

std::unexpected<Error> unknown_key() {
    return fail(ErrorCode::not_found, "no key has this id");
}

} // namespace

Revocations::Revocations(Store& store, const RefreshTokens& refresh_tokens, const Clock& clock)
    : store_(store), refresh_tokens_(refresh_tokens), clock_(clock) {}

Result<void> Revocations::end_token(const Caller& caller, const NamedToken& token) {
    const Timestamp now = clock_.now();
    const auto id = read_token_id(token.token_id);
    if (!id) {
        return fail(ErrorCode::invalid_request, "this is no jti of a token of this server");
    }
    if (token.expires_at > now.plus_seconds(longest_token_lifetime_seconds + clock_skew_seconds)) {
        return fail(ErrorCode::invalid_request, "no token lives so long");
    }
    if (token.expires_at <= now || caller.state->revocations.has_ended(id->random)) {
        return {};
    }
    return store_.write([&](Transaction& transaction) -> Result<void> {
        Revocation revocation;
        revocation.tenant = caller.tenant();
        revocation.kind = RevocationKind::token;
        revocation.id = id->random;
        revocation.name = token.token_id;
        revocation.at = now;
        revocation.expires_at = token.expires_at;
        TRY(append_revocation(transaction, std::move(revocation)));
        return append_change_event(transaction, change_event(caller, now, audit_action::remove,
                                                             "token", token.token_id, token.owner));
    });
}

const Session* Revocations::find_session(const TenantState& state,
                                         std::string_view refresh_token) const {
    const auto content = refresh_tokens_.read(state.tenant.id, refresh_token);
    return content ? state.sessions.find(content->session.value) : nullptr;
}

Result<void> Revocations::end_session(const Caller& caller, const Session& session) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        const auto row = TRY(transaction.sessions().find(session.id));
        if (!row) {
            return {};
        }
        TRY(revoke_session(transaction, *row, now));
        const auto user = TRY(transaction.users().find({caller.tenant(), row->user}));
        AuditEvent event = change_event(caller, now, audit_action::sign_out, "users",
                                        row->user.text(), user ? user->email : "");
        event.metadata.emplace_back("session", row->id.value.text());
        return append_change_event(transaction, event);
    });
}

Result<void> Revocations::end_access_key_tokens(const Caller& caller, const Uuid& id) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        auto key = TRY(transaction.access_keys().find({caller.tenant(), id}));
        if (!key) {
            return unknown_key();
        }
        key->epoch += 1;
        key->updated_at = now;
        TRY(transaction.access_keys().put(*key));
        return record(transaction, caller, now, "access-keys", id.text(), key->name);
    });
}

Result<void> Revocations::end_account_tokens(const Caller& caller, const Uuid& id) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        auto account = TRY(transaction.service_accounts().find({caller.tenant(), id}));
        if (!account) {
            return unknown_key();
        }
        account->epoch += 1;
        account->updated_at = now;
        TRY(transaction.service_accounts().put(*account));
        return record(transaction, caller, now, "service-account", id.text(), account->name);
    });
}

Result<void> Revocations::end_secret(const Caller& caller, const Uuid& key, const Uuid& secret) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        auto row = TRY(find_key_row(transaction, caller.tenant(), PrincipalKind::user, key));
        if (!row) {
            row = TRY(
                find_key_row(transaction, caller.tenant(), PrincipalKind::service_account, key));
        }
        if (!row) {
            return unknown_key();
        }
        const auto& secrets = row->secrets();
        if (std::ranges::find(secrets, secret, &ClientSecret::id) == secrets.end()) {
            return fail(ErrorCode::not_found, "the key has no such secret");
        }
        retire_secret(row->secrets(), secret, now, true);
        TRY(row->put(transaction, now));
        AuditEvent event = change_event(caller, now, audit_action::update, "", "", "");
        row->describe(event);
        event.metadata.emplace_back("secret", ended);
        event.metadata.emplace_back("secret_id", secret.text());
        return append_change_event(transaction, event);
    });
}

Result<void> Revocations::end_all_tokens(const Caller& caller) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        auto tenant = TRY(transaction.tenants().find(caller.tenant()));
        if (!tenant) {
            return fail(ErrorCode::not_found, "there is no such tenant");
        }
        tenant->tokens_not_before = std::max(tenant->tokens_not_before.value_or(now), now);
        tenant->updated_at = now;
        TRY(transaction.tenants().put(*tenant));
        return record(transaction, caller, now, "tenant",
                      std::to_string(number_of(caller.tenant())), tenant->name);
    });
}

Result<std::size_t> Revocations::remove_expired() {
    const Timestamp now = clock_.now();
    std::size_t removed = 0;
    std::size_t batch = removed_at_once;
    while (batch == removed_at_once) {
        TRY(store_.write([&](Transaction& transaction) -> Result<void> {
            auto expired = TRY(transaction.revocations().expired(now, removed_at_once));
            for (Revocation& revocation : expired) {
                revocation.deleted_at = now;
                TRY(transaction.revocations().remove(revocation));
            }
            batch = expired.size();
            return {};
        }));
        removed += batch;
    }
    return removed;
}

bool is_administrator(const Caller& caller) {
    bool found = false;
    const Rights rights = rights_of(caller.principal);
    if (!rights.limits().empty()) {
        return false; // whose key or token is bounded does not speak for the whole tenant
    }
    for (const Subject& subject : rights.subjects()) {
        caller.state->access.for_each_rule_of(
            subject, [&](const AccessRule& rule) { found = found || makes_administrator(rule); });
    }
    return found;
}

} // namespace claviger
