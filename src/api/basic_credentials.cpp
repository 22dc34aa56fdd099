// SPDX-License-Identifier: Apache-2.0
#include "api/basic_credentials.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::string_view scheme = "Basic ";

} // namespace

bool is_basic(std::string_view authorization) {
    return ascii_iequal(authorization.substr(0, scheme.size()), scheme) ||
           ascii_iequal(authorization, scheme.substr(0, scheme.size() - 1));
}

std::optional<BasicCredentials> read_basic(std::string_view authorization) {
    auto decoded =
        decode_base64(authorization.substr(std::min(authorization.size(), scheme.size())));
    if (!decoded) {
        return std::nullopt;
    }
    const std::string_view pair = as_text(*decoded);
    const std::size_t colon = pair.find(':');
    std::optional<BasicCredentials> credentials;
    if (colon != std::string_view::npos) {
        credentials =
            BasicCredentials{std::string(pair.substr(0, colon)), Secret(pair.substr(colon + 1))};
    }
    wipe(*decoded);
    return credentials;
}

} // namespace claviger
