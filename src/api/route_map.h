// SPDX-License-Identifier: Apache-2.0
// The route map: what a request to a protected API needs, by its method and path, and where. It
// only describes: it knows no token, no rule and no file. What it does not name is refused, unless
// the map says otherwise, and never guessed.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/permission.h"
#include "api/parameters.h"
#include "auth/address_list.h"
#include "model/model.h"

namespace claviger {

/// Where the scope of a request's permission comes from.
enum class ScopeFrom : std::uint8_t {
    tenant,   ///< The root of the tenant's tree.
    anywhere, ///< Held somewhere: the API itself must show only what is within reach.
    fixed,    ///< Always the same node.
    path,     ///< A parameter of the path template.
    query,    ///< A query parameter, given once.
    header,   ///< A header field, given once.
    body,     ///< A member of the JSON body, for gateways that send it along.
};

struct ScopeSource {
    ScopeFrom from = ScopeFrom::tenant;
    ScopeType type = ScopeType::tenant; // of the node, unless tenant or anywhere
    /// Of the parameter, field or member (a JSON pointer, RFC 6901, when it begins with a slash);
    /// for `fixed` what names the node.
    std::string name;
    bool is_named = false; // what stands there is the node's name, not its id
};

/// Who may pass on a mapped route.
enum class PassedBy : std::uint8_t {
    permitted,     ///< Who holds the route's permission at its scope.
    authenticated, ///< Any valid token.
    anyone,        ///< Also without a token.
};

struct MappedRoute {
    std::vector<std::string> methods; // upper case
    std::string path;                 // "/projects/{projectId}": a parameter is a whole segment
    PassedBy passed_by = PassedBy::permitted;
    Permission permission;
    ScopeSource scope;
    std::size_t line = 0; // of the file
};

/// What becomes of a path that no route has. Another method of a path that one has is denied.
enum class Unmapped : std::uint8_t { denied, allowed };

struct ProtectedApi {
    std::string name;               // in addresses: letters, digits and hyphens
    std::vector<std::string> hosts; // lower case, without ports
    std::string realm;              // of its tenant; empty: the one that the asked host selects
    std::string resource;           // its identifier (RFC 8707, RFC 9728); may be empty
    Unmapped unmapped = Unmapped::denied;
    std::vector<MappedRoute> routes; // in the order of the file
    std::size_t line = 0;
};

/// What fits a request: the route, and the values of its path parameters.
struct RouteMatch {
    const MappedRoute* route = nullptr;
    Parameters parameters;
};

/// What a map is wrong about, with the line.
struct MapProblem {
    std::size_t line = 0;
    std::string text;
};

class RouteMap {
public:
    /// `gateways`: the peers that are believed. Names every problem if there is any: a host or name
    /// of two APIs, two routes for one request, a template that is not canonical, a parameter that
    /// is not in its path.
    static std::expected<RouteMap, std::vector<MapProblem>> build(std::vector<ProtectedApi> apis,
                                                                  AddressList gateways);

    bool trusts(std::string_view peer) const { return gateways_.contains(peer); }
    /// Whether all of them are on this machine.
    bool are_gateways_local() const;
    /// Null when no API has this host (lower case, without a port).
    const ProtectedApi* find_api(std::string_view host) const;
    const ProtectedApi* find_api_named(std::string_view name) const;
    const std::vector<ProtectedApi>& apis() const { return apis_; }

private:
    std::vector<ProtectedApi> apis_;
    std::map<std::string, std::size_t, std::less<>> hosts_; // positions in apis_
    AddressList gateways_;
};

/// Whether any template fits the path, of whatever method.
bool has_path(const ProtectedApi& api, std::string_view path);

/// The route of a canonical path (request_target.h). Of templates that fit, the one that says more
/// earlier in the path: it alone decides which methods there are. Nothing: unmapped.
std::optional<RouteMatch> match(const ProtectedApi& api, std::string_view method,
                                std::string_view path);

} // namespace claviger
