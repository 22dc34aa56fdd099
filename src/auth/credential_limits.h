// SPDX-License-Identifier: Apache-2.0
// What bounds a service account or an access key besides its rights: until when it is good, from
// where it may be used, and what it may do at most. Stored as a JSON object:
//
//   {"expiresAt":"2027-01-01T00:00:00Z","addresses":["10.0.0.0/8"],"addressMode":"enforced",
//    "ceiling":{"roleIds":[7],"permissions":["project:read"],
//               "scopes":[{"scopeType":"project","scopeId":"4711"}]},"honey":true}
//
// Every member may be left out. Read once, when the row comes into memory; evaluated in eligible()
// and in access/decide.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/limit.h"
#include "auth/address_list.h"
#include "base/error.h"
#include "base/time.h"

namespace claviger {

inline constexpr std::string_view no_limits = "{}";
inline constexpr std::size_t most_limit_entries = 64; // of each list

/// What happens to a use from an address that is not in the list.
enum class AddressMode : std::uint8_t { enforced, log_only };
std::string_view name_of(AddressMode mode); // "enforced", "log-only"

struct CredentialLimits {
    std::string text = std::string(no_limits); // as stored
    std::optional<Timestamp> expires_at{};
    std::optional<AddressList> addresses{}; // absent: any
    AddressMode address_mode = AddressMode::enforced;
    std::optional<AccessLimit> ceiling{};
    bool is_honey = false; // it is good for nothing: whoever uses it has found or stolen it
};

/// Shared between the tables of a tenant and the requests that are reading them; null: no limits.
using LimitsPointer = std::shared_ptr<const CredentialLimits>;

/// `invalid_request` says what is wrong. Roles and scopes need not exist.
Result<CredentialLimits> parse_limits(TenantId tenant, std::string_view text);
/// `invalid_request` for a role or a scope that the tenant does not have.
Result<void> check_names(const AccessSnapshot& access, const CredentialLimits& limits);
/// Of a credential that is to be made at `now`: with both checks, and not expired yet.
Result<CredentialLimits> parse_new_limits(const AccessSnapshot& access, std::string_view text,
                                          Timestamp now);
/// Of a stored row. What cannot be read has expired long ago: nobody gets more than was meant.
LimitsPointer read_limits(TenantId tenant, std::string_view text);

/// Whether a key with these limits is good for nothing at `now`: then its tokens have ended, and
/// verifiers must hear of it.
bool leaves_nothing(const CredentialLimits& limits, Timestamp now);

/// What `inner` allows and `outer` does not; null is no limit.
std::optional<std::string> excess_over(const AccessSnapshot& access, const CredentialLimits* outer,
                                       const CredentialLimits* inner);
/// Of time and addresses alone.
std::optional<std::string> excess_of_use(const CredentialLimits* outer,
                                         const CredentialLimits* inner);

} // namespace claviger
