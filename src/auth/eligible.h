// SPDX-License-Identifier: Apache-2.0
// The one question "may this principal be served now": asked by every grant and by every use of a
// token, so that no path can forget it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/credential_limits.h"
#include "auth/directory.h"
#include "auth/origin.h"

namespace claviger {

/// Why a principal is not served; for logs and audit, never for the wire.
enum class Ineligible : std::uint8_t {
    tenant_disabled,
    unknown,
    disabled,
    epoch_passed,
    secret_revoked,
    password_is_temporary,
    key_expired,
    outside_addresses,
    honey_key
};
std::string_view name_of(Ineligible reason);

struct Eligibility {
    std::optional<Ineligible> refused;
    std::optional<Timestamp> ended_at = {}; // when the key expired that is refused
    const User* user = nullptr;             // when the principal is one
    std::string_view name;          // service account's name or user's e-mail; empty when refused
    std::uint32_t epoch = 0;        // what a token made now must carry
    LimitsPointer limits = nullptr; // of the service account or access key
    bool is_outside_addresses = false; // and the limits only log it
};

/// When and from where a credential or a token is used.
struct UseOfCredential {
    Timestamp at;
    std::string_view source_ip;
};

/// The source of what is asked about only, and not used: no list of addresses is looked at.
inline constexpr std::string_view asked_from_anywhere = "*";

/// What a token carries of the credential that it was got with.
struct IssuedWith {
    std::uint32_t epoch = 0;
    std::uint32_t secret = 0; // its number; 0: none
};

/// `token` is what a token carries, or nothing when a new one is asked for. With an access key of a
/// user it is the key's epoch that counts, and the user must be good as well.
Eligibility eligible(const TenantState& state, PrincipalKind kind, const Uuid& id,
                     const std::optional<IssuedWith>& token, const UseOfCredential& use,
                     const std::optional<Uuid>& access_key = {});

} // namespace claviger
