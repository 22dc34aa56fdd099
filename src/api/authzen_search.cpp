// SPDX-License-Identifier: Apache-2.0
// The searches of the AuthZEN Authorization API 1.0 (sections 8 to 10): who may, on what, and what.
// What a search names, an evaluation allows. For those who may read everybody's access rules.
#include <algorithm>
#include <array>

#include "access/who_can.h"
#include "api/access_rule_fields.h"
#include "api/authzen_model.h"
#include "api/resources.h"
#include "auth/asked_subject.h"
#include "base/encoding.h"

namespace claviger {
namespace {

constexpr std::int32_t usual_limit = 100;
constexpr std::int32_t most_results = 1'000; // on a page

// --- pages --------------------------------------------------------------------------------------

/// `next_token` is where earlier drafts had `token`.
struct SearchPage {
    using WireNames = SnakeCase;
    std::optional<std::string> token, next_token;
    std::optional<std::int32_t> limit;
};
BOOST_DESCRIBE_STRUCT(SearchPage, (), (token, next_token, limit))

struct FoundPage {
    using WireNames = SnakeCase;
    std::string next_token; // empty: this is the last page
    std::int64_t count = 0, total = 0;
};
BOOST_DESCRIBE_STRUCT(FoundPage, (), (next_token, count, total))

/// Shorter before longer, so that numbers stand in their order.
bool stands_before(const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// Leaves in `ids` those of one page, in order. A token names the last id of the page before: what
/// comes and goes meanwhile shifts nothing.
Result<FoundPage> take_page(std::vector<std::string>& ids, const std::optional<SearchPage>& page) {
    std::ranges::sort(ids, stands_before);
    const std::int32_t limit = page && page->limit ? *page->limit : usual_limit;
    if (limit < 1 || limit > most_results) {
        return fail(ErrorCode::invalid_request,
                    "page.limit must be from 1 to " + std::to_string(most_results));
    }
    const auto total = static_cast<std::int64_t>(ids.size());
    const auto& token =
        page && page->token ? page->token : (page ? page->next_token : std::nullopt);
    if (token && !token->empty()) {
        const auto last = decode_base64url(*token);
        if (!last) {
            return fail(ErrorCode::invalid_request, "page.token was not made here");
        }
        const std::string after(last->begin(), last->end());
        const auto from = std::ranges::upper_bound(ids, after, stands_before);
        ids.erase(ids.begin(), from);
    }
    FoundPage found;
    found.total = total;
    if (ids.size() > static_cast<std::size_t>(limit)) {
        ids.resize(static_cast<std::size_t>(limit));
        found.next_token = base64url(as_bytes(ids.back()));
    }
    found.count = static_cast<std::int64_t>(ids.size());
    return found;
}

// --- who ----------------------------------------------------------------------------------------

struct SubjectTypeAsked {
    std::string type;
};
BOOST_DESCRIBE_STRUCT(SubjectTypeAsked, (), (type))

struct SubjectSearchRequest {
    SubjectTypeAsked subject;
    AuthzenAction action;
    AuthzenResource resource;
    std::optional<SearchPage> page;
};
BOOST_DESCRIBE_STRUCT(SubjectSearchRequest, (), (subject, action, resource, page))

struct EntityFound {
    std::string type, id;
};
BOOST_DESCRIBE_STRUCT(EntityFound, (), (type, id))

struct EntitiesFound {
    std::vector<EntityFound> results;
    FoundPage page;
};
BOOST_DESCRIBE_STRUCT(EntitiesFound, (), (results, page))

Result<EntitiesFound> answer_with(std::vector<std::string> ids, const std::string& type,
                                  const std::optional<SearchPage>& page) {
    EntitiesFound found;
    found.page = TRY(take_page(ids, page));
    for (std::string& id : ids) {
        found.results.push_back({type, std::move(id)});
    }
    return found;
}

/// As rules show them.
std::vector<std::string> find_subjects(const Context& context, SubjectType type,
                                       Permission permission, NodeIndex node) {
    std::vector<std::string> ids;
    for (const Subject& subject :
         who_is_allowed(context.state(), permission, node, context.services.clock.now(), type)) {
        ids.push_back(shown_id(context.state(), subject));
    }
    return ids;
}

Result<EntitiesFound> search_subjects(Context& context, const SubjectSearchRequest& request) {
    const auto type = SubjectTypeText::decode(request.subject.type);
    const auto permission = permission_of(request.resource.type, request.action.name);
    const auto node = node_of(context, request.resource);
    std::vector<std::string> ids;
    if (type && permission && node) {
        ids = find_subjects(context, type->value, *permission, *node);
    }
    return answer_with(std::move(ids), request.subject.type, request.page);
}

// --- on what ------------------------------------------------------------------------------------

struct ResourceTypeAsked {
    std::string type;
};
BOOST_DESCRIBE_STRUCT(ResourceTypeAsked, (), (type))

struct ResourceSearchRequest {
    AuthzenSubject subject;
    AuthzenAction action;
    ResourceTypeAsked resource;
    std::optional<SearchPage> page;
};
BOOST_DESCRIBE_STRUCT(ResourceSearchRequest, (), (subject, action, resource, page))

/// Resources that are no nodes are found by the projects, departments and clusters in which they
/// may lie. The tenant itself is found for the type "tenant" only.
std::vector<std::string> find_resources(const Context& context, const Subject& subject,
                                        Permission permission, std::string_view type) {
    const AccessSnapshot& access = context.access();
    const AskedRights rights(context.state(), subject);
    std::vector<std::string> ids;
    const auto own = scope_type_named(type);
    if (own == ScopeType::tenant) {
        if (rights.decide(access, permission, access.root()).allowed()) {
            ids.push_back(access.scope_id(access.root()).value);
        }
        return ids;
    }
    for (const ScopeType of : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        if (own && *own != of) {
            continue;
        }
        for (const NodeIndex node : where_can(access, rights.holder(), permission, of)) {
            ids.push_back(access.scope_id(node).value);
        }
    }
    return ids;
}

Result<EntitiesFound> search_resources(Context& context, const ResourceSearchRequest& request) {
    const auto subject = subject_of(context, request.subject);
    const auto permission = permission_of(request.resource.type, request.action.name);
    std::vector<std::string> ids;
    if (subject && permission &&
        !why_not_served(context.state(), *subject, context.services.clock.now())) {
        ids = find_resources(context, *subject, *permission, request.resource.type);
    }
    return answer_with(std::move(ids), request.resource.type, request.page);
}

// --- what ---------------------------------------------------------------------------------------

struct ActionSearchRequest {
    AuthzenSubject subject;
    AuthzenResource resource;
    std::optional<SearchPage> page;
};
BOOST_DESCRIBE_STRUCT(ActionSearchRequest, (), (subject, resource, page))

struct ActionsFound {
    std::vector<AuthzenAction> results;
    FoundPage page;
};
BOOST_DESCRIBE_STRUCT(ActionsFound, (), (results, page))

Result<ActionsFound> search_actions(Context& context, const ActionSearchRequest& request) {
    const auto subject = subject_of(context, request.subject);
    const auto node = node_of(context, request.resource);
    const auto type = find_resource_type(request.resource.type);
    std::vector<std::string> names;
    if (subject && node && type &&
        !why_not_served(context.state(), *subject, context.services.clock.now())) {
        const AskedRights rights(context.state(), *subject);
        for (std::size_t number = 0; number < action_count; ++number) {
            const auto action = static_cast<Action>(number);
            if (rights.decide(context.access(), {*type, action}, *node).allowed()) {
                names.emplace_back(name_of(action));
            }
        }
    }
    ActionsFound found;
    found.page = TRY(take_page(names, request.page));
    for (std::string& name : names) {
        found.results.push_back({std::move(name)});
    }
    return found;
}

constexpr Operation search_operation(std::string_view path, std::string_view id,
                                     std::string_view summary) {
    return {.method = HttpMethod::post,
            .path = path,
            .id = id,
            .tag = "decisions",
            .summary = summary,
            .access = may_access_rules(Action::read, EvaluatedAt::tenant),
            .request_class = RequestClass::decision};
}

} // namespace

Routes authzen_search_routes() {
    return {
        route<search_subjects>(search_operation("/access/v1/search/subject",
                                                "searchSubjectsWithAccess",
                                                "Who may do this there? (AuthZEN)")),
        route<search_resources>(search_operation("/access/v1/search/resource",
                                                 "searchResourcesWithAccess",
                                                 "Where may this subject do this? (AuthZEN)")),
        route<search_actions>(search_operation("/access/v1/search/action",
                                               "searchActionsWithAccess",
                                               "What may this subject do there? (AuthZEN)")),
    };
}

} // namespace claviger
