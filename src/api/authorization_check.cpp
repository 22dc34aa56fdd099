// SPDX-License-Identifier: Apache-2.0
// Decisions with their grounds: one, to the question of an AuthZEN evaluation, where who may not
// know the grounds gets the answer of one; and all that allow something somewhere.
#include <algorithm>
#include <ranges>

#include "access/explain.h"
#include "api/access_rule_fields.h"
#include "api/authzen_model.h"
#include "api/grounds_view.h"
#include "api/resources.h"
#include "auth/asked_subject.h"

namespace claviger {
namespace {

/// As AuthzenResource; without an id, the tenant is meant.
struct CheckedResource {
    std::string type;
    std::optional<std::string> id;
    std::optional<ResourceProperties> properties;
};
BOOST_DESCRIBE_STRUCT(CheckedResource, (), (type, id, properties))

struct CheckRequest {
    AuthzenSubject subject; // of the type "caller": whoever asks
    AuthzenAction action;
    CheckedResource resource;
    std::optional<bool> explain; // true when it is not said
};
BOOST_DESCRIBE_STRUCT(CheckRequest, (), (subject, action, resource, explain))

/// The rule that permits.
struct GrantingRule {
    std::int32_t id = 0;
    SubjectTypeText subject_type; // the subject itself, or a group that it is in
    std::string subject_id;
    std::int32_t role_id = 0;
    std::string role_name;
    ScopeView scope;
};
BOOST_DESCRIBE_STRUCT(GrantingRule, (), (id, subject_type, subject_id, role_id, role_name, scope))

struct CheckExplanation {
    std::string permission;
    ScopeView scope;
    // Allowed:
    std::optional<GrantingRule> rule; // absent: it stands where the caller may read no rules
    std::optional<std::vector<ScopeView>> inheritance; // from the rule's scope down to this one
    // Denied:
    std::optional<std::string> missing_permission;
    std::optional<std::string> limit;                   // refuses whatever rules say
    std::optional<std::vector<std::string>> held_there; // of the same resource type
    std::optional<std::vector<ScopeView>> held_at;      // where the missing one is, nearest first
    std::optional<std::vector<SmallestGrantView>> smallest_grants; // for who may read rules there
};
BOOST_DESCRIBE_STRUCT(CheckExplanation, (),
                      (permission, scope, rule, inheritance, missing_permission, limit, held_there,
                       held_at, smallest_grants))

struct CheckResponse {
    bool decision = false;
    EvaluationContext context;
    std::optional<CheckExplanation> explanation;
};
BOOST_DESCRIBE_STRUCT(CheckResponse, (), (decision, context, explanation))

CheckResponse denied(std::string_view reason) {
    return {false, {std::string(reason), {}, {}}, {}};
}

/// The same to every stranger, whatever there is: it tells of no subject and of no resource.
CheckResponse not_for_strangers() {
    return {false,
            {{},
             {},
             EvaluationError{403, "You may ask about yourself only: about others, "
                                  "access_rules:read is needed at the resource."}},
            {}};
}

std::optional<NodeIndex> node_of(const Context& context, const CheckedResource& resource) {
    if (!resource.id) {
        return context.access().root();
    }
    return node_of(context, AuthzenResource{resource.type, *resource.id, resource.properties});
}

// --- who learns what ----------------------------------------------------------------------------

/// What the caller may know of the grounds: all that concerns itself, and what it may read of
/// access rules, which it may at a part of the tree only.
class Audience {
public:
    /// A right that makes the answer wider is used; without grounds, one's own is never wider.
    Audience(const Context& context, const std::optional<Subject>& asked,
             std::optional<NodeIndex> node, bool with_grounds)
        : context_(context), is_own_(asked && *asked == context.caller.principal.subject()) {
        if (!is_own_ || with_grounds) {
            reads_all_ = context.may_use(reads_rules_, context.access().root());
            reads_here_ = reads_all_ || (node && context.may_use(reads_rules_, *node));
        }
    }

    bool is_stranger() const { return !is_own_ && !reads_here_; }
    bool is_own() const { return is_own_; }
    /// Names in the tree.
    bool reads_all() const { return reads_all_; }
    /// What would be enough.
    bool reads_here() const { return reads_here_; }
    bool may_know_of(NodeIndex scope) const {
        return is_own_ || reads_all_ || context_.decide(reads_rules_, scope).allowed();
    }
    /// The others tell what rules there are elsewhere.
    DecisionReason told(DecisionReason reason) const {
        const bool is_of_rules = reason == DecisionReason::no_rule ||
                                 reason == DecisionReason::out_of_reach ||
                                 reason == DecisionReason::not_held_anywhere;
        return is_of_rules && !is_own_ && !reads_all_ ? DecisionReason::not_permitted : reason;
    }

private:
    const Context& context_;
    Permission reads_rules_{*find_resource_type("access_rules"), Action::read};
    bool is_own_ = false;
    bool reads_all_ = false;
    bool reads_here_ = false;
};

// --- the grounds --------------------------------------------------------------------------------

GrantingRule granting_rule(const Context& context, const Decision& decision, bool with_path) {
    const AccessSnapshot& access = context.access();
    const AccessRule rule = *access.rule(*decision.rule);
    return {rule.id.value,
            {rule.subject.type},
            shown_id(context.state(), rule.subject),
            rule.role.value,
            std::string(access.role_name(rule.role.value)),
            scope_view(access, *decision.rule_scope, with_path)};
}

CheckExplanation explanation_for(const Audience& audience, const Context& context,
                                 const AccessQuery& query, ExplainedDecision grounds) {
    const AccessSnapshot& access = context.access();
    const bool with_path = audience.reads_all();
    CheckExplanation view;
    view.permission = text_of(query.permission);
    view.scope = scope_view(access, query.scope, with_path);
    if (grounds.decision.allowed()) {
        if (audience.may_know_of(*grounds.decision.rule_scope)) {
            view.rule = granting_rule(context, grounds.decision, with_path);
            view.inheritance = scope_views(access, grounds.inheritance, with_path);
        }
        return view;
    }
    view.missing_permission = view.permission;
    if (grounds.limit) {
        view.limit = std::string(name_of(reason_of(*grounds.limit)));
    }
    view.held_there = held_of_the_type(grounds.held_there, query.permission);
    std::erase_if(grounds.held_at, [&](NodeIndex scope) { return !audience.may_know_of(scope); });
    view.held_at = scope_views(access, grounds.held_at, with_path);
    if (audience.reads_here()) {
        view.smallest_grants =
            grant_views(access, grounds.grants, query.permission, grounds.held_there);
    }
    return view;
}

CheckResponse decided(const Audience& audience, const Context& context, const AccessQuery& query,
                      bool with_grounds) {
    ExplainedDecision grounds = explain(context.access(), query);
    const Decision decision = grounds.decision;
    CheckResponse answer;
    answer.decision = decision.allowed();
    if (!answer.decision) {
        answer.context.reason = std::string(name_of(audience.told(decision.reason)));
    } else if (audience.may_know_of(*decision.rule_scope)) {
        answer.context.rule = decision.rule->value;
    }
    if (with_grounds) {
        answer.explanation = explanation_for(audience, context, query, std::move(grounds));
    }
    return answer;
}

Result<CheckResponse> check(Context& context, const CheckRequest& request) {
    const Principal& caller = context.caller.principal;
    const auto subject = request.subject.type == "caller" ? std::optional(caller.subject())
                                                          : subject_of(context, request.subject);
    const auto permission = permission_of(request.resource.type, request.action.name);
    const auto node = node_of(context, request.resource);
    const bool with_grounds = request.explain.value_or(true);
    const Audience audience(context, subject, node, with_grounds);
    if (audience.is_stranger()) {
        return not_for_strangers();
    }
    if (!subject) {
        return denied("unknown subject");
    }
    if (const auto why = why_not_served(context.state(), *subject, context.services.clock.now())) {
        return denied(*why);
    }
    if (!permission) {
        return denied("unknown resource type or action");
    }
    if (!node) {
        return denied("unknown resource");
    }
    if (audience.is_own()) { // with the limits of the key and the token that ask
        const Rights rights = rights_of(caller);
        return decided(audience, context, {rights.subjects(), *permission, *node, rights.limits()},
                       with_grounds);
    }
    const AskedRights rights(context.state(), *subject);
    const AccessHolder holder = rights.holder();
    return decided(audience, context, {holder.subjects, *permission, *node, holder.limits},
                   with_grounds);
}

// --- who may ------------------------------------------------------------------------------------

constexpr std::int32_t usual_limit = 100;
constexpr std::int32_t most_subjects = 1'000; // on a page

struct WhoCanRequest {
    AuthzenAction action;
    CheckedResource resource;
    std::optional<std::int32_t> limit, offset;
};
BOOST_DESCRIBE_STRUCT(WhoCanRequest, (), (action, resource, limit, offset))

struct AllowedSubject {
    SubjectTypeText type;
    std::string id;
    GrantingRule rule;
};
BOOST_DESCRIBE_STRUCT(AllowedSubject, (), (type, id, rule))

struct AllowedSubjects {
    std::vector<AllowedSubject> subjects;
    std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(AllowedSubjects, (), (subjects, total))

/// Whose page begins at `from`, by type and name.
std::vector<AllowedSubject> shown_subjects(const Context& context, std::vector<Subject> found,
                                           const AccessQuery& query, std::size_t from,
                                           std::size_t most) {
    const TenantState& state = context.state();
    std::ranges::sort(found, {}, [&](const Subject& subject) {
        return std::pair(subject.type, shown_id(state, subject));
    });
    std::vector<AllowedSubject> shown;
    for (const Subject& subject : found | std::views::drop(from) | std::views::take(most)) {
        const Decision decision =
            AskedRights(state, subject).decide(context.access(), query.permission, query.scope);
        shown.push_back(
            {{subject.type}, shown_id(state, subject), granting_rule(context, decision, true)});
    }
    return shown;
}

Result<AllowedSubjects> list_who_can(Context& context, const WhoCanRequest& request) {
    const std::int32_t limit = request.limit.value_or(usual_limit);
    const std::int32_t offset = request.offset.value_or(0);
    if (limit < 1 || limit > most_subjects || offset < 0) {
        return fail(ErrorCode::invalid_request, "limit must be from 1 to " +
                                                    std::to_string(most_subjects) +
                                                    ", and offset not negative");
    }
    const auto permission = permission_of(request.resource.type, request.action.name);
    if (!permission) {
        return fail(ErrorCode::invalid_request, "resource.type and action.name name no permission");
    }
    const auto node = node_of(context, request.resource);
    if (!node) {
        return fail(ErrorCode::not_found, "no scope has this resource.id");
    }
    std::vector<Subject> found =
        who_is_allowed(context.state(), *permission, *node, context.services.clock.now());
    AllowedSubjects answer;
    answer.total = static_cast<std::int64_t>(found.size());
    answer.subjects =
        shown_subjects(context, std::move(found), {{}, *permission, *node},
                       static_cast<std::size_t>(offset), static_cast<std::size_t>(limit));
    return answer;
}

} // namespace

Routes authorization_check_routes() {
    return {
        route<check>({.method = HttpMethod::post,
                      .path = "/api/v1/authorization/check",
                      .id = "checkAuthorization",
                      .tag = "decisions",
                      .summary = "May this subject do this there, and why or why not?",
                      .access = Access::authenticated(),
                      .request_class = RequestClass::decision}),
        route<list_who_can>({.method = HttpMethod::post,
                             .path = "/api/v1/authorization/who-can",
                             .id = "listWhoCan",
                             .tag = "decisions",
                             .summary = "Who may do this there, and by which access rules?",
                             .access = may_access_rules(Action::read, EvaluatedAt::tenant),
                             .request_class = RequestClass::decision}),
    };
}

} // namespace claviger
