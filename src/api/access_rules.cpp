// SPDX-License-Identifier: Apache-2.0
// Access rules (contract 2.6).
#include <algorithm>

#include "api/access_rule_fields.h"
#include "api/access_rule_view.h"
#include "api/count.h"
#include "api/resources.h"
#include "api/rule_selection.h"

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

Result<std::vector<AccessRule>> deleted_rules(const Context& context,
                                              const AccessRulesRequest& request) {
    if (!request.include_deleted.value_or(false)) {
        return std::vector<AccessRule>();
    }
    return context.services.store.deleted_access_rules(context.caller.tenant());
}

/// Where a rule of a list is found again.
struct RulePosition {
    std::int32_t number = 0;
    const AccessRule* deleted = nullptr; // null for a live one
    auto operator<=>(const RulePosition&) const = default;
};
/// One page of the rules within the caller's reach that a request asks for.
struct RulePage {
    std::size_t total = 0; // on all pages
    std::vector<RulePosition> positions;
};

/// Of all live rules: their numbers will do.
RulePage page_of_all(const AccessSnapshot& access, const Page& page, bool descending) {
    std::vector<std::int32_t> numbers;
    numbers.reserve(access.rule_count());
    access.for_each_rule_number([&](std::int32_t number) { numbers.push_back(number); });
    const std::size_t first = std::min(page.offset, numbers.size());
    const std::size_t last = std::min(page.offset + page.limit, numbers.size());
    const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = numbers.begin() + static_cast<std::ptrdiff_t>(last);
    const auto is_before = [&](std::int32_t a, std::int32_t b) {
        return descending ? b < a : a < b;
    };
    std::nth_element(numbers.begin(), begin, numbers.end(), is_before);
    std::partial_sort(begin, end, numbers.end(), is_before);
    RulePage rules{numbers.size(), {}};
    std::ranges::transform(begin, end, std::back_inserter(rules.positions),
                           [](std::int32_t number) { return RulePosition{number, nullptr}; });
    return rules;
}

Result<RulePage> find_rules(const Context& context, const AccessRulesRequest& request,
                            const Page& page, const std::vector<AccessRule>& deleted) {
    using Walk = PageWalk<ListedRule, RulePosition, PageKeeps::positions>;
    const ListRequest order = order_of(request); // the selection judges the rest, with less work
    auto walk = TRY(Walk::begin(order, page, access_rule_fields(), nullptr));
    RuleSelection selection = TRY(RuleSelection::begin(context, request));
    if (selection.is_everything() && deleted.empty() && !order.sort_by) {
        return page_of_all(context.access(), page, TRY(is_descending(order)));
    }
    selection.for_each_live(
        [&](const ListedRule& row) { walk.offer({row.rule.number, nullptr}, row); });
    for (const AccessRule& rule : deleted) {
        const RuleInPlace place = without_scope(rule);
        const ListedRule row{context.state(), place, &rule};
        if (selection.contains(row)) {
            walk.offer({rule.id.value, &rule}, row);
        }
    }
    return RulePage{walk.total(), walk.positions()};
}

AccessRuleView view_at(const Context& context, const RulePosition& position) {
    const AccessRuleId id{context.caller.tenant(), position.number};
    return access_rule_view(context.state(), position.deleted != nullptr
                                                 ? *position.deleted
                                                 : *context.access().rule(id));
}

struct AccessRulesResponse {
    std::int64_t total_records = 0, display_records = 0;
    std::vector<AccessRuleView> access_rules;
};
BOOST_DESCRIBE_STRUCT(AccessRulesResponse, (), (total_records, display_records, access_rules))

Result<AccessRulesResponse> list_access_rules(Context& context, const AccessRulesRequest& request) {
    const Page page = TRY(page_of(request));
    const auto deleted = TRY(deleted_rules(context, request));
    const RulePage rules = TRY(find_rules(context, request, page, deleted));
    AccessRulesResponse answer;
    answer.total_records = static_cast<std::int64_t>(rules.total);
    for (const RulePosition& position : rules.positions) {
        answer.access_rules.push_back(view_at(context, position));
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
    const RulePage rules = TRY(find_rules(context, list, no_page, deleted));
    return CountResponse{static_cast<std::int64_t>(rules.total)};
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
