// SPDX-License-Identifier: Apache-2.0
// From a request to its answer: tenant, route, bearer, fields, permission, handler, errors. The one
// place that all operations pass through.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/context.h"
#include "api/forward_auth.h"
#include "api/http.h"
#include "api/route.h"

namespace claviger {

class Dispatcher final : public HttpHandler {
public:
    /// Checks every route: unique id, unique method and path, every `{name}` a field of the
    /// request, every permission known, a scope where one is evaluated.
    static Result<void> check(const Routes& routes);

    /// `routes` must have passed check().
    Dispatcher(Routes routes, Services services);

    RoutePlan plan(HttpMethod method, std::string_view path) const override;
    RunsOn runs_on(const HttpRequest& request) const override;
    HttpResponse serve(const HttpRequest& request) override;
    HttpResponse refuse(int status, std::string_view detail, const HttpRequest& request) override;

    struct Counts {
        std::uint64_t allowed = 0;
        std::uint64_t denied = 0;
        ForwardAuth::Counts forwarded;
    };
    Counts counts() const;

private:
    /// The routes of one path that has parameters.
    struct Pattern {
        std::string_view text; // "{name}" stands for any segment
        std::vector<const Route*> routes = {};
    };
    /// Called several times a request: they allocate nothing.
    std::span<const Route* const> find(std::string_view path) const;
    const Route* find(HttpMethod method, std::string_view path) const;
    bool is_asked_by_gateway(std::string_view path) const;
    HttpResponse answer(const HttpRequest& request, const Route& route);
    HttpResponse answer_other_methods(const HttpRequest& request) const;
    Result<std::string> run(Context& context, const Route& route);
    HttpResponse respond(Context& context, const Route& route, Result<std::string> body);

    Routes routes_;
    Services services_;
    /// The routes of paths without parameters, which win over patterns that fit as well.
    std::unordered_map<std::string_view, std::vector<const Route*>> paths_;
    std::vector<Pattern> patterns_;       // the fewer parameters the earlier
    std::optional<ForwardAuth> gateways_; // where there is a route map
    std::atomic<std::uint64_t> allowed_{0};
    std::atomic<std::uint64_t> denied_{0};
};

} // namespace claviger
