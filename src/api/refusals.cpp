// SPDX-License-Identifier: Apache-2.0
#include "api/refusals.h"

#include "api/problem.h"

namespace claviger {
namespace {

/// Whether somebody was refused. A request for a token is one always: who waits for it must learn
/// why there is none.
bool is_refusal(ErrorCode code, const Operation& operation) {
    switch (code) {
    case ErrorCode::invalid_client:
    case ErrorCode::invalid_grant:
    case ErrorCode::unauthenticated:
    case ErrorCode::access_denied:
    case ErrorCode::too_many_requests:
        return true;
    case ErrorCode::invalid_request:
    case ErrorCode::unauthorized_client:
    case ErrorCode::unsupported_grant_type:
    case ErrorCode::invalid_scope:
    case ErrorCode::invalid_target:
        return operation.request_class == RequestClass::token;
    default:
        return false;
    }
}

/// Where nothing but the error is known.
RefusalReason reason_of(const Error& error) {
    switch (error.code()) {
    case ErrorCode::invalid_client:
        return RefusalReason::credentials_missing;
    case ErrorCode::too_many_requests:
        return RefusalReason::throttled;
    case ErrorCode::unauthenticated:
        return RefusalReason::token_missing;
    case ErrorCode::access_denied:
    case ErrorCode::invalid_grant:
        return RefusalReason::not_permitted;
    default: // The readers of JSON and of forms say it in the same words.
        return error.detail().contains("control characters") ? RefusalReason::control_characters
                                                             : RefusalReason::request_invalid;
    }
}

Refusal refusal_of(const Context& context, const Error& error) {
    Refusal refusal;
    refusal.reason = reason_of(error);
    refusal.detail = error.detail();
    if (!context.caller.principal.name.empty()) {
        refusal.subject = subject_of(context.caller.principal);
    }
    return refusal;
}

/// Somebody has what nobody should have any more.
void raise_alarm(const Context& context, const Refusal& refusal) {
    if (refusal.reason != RefusalReason::honey_key &&
        refusal.reason != RefusalReason::secret_retired) {
        return;
    }
    context.services.log.write(
        LogLevel::warning,
        refusal.reason == RefusalReason::honey_key ? "a honey key was used"
                                                   : "a retired client secret was used",
        {{"request_id", std::string_view(context.request.request_id)},
         {"source_ip", std::string_view(context.request.source_ip)},
         {"key", refusal.subject.access_key ? refusal.subject.access_key->text()
                                            : refusal.subject.id->text()}});
}

} // namespace

void keep_refusal(const Context& context, const Operation& operation, const Error& error) {
    const auto id = Uuid::parse(context.request.request_id);
    if (!is_refusal(error.code(), operation) || !id) {
        return;
    }
    // What a handler asked for and could do without is not why it refused.
    const bool is_noted = context.refusal && (context.refusal->permission.has_value() ==
                                              (error.code() == ErrorCode::access_denied));
    const RefusedRequest request{*id,
                                 context.services.clock.now(),
                                 name_of(operation.method),
                                 operation.path,
                                 context.request.source_ip,
                                 context.request.is_behind_proxy,
                                 problem_status(error.code(), operation.errors)};
    if (is_noted) {
        raise_alarm(context, *context.refusal);
    }
    context.services.diagnoses.record(context.caller.tenant(), request,
                                      is_noted ? *context.refusal : refusal_of(context, error));
}

} // namespace claviger
