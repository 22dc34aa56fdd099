// SPDX-License-Identifier: Apache-2.0
// Protected resource metadata (RFC 9728): whose tokens our own API and those of the route map take,
// for clients that have met a 401 and know nothing else.
#include <set>

#include "api/bearer.h"
#include "api/metadata_operation.h"
#include "api/resources.h"
#include "api/route_map.h"

namespace claviger {
namespace {

struct ProtectedResourceMetadata {
    using WireNames = SnakeCase;
    std::string resource;
    std::vector<std::string> authorization_servers;
    std::vector<std::string> scopes_supported;
    std::vector<std::string> bearer_methods_supported;
    std::string resource_name;
};
BOOST_DESCRIBE_STRUCT(ProtectedResourceMetadata, (),
                      (resource, authorization_servers, scopes_supported, bearer_methods_supported,
                       resource_name))

ProtectedResourceMetadata metadata_of(Context& context, std::string resource, std::string name,
                                      const std::set<Permission>& permissions) {
    ProtectedResourceMetadata metadata;
    metadata.resource = std::move(resource);
    metadata.resource_name = std::move(name);
    metadata.authorization_servers = {
        root_issuer(context.services.settings, context.state().tenant)};
    for (const Permission permission : permissions) {
        metadata.scopes_supported.push_back(text_of(permission));
    }
    metadata.bearer_methods_supported = {"header"};
    return metadata;
}

Result<ProtectedResourceMetadata> read_own_metadata(Context& context, const NoFields&) {
    std::set<Permission> permissions;
    for (const ResourceTypeEntry& type : resource_types()) {
        if (!type.is_custom) {
            permissions.insert({type.id, Action::read});
        }
    }
    return metadata_of(context, base_url(context.services.settings, context.state().tenant),
                       "Claviger", permissions);
}

struct ApiRequest {
    std::string api;
};
BOOST_DESCRIBE_STRUCT(ApiRequest, (), (api))

Result<ProtectedResourceMetadata> read_api_metadata(Context& context, const ApiRequest& request) {
    const RouteMap* map = context.services.route_map;
    const ProtectedApi* api = map != nullptr ? map->find_api_named(request.api) : nullptr;
    const bool is_of_this_tenant =
        api != nullptr && (api->realm.empty() || api->realm == context.state().tenant.realm);
    if (!is_of_this_tenant) {
        return fail(ErrorCode::not_found, "no protected API has this name");
    }
    std::set<Permission> permissions;
    for (const MappedRoute& route : api->routes) {
        if (route.passed_by == PassedBy::permitted) {
            permissions.insert(route.permission);
        }
    }
    return metadata_of(context, api->resource, api->name, permissions);
}

} // namespace

Routes protected_resource_routes() {
    return {
        route<read_own_metadata>(metadata_operation(protected_resource_path,
                                                    "getProtectedResourceMetadata",
                                                    "Whose tokens this API takes (RFC 9728)")),
        route<read_api_metadata>(metadata_operation(
            "/.well-known/oauth-protected-resource/{api}", "getProtectedApiMetadata",
            "Whose tokens an API of the route map takes (RFC 9728)")),
    };
}

} // namespace claviger
