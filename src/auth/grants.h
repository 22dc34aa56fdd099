// SPDX-License-Identifier: Apache-2.0
// The grants (RFC 6749 4): a client's secret or a user's password becomes a token. One
// implementation behind all token endpoints. Unknown and wrong are answered alike, with the same
// work; every grant and every refusal is an access event that is durable before the answer.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "auth/audit.h"
#include "auth/directory.h"
#include "auth/issue_token.h"
#include "auth/last_logins.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "auth/token_settings.h"

namespace claviger {

namespace grant_type { // RFC 6749 4.3.2, 4.4.2; app_token is the contract's older spelling
inline constexpr std::string_view client_credentials = "client_credentials";
inline constexpr std::string_view app_token = "app_token";
inline constexpr std::string_view password = "password";
} // namespace grant_type

/// How the endpoint wants its tokens made.
struct GrantOptions {
    IssuerKind issuer = IssuerKind::root;
    bool with_id_token = false;
};

struct GrantedTokens {
    std::string access_token;
    std::string id_token; // empty unless asked for
    std::int64_t expires_in = 0;
};

struct GrantOutcome {
    /// `invalid_client`, `invalid_grant`, `too_many_requests` or `unavailable` when refused.
    Result<GrantedTokens> result;
    AuditTicket ticket = 0;
    std::int64_t retry_after_seconds = 0; // with too_many_requests
};

class Grants {
public:
    Grants(const TokenSettings& settings, const Pepper& pepper, Passwords& passwords,
           AccessEventLog& access_events, LastLogins& last_logins, const Clock& clock,
           Random& random);

    /// Touches memory only.
    GrantOutcome client_credentials(const TenantState& state, std::string_view client_id,
                                    std::string_view secret, const Origin& origin,
                                    GrantOptions options);

    /// Hashes a password: call on a worker. `email` in any case.
    GrantOutcome password(const TenantState& state, std::string_view email,
                          std::string_view password, const Origin& origin, GrantOptions options);

    struct Counts {
        std::uint64_t client_credentials = 0;
        std::uint64_t password = 0;
        std::uint64_t refused = 0;
        std::uint64_t throttled = 0;
    };
    Counts counts() const;

private:
    struct Attempt;
    GrantOutcome access_key(Attempt attempt, const Digest& offered);
    GrantOutcome grant(const Attempt& attempt, const TokenSubject& subject, std::string_view name,
                       const LoginId& login);
    GrantOutcome refuse(const Attempt& attempt, std::string_view reason);
    Result<GrantedTokens> issue(const Attempt& attempt, const TokenSubject& subject,
                                std::string& token_id);
    AuditEvent event_of(const Attempt& attempt) const;

    const TokenSettings& settings_;
    const Pepper& pepper_;
    Passwords& passwords_;
    AccessEventLog& access_events_;
    LastLogins& last_logins_;
    const Clock& clock_;
    Random& random_;
    Throttle throttle_;
    Digest decoy_{}; // compared against when the client is unknown
    std::atomic<std::uint64_t> granted_clients_{0};
    std::atomic<std::uint64_t> granted_users_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> throttled_{0};
};

} // namespace claviger
