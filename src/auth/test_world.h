// SPDX-License-Identifier: Apache-2.0
// For tests: everything below the API over a memory store, a fake clock and seeded chance.
#pragma once

#include "auth/access_keys.h"
#include "auth/access_rules.h"
#include "auth/diagnoses.h"
#include "auth/grants.h"
#include "auth/identity_providers.h"
#include "auth/leaked_secrets.h"
#include "auth/org_units.h"
#include "auth/rekey.h"
#include "auth/revocations.h"
#include "auth/roles.h"
#include "auth/security_settings.h"
#include "auth/service_accounts.h"
#include "auth/signing_keys.h"
#include "auth/tenants.h"
#include "auth/usage.h"
#include "auth/users.h"
#include "auth/verify_token.h"
#include "base/seeded_random.h"
#include "store/failing_store.h"
#include "store/memory_access_event_log.h"
#include "store/memory_store.h"

namespace claviger::testing {

inline constexpr const char* admin_email = "admin@example.com";
inline constexpr const char* admin_password = "violet-anchor-42-lantern-quarry";

/// The payloads of a chain, in order.
inline std::vector<std::string> payloads_of(AuditSource& source, TenantId tenant) {
    std::vector<std::string> payloads;
    const auto reader = source.open_audit_reader();
    const auto read = reader ? (*reader)->for_each(tenant, 1, UINT64_MAX,
                                                   [&](const AuditEntry& entry) -> Result<void> {
                                                       payloads.push_back(entry.payload);
                                                       return {};
                                                   })
                             : std::unexpected(reader.error());
    if (!read) {
        payloads.push_back(read.error().detail());
    }
    return payloads;
}

struct World {
    FakeClock clock;
    SeededRandom random{42};
    NullLog log;
    MasterKey master_key = *MasterKey::parse(std::string(64, 'a'));
    RootKey root_key = RootKey::of(master_key);
    KeyVault vault{root_key, random};
    Pepper pepper{root_key};
    Passwords passwords{pepper, Argon2Parameters{64, 1}, random, clock}; // quick
    TokenSettings settings;
    MemoryStore memory;
    FailingStore store{memory};
    MemoryAccessEventLog events{chain_hash};
    Directory directory{vault, "127.0.0.1", log};
    LastLogins last_logins;
    SecretUses secret_uses;
    Usage usage{store, clock};
    Tenants tenants{store, directory, vault, passwords, settings, clock, random};
    SigningKeys signing_keys{store, directory, vault, last_logins, settings, clock};
    RefreshTokens refresh_tokens{root_key};
    Grants grants{settings, pepper,      passwords,   refresh_tokens, store,
                  events,   last_logins, secret_uses, clock,          random};
    TokenVerifier verifier{settings, clock};
    Diagnoses diagnoses;
    ServiceAccounts accounts{store, pepper, clock, random};
    AccessKeys keys{store, pepper, clock, random};
    KeySecrets secrets{store, directory, pepper, secret_uses, clock, random};
    LeakedSecrets leaked_secrets{settings, pepper, secrets, clock};
    Users users{store, passwords, clock, random};
    AccessRules rules{store, clock};
    OrgUnits units{store, directory, clock, random};
    Roles roles{store, clock};
    IdentityProviders identity_providers{store, root_key, clock, random};
    SecuritySettings security_settings{store, clock};
    Revocations revocations{store, refresh_tokens, clock};
    Rekey rekey{store, root_key,           master_key, {"the test", {}},
                vault, identity_providers, clock,      random};

    World() {
        static_cast<void>(directory.attach(store));
        static_cast<void>(add_tenant("runai", ""));
    }

    Result<AddedTenant> add_tenant(const std::string& realm, const std::string& host) {
        NewTenant draft;
        draft.name = realm;
        draft.realm = realm;
        draft.host = host;
        draft.admin_email = admin_email;
        draft.admin_password.emplace(std::string_view(admin_password));
        return tenants.add(draft);
    }

    TenantStatePointer state(std::string_view realm = "runai") const {
        for (const TenantStatePointer& found : directory.current()->tenants) {
            if (found->tenant.realm == realm) {
                return found;
            }
        }
        return nullptr;
    }

    /// The tenant's first administrator.
    Caller admin(std::string_view realm = "runai") const {
        Caller caller;
        caller.state = state(realm);
        const User* user = caller.state->users.find_by_email(admin_email);
        caller.principal = {PrincipalKind::user, user->id.value, user->email};
        return caller;
    }

    Caller account(const NewServiceAccount& made) const {
        Caller caller;
        caller.state = state();
        caller.principal = {PrincipalKind::service_account, made.account.id.value,
                            made.account.name};
        return caller;
    }

    GrantOutcome grant(const NewServiceAccount& made, std::string_view source = "192.0.2.1") {
        return grants.client_credentials(*state(), made.account.name, made.client_secret.reveal(),
                                         origin(source), {});
    }

    GrantOutcome sign_in(std::string_view email = admin_email,
                         std::string_view password = admin_password,
                         std::string_view source = "192.0.2.1", std::string_view client = {}) {
        return grants.password(*state(), {email, password, client}, origin(source), {});
    }

    GrantOutcome refresh(const std::string& token, std::string_view client = {}) {
        return grants.refresh(*state(), {token, client}, origin(), {});
    }

    static Origin origin(std::string_view source = "192.0.2.1") {
        return {source, "11111111-2222-4333-8444-555555555555", "test/1", "POST", "/api/v1/token"};
    }
};

} // namespace claviger::testing
