// SPDX-License-Identifier: Apache-2.0
// Access rules (contract 2.6).
#include <algorithm>

#include "api/access_rule_fields.h"
#include "api/access_rule_view.h"
#include "api/count.h"
#include "api/resources.h"

namespace claviger {
namespace {

// --- one rule -----------------------------------------------------------------------------------

Result<AccessRuleView> create_access_rule(Context& context,
                                          const AccessRuleCreationFields& request) {
    const AccessRuleDraft draft = TRY(request.draft(context));
    const AccessRule rule = TRY(context.services.access_rules.create(context.caller, draft));
    return access_rule_view(*context.latest_state(), rule);
}

struct AccessRuleById : AccessRuleView {
    Nullable<std::string> scope_path;
};
BOOST_DESCRIBE_STRUCT(AccessRuleById, (),
                      (id, subject_id, subject_type, role_id, role_name, scope_id, scope_type,
                       scope_name, cluster_id, created_at, updated_at, deleted_at, created_by,
                       tenant_id, status, scope_path))

Result<AccessRuleById> read_access_rule(Context& context, const AccessRuleRequest& request) {
    const AccessRule rule = TRY(request.find(context));
    const NodeIndex node = TRY(request.scope(context));
    AccessRuleById answer;
    static_cast<AccessRuleView&>(answer) = access_rule_view(context.state(), rule);
    answer.scope_path = {context.access().path(node)};
    return answer;
}

Result<Empty> delete_access_rule(Context& context, const AccessRuleRequest& request) {
    TRY(context.services.access_rules.remove(context.caller,
                                             {context.caller.tenant(), request.access_rule_id}));
    return Empty{};
}

// --- list and count -----------------------------------------------------------------------------

struct AccessRulesRequest : ListRequest {
    std::optional<std::vector<std::string>> subject_ids;
    std::optional<std::string> subject_id_filter, scope_id, cluster_id, last_updated;
    std::optional<SubjectTypeText> subject_type;
    std::optional<ScopeTypeText> scope_type;
    std::optional<std::int32_t> role_id;
    std::optional<bool> include_deleted;
};
BOOST_DESCRIBE_STRUCT(AccessRulesRequest, (),
                      (subject_type, subject_id_filter, subject_ids, limit, offset, last_updated,
                       include_deleted, cluster_id, scope_type, scope_id, role_id, sort_order,
                       sort_by, filter_by, search))

/// The single filters beside filterBy, read once.
struct SingleFilters {
    const AccessRulesRequest& request;
    std::optional<Timestamp> updated_since;
    std::optional<NodeIndex> cluster; // absent when it is unknown as well

    bool pass(const ListedRule& row) const {
        const auto equal = [](const auto& wanted, const auto& actual) {
            return !wanted || *wanted == actual;
        };
        if (!equal(request.role_id, row.rule.role) ||
            (request.subject_type && request.subject_type->value != row.rule.subject_type) ||
            (updated_since && row.rule.updated_at < *updated_since)) {
            return false;
        }
        if (request.cluster_id) {
            const auto scope = row.scope();
            if (!cluster || !scope || !row.state->access.is_same_or_below(*scope, *cluster)) {
                return false;
            }
        }
        if (request.scope_id || request.scope_type) {
            const ScopeId scope = row.scope_id();
            if (!equal(request.scope_id, scope.value) ||
                (request.scope_type && request.scope_type->value != scope.type)) {
                return false;
            }
        }
        if (!request.subject_ids && !request.subject_id_filter) {
            return true;
        }
        const std::string subject = row.subject();
        return equal(request.subject_id_filter, subject) &&
               (!request.subject_ids ||
                std::ranges::find(*request.subject_ids, subject) != request.subject_ids->end());
    }
};

Result<SingleFilters> single_filters(const Context& context, const AccessRulesRequest& request) {
    SingleFilters filters{request, std::nullopt, std::nullopt};
    if (request.last_updated) {
        filters.updated_since = parse_rfc3339(*request.last_updated);
        if (!filters.updated_since) {
            return fail(ErrorCode::invalid_request, "lastUpdated is no RFC 3339 time");
        }
    }
    if (request.cluster_id) {
        filters.cluster = context.access().find(
            {context.caller.tenant(), ScopeType::cluster, *request.cluster_id});
    }
    return filters;
}

Result<std::vector<AccessRule>> deleted_rules(const Context& context,
                                              const AccessRulesRequest& request) {
    if (!request.include_deleted.value_or(false)) {
        return std::vector<AccessRule>();
    }
    return context.services.store.deleted_access_rules(context.caller.tenant());
}

/// Lets all rules within the caller's reach that the request asks for pass by.
Result<PageWalk<ListedRule>> walk_access_rules(const Context& context,
                                               const AccessRulesRequest& request, const Page& page,
                                               const std::vector<AccessRule>& deleted) {
    auto walk =
        TRY(PageWalk<ListedRule>::begin(request, page, access_rule_fields(), listed_rule_found));
    const SingleFilters filters = TRY(single_filters(context, request));
    const AccessSnapshot& access = context.access();
    const Rights rights = rights_of(context.caller.principal);
    const auto reach = permitted_scopes(access, rights.holder(),
                                        {*find_resource_type("access_rules"), Action::read});
    const auto offer = [&](const ListedRule& row) {
        // The scope of a deleted rule may be gone: then only the tenant's readers see it.
        const NodeIndex at = row.scope().value_or(access.root());
        const bool readable = std::ranges::any_of(
            reach, [&](NodeIndex scope) { return access.is_same_or_below(at, scope); });
        if (readable && filters.pass(row)) {
            walk.offer(row.rule.number, row);
        }
    };
    access.for_each_rule(
        [&](const RuleInPlace& rule) { offer(ListedRule::of(context.state(), rule)); });
    for (const AccessRule& rule : deleted) {
        offer(ListedRule::of_deleted(context.state(), rule));
    }
    return walk;
}

struct AccessRulesResponse {
    std::int64_t total_records = 0, display_records = 0;
    std::vector<AccessRuleView> access_rules;
};
BOOST_DESCRIBE_STRUCT(AccessRulesResponse, (), (total_records, display_records, access_rules))

Result<AccessRulesResponse> list_access_rules(Context& context, const AccessRulesRequest& request) {
    const Page page = TRY(page_of(request));
    const auto deleted = TRY(deleted_rules(context, request));
    auto walk = TRY(walk_access_rules(context, request, page, deleted));
    AccessRulesResponse answer;
    answer.total_records = static_cast<std::int64_t>(walk.total());
    for (const ListedRule& row : walk.rows()) {
        answer.access_rules.push_back(row.view());
    }
    answer.display_records = static_cast<std::int64_t>(answer.access_rules.size());
    return answer;
}

struct AccessRuleCountRequest {
    std::optional<bool> include_deleted;
    std::optional<FilterText> filter_by;
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(AccessRuleCountRequest, (), (include_deleted, filter_by, search))

Result<CountResponse> count_access_rules(Context& context, const AccessRuleCountRequest& request) {
    AccessRulesRequest list;
    list.include_deleted = request.include_deleted;
    list.filter_by = request.filter_by;
    list.search = request.search;
    const auto deleted = TRY(deleted_rules(context, list));
    const auto walk = TRY(walk_access_rules(context, list, no_page, deleted));
    return CountResponse{static_cast<std::int64_t>(walk.total())};
}

} // namespace

Routes access_rule_routes() {
    constexpr std::string_view collection = "/api/v1/authorization/access-rules";
    constexpr std::string_view item = "/api/v1/authorization/access-rules/{accessRuleId}";
    constexpr std::string_view count = "/api/v1/authorization/access-rules/count";
    constexpr std::string_view tag = "access rules";
    return {
        route<list_access_rules>({.method = HttpMethod::get,
                                  .path = collection,
                                  .id = "listAccessRules",
                                  .tag = tag,
                                  .summary = "List the access rules within reach",
                                  .access = may_access_rules(Action::read, EvaluatedAt::anywhere)}),
        route<create_access_rule>(
            {.method = HttpMethod::post,
             .path = collection,
             .id = "createAccessRule",
             .tag = tag,
             .summary = "Give a subject a role at a scope; nobody can give more than they hold",
             .access = may_access_rules(Action::create, EvaluatedAt::request),
             .success = 201}),
        route<count_access_rules>(
            {.method = HttpMethod::get,
             .path = count,
             .id = "countAccessRules",
             .tag = tag,
             .summary = "Count the access rules within reach",
             .access = may_access_rules(Action::read, EvaluatedAt::anywhere)}),
        route<read_access_rule>({.method = HttpMethod::get,
                                 .path = item,
                                 .id = "getAccessRule",
                                 .tag = tag,
                                 .summary = "Read one access rule",
                                 .access = may_access_rules(Action::read, EvaluatedAt::request),
                                 .runs_on = RunsOn::inline_thread}),
        route<delete_access_rule>({.method = HttpMethod::remove,
                                   .path = item,
                                   .id = "deleteAccessRule",
                                   .tag = tag,
                                   .summary = "Take a role away; acts on the next request",
                                   .access = may_access_rules(Action::remove, EvaluatedAt::request),
                                   .success = 204}),
    };
}

} // namespace claviger
