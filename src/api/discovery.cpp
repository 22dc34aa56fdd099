// SPDX-License-Identifier: Apache-2.0
// What clients and verifiers learn by themselves: server metadata (RFC 8414, OpenID Connect
// Discovery 1.0) of both issuers, and the key set (RFC 7517).
#include <array>

#include "api/metadata_operation.h"
#include "api/resources.h"
#include "auth/key_ring.h"

namespace claviger {
namespace {

struct ServerMetadata {
    using WireNames = SnakeCase;
    std::string issuer;
    std::string token_endpoint;
    std::string revocation_endpoint;
    std::string introspection_endpoint;
    std::string jwks_uri;
    std::vector<std::string> response_types_supported;
    std::vector<std::string> grant_types_supported;
    std::vector<std::string> scopes_supported;
    std::vector<std::string> subject_types_supported;
    std::vector<std::string> id_token_signing_alg_values_supported;
    std::vector<std::string> token_endpoint_auth_methods_supported;
    std::vector<std::string> revocation_endpoint_auth_methods_supported;
    std::vector<std::string> introspection_endpoint_auth_methods_supported;
    std::vector<std::string> claims_supported;
};
BOOST_DESCRIBE_STRUCT(ServerMetadata, (),
                      (issuer, token_endpoint, revocation_endpoint, introspection_endpoint,
                       jwks_uri, response_types_supported, grant_types_supported, scopes_supported,
                       subject_types_supported, id_token_signing_alg_values_supported,
                       token_endpoint_auth_methods_supported,
                       revocation_endpoint_auth_methods_supported,
                       introspection_endpoint_auth_methods_supported, claims_supported))

void let_caches_keep(Context& context) {
    context.headers.emplace_back("Cache-Control",
                                 "public, max-age=" + std::to_string(key_set_max_age_seconds));
}

ServerMetadata metadata_of(Context& context, const std::string& issuer,
                           const std::string& token_endpoint) {
    let_caches_keep(context);
    const TokenSettings& settings = context.services.settings;
    ServerMetadata metadata;
    metadata.issuer = issuer;
    metadata.token_endpoint = token_endpoint;
    const std::string base = base_url(settings, context.state().tenant);
    metadata.revocation_endpoint = base + "/oauth2/revoke";
    metadata.introspection_endpoint = base + "/oauth2/introspect";
    metadata.jwks_uri = base + "/.well-known/jwks.json";
    metadata.response_types_supported = {"none"};
    metadata.grant_types_supported = {std::string(grant_type::client_credentials)};
    if (settings.password_grant) {
        metadata.grant_types_supported.emplace_back(grant_type::password);
    }
    metadata.grant_types_supported.emplace_back(grant_type::refresh_token);
    metadata.scopes_supported = {"openid", "email", "profile", "groups", "offline_access"};
    metadata.subject_types_supported = {"public"};
    for (const SigningAlgorithm algorithm : context.state().keys.published_algorithms(
             KeyPurpose::id_token, context.services.clock.now())) {
        metadata.id_token_signing_alg_values_supported.emplace_back(
            name_of(jose_algorithm(algorithm)));
    }
    metadata.token_endpoint_auth_methods_supported = {"client_secret_basic", "client_secret_post"};
    metadata.revocation_endpoint_auth_methods_supported =
        metadata.token_endpoint_auth_methods_supported;
    metadata.introspection_endpoint_auth_methods_supported =
        metadata.token_endpoint_auth_methods_supported;
    metadata.introspection_endpoint_auth_methods_supported.emplace_back("Bearer"); // RFC 8414 2
    for (const std::string_view name :
         {claim::issuer, claim::subject, claim::audience, claim::expiration, claim::issued_at,
          claim::token_id, claim::session, claim::email, claim::preferred_username,
          claim::given_name, claim::family_name, claim::groups, claim::uid, claim::gid,
          claim::supplementary_groups}) {
        metadata.claims_supported.emplace_back(name);
    }
    return metadata;
}

Result<ServerMetadata> read_root_metadata(Context& context, const NoFields&) {
    const std::string issuer = root_issuer(context.services.settings, context.state().tenant);
    return metadata_of(context, issuer, issuer + "/oauth2/token");
}

struct RealmRequest {
    std::string realm;
};
BOOST_DESCRIBE_STRUCT(RealmRequest, (), (realm))

Result<ServerMetadata> read_realm_metadata(Context& context, const RealmRequest& request) {
    if (request.realm != context.state().tenant.realm) {
        return fail(ErrorCode::not_found, "there is no such realm");
    }
    const std::string issuer = realm_issuer(context.services.settings, context.state().tenant);
    return metadata_of(context, issuer, issuer + "/protocol/openid-connect/token");
}

Result<RawJson> read_key_set(Context& context, const NoFields&) {
    let_caches_keep(context);
    return RawJson{context.state().keys.jwk_set(context.services.clock.now())};
}

} // namespace

Routes discovery_routes() {
    return {
        route<read_root_metadata>(metadata_operation("/.well-known/openid-configuration",
                                                     "getOpenIdConfiguration",
                                                     "Server metadata (OpenID Connect)")),
        route<read_root_metadata>(metadata_operation("/.well-known/oauth-authorization-server",
                                                     "getAuthorizationServerMetadata",
                                                     "Server metadata (RFC 8414)")),
        route<read_realm_metadata>(
            metadata_operation("/auth/realms/{realm}/.well-known/openid-configuration",
                               "getRealmOpenIdConfiguration", "Server metadata of the realm")),
        route<read_key_set>(metadata_operation("/.well-known/jwks.json", "getJwks",
                                               "The public signing keys (RFC 7517)")),
    };
}

} // namespace claviger
