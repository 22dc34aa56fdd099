// SPDX-License-Identifier: Apache-2.0
#include "auth/signing_keys.h"

#include <algorithm>

#include "auth/tenants.h"

namespace claviger {
namespace {

constexpr std::string_view server_name = "claviger"; // who takes the steps that are due

std::vector<SigningKey> rows_of(const TenantState& state) {
    std::vector<SigningKey> rows;
    for (const OpenedKey& key : state.keys.keys()) {
        rows.push_back(key.row);
    }
    return rows;
}

Result<std::vector<SigningKey>> make_keys(const KeyVault& vault, TenantId tenant,
                                          const std::vector<WantedKey>& wanted,
                                          const TokenSettings& settings, Timestamp now) {
    std::vector<SigningKey> made;
    for (const WantedKey& one : wanted) {
        SigningKey key = TRY(vault.generate(tenant, one, settings, now));
        made.push_back(std::move(key));
    }
    return made;
}

Result<void> put_with_event(Transaction& transaction, const SigningKey& key, std::string_view by,
                            std::string_view action, Timestamp now) {
    TRY(transaction.signing_keys().put(key));
    AuditEvent event = operator_event(key.tenant, now, action, "signing-key", key.kid, key.kid);
    event.subject = by;
    event.metadata.emplace_back("state", key.burned_at ? "burned" : name_of(key.state));
    event.metadata.emplace_back("purpose", name_of(key.purpose));
    event.metadata.emplace_back("algorithm", name_of(jose_algorithm(key.algorithm)));
    if (key.state == KeyState::pending) {
        event.metadata.emplace_back("activatesAt", format_rfc3339(key.activates_at));
    }
    return append_change_event(transaction, event);
}

/// Who got a token since then. A refresh leaves its mark on the session only.
std::vector<std::string> signed_in_since(const TenantState& state, const LastLogins& last_logins,
                                         Timestamp since) {
    std::vector<std::string> names;
    const auto add_if = [&](const Uuid& id, const std::optional<Timestamp>& stored,
                            const std::string& name) {
        const auto latest = last_logins.latest(id, stored);
        if (latest && *latest >= since) {
            names.push_back(name);
        }
    };
    state.accounts.for_each(
        [&](const AccountEntry& entry) { add_if(entry.id, entry.last_login, entry.name); });
    state.users.for_each(
        [&](const User& user) { add_if(user.id.value, user.last_login, user.email); });
    state.access_keys.for_each(
        [&](const AccessKey& key) { add_if(key.id.value, key.last_login, key.client_id); });
    state.sessions.for_each([&](const Session& session) {
        const User* user = state.users.find(session.user);
        if (user != nullptr && session.updated_at >= since) {
            names.push_back(user->email);
        }
    });
    std::ranges::sort(names);
    const auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
    return names;
}

} // namespace

std::string_view name_of(KeyState state) {
    switch (state) {
    case KeyState::pending:
        return "pending";
    case KeyState::retiring:
        return "retiring";
    case KeyState::gone:
        return "gone";
    case KeyState::active:
        break;
    }
    return "active";
}

SigningKeys::SigningKeys(Store& store, const Directory& directory, const KeyVault& vault,
                         const LastLogins& last_logins, const TokenSettings& settings,
                         const Clock& clock)
    : store_(store), directory_(directory), vault_(vault), last_logins_(last_logins),
      settings_(settings), clock_(clock) {}

Result<std::vector<SigningKey>> SigningKeys::make_first(const KeyVault& vault, TenantId tenant,
                                                        const TokenSettings& settings,
                                                        Timestamp now) {
    return make_keys(vault, tenant, due_steps({}, settings, now).wanted, settings, now);
}

Result<void> SigningKeys::run() {
    Result<void> outcome;
    const auto directory = directory_.current();
    for (const TenantStatePointer& state : directory->tenants) {
        const Timestamp now = clock_.now();
        if (due_steps(rows_of(*state), settings_, now).empty()) {
            continue;
        }
        const auto done = carry_out(state->tenant.id, server_name, now, [&](auto rows) {
            return Result<KeySteps>(due_steps(std::move(rows), settings_, now));
        });
        if (!done && outcome) {
            outcome = std::unexpected(done.error());
        }
    }
    return outcome;
}

Result<std::vector<SigningKey>> SigningKeys::rotate(TenantId tenant) {
    const Timestamp now = clock_.now();
    TRY(carry_out(tenant, operator_name, now,
                  [&](auto rows) { return rotation_steps(std::move(rows), settings_, now); }));
    std::vector<SigningKey> keys = TRY(list(tenant));
    std::erase_if(keys, [](const SigningKey& key) { return key.state != KeyState::pending; });
    return keys;
}

Result<BurnedKey> SigningKeys::burn(TenantId tenant, std::string_view kid) {
    const Timestamp now = clock_.now();
    SigningKey before;
    const auto put = TRY(carry_out(tenant, operator_name, now, [&](auto rows) {
        if (const auto at = std::ranges::find(rows, kid, &SigningKey::kid); at != rows.end()) {
            before = *at;
        }
        return burn_steps(std::move(rows), settings_, kid, now);
    }));
    BurnedKey burned;
    for (const SigningKey& key : put) {
        if (key.kid == kid) {
            burned.key = key;
        } else if (key.state == KeyState::active && key.purpose == before.purpose &&
                   key.algorithm == before.algorithm) {
            burned.successors.push_back(key);
        }
    }
    const TenantStatePointer state = directory_.current()->find(tenant);
    if (before.activates_at <= now && state) {
        burned.affected = signed_in_since(
            *state, last_logins_,
            std::max(before.activates_at, now.plus_seconds(-before.token_lifetime_seconds)));
    }
    return burned;
}

Result<std::vector<SigningKey>> SigningKeys::list(TenantId tenant) {
    std::vector<SigningKey> keys;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        keys = TRY(transaction.signing_keys().all(tenant));
        return {};
    }));
    return keys;
}

Result<std::vector<SigningKey>> SigningKeys::carry_out(TenantId tenant, std::string_view by,
                                                       Timestamp now, const MakeSteps& make_steps) {
    // Making an RSA key takes up to seconds, for which no other change should wait: it is made
    // beforehand, from what is to be expected.
    auto rows = TRY(list(tenant));
    const KeySteps expected = TRY(make_steps(std::move(rows)));
    const auto made = TRY(make_keys(vault_, tenant, expected.wanted, settings_, now));
    std::vector<SigningKey> put;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        put.clear();
        auto current = TRY(transaction.signing_keys().all(tenant));
        const KeySteps steps = TRY(make_steps(std::move(current)));
        for (const SigningKey& key : steps.changed) {
            TRY(put_with_event(
                transaction, key, by,
                key.state == KeyState::gone ? audit_action::remove : audit_action::update, now));
            put.push_back(key);
        }
        for (const WantedKey& wanted : steps.wanted) {
            const auto at = std::ranges::find_if(made, [&](const SigningKey& key) {
                return key.purpose == wanted.purpose && key.algorithm == wanted.algorithm &&
                       key.activates_at == wanted.activates_at;
            });
            if (at == made.end()) {
                return fail(ErrorCode::conflict, "the signing keys were changed meanwhile; try "
                                                 "again");
            }
            TRY(put_with_event(transaction, *at, by, audit_action::create, now));
            put.push_back(*at);
        }
        return {};
    }));
    return put;
}

} // namespace claviger
