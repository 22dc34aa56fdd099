// SPDX-License-Identifier: Apache-2.0
// Answers gateways: may this request, which a gateway holds, go on to the API behind it? The route
// map says what it needs; tokens, limits and rules are those of our own API. Every answer is 200,
// 401 or 403, because those are the ones that all gateways understand.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "api/route.h"
#include "api/route_map.h"
#include "base/now_and_then.h"

namespace claviger {

/// Asked with X-Forwarded-Method, -Host and -Uri, as nginx, Caddy and Traefik do.
inline constexpr std::string_view forward_auth_path = "/forward-auth";
/// Asked with the request's own method, host, path and query behind this prefix, as Envoy does.
inline constexpr std::string_view ext_authz_prefix = "/ext-authz";
/// What a gateway says besides the request that it holds, where a secret is asked of it.
inline constexpr std::string_view gateway_secret_header = "X-Gateway-Secret";
/// How much of a request's body such a gateway may send along, for scopes that stand in it.
inline constexpr std::size_t most_of_forwarded_body = 64 * 1024;

/// What the API behind the gateway learns of a request that may pass. All are in every such answer,
/// empty when there is nothing to say, so that a gateway that copies them replaces what a client
/// has sent under these names.
namespace identity_header {
inline constexpr std::string_view subject = "X-Auth-Subject";           // `sub` of the token
inline constexpr std::string_view subject_type = "X-Auth-Subject-Type"; // as in access rules
inline constexpr std::string_view subject_id = "X-Auth-Subject-Id";     // likewise
inline constexpr std::string_view tenant = "X-Auth-Tenant";             // its number
inline constexpr std::string_view permission = "X-Auth-Permission";     // "workloads:read"
inline constexpr std::string_view scope = "X-Auth-Scope";               // "project:4500001"
inline constexpr std::size_t count = 6;
} // namespace identity_header

class ForwardAuth {
public:
    /// `services`, which must have a route map, must outlive it.
    explicit ForwardAuth(Services& services);

    /// Whether a request is a gateway's question, by its path.
    static bool is_asked(std::string_view path);

    HttpResponse serve(const HttpRequest& request);

    struct Counts {
        std::uint64_t passed = 0;
        std::uint64_t refused = 0;
    };
    Counts counts() const;

private:
    /// The request that the gateway holds.
    struct Forwarded {
        std::string_view method;
        std::string host; // lower case, without the port
        std::string_view path;
        std::string_view query;
    };
    /// What was found out about one that may pass.
    struct Verdict {
        std::optional<NodeIndex> scope; // at which its permission is held
        bool has_identity = false;
    };

    /// Whether the gateway shows a secret that is good, where it must.
    bool shows_secret(const HttpRequest& request);
    static Result<Forwarded> read_forwarded(const HttpRequest& request);
    TenantStatePointer tenant_of(const ProtectedApi& api, const HttpRequest& request) const;
    HttpResponse answer(Context& context, const Forwarded& forwarded, const ProtectedApi& api);
    /// `route` is null when the request is not mapped. Refuses with `unauthenticated` or
    /// `access_denied` only.
    Result<void> judge(Context& context, const Forwarded& forwarded, const ProtectedApi& api,
                       const RouteMatch* route, Verdict& verdict) const;
    static HttpResponse refuse(const Context& context, const ProtectedApi& api,
                               const RouteMatch* route, const Error& error);

    Services& services_;
    std::map<std::string, TokenVerifier, std::less<>> verifiers_; // by resource
    NowAndThen secret_warning_;
    std::atomic<std::uint64_t> passed_{0};
    std::atomic<std::uint64_t> refused_{0};
};

} // namespace claviger
