// SPDX-License-Identifier: Apache-2.0
// The address of a server as somebody typed it, and what is put into addresses and forms.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace claviger {

/// A server's address without its last slash. Plain HTTP is taken for this machine's own addresses
/// only, unless `allows_http`: the request carries a secret.
Result<std::string> server_address(const std::string& text, bool allows_http);

/// A segment of a path, or a name or value of a query or form: all but unreserved characters
/// escaped (RFC 3986 2.3).
std::string percent_encoded(std::string_view text);

} // namespace claviger
