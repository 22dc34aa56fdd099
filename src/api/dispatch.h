// SPDX-License-Identifier: Apache-2.0
// From a request to its answer: tenant, route, bearer, fields, permission, handler, errors. The one
// place that all operations pass through.
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "api/context.h"
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
    };
    Counts counts() const;

private:
    struct Template {
        std::vector<std::string_view> segments; // "{name}" or literal
        const Route* route = nullptr;
    };
    struct Match {
        const Route* route = nullptr;
        std::vector<std::pair<std::string_view, std::string_view>> parameters;
        std::string allow; // the methods of the path when none is this one
    };
    Match find(HttpMethod method, std::string_view path) const;
    HttpResponse answer(const HttpRequest& request, const Match& match);
    HttpResponse answer_other_methods(const HttpRequest& request, const Match& match) const;
    Result<std::string> run(Context& context, const Match& match);
    Result<Principal> authenticate(const Context& context) const;
    HttpResponse respond(Context& context, const Route& route, Result<std::string> body);

    Routes routes_;
    Services services_;
    std::vector<Template> templates_;
    std::atomic<std::uint64_t> allowed_{0};
    std::atomic<std::uint64_t> denied_{0};
};

} // namespace claviger
