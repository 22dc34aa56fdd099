// SPDX-License-Identifier: Apache-2.0
#include "server/own_routes.h"

namespace claviger {
namespace {

HttpResponse plain_text(int status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(body);
    return response;
}

HttpResponse readiness(bool is_stopping, const ServerEnvironment& environment) {
    const std::string problem = is_stopping ? "stopping" : environment.readiness();
    return problem.empty() ? plain_text(200, "ready\n") : plain_text(503, problem + "\n");
}

} // namespace

std::optional<std::string_view> own_route(std::string_view path, Serves serves) {
    if (path == "/healthz") {
        return "healthz";
    }
    if (path == "/readyz") {
        return "readyz";
    }
    if (serves == Serves::metrics) {
        return path == "/metrics" ? "metrics" : "unmatched";
    }
    return std::nullopt;
}

HttpResponse serve_own_route(const HttpRequest& request, Serves serves, bool is_stopping,
                             ServerEnvironment& environment) {
    const auto route = own_route(request.path, serves);
    if (route == "unmatched") {
        return environment.handler.refuse(404, "There is no such path.", request);
    }
    if (request.method != HttpMethod::get && request.method != HttpMethod::head) {
        HttpResponse response =
            environment.handler.refuse(405, "This path does not take this method.", request);
        response.headers.emplace_back("Allow", "GET, HEAD");
        return response;
    }
    if (route == "healthz") {
        return plain_text(200, "ok\n");
    }
    if (route == "readyz") {
        return readiness(is_stopping, environment);
    }
    HttpResponse response = plain_text(200, environment.metrics_text());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
}

} // namespace claviger
