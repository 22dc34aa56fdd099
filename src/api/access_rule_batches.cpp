// SPDX-License-Identifier: Apache-2.0
// Many access rules at once (contract 2.6): an entry that is refused is named with its reason, and
// the others are done, all of them or none.
#include <algorithm>
#include <set>

#include "api/access_rule_fields.h"
#include "api/access_rule_view.h"
#include "api/problem.h"
#include "api/resources.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t most_entries = 1000;

// --- delete -------------------------------------------------------------------------------------

/// The id of a rule as text or as an integer; whatever else stands there names no rule.
struct AccessRuleIdText {
    std::string text;
    std::int32_t number = 0; // 0: no rule has it

    static Result<AccessRuleIdText> decode(std::string_view text) {
        return AccessRuleIdText{std::string(text), parse_integer<std::int32_t>(text).value_or(0)};
    }
    static Result<AccessRuleIdText> decode(std::int64_t number) {
        return decode(std::to_string(number));
    }
    std::string wire() const { return text; }
    static json::object schema() { return {{"type", "string"}}; }
};

struct AccessRulesBatchAction {
    BatchMode value = BatchMode::real;

    static Result<AccessRulesBatchAction> decode(std::string_view text) {
        if (text != "delete" && text != "validate_delete") {
            return fail(ErrorCode::invalid_request, "must be delete or validate_delete");
        }
        return AccessRulesBatchAction{text == "delete" ? BatchMode::real : BatchMode::rehearsal};
    }
    std::string wire() const { return value == BatchMode::real ? "delete" : "validate_delete"; }
    static json::object schema() {
        return {{"type", "string"}, {"enum", json::array{"delete", "validate_delete"}}};
    }
};

struct AccessRulesBatchFields {
    std::vector<AccessRuleIdText> ids;
    AccessRulesBatchAction action;
};
BOOST_DESCRIBE_STRUCT(AccessRulesBatchFields, (), (ids, action))

struct AccessRuleDeletionFailure {
    AccessRuleIdText id;
    std::int32_t code = 0;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(AccessRuleDeletionFailure, (), (id, code, message))

struct AccessRuleDeletionBatchResponse {
    Uuid id;
    std::vector<AccessRuleIdText> succeeded;
    std::vector<AccessRuleDeletionFailure> failed;
};
BOOST_DESCRIBE_STRUCT(AccessRuleDeletionBatchResponse, (), (id, succeeded, failed))

/// What is asked before a single rule is deleted.
Result<void> check_deletion(Context& context, const AccessRuleIdText& id) {
    const NodeIndex scope = TRY(AccessRuleRequest{id.number}.scope(context));
    return authorise(context, may_access_rules(Action::remove, EvaluatedAt::request), scope);
}

Result<AccessRuleDeletionBatchResponse> delete_access_rules(Context& context,
                                                            const AccessRulesBatchFields& request) {
    if (request.ids.size() > most_entries) {
        return fail(ErrorCode::invalid_request, "ids: at most 1000 in a batch");
    }
    AccessRuleDeletionBatchResponse answer;
    answer.id = Uuid::make(context.services.random);
    std::set<std::string_view> seen;
    std::vector<AccessRuleIdText> passed;
    std::vector<AccessRuleId> ids;
    for (const AccessRuleIdText& id : request.ids) {
        if (!seen.insert(id.text).second) {
            continue;
        }
        if (const auto verdict = check_deletion(context, id); !verdict) {
            answer.failed.push_back(
                {id, problem_status(verdict.error().code()), verdict.error().detail()});
        } else {
            passed.push_back(id);
            ids.push_back({context.caller.tenant(), id.number});
        }
    }
    const RulesRemoved outcomes =
        TRY(context.services.access_rules.remove_all(context.caller, ids, request.action.value));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i]) {
            answer.succeeded.push_back(passed[i]);
        } else {
            answer.failed.push_back({passed[i], problem_status(outcomes[i].error().code()),
                                     outcomes[i].error().detail()});
        }
    }
    return answer;
}

// --- create -------------------------------------------------------------------------------------

struct AccessRuleSubject {
    std::string subject_id;
    SubjectTypeText subject_type;
};
BOOST_DESCRIBE_STRUCT(AccessRuleSubject, (), (subject_id, subject_type))

struct AccessRuleScope {
    std::string scope_id;
    ScopeTypeText scope_type;
};
BOOST_DESCRIBE_STRUCT(AccessRuleScope, (), (scope_id, scope_type))

struct AccessRulesBatchCreatePayload {
    std::int32_t role_id = 0;
    std::optional<std::string> cluster_id;
    std::vector<AccessRuleSubject> subjects;
    std::vector<AccessRuleScope> scopes;
};
BOOST_DESCRIBE_STRUCT(AccessRulesBatchCreatePayload, (), (role_id, cluster_id, subjects, scopes))

struct AccessRulesBatchCreateFields {
    AccessRulesBatchCreatePayload payload;
};
BOOST_DESCRIBE_STRUCT(AccessRulesBatchCreateFields, (), (payload))

struct AccessRuleCreationFailure {
    AccessRuleCreationFields payload;
    std::int32_t code = 0;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(AccessRuleCreationFailure, (), (payload, code, message))

struct AccessRulesBatchCreateResponse {
    std::vector<AccessRuleView> succeeded;
    std::vector<AccessRuleCreationFailure> failed;
};
BOOST_DESCRIBE_STRUCT(AccessRulesBatchCreateResponse, (), (succeeded, failed))

/// One entry for each subject at each scope.
std::vector<AccessRuleCreationFields> entries_of(const AccessRulesBatchCreatePayload& payload) {
    std::vector<AccessRuleCreationFields> entries;
    entries.reserve(payload.subjects.size() * payload.scopes.size());
    for (const AccessRuleSubject& subject : payload.subjects) {
        for (const AccessRuleScope& scope : payload.scopes) {
            entries.push_back({subject.subject_id, subject.subject_type, payload.role_id,
                               scope.scope_id, scope.scope_type, payload.cluster_id});
        }
    }
    return entries;
}

/// What is asked before a single rule is created.
Result<AccessRuleDraft> check_creation(Context& context, const AccessRuleCreationFields& fields) {
    const NodeIndex scope = TRY(fields.scope(context));
    TRY(authorise(context, may_access_rules(Action::create, EvaluatedAt::request), scope));
    return fields.draft(context);
}

Result<AccessRulesBatchCreateResponse>
create_access_rules(Context& context, const AccessRulesBatchCreateFields& request) {
    const AccessRulesBatchCreatePayload& payload = request.payload;
    if (payload.subjects.size() * payload.scopes.size() > most_entries) {
        return fail(ErrorCode::invalid_request,
                    "payload: at most 1000 rules, which is subjects times scopes, in a batch");
    }
    AccessRulesBatchCreateResponse answer;
    std::vector<AccessRuleCreationFields> passed;
    std::vector<AccessRuleDraft> drafts;
    for (AccessRuleCreationFields& entry : entries_of(payload)) {
        if (const auto draft = check_creation(context, entry); !draft) {
            answer.failed.push_back(
                {entry, problem_status(draft.error().code()), draft.error().detail()});
        } else {
            drafts.push_back(*draft);
            passed.push_back(std::move(entry));
        }
    }
    const RulesCreated outcomes =
        TRY(context.services.access_rules.create_all(context.caller, drafts));
    const TenantStatePointer state = context.latest_state();
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i]) {
            answer.succeeded.push_back(access_rule_view(*state, *outcomes[i]));
        } else {
            answer.failed.push_back({passed[i], problem_status(outcomes[i].error().code()),
                                     outcomes[i].error().detail()});
        }
    }
    return answer;
}

} // namespace

Routes access_rule_batch_routes() {
    constexpr std::string_view tag = "access rules";
    return {
        route<delete_access_rules>(
            {.method = HttpMethod::post,
             .path = "/api/v1/authorization/access-rules/batch",
             .id = "batchAccessRules",
             .tag = tag,
             .summary = "Delete many access rules, or only say which could be deleted",
             .access = may_access_rules(Action::remove, EvaluatedAt::anywhere)}),
        route<create_access_rules>(
            {.method = HttpMethod::post,
             .path = "/api/v1/authorization/access-rules/batch-create",
             .id = "batchCreateAccessRules",
             .tag = tag,
             .summary = "Give many subjects a role at many scopes",
             .access = may_access_rules(Action::create, EvaluatedAt::anywhere)}),
    };
}

} // namespace claviger
