// SPDX-License-Identifier: Apache-2.0
#include "api/dispatch.h"

#include <algorithm>

#include "api/basic_credentials.h"
#include "api/bearer.h"
#include "api/path_template.h"
#include "api/problem.h"
#include "api/refusals.h"
#include "base/text.h"

namespace claviger {
namespace {

/// Bodies that nobody reads are taken up to this size, so that the answer arrives.
constexpr std::size_t unread_body = 16 * 1024;

Origin origin_of(const HttpRequest& request, const Operation& operation) {
    return {request.source_ip,
            request.request_id,
            request.user_agent,
            name_of(request.method),
            request.path,
            operation.success,
            problem_status(ErrorCode::invalid_client, operation.errors),
            problem_status(ErrorCode::invalid_grant, operation.errors)};
}

/// Whoever shows a token or a secret is told that it is not good: it may be again.
ErrorCode refusal_of_disabled_tenant(const Operation& operation) {
    if (operation.request_class == RequestClass::token || operation.errors != ErrorStyle::problem) {
        return ErrorCode::invalid_client;
    }
    return operation.access.needs_token() ? ErrorCode::unauthenticated : ErrorCode::access_denied;
}

} // namespace

std::string_view name_of(HttpMethod method) {
    static constexpr std::array<std::string_view, 8> names{"GET",   "HEAD",   "POST",    "PUT",
                                                           "PATCH", "DELETE", "OPTIONS", "OTHER"};
    return names[static_cast<std::size_t>(method)];
}

Result<void> Dispatcher::check(const Routes& routes) {
    const auto broken = [](const Route& route, std::string_view why) {
        return fail(ErrorCode::internal,
                    "route " + std::string(route.operation.id) + ": " + std::string(why));
    };
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const Route& route = routes[i];
        const Operation& operation = route.operation;
        for (std::size_t j = 0; j < i; ++j) {
            const Operation& other = routes[j].operation;
            if (other.id == operation.id ||
                (other.method == operation.method && other.path == operation.path)) {
                return broken(route, "is declared twice");
            }
        }
        Schemas ignored;
        const json::object schema = route.request_schema(ignored);
        for (std::string_view path = operation.path; !path.empty();) {
            const std::string_view segment = take_segment(path);
            const std::string_view name = is_parameter(segment) ? parameter_name(segment) : "";
            if (!name.empty() && !schema.at("properties").as_object().contains(name)) {
                return broken(route, "a path parameter is no field of the request");
            }
        }
        const Access& access = operation.access;
        if (access.needs_permission()) {
            if (!find_resource_type(access.resource_type())) {
                return broken(route, "unknown resource type");
            }
            if ((access.at() == EvaluatedAt::request) != route.has_scope) {
                return broken(route, "scope() and the place of evaluation disagree");
            }
        }
    }
    return {};
}

Dispatcher::Dispatcher(Routes routes, Services services)
    : routes_(std::move(routes)), services_(services) {
    if (services_.route_map != nullptr) {
        gateways_.emplace(services_);
    }
    for (const Route& route : routes_) {
        const std::string_view pattern = route.operation.path;
        if (!pattern.contains('{')) {
            paths_[pattern].push_back(&route);
            continue;
        }
        const auto at = std::ranges::find(patterns_, pattern, &Pattern::text);
        Pattern& of_route = at == patterns_.end() ? patterns_.emplace_back(pattern) : *at;
        of_route.routes.push_back(&route);
    }
    std::ranges::stable_sort(patterns_, {}, [](const Pattern& pattern) {
        return std::ranges::count(pattern.text, '{');
    });
}

Dispatcher::Counts Dispatcher::counts() const {
    return {allowed_.load(std::memory_order_relaxed), denied_.load(std::memory_order_relaxed),
            gateways_ ? gateways_->counts() : ForwardAuth::Counts()};
}

std::span<const Route* const> Dispatcher::find(std::string_view path) const {
    if (const auto at = paths_.find(path); at != paths_.end()) {
        return at->second;
    }
    const auto at = std::ranges::find_if(
        patterns_, [&](const Pattern& pattern) { return fits(pattern.text, path); });
    return at == patterns_.end() ? std::span<const Route* const>() : at->routes;
}

const Route* Dispatcher::find(HttpMethod method, std::string_view path) const {
    // HEAD is answered as GET; the server leaves the body out.
    const HttpMethod effective = method == HttpMethod::head ? HttpMethod::get : method;
    const auto routes = find(path);
    const auto at = std::ranges::find_if(
        routes, [&](const Route* route) { return route->operation.method == effective; });
    return at == routes.end() ? nullptr : *at;
}

bool Dispatcher::is_asked_by_gateway(std::string_view path) const {
    return gateways_ && ForwardAuth::is_asked(path);
}

RoutePlan Dispatcher::plan(HttpMethod method, std::string_view path) const {
    if (is_asked_by_gateway(path)) {
        return {path == forward_auth_path ? unread_body : most_of_forwarded_body,
                RequestClass::decision, "forwardAuth", true};
    }
    const Route* route = find(method, path);
    if (route == nullptr) {
        return {unread_body, RequestClass::administration, "unmatched"};
    }
    const Operation& operation = route->operation;
    return {route->reads_body ? operation.max_body : unread_body, operation.request_class,
            operation.id};
}

RunsOn Dispatcher::runs_on(const HttpRequest& request) const {
    if (is_asked_by_gateway(request.path)) {
        return RunsOn::inline_thread;
    }
    const Route* route = find(request.method, request.path);
    if (route == nullptr) {
        return RunsOn::inline_thread;
    }
    const Operation& operation = route->operation;
    // An escape may hide a word.
    const bool has_word =
        !operation.worker_words.empty() &&
        (std::ranges::any_of(operation.worker_words,
                             [&](std::string_view word) { return request.body.contains(word); }) ||
         request.body.contains('\\') || request.body.contains('%'));
    return has_word ? RunsOn::worker : operation.runs_on;
}

HttpResponse Dispatcher::refuse(int status, std::string_view detail, const HttpRequest& request) {
    return problem_response(status, detail, request.request_id);
}

HttpResponse Dispatcher::serve(const HttpRequest& request) {
    try {
        if (is_asked_by_gateway(request.path)) {
            return gateways_->serve(request);
        }
        const Route* route = find(request.method, request.path);
        return route == nullptr ? answer_other_methods(request) : answer(request, *route);
    } catch (const std::exception& error) {
        services_.log.write(LogLevel::error, "a request failed",
                            {{"request_id", std::string_view(request.request_id)},
                             {"error", std::string_view(error.what())}});
        return problem_response(500, "Something went wrong.", request.request_id);
    }
}

HttpResponse Dispatcher::answer_other_methods(const HttpRequest& request) const {
    std::string allow;
    for (const Route* route : find(request.path)) {
        allow += name_of(route->operation.method);
        allow += route->operation.method == HttpMethod::get ? ", HEAD, " : ", ";
    }
    if (allow.empty()) {
        return problem_response(404, "There is no such path.", request.request_id);
    }
    HttpResponse response;
    if (request.method == HttpMethod::options) {
        response.status = 204;
    } else {
        response =
            problem_response(405, "This path does not take this method.", request.request_id);
    }
    response.headers.emplace_back("Allow", allow + "OPTIONS");
    return response;
}

HttpResponse Dispatcher::answer(const HttpRequest& request, const Route& route) {
    const ErrorStyle style = route.operation.errors;
    TenantStatePointer state = services_.directory.current()->find_by_host(request.host);
    if (!state) {
        return problem_response(404, "There is no tenant at this host name.", request.request_id);
    }
    Context context{services_, request, {std::move(state), {}, origin_of(request, route.operation)},
                    0,         0,       {},
                    {}};
    if (!context.state().tenant.enabled) {
        const Error refused(refusal_of_disabled_tenant(route.operation), "this tenant is disabled");
        context.refusal.emplace().reason = RefusalReason::tenant_disabled;
        keep_refusal(context, route.operation, refused);
        return problem_response(refused, style, request.request_id);
    }
    auto body = run(context, route);
    if (!body) {
        keep_refusal(context, route.operation, body.error());
    }
    return respond(context, route, std::move(body));
}

Result<std::string> Dispatcher::run(Context& context, const Route& route) {
    const Operation& operation = route.operation;
    const auto& authorization = context.request.authorization;
    const bool is_judged_later =
        operation.access.takes_basic() && authorization && read_basic(*authorization);
    if (operation.access.needs_token() && !is_judged_later) {
        context.caller.principal =
            TRY(authenticate(context, services_.verifier, AcceptedTokens::access_and_id_tokens));
    }
    Input input;
    TRY(read_path(operation.path, context.request.path, input.path));
    input.query = TRY(parse_parameters(context.request.query));
    if (operation.access.needs_token() && !query_values(input.query, "access_token").empty()) {
        return fail(ErrorCode::invalid_request, "a token may stand in the header only");
    }
    input.has_body = route.reads_body;
    if (input.has_body) {
        input.body =
            TRY(read_body(context.request, operation.body, operation.max_members, &input.memory));
    }
    auto body = route.call(context, operation.access, input);
    const bool is_denied = !body && body.error().code() == ErrorCode::access_denied;
    if (operation.access.needs_permission()) {
        (is_denied ? denied_ : allowed_).fetch_add(1, std::memory_order_relaxed);
    }
    return body;
}

HttpResponse Dispatcher::respond(Context& context, const Route& route, Result<std::string> body) {
    const Operation& operation = route.operation;
    HttpResponse response;
    if (body) {
        response.status = operation.success;
        response.content_type = operation.response_type;
        response.body = *std::move(body);
        response.stream = std::move(context.stream);
        if (context.followed != nullptr) {
            response.content_type = context.followed->content_type();
            response.followed = std::move(context.followed);
        }
    } else {
        const Error& error = body.error();
        response = problem_response(error, operation.errors, context.request.request_id);
        if (error.code() == ErrorCode::internal || error.code() == ErrorCode::unavailable) {
            services_.log.write(LogLevel::error, error.detail(),
                                {{"request_id", std::string_view(context.request.request_id)},
                                 {"file", std::string_view(error.where().file_name())},
                                 {"line", std::int64_t{error.where().line()}}});
        }
        if (error.code() == ErrorCode::unauthenticated) {
            response.headers.emplace_back("WWW-Authenticate", challenge_of(context, {}));
            if (operation.access.takes_basic()) {
                response.headers.emplace_back(
                    "WWW-Authenticate", "Basic realm=\"" + context.state().tenant.realm + "\"");
            }
        }
        if (error.code() == ErrorCode::access_denied && operation.access.needs_token()) {
            const Access& access = operation.access;
            response.headers.emplace_back(
                "WWW-Authenticate",
                challenge_of_missing(context, {},
                                     access.needs_permission()
                                         ? std::string(access.resource_type()) + ":" +
                                               std::string(name_of(access.action()))
                                         : std::string()));
        }
        if (error.code() == ErrorCode::too_many_requests ||
            error.code() == ErrorCode::unavailable) {
            response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(
                                                             context.retry_after_seconds, 1)));
        }
    }
    const bool takes_clients = operation.errors != ErrorStyle::problem;
    if (takes_clients || operation.request_class == RequestClass::token) { // RFC 6749 5.1, 5.2
        response.headers.emplace_back("Cache-Control", "no-store");
        response.headers.emplace_back("Pragma", "no-cache");
        if (response.status == 401) {
            response.headers.emplace_back("WWW-Authenticate",
                                          "Basic realm=\"" + context.state().tenant.realm + "\"");
        }
    }
    response.ticket = context.ticket;
    for (auto& header : context.headers) {
        response.headers.push_back(std::move(header));
    }
    return response;
}

} // namespace claviger
