// SPDX-License-Identifier: Apache-2.0
// The forms that names may have (contract 2.1 and Appendix A).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"

namespace claviger {

inline constexpr std::size_t longest_name = 255; // bytes

/// ^[a-z][-_a-z0-9]*[a-z0-9]$, 2 to 255 characters: service accounts and access keys.
bool is_resource_name(std::string_view text);
/// Client ids of users' keys start with "ak-"; no service account may.
inline constexpr std::string_view access_key_prefix = "ak-";
/// The prefix and 80 random bits as 16 characters of a-z and 2-7.
std::string make_access_key_client_id(Random& random);
bool is_access_key_client_id(std::string_view text);
/// ^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$, at most 254 characters.
bool is_email_address(std::string_view text);
/// A name for a tenant, cluster, department, project or group: 1 to 255 bytes of UTF-8 without
/// control characters, not starting or ending with a space.
bool is_display_name(std::string_view text);
/// A resource name or an e-mail address: what may stand in a log as the name of a caller.
bool is_printable_name(std::string_view text);
/// What a log says of a name as sent: what is no name at all may be a secret in the wrong field.
std::string_view shown_name(std::string_view text);
/// One text for all spellings that somebody could hope to be taken for the same name: case, width,
/// white space, control and invisible characters.
std::string fold_name(std::string_view text);
/// A realm: ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$, at most 63 characters.
bool is_realm_name(std::string_view text);
/// A DNS label in lower case (RFC 1123 2.1): a namespace.
bool is_dns_label(std::string_view text);
/// A host name in lower case without a port (RFC 1123 2.1) .
bool is_host_name(std::string_view text);

} // namespace claviger
