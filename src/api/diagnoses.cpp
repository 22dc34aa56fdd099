// SPDX-License-Identifier: Apache-2.0
// Why a request was refused, for whom it concerns.
#include "auth/diagnoses.h"

#include "api/diagnosis_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct DiagnosisRequest {
    std::string request_id;
};
BOOST_DESCRIBE_STRUCT(DiagnosisRequest, (), (request_id))

/// What may be told to the caller: nothing, unless it is about the caller, or the caller may read
/// the audit log.
std::optional<Disclosure> disclosure_to(const Context& context, const RefusedSubject& subject) {
    const Permission audit{*find_resource_type("events-history"), Action::read};
    if (context.may_use(audit, context.access().root())) {
        return Disclosure::administrator;
    }
    const Principal& caller = context.caller.principal;
    const bool is_own = subject.kind == caller.kind && subject.id == caller.id;
    return is_own ? std::optional(Disclosure::own) : std::nullopt;
}

Result<DiagnosisView> read_diagnosis(Context& context, const DiagnosisRequest& request) {
    const auto id = Uuid::parse(request.request_id);
    const auto found =
        id ? context.services.diagnoses.find(context.caller.tenant(), *id) : std::nullopt;
    const auto disclosure = found ? disclosure_to(context, found->refusal.subject) : std::nullopt;
    if (!disclosure) { // to a stranger, one that is there is as one that is not
        return fail(ErrorCode::not_found, "no refusal that you may read has this requestId");
    }
    return view_of(*found, context.state(), *disclosure);
}

} // namespace

Routes diagnosis_routes() {
    return {
        route<read_diagnosis>({.method = HttpMethod::get,
                               .path = "/api/v1/diagnoses/{requestId}",
                               .id = "getDiagnosis",
                               .tag = "audit",
                               .summary = "Say why a request was refused, to whom it is about and "
                                          "to who may read the audit log",
                               .access = Access::authenticated()}),
    };
}

} // namespace claviger
