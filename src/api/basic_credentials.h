// SPDX-License-Identifier: Apache-2.0
// The Basic scheme of the Authorization header (RFC 7617): read, not judged.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace claviger {

struct BasicCredentials {
    std::string id;
    Secret secret;
};

/// Whether the header's scheme is Basic, well-formed or not.
bool is_basic(std::string_view authorization);
/// Nothing when it is malformed.
std::optional<BasicCredentials> read_basic(std::string_view authorization);

} // namespace claviger
