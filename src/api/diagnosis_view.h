// SPDX-License-Identifier: Apache-2.0
// Why a request was refused, in the words of the API: a reason for programs, sentences for people,
// and what would help.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/grounds_view.h"
#include "auth/diagnoses.h"
#include "auth/directory.h"

namespace claviger {

struct RefusalReasonText {
    RefusalReason value = RefusalReason::not_permitted;
    static Result<RefusalReasonText> decode(std::string_view);
    std::string wire() const { return std::string(text_of(value).name); }
    static json::object schema();
};

struct SecretProblemText {
    SecretProblem value = SecretProblem::none;
    static Result<SecretProblemText> decode(std::string_view);
    std::string wire() const { return std::string(name_of(value)); }
    static json::object schema();
};

/// Of a stranger, only what it called itself.
struct DiagnosisSubject {
    std::optional<SubjectTypeText> type;
    std::optional<Uuid> id;
    std::string name;
    std::optional<std::string> client_id; // of the access key that was used
};
BOOST_DESCRIBE_STRUCT(DiagnosisSubject, (), (type, id, name, client_id))

struct DiagnosisView {
    Uuid request_id;
    Timestamp at;
    std::string operation;
    std::optional<std::string> grant_type;
    std::optional<DiagnosisSubject> subject;
    std::string source_ip;
    bool is_behind_trusted_proxy = false;
    std::int64_t status = 0;
    RefusalReasonText reason;
    std::string message, hint;
    std::optional<std::string> detail;
    std::optional<SecretProblemText> secret_problem;
    std::optional<Timestamp> expired_at, issued_at, retired_at, valid_from;
    std::optional<std::int64_t> seconds_off, retry_after_seconds;
    std::optional<std::string> missing_permission;
    std::optional<ScopeView> scope; // absent with a missing permission: any
    std::optional<bool> is_permitted_now;
    std::optional<std::vector<std::string>> held_there; // of the same resource type
    std::optional<std::vector<ScopeView>> held_at;      // where the missing one is, nearest first
    std::optional<std::vector<SmallestGrantView>> smallest_grants; // for administrators
};
BOOST_DESCRIBE_STRUCT(DiagnosisView, (),
                      (request_id, at, operation, grant_type, subject, source_ip,
                       is_behind_trusted_proxy, status, reason, message, hint, detail,
                       secret_problem, expired_at, issued_at, retired_at, valid_from, seconds_off,
                       retry_after_seconds, missing_permission, scope, is_permitted_now, held_there,
                       held_at, smallest_grants))

/// The one whom it is about learns reason and facts; an administrator also names and what would
/// help.
enum class Disclosure : std::uint8_t { own, administrator };

/// What rules give is as of `state`.
DiagnosisView view_of(const Diagnosis& diagnosis, const TenantState& state, Disclosure disclosure);

} // namespace claviger
