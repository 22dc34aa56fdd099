// SPDX-License-Identifier: Apache-2.0
// Addresses that a tenant may give: judged by their form alone, without asking anybody.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"

namespace claviger {

inline constexpr std::size_t longest_web_address = 2048; // bytes

/// `invalid_request`, which names `field`, unless `text` is an http or https address with a host,
/// in printable ASCII, without user and password.
Result<void> check_web_address(std::string_view text, std::string_view field);

/// The same for an address that this server will ask one day: it may not name this machine, its
/// link, or the places where clouds keep what their machines may know, however it is spelled.
/// Private networks are allowed: the provider of an installation of one's own often is in one.
Result<void> check_remote_address(std::string_view text, std::string_view field);

} // namespace claviger
