// SPDX-License-Identifier: Apache-2.0
// The grants of users: password and refresh token. Both write, since a session begins or goes on.
#include <algorithm>

#include "auth/access_rules.h"
#include "auth/eligible.h"
#include "auth/grants.h"
#include "auth/names.h"
#include "auth/revocation_journal.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::string_view wrong_password = "The user name or password is wrong.";
constexpr std::string_view temporary_password =
    "The password is temporary: choose your own at /api/v1/me/password, then sign in.";
constexpr const char* reuse = "reuse";
constexpr const char* session_over = "session ended";
constexpr std::string_view wrong_token = "The refresh token is not valid; sign in again.";

Principal principal_of(const User& user) {
    return {PrincipalKind::user, user.id.value, user.email, user.groups};
}

/// `user` is null when none is known.
Refusal refusal_of_user(RefusalReason reason, const User* user) {
    Refusal refusal;
    refusal.reason = reason;
    refusal.subject.kind = PrincipalKind::user;
    refusal.subject.id = user == nullptr ? std::nullopt : std::optional(user->id.value);
    return refusal;
}

RefusalReason reason_of_wrong_password(const User* user) {
    if (user == nullptr) {
        return RefusalReason::unknown_user;
    }
    return user->is_local ? RefusalReason::wrong_password : RefusalReason::not_a_local_user;
}

/// Removes expired sessions of a user, and the oldest ones until there is room for another.
Result<void> make_room(Transaction& transaction, const UserId& user, Timestamp now) {
    auto sessions = TRY(transaction.sessions().of_user(user));
    const auto expired = [&](const Session& session) { return session.expires_at <= now; };
    auto live =
        sessions.size() - static_cast<std::size_t>(std::ranges::count_if(sessions, expired));
    for (Session& session : sessions) { // the oldest first
        const bool is_expired = expired(session);
        if (!is_expired && live < most_sessions) {
            continue;
        }
        if (!is_expired) {
            --live;
        }
        session.deleted_at = now;
        TRY(transaction.sessions().put(session));
    }
    return {};
}

/// The user's row if nothing that ends sign-ins has happened to it since `user` was read.
Result<User> find_unchanged(Transaction& transaction, const User& user) {
    auto row = TRY(transaction.users().find(user.id));
    if (!row || !row->enabled || row->epoch != user.epoch) {
        return fail(ErrorCode::invalid_grant, "changed meanwhile");
    }
    return *std::move(row);
}

} // namespace

GrantOutcome Grants::throttled(const Attempt& attempt, const User* user, std::int64_t wait) {
    Refusal refusal = refusal_of_user(RefusalReason::throttled, user);
    refusal.grant = attempt.grant;
    refusal.retry_after_seconds = wait;
    if (user == nullptr) {
        refusal.subject.name = shown_name(attempt.name);
    }
    return {fail(ErrorCode::too_many_requests, "too many failed sign-ins; try again later"), 0,
            wait, std::move(refusal)};
}

std::expected<const User*, GrantOutcome> Grants::check_password(const Attempt& attempt,
                                                                std::string_view password) {
    const User* user = attempt.state.users.find_by_email(attempt.name);
    if (const auto wait = throttle_.wait_seconds(attempt.counted_as, attempt.origin.source_ip)) {
        throttled_.fetch_add(1, std::memory_order_relaxed);
        return std::unexpected(throttled(attempt, user, *wait));
    }
    const bool has_password = user != nullptr && user->is_local;
    const auto matches = passwords_.verify(has_password ? user->password_hash : "", password);
    if (!matches) {
        return std::unexpected(GrantOutcome{std::unexpected(matches.error()), 0, 1});
    }
    if (!*matches) {
        return std::unexpected(
            refuse(attempt, refusal_of_user(reason_of_wrong_password(user), user), wrong_password));
    }
    return user;
}

std::expected<const User*, GrantOutcome> Grants::check_password(const TenantState& state,
                                                                std::string_view email,
                                                                std::string_view password,
                                                                const Origin& origin) {
    const std::string address = ascii_lower(email);
    const std::string folded = fold_name(email);
    return check_password({state,
                           address,
                           folded,
                           PrincipalKind::user,
                           grant_type::password,
                           origin,
                           {},
                           clock_.now()},
                          password);
}

GrantOutcome Grants::password(const TenantState& state, const PasswordRequest& request,
                              const Origin& origin, GrantOptions options) {
    const std::string address = ascii_lower(request.email);
    const std::string folded = fold_name(request.email);
    options.with_id_token = true;
    const Attempt attempt{state,
                          address,
                          folded,
                          PrincipalKind::user,
                          grant_type::password,
                          origin,
                          std::move(options),
                          clock_.now()};
    const auto checked = check_password(attempt, request.password);
    if (!checked) {
        return checked.error();
    }
    const User& user = **checked;
    const Eligibility standing =
        eligible(state, PrincipalKind::user, user.id.value, std::nullopt, attempt.use());
    if (standing.refused) {
        const bool is_temporary = standing.refused == Ineligible::password_is_temporary;
        return refuse(attempt, refusal_of(standing, {PrincipalKind::user, user.id.value}),
                      is_temporary ? temporary_password : wrong_password);
    }
    // Where it cannot be made now, the next sign-in will.
    const std::string stronger = passwords_.is_outdated(user.password_hash)
                                     ? passwords_.hash(request.password).value_or("")
                                     : "";
    Session session;
    session.id = {state.tenant.id, Uuid::make(random_)};
    session.user = user.id.value;
    session.client_id = public_client(request.client_id);
    session.created_at = attempt.now;
    session.updated_at = attempt.now;
    session.narrowing = text_of(attempt.options.narrowing);
    session.expires_at = attempt.now.plus_seconds(settings_.refresh_lifetime_seconds);
    auto outcome = grant_in_session(
        attempt, user, session, [&](Transaction& transaction, User row) -> Result<void> {
            if (!stronger.empty() && row.password_hash == user.password_hash) {
                row.password_hash = stronger;
                TRY(transaction.users().put(row));
            }
            return make_room(transaction, user.id, attempt.now);
        });
    if (outcome.result) {
        last_logins_.record(user.id, attempt.now);
        granted_users_.fetch_add(1, std::memory_order_relaxed);
    }
    return outcome;
}

GrantOutcome Grants::grant_in_session(const Attempt& attempt, const User& user,
                                      const Session& session, const Change& change) {
    TokenSubject subject{PrincipalKind::user, user.id.value, user.epoch, session.client_id, &user};
    subject.session = session.id.value;
    std::string token_id;
    auto tokens = issue(attempt, subject, nullptr, token_id);
    if (!tokens) {
        return {std::move(tokens), 0, 0};
    }
    tokens->session = GrantedSession{session.id.value, refresh_tokens_.make(session),
                                     session.expires_at.seconds() - attempt.now.seconds()};
    AuditEvent event = event_of(attempt);
    event.subject = user.email;
    event.action =
        attempt.grant == grant_type::password ? audit_action::sign_in : audit_action::refresh;
    std::string payload = audit_payload(event, {{"grant", attempt.grant},
                                                {"client_id", session.client_id},
                                                {"session", session.id.value.text()},
                                                {"jti", token_id}});
    AuditTicket ticket = 0;
    const auto done = store_.write([&](Transaction& transaction) -> Result<void> {
        User row = TRY(find_unchanged(transaction, user));
        TRY(change(transaction, std::move(row)));
        TRY(transaction.sessions().put(session));
        // Here, so that nothing is written where nothing can be recorded; last, since an event
        // cannot be taken back. One of a commit that fails after it is of tokens that nobody got.
        ticket = TRY(access_events_.append(event.tenant, event.at, payload));
        return {};
    });
    if (!done && done.error().code() == ErrorCode::invalid_grant) {
        const bool is_reuse = done.error().detail() == reuse;
        const bool is_over = done.error().detail() == session_over;
        return refuse(attempt,
                      refusal_of_user(is_reuse  ? RefusalReason::refresh_token_reused
                                      : is_over ? RefusalReason::session_ended
                                                : RefusalReason::principal_changed,
                                      &user),
                      attempt.grant == grant_type::password ? wrong_password : wrong_token);
    }
    if (!done) {
        return {std::unexpected(done.error()), 0, 0};
    }
    return {std::move(tokens), ticket, 0};
}

GrantOutcome Grants::refresh(const TenantState& state, const RefreshRequest& request,
                             const Origin& origin, GrantOptions options) {
    options.with_id_token = true;
    const auto content = refresh_tokens_.read(state.tenant.id, request.token);
    const Session* session = content ? state.sessions.find(content->session.value) : nullptr;
    const User* user = session != nullptr ? state.users.find(session->user) : nullptr;
    const std::string counted_as = content ? content->session.value.text() : "";
    Attempt attempt{state,
                    user != nullptr ? std::string_view(user->email) : std::string_view(),
                    content ? counted_as : grant_type::refresh_token,
                    PrincipalKind::user,
                    grant_type::refresh_token,
                    origin,
                    std::move(options),
                    clock_.now()};
    const auto refuse_token = [&](RefusalReason reason) {
        return refuse(attempt, refusal_of_user(reason, user), wrong_token);
    };
    if (user == nullptr) {
        return refuse_token(content ? RefusalReason::session_ended
                                    : RefusalReason::unknown_refresh_token);
    }
    if (content->generation < session->generation) {
        if (auto ended = end_reused(*content); !ended) {
            return {std::unexpected(std::move(ended).error()), 0, 0};
        }
        return refuse_token(RefusalReason::refresh_token_reused);
    }
    if (content->generation != session->generation || session->expires_at <= attempt.now) {
        return refuse_token(RefusalReason::session_expired);
    }
    const auto& not_before = state.tenant.tokens_not_before;
    if (not_before && session->created_at <= *not_before) {
        return refuse_token(RefusalReason::session_revoked);
    }
    if (!request.client_id.empty() && public_client(request.client_id) != session->client_id) {
        return refuse_token(RefusalReason::refresh_token_of_another_client);
    }
    const Eligibility standing =
        eligible(state, PrincipalKind::user, user->id.value, std::nullopt, attempt.use());
    if (standing.refused) {
        return refuse(attempt, refusal_of(standing, {PrincipalKind::user, user->id.value}),
                      wrong_token);
    }
    if (!is_reached_by_a_rule(state.access, rights_of(principal_of(*user)).subjects())) {
        return refuse_token(RefusalReason::no_access_rule);
    }
    const auto granted = parse_narrowing(state.tenant.id, session->narrowing);
    if (!granted) {
        return refuse_token(RefusalReason::session_unreadable);
    }
    auto narrowing = narrow_further(state.access, *granted, attempt.options.narrowing);
    if (!narrowing) {
        return {std::unexpected(std::move(narrowing).error()), 0, 0};
    }
    attempt.options.narrowing = *std::move(narrowing);
    return rotate(attempt, *user, *session);
}

GrantOutcome Grants::rotate(const Attempt& attempt, const User& user, const Session& session) {
    Session next = session;
    next.generation += 1;
    next.updated_at = attempt.now;
    bool is_reused = false;
    auto outcome = grant_in_session(
        attempt, user, next, [&](Transaction& transaction, const User&) -> Result<void> {
            const auto row = TRY(transaction.sessions().find(session.id));
            if (!row) {
                return fail(ErrorCode::invalid_grant, session_over);
            }
            // Of two requests with the same token, the second to come here.
            is_reused = row->generation != session.generation;
            return is_reused ? fail(ErrorCode::invalid_grant, reuse) : Result<void>{};
        });
    if (is_reused) {
        if (auto ended = end_reused({session.id, session.generation}); !ended) {
            return {std::unexpected(std::move(ended).error()), 0, 0};
        }
    }
    if (outcome.result) {
        refreshed_.fetch_add(1, std::memory_order_relaxed);
    }
    return outcome;
}

Result<void> Grants::end_reused(const RefreshTokenContent& used) {
    return store_.write([&](Transaction& transaction) -> Result<void> {
        auto row = TRY(transaction.sessions().find(used.session));
        if (row && row->generation > used.generation) {
            return revoke_session(transaction, *row, clock_.now());
        }
        return {};
    });
}

} // namespace claviger
