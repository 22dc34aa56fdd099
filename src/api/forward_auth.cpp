// SPDX-License-Identifier: Apache-2.0
#include "api/forward_auth.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "api/bearer.h"
#include "api/header_lines.h"
#include "api/problem.h"
#include "api/refusals.h"
#include "api/request_target.h"
#include "api/scope_text.h"
#include "auth/issue_token.h"
#include "base/strict_json.h"
#include "base/text.h"

namespace claviger {
namespace {

/// As a part of a JSON pointer (RFC 6901 3).
std::string pointer_segment(std::string_view name) {
    std::string segment;
    for (const char c : name) {
        if (c == '~' || c == '/') {
            segment += c == '~' ? "~0" : "~1";
        } else {
            segment += c;
        }
    }
    return segment;
}

constexpr std::size_t most_shown_of_method = 16;
constexpr std::size_t most_shown_of_path = 200;

/// What tells of the request that a gateway holds, each once: nobody can say which of two was
/// meant.
constexpr std::array<std::string_view, 3> forwarded_names{"X-Forwarded-Method", "X-Forwarded-Host",
                                                          "X-Forwarded-Uri"};

Operation operation_of(const RouteMatch& match, HttpMethod method) {
    return {.method = method,
            .path = match.route->path,
            .id = "forwardAuth",
            .tag = {},
            .summary = {},
            .access = Access::permission(entry_of(match.route->permission.resource_type).name,
                                         match.route->permission.action,
                                         match.route->scope.from == ScopeFrom::anywhere
                                             ? EvaluatedAt::anywhere
                                             : EvaluatedAt::request),
            .request_class = RequestClass::decision};
}

HttpMethod method_named(std::string_view name) {
    for (const HttpMethod method :
         {HttpMethod::get, HttpMethod::head, HttpMethod::post, HttpMethod::put, HttpMethod::patch,
          HttpMethod::remove, HttpMethod::options}) {
        if (name_of(method) == name) {
            return method;
        }
    }
    return HttpMethod::other;
}

std::unexpected<Error> no_one_scope(const ScopeSource& source) {
    return fail(ErrorCode::access_denied, "the request must name exactly one " +
                                              std::string(name_of(source.type)) + " in " +
                                              source.name);
}

/// Another type may be read by the API in another way, and what is cut off says something else.
bool has_whole_json(const HttpRequest& request) {
    const auto type = only_header_value(request.header_lines, "Content-Type");
    const auto partial = header_values(request.header_lines, "X-Envoy-Auth-Partial-Body");
    if (!type || (!partial.empty() && partial != std::vector{std::string_view("false")})) {
        return false;
    }
    const std::string_view name = type->substr(0, type->find(';'));
    return ascii_iequal(name.substr(0, name.find_last_not_of(" \t") + 1), "application/json");
}

/// A text or a whole number in the JSON body, which the gateway must have sent along whole.
Result<std::string> body_value(const HttpRequest& request, const ScopeSource& source) {
    if (request.body.empty()) {
        return fail(ErrorCode::access_denied, "the gateway must send the body along");
    }
    if (!has_whole_json(request)) {
        return fail(ErrorCode::access_denied,
                    "the body must be sent along whole, with Content-Type: application/json");
    }
    // Some readers of JSON take a member of another case for the same.
    const auto body = parse_strict_json(request.body, {.fold_member_names = true});
    if (!body) {
        return no_one_scope(source);
    }
    std::error_code failed;
    const std::string pointer =
        source.name.starts_with('/') ? source.name : "/" + pointer_segment(source.name);
    const json::value* value = body->find_pointer(pointer, failed);
    if (value != nullptr && value->is_int64()) {
        return std::to_string(value->get_int64());
    }
    if (value == nullptr || !value->is_string() || value->get_string().empty()) {
        return no_one_scope(source);
    }
    return std::string(value->get_string());
}

/// What stands where a route looks for its scope. `access_denied` when it is not there once.
Result<std::string> scope_value(const HttpRequest& request, const RouteMatch& match,
                                const Parameters& query) {
    const ScopeSource& source = match.route->scope;
    std::vector<std::string_view> values;
    switch (source.from) {
    case ScopeFrom::body:
        return body_value(request, source);
    case ScopeFrom::path:
        values = query_values(match.parameters, source.name);
        break;
    case ScopeFrom::query:
        values = query_values(query, source.name);
        break;
    case ScopeFrom::header:
        values = header_values(request.header_lines, source.name);
        break;
    default:
        values = {source.name};
    }
    if (values.size() != 1 || values.front().empty()) {
        return no_one_scope(source);
    }
    // Whether it is one field or two, only the client knows.
    if (source.from == ScopeFrom::header && request.has_joined_fields &&
        values.front().contains(',')) {
        return no_one_scope(source);
    }
    return std::string(values.front());
}

/// The only node of this name; nothing when there is none, or several.
std::optional<NodeIndex> find_named(const AccessSnapshot& access, ScopeType type,
                                    std::string_view name) {
    std::optional<NodeIndex> found;
    std::size_t count = 0;
    access.for_each_unit(type, [&](NodeIndex node, const OrgUnit& unit) {
        if (unit.name == name) {
            found = node;
            ++count;
        }
    });
    return count == 1 ? found : std::nullopt;
}

/// The node at which a route's permission is evaluated.
Result<std::optional<NodeIndex>> scope_of(Context& context, const RouteMatch& match,
                                          const Parameters& query) {
    const ScopeSource& source = match.route->scope;
    if (source.from == ScopeFrom::anywhere) {
        return std::optional<NodeIndex>();
    }
    if (source.from == ScopeFrom::tenant) {
        return std::optional(context.access().root());
    }
    const std::string value = TRY(scope_value(context.request, match, query));
    const auto node = source.is_named
                          ? find_named(context.access(), source.type, value)
                          : context.access().find({context.caller.tenant(), source.type, value});
    if (!node) {
        return fail(ErrorCode::access_denied,
                    std::string(source.is_named ? "not one " : "no ") +
                        std::string(name_of(source.type)) +
                        (source.is_named ? " is named " : " has the id ") + value);
    }
    return node;
}

void add_identity(HttpResponse& response, const Context& context, const RouteMatch* match,
                  std::optional<NodeIndex> scope, bool has_identity) {
    const Principal& principal = context.caller.principal;
    const auto add = [&](std::string_view name, std::string value) {
        response.headers.emplace_back(name, has_identity ? std::move(value) : std::string());
    };
    const Subject subject = principal.subject();
    const bool is_permitted = match != nullptr && match->route->passed_by == PassedBy::permitted;
    add(identity_header::subject, subject_claim(principal.kind, principal.id));
    add(identity_header::subject_type, std::string(name_of(subject.type)));
    add(identity_header::subject_id, subject.value);
    add(identity_header::tenant, std::to_string(number_of(context.caller.tenant())));
    add(identity_header::permission, is_permitted ? text_of(match->route->permission) : "");
    add(identity_header::scope, scope ? text_of(context.access().scope_id(*scope)) : std::string());
}

} // namespace

ForwardAuth::ForwardAuth(Services& services) : services_(services) {
    for (const ProtectedApi& api : services_.route_map->apis()) {
        verifiers_.try_emplace(api.resource, services_.settings, services_.clock, api.resource);
    }
}

bool ForwardAuth::is_asked(std::string_view path) {
    return path == forward_auth_path ||
           (path.starts_with(ext_authz_prefix) && path.substr(ext_authz_prefix.size(), 1) == "/");
}

ForwardAuth::Counts ForwardAuth::counts() const {
    return {passed_.load(std::memory_order_relaxed), refused_.load(std::memory_order_relaxed)};
}

Result<ForwardAuth::Forwarded> ForwardAuth::read_forwarded(const HttpRequest& request) {
    if (request.path != forward_auth_path) {
        // The server has read it: its path is canonical.
        return Forwarded{name_of(request.method), request.host,
                         std::string_view(request.path).substr(ext_authz_prefix.size()),
                         request.query};
    }
    Forwarded forwarded;
    std::array<std::optional<std::string_view>, forwarded_names.size()> values;
    only_header_values(request.header_lines, forwarded_names, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i] || values[i]->empty()) {
            return fail(ErrorCode::access_denied, "The gateway must send exactly one " +
                                                      std::string(forwarded_names[i]) + ".");
        }
    }
    const auto [method, host, uri] = std::tuple(*values[0], *values[1], *values[2]);
    forwarded.method = method;
    forwarded.host = host_name_of(host);
    const auto target = uri.size() <= longest_target ? read_target(uri) : std::nullopt;
    if (!target) {
        return fail(ErrorCode::access_denied, "The request target is not canonical.");
    }
    forwarded.path = target->path;
    forwarded.query = target->query;
    return forwarded;
}

TenantStatePointer ForwardAuth::tenant_of(const ProtectedApi& api,
                                          const HttpRequest& request) const {
    const auto directory = services_.directory.current();
    if (api.realm.empty()) {
        return directory->find_by_host(request.host);
    }
    const auto at = std::ranges::find_if(directory->tenants, [&](const TenantStatePointer& state) {
        return state->tenant.realm == api.realm;
    });
    return at == directory->tenants.end() ? nullptr : *at;
}

bool ForwardAuth::shows_secret(const HttpRequest& request) {
    const std::span<const Secret> secrets = services_.gateway_secrets;
    if (secrets.empty()) {
        return true;
    }
    const std::string_view shown =
        request.gateway_secret
            ? std::string_view(*request.gateway_secret)
            : only_header_value(request.header_lines, gateway_secret_header).value_or("");
    // In a time that does not tell which it is, or how much of it is right.
    std::size_t right = secrets.size();
    for (std::size_t i = 0; i < secrets.size(); ++i) {
        right = constant_time_equal(shown, secrets[i].reveal()) ? i : right;
    }
    const bool is_known = right < secrets.size();
    if (right != 0 && secret_warning_.is_due(services_.clock.monotonic_milliseconds())) {
        services_.log.write(LogLevel::warning,
                            is_known        ? "a gateway shows the previous secret"
                            : shown.empty() ? "a gateway shows no secret, or two: it is refused"
                                            : "a gateway shows a wrong secret: it is refused",
                            {{"gateway", std::string_view(request.peer_ip)}});
    }
    return is_known;
}

HttpResponse ForwardAuth::serve(const HttpRequest& request) {
    const auto refuse = [&](std::string_view why) {
        refused_.fetch_add(1, std::memory_order_relaxed);
        return problem_response(403, why, request.request_id);
    };
    if (!services_.route_map->trusts(request.peer_ip)) {
        return refuse("Only the gateways of the route map may ask here.");
    }
    if (!shows_secret(request)) {
        return refuse("The gateway has not shown its secret.");
    }
    const auto forwarded = read_forwarded(request);
    if (!forwarded) {
        return refuse(forwarded.error().detail());
    }
    const ProtectedApi* api = services_.route_map->find_api(forwarded->host);
    if (api == nullptr) {
        return refuse("The route map has no API at this host.");
    }
    TenantStatePointer state = tenant_of(*api, request);
    if (!state) {
        return refuse("There is no such tenant.");
    }
    Context context{services_, request, {std::move(state), {}, {}}, 0, 0, {}};
    return answer(context, *forwarded, *api);
}

HttpResponse ForwardAuth::answer(Context& context, const Forwarded& forwarded,
                                 const ProtectedApi& api) {
    const auto found = match(api, forwarded.method, forwarded.path);
    const RouteMatch* route = found ? &*found : nullptr;
    Verdict verdict;
    const auto judged = judge(context, forwarded, api, route, verdict);
    if (judged) {
        passed_.fetch_add(1, std::memory_order_relaxed);
        HttpResponse response;
        response.headers.reserve(identity_header::count);
        add_identity(response, context, route, verdict.scope, verdict.has_identity);
        return response;
    }
    refused_.fetch_add(1, std::memory_order_relaxed);
    const Operation unmapped{.method = method_named(forwarded.method),
                             .path = forward_auth_path,
                             .id = "forwardAuth",
                             .tag = {},
                             .summary = {},
                             .access = Access::authenticated()};
    keep_refusal(context, route != nullptr ? operation_of(*route, unmapped.method) : unmapped,
                 judged.error());
    return refuse(context, api, route, judged.error());
}

Result<void> ForwardAuth::judge(Context& context, const Forwarded& forwarded,
                                const ProtectedApi& api, const RouteMatch* route,
                                Verdict& verdict) const {
    if (!context.state().tenant.enabled) {
        context.refusal.emplace().reason = RefusalReason::tenant_disabled;
        return fail(ErrorCode::unauthenticated, "this tenant is disabled");
    }
    const bool is_open = route != nullptr
                             ? route->route->passed_by == PassedBy::anyone
                             : api.unmapped == Unmapped::allowed && !has_path(api, forwarded.path);
    if (is_open) {
        return {};
    }
    context.caller.principal =
        TRY(authenticate(context, verifiers_.at(api.resource), AcceptedTokens::access_tokens));
    verdict.has_identity = true;
    if (route == nullptr) {
        return fail(ErrorCode::access_denied,
                    "the route map does not name " +
                        std::string(forwarded.method.substr(0, most_shown_of_method)) + " " +
                        std::string(forwarded.path.substr(0, most_shown_of_path)));
    }
    const auto query = parse_parameters(forwarded.query);
    if (!query) {
        return fail(ErrorCode::access_denied, "the query is malformed");
    }
    if (!query_values(*query, "access_token").empty()) { // as on our own API
        return fail(ErrorCode::access_denied, "a token may stand in the header only");
    }
    if (route->route->passed_by == PassedBy::authenticated) {
        return {};
    }
    verdict.scope = TRY(scope_of(context, *route, *query));
    const Operation operation = operation_of(*route, HttpMethod::get);
    return authorise(context, operation.access, verdict.scope);
}

HttpResponse ForwardAuth::refuse(const Context& context, const ProtectedApi& api,
                                 const RouteMatch* route, const Error& error) {
    HttpResponse response =
        problem_response(error, ErrorStyle::problem, context.request.request_id);
    const bool needs_permission =
        route != nullptr && route->route->passed_by == PassedBy::permitted;
    response.headers.emplace_back(
        "WWW-Authenticate",
        error.code() == ErrorCode::unauthenticated
            ? challenge_of(context, api.name)
            : challenge_of_missing(context, api.name,
                                   needs_permission ? text_of(route->route->permission) : ""));
    return response;
}

} // namespace claviger
