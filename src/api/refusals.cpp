// SPDX-License-Identifier: Apache-2.0
#include "api/refusals.h"

#include "api/problem.h"

namespace claviger {
namespace {

/// Whether somebody was refused, rather than a request that nobody could have made.
bool is_refusal(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid_client:
    case ErrorCode::invalid_grant:
    case ErrorCode::unauthenticated:
    case ErrorCode::access_denied:
    case ErrorCode::too_many_requests:
        return true;
    default:
        return false;
    }
}

/// Where nothing but the error is known.
Refusal refusal_of(const Context& context, const Error& error) {
    Refusal refusal;
    const bool is_known = !context.caller.principal.name.empty();
    if (error.code() == ErrorCode::invalid_client) {
        refusal.reason = RefusalReason::credentials_missing;
    } else if (error.code() == ErrorCode::too_many_requests) {
        refusal.reason = RefusalReason::throttled;
    } else if (error.code() == ErrorCode::unauthenticated) {
        refusal.reason = RefusalReason::token_missing;
    }
    refusal.detail = error.detail();
    if (is_known) {
        refusal.subject = subject_of(context.caller.principal);
    }
    return refusal;
}

} // namespace

void keep_refusal(const Context& context, const Operation& operation, const Error& error) {
    const auto id = Uuid::parse(context.request.request_id);
    if (!is_refusal(error.code()) || !id) {
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
    context.services.diagnoses.record(context.caller.tenant(), request,
                                      is_noted ? *context.refusal : refusal_of(context, error));
}

} // namespace claviger
