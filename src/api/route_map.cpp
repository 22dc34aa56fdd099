// SPDX-License-Identifier: Apache-2.0
#include "api/route_map.h"

#include <algorithm>
#include <set>

#include "api/path_template.h"
#include "api/request_target.h"

namespace claviger {
namespace {

/// What templates that fit the same paths have in common.
std::string shape_of(std::string_view path) {
    std::string shape;
    while (!path.empty()) {
        const std::string_view segment = take_segment(path);
        shape += '/';
        shape += is_parameter(segment) ? std::string_view("{}") : segment;
    }
    return shape;
}

/// A template with its parameters replaced by a letter must be a canonical path.
bool is_canonical_template(std::string_view path) {
    std::string plain;
    if (!path.starts_with('/')) {
        return false;
    }
    while (!path.empty()) {
        const std::string_view segment = take_segment(path);
        plain += '/';
        plain += is_parameter(segment) ? std::string_view("x") : segment;
    }
    return read_target(plain).has_value() && !plain.contains('?');
}

/// Beside whole parameters.
bool has_other_braces(std::string_view path) {
    while (!path.empty()) {
        const std::string_view segment = take_segment(path);
        if (!is_parameter(segment) && (segment.contains('{') || segment.contains('}'))) {
            return true;
        }
    }
    return false;
}

bool has_parameter(std::string_view path, std::string_view name) {
    while (!path.empty()) {
        const std::string_view segment = take_segment(path);
        if (is_parameter(segment) && parameter_name(segment) == name) {
            return true;
        }
    }
    return false;
}

/// Of two templates that fit the same path.
bool says_more(std::string_view a, std::string_view b) {
    if (a == b) {
        return false;
    }
    while (!a.empty() && !b.empty()) {
        const bool a_is_open = is_parameter(take_segment(a));
        const bool b_is_open = is_parameter(take_segment(b));
        if (a_is_open != b_is_open) {
            return b_is_open;
        }
    }
    return false;
}

class Checker {
public:
    void check(const ProtectedApi& api) {
        if (!names_.insert(api.name).second) {
            complain(api.line, "two APIs are named " + api.name);
        }
        for (const std::string& host : api.hosts) {
            if (host.empty() || host_name_of(host) != host) {
                complain(api.line,
                         "\"" + host + "\" is no host name in lower case, without a port");
            }
            if (!hosts_.insert(host).second) {
                complain(api.line, "two APIs have the host " + host);
            }
        }
        std::map<std::string, std::size_t> taken; // method and shape, to the line
        for (const MappedRoute& route : api.routes) {
            check(route, taken);
        }
    }

    std::vector<MapProblem> take_problems() { return std::move(problems_); }

private:
    void complain(std::size_t line, std::string text) {
        problems_.push_back({line, std::move(text)});
    }

    void check(const MappedRoute& route, std::map<std::string, std::size_t>& taken) {
        if (!is_canonical_template(route.path)) {
            const bool is_part = route.path.starts_with('/') && has_other_braces(route.path);
            complain(route.line,
                     "the path " + route.path +
                         (is_part ? " has a parameter that is not a whole segment, such as /{name}"
                                  : " is not canonical: no request could have it"));
            return;
        }
        if (route.scope.from == ScopeFrom::path && !has_parameter(route.path, route.scope.name)) {
            complain(route.line,
                     "the path " + route.path + " has no parameter {" + route.scope.name + "}");
        }
        for (const std::string& method : route.methods) {
            const auto [at, is_new] =
                taken.emplace(method + " " + shape_of(route.path), route.line);
            if (!is_new) {
                complain(route.line, method + " " + route.path + " is mapped twice: also in line " +
                                         std::to_string(at->second));
            }
        }
    }

    std::set<std::string> names_;
    std::set<std::string> hosts_;
    std::vector<MapProblem> problems_;
};

} // namespace

std::expected<RouteMap, std::vector<MapProblem>> RouteMap::build(std::vector<ProtectedApi> apis,
                                                                 AddressList gateways) {
    Checker checker;
    for (const ProtectedApi& api : apis) {
        checker.check(api);
    }
    if (auto problems = checker.take_problems(); !problems.empty()) {
        return std::unexpected(std::move(problems));
    }
    RouteMap map;
    map.apis_ = std::move(apis);
    map.gateways_ = std::move(gateways);
    for (std::size_t i = 0; i < map.apis_.size(); ++i) {
        for (const std::string& host : map.apis_[i].hosts) {
            map.hosts_.emplace(host, i);
        }
    }
    return map;
}

bool RouteMap::are_gateways_local() const {
    AddressList loopback;
    loopback.add("127.0.0.0/8");
    loopback.add("::1");
    return loopback.includes(gateways_);
}

const ProtectedApi* RouteMap::find_api(std::string_view host) const {
    const auto at = hosts_.find(host);
    return at == hosts_.end() ? nullptr : &apis_[at->second];
}

const ProtectedApi* RouteMap::find_api_named(std::string_view name) const {
    const auto at = std::ranges::find(apis_, name, &ProtectedApi::name);
    return at == apis_.end() ? nullptr : &*at;
}

bool has_path(const ProtectedApi& api, std::string_view path) {
    return std::ranges::any_of(api.routes,
                               [&](const MappedRoute& route) { return fits(route.path, path); });
}

std::optional<RouteMatch> match(const ProtectedApi& api, std::string_view method,
                                std::string_view path) {
    std::string_view best;
    for (const MappedRoute& route : api.routes) {
        if (fits(route.path, path) && (best.empty() || says_more(route.path, best))) {
            best = route.path;
        }
    }
    if (best.empty()) {
        return std::nullopt;
    }
    const auto at = std::ranges::find_if(api.routes, [&](const MappedRoute& route) {
        return fits(route.path, path) && !says_more(best, route.path) &&
               std::ranges::find(route.methods, method) != route.methods.end();
    });
    if (at == api.routes.end()) {
        return std::nullopt;
    }
    RouteMatch found{&*at, {}};
    return read_path(at->path, path, found.parameters) ? std::optional(std::move(found))
                                                       : std::nullopt;
}

} // namespace claviger
