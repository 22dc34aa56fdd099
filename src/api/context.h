// SPDX-License-Identifier: Apache-2.0
// What a handler gets besides its request: the tenant, the caller, the services, and a place for
// what the answer carries besides its body.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/decide.h"
#include "api/http.h"
#include "auth/access_keys.h"
#include "auth/access_rules.h"
#include "auth/caller.h"
#include "auth/diagnoses.h"
#include "auth/grants.h"
#include "auth/identity_providers.h"
#include "auth/leaked_secrets.h"
#include "auth/org_units.h"
#include "auth/revocations.h"
#include "auth/roles.h"
#include "auth/security_settings.h"
#include "auth/service_accounts.h"
#include "auth/token_settings.h"
#include "auth/usage.h"
#include "auth/users.h"
#include "auth/verify_token.h"

namespace claviger {

class RouteMap;

/// Everything below the API, put together once at start.
struct Services {
    Store& store;
    AccessEventLog& access_events;
    Directory& directory;
    Grants& grants;
    TokenVerifier& verifier;
    ServiceAccounts& service_accounts;
    AccessKeys& access_keys;
    KeySecrets& key_secrets;
    LeakedSecrets& leaked_secrets;
    Users& users;
    AccessRules& access_rules;
    OrgUnits& org_units;
    Roles& roles;
    IdentityProviders& identity_providers;
    SecuritySettings& security_settings;
    Revocations& revocations;
    LastLogins& last_logins;
    Usage& usage;
    const TokenSettings& settings;
    const Clock& clock;
    Random& random;
    Log& log;
    Diagnoses& diagnoses;
    const RouteMap* route_map = nullptr;       // of protected APIs, if there are any
    std::span<const Secret> gateway_secrets{}; // each is good; none: gateways need none
};

struct Context {
    Services& services;
    const HttpRequest& request;
    Caller caller; // principal is empty on routes for anyone

    // What the answer carries besides its body.
    AuditTicket ticket = 0;
    std::int64_t retry_after_seconds = 0;
    HttpHeaders headers;
    std::unique_ptr<BodyStream> stream = nullptr;
    std::unique_ptr<FollowedBody> followed = nullptr;
    std::optional<Refusal> refusal = {}; // why, when the answer is a refusal; not in the answer

    const TenantState& state() const { return *caller.state; }
    const AccessSnapshot& access() const { return caller.state->access; }

    /// Whether the caller holds `permission` at `scope`.
    Decision decide(Permission permission, NodeIndex scope) const;
    /// The same, for what the caller is doing and not only asked about: what is held is used.
    bool may_use(Permission permission, NodeIndex scope) const;
    /// The scope whose id stands in `field` of the request; `not_found`, which names the field, for
    /// an unknown one or another tenant's.
    Result<NodeIndex> find_scope(ScopeType type, const std::string& id,
                                 std::string_view field) const;
    /// The newest state: what the caller's own write has made.
    TenantStatePointer latest_state() const;
};

} // namespace claviger
