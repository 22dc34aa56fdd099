// SPDX-License-Identifier: Apache-2.0
#include "auth/refusal.h"

#include <algorithm>
#include <array>

#include "auth/credential_text.h"

namespace claviger {
namespace {

constexpr std::string_view new_token = "Get a new token.";
constexpr std::string_view new_sign_in = "Sign in again.";
constexpr std::string_view whole_token = "Send the whole token, as this server gave it.";
constexpr std::string_view right_server =
    "Check that the token was got from this server, and from this tenant.";

/// In the order of the reasons.
constexpr std::array<ReasonText, refusal_reason_count> texts{{
    {"request-invalid", "invalid request",
     "The request for a token was not taken, before any secret was looked at: {detail}.",
     "Change the request; the sentence says what."},
    {"control-characters", "control characters",
     "A text of the request holds control characters, so no secret was looked at: {detail}.",
     "Most often it is a secret with the line break of its file: strip it, or write the file with "
     "`printf %s`."},
    {"credentials-missing", "no client authentication",
     "The request has no client authentication that can be read: {detail}.",
     "Send client id and secret in one place: in the form, or in an Authorization header of the "
     "Basic scheme."},
    {"unknown-client", "unknown client",
     "There is no service account or access key with this client id in this tenant.",
     "Check the client id, and that the request goes to the address of the right tenant."},
    {"wrong-secret", "wrong secret", "The client id is known, and the secret is not its own.",
     "Check that the secret is the newest one; if it is lost, make another."},
    {"secret-expired", "secret expired", "The secret expired at {when}.",
     "Use the key's newer secret; claviger rotate status lists them."},
    {"secret-retired", "retired secret",
     "The secret was retired, revoked or frozen at {when}; the request came from {address}.",
     "Somebody still has it: give that program a newer secret, or the secret has leaked. claviger "
     "rotate status lists what the key has."},
    {"unknown-user", "unknown user", "There is no user with this e-mail address in this tenant.",
     "Check the address, and that the request goes to the address of the right tenant."},
    {"wrong-password", "wrong password", "The user is known, and the password is wrong.",
     "Try again, or have an administrator reset the password."},
    {"not-a-local-user", "wrong password",
     "The user signs in at an identity provider, and has no password here.",
     "Sign in at the identity provider."},
    {"unknown-refresh-token", "unknown refresh token",
     "The text is no refresh token of this tenant.", new_sign_in},
    {"throttled", "throttled", "There were too many failures from {address}; nothing was judged.",
     "Stop the failing client, and wait {wait} seconds."},
    {"token-missing", "no bearer token", "The request has no bearer token.",
     "Send the header Authorization: Bearer TOKEN."},
    {"token-malformed", "malformed token", "The bearer token cannot be read: {detail}.",
     whole_token},
    {"unknown-signing-key", "the signing key is unknown",
     "No signing key of this tenant has the id that the token names.", right_server},
    {"wrong-signature", "the signature is wrong",
     "The signature does not fit the token: a part of it was changed.", whole_token},
    {"wrong-issuer", "Issuer is not familiar.",
     "The token names an issuer that is not this server's address.",
     "Check the server's public-url: tokens that were got under another one are refused."},
    {"wrong-audience", "the token is for another audience",
     "The token was asked for another audience, not for this API.",
     "Ask for a token without `resource`."},
    {"other-tenant", "the token names another tenant", "The token is not one of this tenant.",
     right_server},
    {"wrong-kind-of-token", "an id token is not an access token",
     "The token is of another kind than this operation takes: {detail}.", "Send the access token."},
    {"token-expired", "the token has expired",
     "The token expired at {when}, {seconds} seconds before the request.", new_token},
    {"token-from-the-future", "the token was issued in the future",
     "The token says that it was issued at {when}, {seconds} seconds after the request.",
     "Set the clocks: that of the server is behind, or was ahead when the token was given."},
    {"token-not-yet-valid", "the token is not valid yet",
     "The token is valid from {when}, {seconds} seconds after the request.",
     "Set the clocks: that of the server is behind, or was ahead when the token was given."},
    {"token-revoked", "the token was revoked",
     "The token was ended before its time: alone, with its session, or with all of the tenant.",
     new_token},
    {"tenant-disabled", "tenant disabled", "The tenant is disabled.",
     "Only the operator of the server can enable it: claviger tenant enable."},
    {"principal-deleted", "unknown principal", "Whom the token speaks of was deleted.",
     "Make a new service account, access key or user."},
    {"principal-disabled", "principal disabled", "The {kind} is disabled.",
     "Enable it, if it is meant to be used."},
    {"tokens-revoked", "token revoked",
     "All earlier tokens of the {kind} were ended, by a new secret, a revocation or a change.",
     new_token},
    {"secret-revoked", "secret revoked",
     "The secret that the token was got with was revoked, and its tokens with it.",
     "Get a token with the key's newer secret."},
    {"password-temporary", "password is temporary",
     "The password is temporary: it is good for choosing another only.",
     "Choose a password at /api/v1/me/password, then sign in."},
    {"key-expired", "key expired",
     "The key expired at {when}, {seconds} seconds before the request.",
     "Give the key a later expiresAt, or make another."},
    {"address-not-allowed", "address not in the list",
     "The request came from {address}, which is not in the key's list of addresses; {proxy}.",
     "Add the address to the key's limits, or set trusted-proxy if it is that of a proxy."},
    {"honey-key", "honey key",
     "The key is a trap that is good for nothing, and {address} has used it with the right secret.",
     "Somebody has found or stolen it: look for how, and what else was there."},
    {"session-ended", "session ended", "The sign-in of the refresh token has ended.", new_sign_in},
    {"session-expired", "session expired", "The sign-in of the refresh token has expired.",
     new_sign_in},
    {"session-revoked", "session revoked", "All sign-ins of the tenant were ended.", new_sign_in},
    {"refresh-token-reused", "reuse",
     "The refresh token had been used before, so its sign-in was ended: two may hold it.",
     "Sign in again, and keep the newest refresh token only. If only one program has it, find out "
     "who else does."},
    {"refresh-token-of-another-client", "token of another client",
     "The refresh token was given to another client id.", "Send the client id of the sign-in."},
    {"no-access-rule", "no access rule", "No access rule reaches the user any more.",
     "Make an access rule for the user."},
    {"session-unreadable", "unreadable narrowing",
     "What the sign-in was narrowed to cannot be read any more.", new_sign_in},
    {"principal-changed", "changed meanwhile",
     "The user was changed or disabled while the request was judged.", "Try again."},
    {"permission-missing", "missing permission",
     "The {kind} does not hold {permission} {scope}: {decision}.",
     "Make an access rule with a role that holds it."},
    {"beyond-ceiling", "beyond the key's ceiling",
     "Access rules give {permission} {scope}; the ceiling of the key does not allow it.",
     "No access rule helps: widen the ceiling in the key's limits, or use another key."},
    {"beyond-narrowing", "beyond what the token was narrowed to",
     "Access rules give {permission} {scope}; the token was narrowed and does not.",
     "No access rule helps: ask for a token with a wider `scope`."},
    {"not-permitted", "not permitted", "The request was judged and refused: {detail}.",
     "The sentence says what is asked for."},
}};

struct ProblemText {
    std::string_view name, hint;
};
constexpr std::array<ProblemText, secret_problem_count> problems{{
    {"none", ""},
    {"line-break", "It would be right without the line break around it: most files end with one, "
                   "and `printf %s` writes none."},
    {"white-space", "It would be right without the white space around it."},
    {"quotation-marks", "It would be right without the quotation marks around it: an environment "
                        "file or a template has kept them."},
    {"mistyped", "It is not whole, or a character is wrong: its check digits do not fit. Copy all "
                 "of it again."},
    {"of-another-kind", "It is a secret of the other kind: those of service accounts begin with "
                        "clvs_, those of access keys with clvk_."},
    {"not-generated-here", "It does not look like a secret that was generated here: the field may "
                           "hold something else."},
}};

bool is_line_break(char c) {
    return c == '\n' || c == '\r';
}
bool is_white_space(char c) {
    return c == ' ' || c == '\t' || is_line_break(c);
}
bool is_quotation_mark(char c) {
    return c == '"' || c == '\'' || c == '`';
}

} // namespace

const ReasonText& text_of(RefusalReason reason) {
    return texts[static_cast<std::size_t>(reason)];
}

RefusalReason reason_of(Ineligible reason) {
    static constexpr std::array<RefusalReason, 9> reasons{
        RefusalReason::tenant_disabled,    RefusalReason::principal_unknown,
        RefusalReason::principal_disabled, RefusalReason::tokens_revoked,
        RefusalReason::secret_revoked,     RefusalReason::password_is_temporary,
        RefusalReason::key_expired,        RefusalReason::outside_addresses,
        RefusalReason::honey_key};
    return reasons[static_cast<std::size_t>(reason)];
}

std::string_view name_of(SecretProblem problem) {
    return problems[static_cast<std::size_t>(problem)].name;
}

std::string_view hint_of(SecretProblem problem) {
    return problems[static_cast<std::size_t>(problem)].hint;
}

std::optional<StrippedSecret> strip_secret(std::string_view secret) {
    StrippedSecret stripped{secret};
    const auto note = [&](char c) {
        const SecretProblem seen = is_quotation_mark(c) ? SecretProblem::quotation_marks
                                   : is_line_break(c)   ? SecretProblem::line_break
                                                        : SecretProblem::white_space;
        // The order of the problems is that of what is worth saying.
        stripped.added =
            stripped.added == SecretProblem::none ? seen : std::max(stripped.added, seen);
        return true;
    };
    const auto is_added = [](char c) { return is_white_space(c) || is_quotation_mark(c); };
    std::string_view& text = stripped.secret;
    while (!text.empty() && is_added(text.back()) && note(text.back())) {
        text.remove_suffix(1);
    }
    while (!text.empty() && is_added(text.front()) && note(text.front())) {
        text.remove_prefix(1);
    }
    return stripped.added == SecretProblem::none ? std::nullopt : std::optional(stripped);
}

SecretProblem form_of_secret(std::string_view secret, std::string_view prefix,
                             std::string_view other_prefix) {
    if (secret.starts_with(other_prefix)) {
        return SecretProblem::of_another_kind;
    }
    if (!secret.starts_with(prefix)) {
        return SecretProblem::no_generated_secret;
    }
    return read_credential_text(prefix, secret) ? SecretProblem::none : SecretProblem::mistyped;
}

Refusal refusal_of(const Eligibility& standing, RefusedSubject subject) {
    Refusal refusal;
    refusal.reason = reason_of(standing.refused.value_or(Ineligible::unknown));
    refusal.subject = std::move(subject);
    refusal.when = standing.ended_at;
    return refusal;
}

RefusedSubject subject_of(const Principal& principal) {
    return {principal.kind, principal.id, principal.access_key, {}};
}

bool is_proven(const Refusal& refusal) {
    switch (refusal.reason) {
    case RefusalReason::wrong_secret:
    case RefusalReason::secret_expired:
    case RefusalReason::secret_retired:
    case RefusalReason::wrong_password:
    case RefusalReason::not_a_local_user:
    case RefusalReason::throttled:
        return false;
    default:
        return refusal.subject.id.has_value();
    }
}

} // namespace claviger
