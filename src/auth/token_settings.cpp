// SPDX-License-Identifier: Apache-2.0
#include "auth/token_settings.h"

#include <algorithm>

namespace claviger {

std::string base_url(const TokenSettings& settings, const Tenant& tenant) {
    if (tenant.host.empty()) {
        return settings.public_url;
    }
    const std::size_t scheme_end = settings.public_url.find("://");
    const std::size_t host_begin = scheme_end == std::string::npos ? 0 : scheme_end + 3;
    const std::size_t host_end =
        std::min(settings.public_url.find_first_of(":/", host_begin), settings.public_url.size());
    std::string url = settings.public_url;
    url.replace(host_begin, host_end - host_begin, tenant.host);
    return url;
}

std::string root_issuer(const TokenSettings& settings, const Tenant& tenant) {
    return base_url(settings, tenant);
}

std::string realm_issuer(const TokenSettings& settings, const Tenant& tenant) {
    return base_url(settings, tenant) + "/auth/realms/" + tenant.realm;
}

} // namespace claviger
