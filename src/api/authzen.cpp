// SPDX-License-Identifier: Apache-2.0
// Decisions for other programs, as the AuthZEN Authorization API 1.0 asks for them: may this
// subject do this to that resource.
#include <optional>
#include <string>

#include "api/authzen_model.h"
#include "api/resources.h"
#include "auth/asked_subject.h"

namespace claviger {
namespace {

struct EvaluationRequest {
    AuthzenSubject subject;
    AuthzenAction action;
    AuthzenResource resource;
};
BOOST_DESCRIBE_STRUCT(EvaluationRequest, (), (subject, action, resource))

struct EvaluationResponse {
    bool decision = false;
    EvaluationContext context;
};
BOOST_DESCRIBE_STRUCT(EvaluationResponse, (), (decision, context))

EvaluationResponse denied(std::string_view reason) {
    return {false, {std::string(reason), {}, {}}};
}

EvaluationResponse undecided(std::int32_t status, std::string message) {
    return {false, {{}, {}, EvaluationError{status, std::move(message)}}};
}

// --- one evaluation -----------------------------------------------------------------------------

/// About oneself anybody may ask; about others, who may read everybody's access rules.
bool may_ask_about(const Context& context, const std::optional<Subject>& subject) {
    if (subject && *subject == context.caller.principal.subject()) {
        return true;
    }
    const Permission reads_rules{*find_resource_type("access_rules"), Action::read};
    return context.may_use(reads_rules, context.access().root());
}

EvaluationResponse evaluate_one(const Context& context, const EvaluationRequest& request) {
    const auto subject = subject_of(context, request.subject);
    if (!may_ask_about(context, subject)) {
        return undecided(403, "You may ask about yourself only: about others, access_rules:read is "
                              "needed at the tenant.");
    }
    if (!subject) {
        return denied("unknown subject");
    }
    if (const auto why = why_not_served(context.state(), *subject, context.services.clock.now())) {
        return denied(*why);
    }
    const auto permission = permission_of(request.resource.type, request.action.name);
    if (!permission) {
        return denied("unknown resource type or action");
    }
    const auto node = node_of(context, request.resource);
    if (!node) {
        return denied("unknown resource");
    }
    const AskedRights rights(context.state(), *subject);
    const Decision decision = rights.decide(context.access(), *permission, *node);
    if (!decision.allowed()) {
        return denied(name_of(decision.reason));
    }
    return {true, {{}, decision.rule->value, {}}};
}

Result<EvaluationResponse> evaluate(Context& context, const EvaluationRequest& request) {
    return evaluate_one(context, request);
}

// --- many evaluations (section 7) ---------------------------------------------------------------

constexpr std::size_t most_evaluations = 1'000;

struct EvaluationsOptions {
    using WireNames = SnakeCase;
    std::optional<std::string> evaluations_semantic;
};
BOOST_DESCRIBE_STRUCT(EvaluationsOptions, (), (evaluations_semantic))

/// What is not said here is as said for all.
struct EvaluationDefaults {
    std::optional<AuthzenSubject> subject;
    std::optional<AuthzenAction> action;
    std::optional<AuthzenResource> resource;
};
BOOST_DESCRIBE_STRUCT(EvaluationDefaults, (), (subject, action, resource))

struct EvaluationsRequest {
    std::optional<AuthzenSubject> subject;
    std::optional<AuthzenAction> action;
    std::optional<AuthzenResource> resource;
    std::optional<std::vector<EvaluationDefaults>> evaluations;
    std::optional<EvaluationsOptions> options;
};
BOOST_DESCRIBE_STRUCT(EvaluationsRequest, (), (subject, action, resource, evaluations, options))

/// Without `evaluations` in the request, the answer is that of a single one.
struct EvaluationsResponse {
    std::optional<bool> decision;
    std::optional<EvaluationContext> context;
    std::optional<std::vector<EvaluationResponse>> evaluations;
};
BOOST_DESCRIBE_STRUCT(EvaluationsResponse, (), (decision, context, evaluations))

/// Which answer of one ends the evaluations, if any does.
Result<std::optional<bool>> ending_decision(const EvaluationsRequest& request) {
    const std::string semantic = request.options && request.options->evaluations_semantic
                                     ? *request.options->evaluations_semantic
                                     : "execute_all";
    if (semantic == "execute_all") {
        return std::optional<bool>();
    }
    if (semantic == "deny_on_first_deny" || semantic == "permit_on_first_permit") {
        return std::optional(semantic == "permit_on_first_permit");
    }
    return fail(ErrorCode::invalid_request,
                "options.evaluations_semantic must be execute_all, deny_on_first_deny or "
                "permit_on_first_permit");
}

EvaluationResponse evaluate_with_defaults(const Context& context, const EvaluationDefaults& one,
                                          const EvaluationsRequest& all) {
    const auto& subject = one.subject ? one.subject : all.subject;
    const auto& action = one.action ? one.action : all.action;
    const auto& resource = one.resource ? one.resource : all.resource;
    if (!subject || !action || !resource) {
        return undecided(400, "subject, action and resource are needed, here or for all");
    }
    return evaluate_one(context, {*subject, *action, *resource});
}

Result<EvaluationsResponse> evaluate_all(Context& context, const EvaluationsRequest& request) {
    const std::optional<bool> ending = TRY(ending_decision(request));
    EvaluationsResponse answer;
    if (!request.evaluations || request.evaluations->empty()) {
        if (!request.subject || !request.action || !request.resource) {
            return fail(ErrorCode::invalid_request,
                        "Required parameter is missing: subject, action and resource, or "
                        "evaluations");
        }
        EvaluationResponse one =
            evaluate_one(context, {*request.subject, *request.action, *request.resource});
        answer.decision = one.decision;
        answer.context = std::move(one.context);
        return answer;
    }
    if (request.evaluations->size() > most_evaluations) {
        return fail(ErrorCode::invalid_request,
                    "at most " + std::to_string(most_evaluations) + " evaluations in one request");
    }
    answer.evaluations.emplace();
    for (const EvaluationDefaults& one : *request.evaluations) {
        answer.evaluations->push_back(evaluate_with_defaults(context, one, request));
        if (answer.evaluations->back().decision == ending) {
            break;
        }
    }
    return answer;
}

constexpr Operation authzen_operation(std::string_view path, std::string_view id,
                                      std::string_view summary, Access access) {
    return {.method = HttpMethod::post,
            .path = path,
            .id = id,
            .tag = "decisions",
            .summary = summary,
            .access = access,
            .request_class = RequestClass::decision};
}

// --- metadata (section 9) -----------------------------------------------------------------------

struct AuthzenConfiguration {
    using WireNames = SnakeCase;
    std::string policy_decision_point, access_evaluation_endpoint, access_evaluations_endpoint,
        search_subject_endpoint, search_resource_endpoint, search_action_endpoint;
};
BOOST_DESCRIBE_STRUCT(AuthzenConfiguration, (),
                      (policy_decision_point, access_evaluation_endpoint,
                       access_evaluations_endpoint, search_subject_endpoint,
                       search_resource_endpoint, search_action_endpoint))

Result<AuthzenConfiguration> read_authzen_configuration(Context& context, const NoFields&) {
    const std::string base = base_url(context.services.settings, context.state().tenant);
    const std::string search = base + "/access/v1/search/";
    return AuthzenConfiguration{base,
                                base + "/access/v1/evaluation",
                                base + "/access/v1/evaluations",
                                search + "subject",
                                search + "resource",
                                search + "action"};
}

} // namespace

Routes authzen_routes() {
    return {
        route<evaluate>(authzen_operation("/access/v1/evaluation", "evaluateAccess",
                                          "May this subject do this there? (AuthZEN)",
                                          Access::authenticated())),
        route<evaluate_all>(authzen_operation("/access/v1/evaluations", "evaluateAccessOfMany",
                                              "Several such questions at once (AuthZEN)",
                                              Access::authenticated())),
        route<read_authzen_configuration>({.method = HttpMethod::get,
                                           .path = "/.well-known/authzen-configuration",
                                           .id = "getAuthzenConfiguration",
                                           .tag = "discovery",
                                           .summary = "Where decisions are asked for (AuthZEN)",
                                           .access = Access::anyone(),
                                           .runs_on = RunsOn::inline_thread,
                                           .request_class = RequestClass::metadata}),
    };
}

} // namespace claviger
