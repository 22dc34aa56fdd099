// SPDX-License-Identifier: Apache-2.0
// Why a request was refused, as a reason and typed facts: for the owner, the log and the audit,
// never for the wire of the refusal itself. One table has the texts of all reasons.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "access/decide.h"
#include "auth/eligible.h"
#include "auth/origin.h"
#include "base/time.h"

namespace claviger {

/// A new one is a row of the table in refusal.cpp, in the same place.
enum class RefusalReason : std::uint8_t {
    // Who calls has not been shown.
    request_invalid,     ///< A request for a token that nobody could have made.
    control_characters,  ///< A text that is none: most often a secret and its line break.
    credentials_missing, ///< No readable client authentication.
    unknown_client,
    wrong_secret,
    secret_expired,
    secret_retired, ///< It was good once: somebody has kept it.
    unknown_user,
    wrong_password,
    not_a_local_user,
    unknown_refresh_token,
    throttled, ///< Refused before anything was looked at.
    token_missing,
    token_malformed,
    unknown_signing_key,
    wrong_signature,
    // A token that was signed here.
    wrong_issuer,
    wrong_audience,
    token_of_another_tenant,
    token_of_another_kind,
    token_expired,
    token_from_the_future,
    token_not_valid_yet,
    token_revoked,
    // The principal.
    tenant_disabled,
    principal_unknown,
    principal_disabled,
    tokens_revoked, ///< All tokens of the principal or key up to some time.
    secret_revoked, ///< The secret that the token was got with, and its tokens.
    password_is_temporary,
    key_expired,
    outside_addresses,
    honey_key, ///< Nobody should have it.
    // The session of a refresh token.
    session_ended,
    session_expired,
    session_revoked,
    refresh_token_reused,
    refresh_token_of_another_client,
    no_access_rule,
    session_unreadable,
    principal_changed,
    // What it may do.
    permission_missing,
    beyond_key,
    beyond_token,
    not_permitted, ///< By a rule that is no permission, such as the one against escalation.
};
inline constexpr std::size_t refusal_reason_count = 45;

/// The texts of a reason. In `message`, names in braces stand for facts.
struct ReasonText {
    std::string_view name;  // on the wire: "key-expired"
    std::string_view audit; // in the log and the audit
    std::string_view message;
    std::string_view hint;
};
const ReasonText& text_of(RefusalReason reason);
RefusalReason reason_of(Ineligible reason);

/// What is the matter with a wrong secret, as far as it can be told without knowing the right one.
enum class SecretProblem : std::uint8_t {
    none,               ///< It is of the right form.
    line_break,         ///< Right without the line break around it.
    white_space,        ///< Right without the white space around it.
    quotation_marks,    ///< Right without the quotation marks (and white space) around it.
    mistyped,           ///< Of the form of our secrets, and not whole: its check digits are wrong.
    of_another_kind,    ///< A secret of the other kind of key.
    no_generated_secret ///< Not of the form of a secret that was generated here.
};
std::string_view name_of(SecretProblem problem);
/// What to do about it; empty for none.
std::string_view hint_of(SecretProblem problem);
inline constexpr std::size_t secret_problem_count = 7;

/// `secret` without what copying adds around it, and what that was; nothing when there is nothing.
struct StrippedSecret {
    std::string_view secret;
    SecretProblem added = SecretProblem::none;
};
std::optional<StrippedSecret> strip_secret(std::string_view secret);
/// What can be seen of the form of a wrong secret; `prefix` is that of the right kind.
SecretProblem form_of_secret(std::string_view secret, std::string_view prefix,
                             std::string_view other_prefix);

/// Whom a refusal is about. A stranger has no id, and a name only if it sent one.
struct RefusedSubject {
    PrincipalKind kind = PrincipalKind::service_account;
    std::optional<Uuid> id = {};
    std::optional<Uuid> access_key = {};
    std::string name = {}; // of a stranger; others are named by their id
};

struct Refusal {
    RefusalReason reason = RefusalReason::not_permitted;
    RefusedSubject subject = {};
    std::optional<Timestamp> when = {}; // of what the reason speaks of: the end of a key
    SecretProblem secret = SecretProblem::none;
    std::optional<Permission> permission = {}; // the missing one
    std::optional<ScopeId> scope = {};         // where; absent with a permission: anywhere
    std::optional<DecisionReason> decision = {};
    std::optional<LimitSource> limit = {}; // which refuses as well, whatever rules are made
    std::string detail = {};               // what the caller was told, or what the log says
    std::string_view grant = {};           // of the grants; a constant
    std::int64_t retry_after_seconds = 0;  // when it was throttled

    std::string_view log_text() const {
        return detail.empty() ? text_of(reason).audit : std::string_view(detail);
    }
};

/// An answer, or why there is none.
template <class T>
using Judged = std::expected<T, Refusal>;

/// Of a principal that `standing` refuses.
Refusal refusal_of(const Eligibility& standing, RefusedSubject subject);
RefusedSubject subject_of(const Principal& principal);
/// Whether the refused one had shown who it is: a flood of others must not hide it.
bool is_proven(const Refusal& refusal);

} // namespace claviger
