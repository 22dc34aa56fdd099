// SPDX-License-Identifier: Apache-2.0
// The grants (RFC 6749 4): a client's secret, a user's password or a refresh token becomes a token.
// One implementation behind all token endpoints. Unknown and wrong are answered alike, with the
// same work; every grant and every refusal is an access event that is durable before the answer.
#pragma once

#include <array>
#include <atomic>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/audit.h"
#include "auth/directory.h"
#include "auth/eligible.h"
#include "auth/issue_token.h"
#include "auth/last_logins.h"
#include "auth/narrowing.h"
#include "auth/password.h"
#include "auth/refresh_token.h"
#include "auth/refusal.h"
#include "auth/secret_uses.h"
#include "auth/throttle.h"
#include "auth/token_settings.h"

namespace claviger {

namespace grant_type { // RFC 6749 4.3.2, 4.4.2; app_token is the contract's older spelling
inline constexpr std::string_view client_credentials = "client_credentials";
inline constexpr std::string_view app_token = "app_token";
inline constexpr std::string_view password = "password";
inline constexpr std::string_view refresh_token = "refresh_token";
} // namespace grant_type

/// How the endpoint wants its tokens made.
struct GrantOptions {
    IssuerKind issuer = IssuerKind::root;
    bool with_id_token = false; // a narrowed request gets none: it would be good for more
    Narrowing narrowing = {};
};

/// What a user gets besides tokens, to get new ones with.
struct GrantedSession {
    Uuid id;
    std::string refresh_token;
    std::int64_t expires_in = 0;
};

struct GrantedTokens {
    std::string access_token;
    std::string id_token; // empty unless asked for; users get one unless they narrow
    std::int64_t expires_in = 0;
    std::optional<GrantedSession> session = {};
    std::string scope = {};                       // the permissions that it was narrowed to
    std::optional<Timestamp> key_expires_at = {}; // when that is soon
    bool is_outside_addresses = false;            // of the key's limits, which only log it
};

struct GrantOutcome {
    /// `invalid_client`, `invalid_grant`, `too_many_requests` or `unavailable` when refused.
    Result<GrantedTokens> result;
    AuditTicket ticket = 0;
    std::int64_t retry_after_seconds = 0; // with too_many_requests
    std::optional<Refusal> refusal = {};  // why, when it was about the credentials
};

struct PasswordRequest {
    std::string_view email; // in any case
    std::string_view password;
    std::string_view client_id; // empty: none was named
};

struct RefreshRequest {
    std::string_view token;
    std::string_view client_id; // as above
};

/// How many sign-ins of a user are remembered; a further one ends the oldest.
inline constexpr std::size_t most_sessions = 100;

class Grants {
public:
    Grants(const TokenSettings& settings, const Pepper& pepper, Passwords& passwords,
           const RefreshTokens& refresh_tokens, Store& store, AccessEventLog& access_events,
           LastLogins& last_logins, SecretUses& secret_uses, const Clock& clock, Random& random);

    /// Touches memory only.
    GrantOutcome client_credentials(const TenantState& state, std::string_view client_id,
                                    std::string_view secret, const Origin& origin,
                                    GrantOptions options);

    /// Begins a session. Hashes a password and writes: call on a worker.
    GrantOutcome password(const TenantState& state, const PasswordRequest& request,
                          const Origin& origin, GrantOptions options);

    /// Each refresh token is good once. One that was used before ends its session: either its owner
    /// or a thief holds the next one (RFC 9700 4.14.2). Writes: call on a worker.
    GrantOutcome refresh(const TenantState& state, const RefreshRequest& request,
                         const Origin& origin, GrantOptions options);

    /// Whose client id and secret these are, if it may be served now; or the refusal. Failures are
    /// throttled and recorded as those of client_credentials(). Touches memory only.
    std::expected<Principal, GrantOutcome> check_client(const TenantState& state,
                                                        std::string_view client_id,
                                                        std::string_view secret,
                                                        const Origin& origin);

    /// The local user whose password this is, whether or not it may sign in; or the refusal.
    /// Throttled and recorded as a sign-in. Call on a worker.
    std::expected<const User*, GrantOutcome> check_password(const TenantState& state,
                                                            std::string_view email,
                                                            std::string_view password,
                                                            const Origin& origin);

    struct Counts {
        std::uint64_t client_credentials = 0;
        std::uint64_t password = 0;
        std::uint64_t refresh = 0;
        std::uint64_t refused = 0;
        std::uint64_t throttled = 0;
        std::uint64_t outside_addresses = 0; // which the limits of the key only log
        std::uint64_t retired_secrets = 0;   // that came back
        std::uint64_t honey_keys = 0;        // uses with the right secret
    };
    Counts counts() const;

private:
    /// One request for a token while it is judged.
    struct Attempt {
        const TenantState& state;
        std::string_view name;       // the client id or e-mail as sent
        std::string_view counted_as; // by the throttle
        PrincipalKind kind;
        std::string_view grant;
        const Origin& origin;
        GrantOptions options;
        Timestamp now;
        UseOfCredential use() const { return {now, origin.source_ip}; }
    };
    /// What a grant changes besides its session; `user` is the row as it is now.
    using Change = std::function<Result<void>(Transaction&, User user)>;

    /// A client whose secret was right and who is eligible.
    struct Client {
        TokenSubject subject;
        Eligibility standing;
        LoginId login;
    };

    // Of grants.cpp.
    Attempt client_attempt(const TenantState& state, std::string_view client_id,
                           const Origin& origin, GrantOptions options) const;
    std::expected<Client, GrantOutcome> identify(Attempt& attempt, std::string_view secret);
    std::expected<Client, GrantOutcome> identify_key(Attempt& attempt, std::string_view secret);
    /// `find` finds the secret of the client that has a keyed hash; never one of an unknown client.
    template <class Find>
    SecretProblem problem_of(const Attempt& attempt, std::string_view secret, const Find& find,
                             SecretKind kind) const;
    template <class Find>
    std::expected<SecretMatch, GrantOutcome> match(const Attempt& attempt, std::string_view secret,
                                                   const Find& find, SecretKind kind,
                                                   const RefusedSubject& subject);
    GrantOutcome grant(const Attempt& attempt, const TokenSubject& subject,
                       const Eligibility& standing, const LoginId& login);
    GrantOutcome refuse(const Attempt& attempt, Refusal refusal, std::string_view said = {});
    Result<GrantedTokens> issue(const Attempt& attempt, TokenSubject subject,
                                const CredentialLimits* limits, std::string& token_id);
    AuditEvent event_of(const Attempt& attempt) const;

    // Of user_grants.cpp.
    static GrantOutcome throttled(const Attempt& attempt, const User* user, std::int64_t wait);
    std::expected<const User*, GrantOutcome> check_password(const Attempt& attempt,
                                                            std::string_view password);
    GrantOutcome grant_in_session(const Attempt& attempt, const User& user, const Session& session,
                                  const Change& change);
    GrantOutcome rotate(const Attempt& attempt, const User& user, const Session& session);
    Result<void> end_reused(const RefreshTokenContent& used);

    const TokenSettings& settings_;
    const Pepper& pepper_;
    Passwords& passwords_;
    const RefreshTokens& refresh_tokens_;
    Store& store_;
    AccessEventLog& access_events_;
    LastLogins& last_logins_;
    SecretUses& secret_uses_;
    const Clock& clock_;
    Random& random_;
    Throttle throttle_;
    SecretSet decoy_; // compared with when the client is unknown: nothing is found in it
    std::atomic<std::uint64_t> granted_clients_{0};
    std::atomic<std::uint64_t> granted_users_{0};
    std::atomic<std::uint64_t> refreshed_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> throttled_{0};
    std::atomic<std::uint64_t> outside_addresses_{0};
    std::atomic<std::uint64_t> retired_secrets_{0};
    std::atomic<std::uint64_t> honey_keys_{0};
};

} // namespace claviger
