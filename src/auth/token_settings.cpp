// SPDX-License-Identifier: Apache-2.0
#include "auth/token_settings.h"

#include <algorithm>
#include <array>

namespace claviger {

namespace {

struct HostSpan {
    std::size_t begin = 0;
    std::size_t length = 0;
};

HostSpan find_host(std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    const std::size_t begin = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
    const std::size_t end = url.substr(begin).starts_with('[') ? url.find(']', begin) + 1
                                                               : url.find_first_of(":/", begin);
    return {begin, std::min(end, url.size()) - begin};
}

} // namespace

std::string_view name_of(LeakPolicy policy) {
    static constexpr std::array<std::string_view, 3> names{"revoke", "freeze", "record"};
    return names[static_cast<std::size_t>(policy)];
}

SigningAlgorithm algorithm_for(const TokenSettings& settings, std::string_view audience) {
    const auto at = settings.audience_algorithms.find(audience);
    return at == settings.audience_algorithms.end() ? settings.algorithm : at->second;
}

std::vector<SigningAlgorithm> algorithms_in_use(const TokenSettings& settings) {
    std::vector<SigningAlgorithm> used{settings.algorithm};
    for (const auto& [audience, algorithm] : settings.audience_algorithms) {
        if (std::ranges::find(used, algorithm) == used.end()) {
            used.push_back(algorithm);
        }
    }
    return used;
}

std::string_view public_client(std::string_view client_id) {
    static constexpr std::array<std::string_view, 4> known{public_client_id, "runai-cli",
                                                           "runai-cli-sso", "runai-admin-ui"};
    const auto at = std::ranges::find(known, client_id);
    return at == known.end() ? public_client_id : *at;
}

std::string host_of_url(std::string_view url) {
    const HostSpan host = find_host(url);
    return std::string(url.substr(host.begin, host.length));
}

std::string base_url(const TokenSettings& settings, const Tenant& tenant) {
    std::string url = settings.public_url;
    if (!tenant.host.empty()) {
        const HostSpan host = find_host(url);
        url.replace(host.begin, host.length, tenant.host);
    }
    return url;
}

std::string root_issuer(const TokenSettings& settings, const Tenant& tenant) {
    return base_url(settings, tenant);
}

std::string realm_issuer(const TokenSettings& settings, const Tenant& tenant) {
    return base_url(settings, tenant) + "/auth/realms/" + tenant.realm;
}

} // namespace claviger
