// SPDX-License-Identifier: Apache-2.0
#include "auth/grants.h"

#include <algorithm>

#include "auth/eligible.h"
#include "auth/names.h"
#include "base/text.h"

namespace claviger {

namespace {

constexpr int too_many_requests_status = 429;

} // namespace

namespace {

/// What stands in the audit entry of a token; of an account, the subject is the client id.
std::string grant_payload(const AuditEvent& event, std::string_view grant,
                          std::string_view client_id, std::string_view token_id) {
    if (client_id == event.subject) {
        return audit_payload(event, {{"grant", grant}, {"jti", token_id}});
    }
    return audit_payload(event, {{"grant", grant}, {"client_id", client_id}, {"jti", token_id}});
}

/// Never more than is set, than is asked for, than the key has left to live.
std::int64_t lifetime_of(const Narrowing& narrowing, const CredentialLimits* limits,
                         const TokenSettings& settings, Timestamp now) {
    std::int64_t seconds = settings.lifetime_seconds;
    seconds = std::min(seconds, narrowing.lifetime_seconds.value_or(seconds));
    if (limits != nullptr && limits->expires_at) {
        seconds = std::min(seconds, limits->expires_at->seconds() - now.seconds());
    }
    return seconds;
}

} // namespace

Grants::Grants(const TokenSettings& settings, const Pepper& pepper, Passwords& passwords,
               const RefreshTokens& refresh_tokens, Store& store, AccessEventLog& access_events,
               LastLogins& last_logins, SecretUses& secret_uses, const Clock& clock, Random& random)
    : settings_(settings), pepper_(pepper), passwords_(passwords), refresh_tokens_(refresh_tokens),
      store_(store), access_events_(access_events), last_logins_(last_logins),
      secret_uses_(secret_uses), clock_(clock), random_(random),
      throttle_(clock, ThrottleLimits{}) {
    ClientSecret decoy;
    random_.fill(decoy.keyed_hash);
    decoy.number = 0; // nobody's
    decoy_ = SecretSet({decoy});
}

Grants::Counts Grants::counts() const {
    return {granted_clients_.load(std::memory_order_relaxed),
            granted_users_.load(std::memory_order_relaxed),
            refreshed_.load(std::memory_order_relaxed),
            refused_.load(std::memory_order_relaxed),
            throttled_.load(std::memory_order_relaxed),
            outside_addresses_.load(std::memory_order_relaxed),
            retired_secrets_.load(std::memory_order_relaxed),
            honey_keys_.load(std::memory_order_relaxed)};
}

Grants::Attempt Grants::client_attempt(const TenantState& state, std::string_view client_id,
                                       const Origin& origin, GrantOptions options) const {
    return {state,
            client_id,
            client_id,
            PrincipalKind::service_account,
            grant_type::client_credentials,
            origin,
            std::move(options),
            clock_.now()};
}

GrantOutcome Grants::client_credentials(const TenantState& state, std::string_view client_id,
                                        std::string_view secret, const Origin& origin,
                                        GrantOptions options) {
    Attempt attempt = client_attempt(state, client_id, origin, std::move(options));
    auto client = identify(attempt, secret);
    if (!client) {
        return std::move(client).error();
    }
    return grant(attempt, client->subject, client->standing, client->login);
}

std::expected<Principal, GrantOutcome> Grants::check_client(const TenantState& state,
                                                            std::string_view client_id,
                                                            std::string_view secret,
                                                            const Origin& origin) {
    Attempt attempt = client_attempt(state, client_id, origin, {});
    auto client = identify(attempt, secret);
    if (!client) {
        return std::unexpected(std::move(client).error());
    }
    Principal principal{client->subject.kind, client->subject.id,
                        std::string(client->standing.name)};
    principal.limits = client->standing.limits;
    if (const auto* key = std::get_if<AccessKeyId>(&client->login)) {
        principal.access_key = key->value;
        principal.groups = client->subject.user->groups;
    }
    return principal;
}

/// The same work whether or not the client is known.
template <class Find>
SecretProblem Grants::problem_of(const Attempt& attempt, std::string_view secret, const Find& find,
                                 SecretKind kind) const {
    if (const auto stripped = strip_secret(secret)) {
        const auto found = find(pepper_.keyed_hash(attempt.name, stripped->secret));
        if (found && found->state == SecretState::live) {
            return stripped->added;
        }
    }
    const bool is_key = kind == SecretKind::access_key;
    const SecretKind other = is_key ? SecretKind::service_account : SecretKind::access_key;
    return form_of_secret(secret, prefix_of(kind), prefix_of(other));
}

template <class Find>
std::expected<SecretMatch, GrantOutcome>
Grants::match(const Attempt& attempt, std::string_view secret, const Find& find, SecretKind kind,
              const RefusedSubject& subject) {
    const auto found = find(pepper_.keyed_hash(attempt.name, secret));
    if (found && found->state == SecretState::live) {
        return *found;
    }
    Refusal why;
    why.subject = subject;
    if (found) {
        const bool is_retired = found->state == SecretState::retired;
        why.reason = is_retired ? RefusalReason::secret_retired : RefusalReason::secret_expired;
        why.when = found->ended_at;
        retired_secrets_.fetch_add(is_retired ? 1 : 0, std::memory_order_relaxed);
    } else {
        why.reason = subject.id ? RefusalReason::wrong_secret : RefusalReason::unknown_client;
        why.secret = problem_of(attempt, secret, find, kind);
    }
    return std::unexpected(refuse(attempt, std::move(why)));
}

std::expected<Grants::Client, GrantOutcome> Grants::identify(Attempt& attempt,
                                                             std::string_view secret) {
    const TenantState& state = attempt.state;
    if (attempt.name.starts_with(access_key_prefix)) {
        return identify_key(attempt, secret);
    }
    const AccountEntry* account = state.accounts.find_by_name(attempt.name);
    const auto find = [&](const Digest& hash) {
        return account == nullptr ? decoy_.find(hash, attempt.now)
                                  : account->secrets.find(hash, attempt.now);
    };
    RefusedSubject named{attempt.kind, {}, {}, {}};
    if (account != nullptr) {
        named.id = account->id;
    }
    auto matched = match(attempt, secret, find, SecretKind::service_account, named);
    if (!matched) {
        return std::unexpected(std::move(matched).error());
    }
    const Eligibility standing =
        eligible(state, PrincipalKind::service_account, account->id, std::nullopt, attempt.use());
    if (standing.refused) {
        return std::unexpected(refuse(attempt, refusal_of(standing, named)));
    }
    secret_uses_.record(state.tenant.id, account->id, matched->id, attempt.origin, attempt.now);
    TokenSubject subject{PrincipalKind::service_account, account->id, standing.epoch,
                         account->name};
    subject.secret = matched->number;
    return Client{subject, standing, ServiceAccountId{state.tenant.id, account->id}};
}

/// A user's own credential: the token is the user's.
std::expected<Grants::Client, GrantOutcome> Grants::identify_key(Attempt& attempt,
                                                                 std::string_view secret) {
    const TenantState& state = attempt.state;
    attempt.kind = PrincipalKind::user;
    const AccessKey* key = state.access_keys.find_by_client_id(attempt.name);
    const auto find = [&](const Digest& hash) {
        return key == nullptr ? decoy_.find(hash, attempt.now)
                              : find_secret(key->secrets, hash, attempt.now);
    };
    RefusedSubject named{attempt.kind, {}, {}, {}};
    if (key != nullptr) {
        named.id = key->user;
        named.access_key = key->id.value;
    }
    auto matched = match(attempt, secret, find, SecretKind::access_key, named);
    if (!matched) {
        return std::unexpected(std::move(matched).error());
    }
    const Eligibility standing =
        eligible(state, PrincipalKind::user, key->user, std::nullopt, attempt.use(), key->id.value);
    if (standing.refused) {
        return std::unexpected(refuse(attempt, refusal_of(standing, named)));
    }
    secret_uses_.record(state.tenant.id, key->id.value, matched->id, attempt.origin, attempt.now);
    TokenSubject subject{PrincipalKind::user, key->user, standing.epoch, key->client_id,
                         standing.user};
    subject.secret = matched->number;
    return Client{subject, standing, key->id};
}

AuditEvent Grants::event_of(const Attempt& attempt) const {
    AuditEvent event;
    event.tenant = attempt.state.tenant.id;
    event.at = attempt.now;
    event.action = audit_action::sign_in;
    event.subject = shown_name(attempt.name);
    event.subject_kind = attempt.kind;
    event.origin = attempt.origin;
    return event;
}

Result<GrantedTokens> Grants::issue(const Attempt& attempt, TokenSubject subject,
                                    const CredentialLimits* limits, std::string& token_id) {
    const Narrowing& narrowing = attempt.options.narrowing;
    if (narrowing.scope && !attempt.state.access.find(*narrowing.scope)) {
        return fail(ErrorCode::invalid_scope, "There is no such scope of the tree.");
    }
    subject.narrowing = &narrowing;
    subject.lifetime_seconds = lifetime_of(narrowing, limits, settings_, attempt.now);
    IssuedToken access_token = TRY(issue_access_token(
        attempt.state, settings_, attempt.options.issuer, subject, attempt.now, random_));
    GrantedTokens tokens;
    tokens.access_token = std::move(access_token.text);
    tokens.expires_in = subject.lifetime_seconds;
    token_id = std::move(access_token.token_id);
    tokens.scope = narrowing.permissions ? scope_claim(*narrowing.permissions) : std::string();
    if (attempt.options.with_id_token && !narrowing.binds()) {
        IssuedToken id_token = TRY(issue_id_token(attempt.state, settings_, attempt.options.issuer,
                                                  subject, attempt.now, random_));
        tokens.id_token = std::move(id_token.text);
    }
    return tokens;
}

GrantOutcome Grants::grant(const Attempt& attempt, const TokenSubject& subject,
                           const Eligibility& standing, const LoginId& login) {
    std::string token_id;
    const CredentialLimits* limits = standing.limits.get();
    auto tokens = issue(attempt, subject, limits, token_id);
    if (!tokens) {
        return {std::move(tokens), 0, 0};
    }
    AuditEvent event = event_of(attempt);
    event.subject = standing.name;
    if (standing.is_outside_addresses) {
        event.metadata.emplace_back("address", "not in the list of the key");
        tokens->is_outside_addresses = true;
        outside_addresses_.fetch_add(1, std::memory_order_relaxed);
    }
    const Timestamp soon = attempt.now.plus_seconds(settings_.key_expiry_warning_seconds);
    if (limits != nullptr && limits->expires_at && *limits->expires_at <= soon) {
        tokens->key_expires_at = limits->expires_at;
    }
    auto ticket = access_events_.append(
        event.tenant, event.at, grant_payload(event, attempt.grant, subject.client_id, token_id));
    if (!ticket) {
        return {std::unexpected(std::move(ticket).error()), 0, 0};
    }
    last_logins_.record(login, attempt.now);
    granted_clients_.fetch_add(1, std::memory_order_relaxed);
    return {std::move(tokens), *ticket, 0};
}

GrantOutcome Grants::refuse(const Attempt& attempt, Refusal refusal, std::string_view said) {
    throttle_.record_failure(attempt.counted_as, attempt.origin.source_ip);
    refused_.fetch_add(1, std::memory_order_relaxed);
    if (refusal.reason == RefusalReason::honey_key) {
        honey_keys_.fetch_add(1, std::memory_order_relaxed);
    }
    const bool is_client = attempt.grant == grant_type::client_credentials;
    // A right secret is never throttled, so nobody can lock a client out by guessing at it.
    const auto wait = throttle_.wait_seconds(attempt.counted_as, attempt.origin.source_ip);
    AuditEvent event = event_of(attempt);
    event.succeeded = false;
    event.http_status = is_client ? attempt.origin.refused_client : attempt.origin.refused_user;
    event.http_status = wait ? too_many_requests_status : event.http_status;
    auto ticket =
        access_events_.append(event.tenant, event.at,
                              audit_payload(event, {{"grant", attempt.grant},
                                                    {"reason", text_of(refusal.reason).audit}}));
    if (!ticket) {
        return {std::unexpected(std::move(ticket).error()), 0, 0};
    }
    refusal.grant = attempt.grant;
    refusal.retry_after_seconds = wait.value_or(0);
    if (!refusal.subject.id) {
        refusal.subject.name = event.subject;
    }
    if (wait) {
        throttled_.fetch_add(1, std::memory_order_relaxed);
        return {fail(ErrorCode::too_many_requests, "too many failed sign-ins; try again later"),
                *ticket, *wait, std::move(refusal)};
    }
    if (is_client) {
        return {fail(ErrorCode::invalid_client, "The client id or client secret is wrong."),
                *ticket, 0, std::move(refusal)};
    }
    return {fail(ErrorCode::invalid_grant, std::string(said)), *ticket, 0, std::move(refusal)};
}

} // namespace claviger
