// SPDX-License-Identifier: Apache-2.0
// The limits of service accounts and access keys in a tenant's document: as on the wire, with the
// names of roles and scopes instead of their ids.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/key_limits.h"

namespace claviger {

struct TenantState;

struct CeilingRecord {
    using UnknownMembers = Refused;
    std::optional<std::vector<std::string>> roles, permissions;
    std::optional<std::vector<std::vector<std::string>>> scopes; // the names from the cluster down
};
BOOST_DESCRIBE_STRUCT(CeilingRecord, (), (roles, permissions, scopes))

struct LimitsRecord {
    using UnknownMembers = Refused;
    std::optional<Timestamp> expires_at;
    std::optional<std::vector<std::string>> addresses;
    std::optional<AddressModeText> address_mode;
    std::optional<CeilingRecord> ceiling;
    std::optional<bool> honey;
};
BOOST_DESCRIBE_STRUCT(LimitsRecord, (), (expires_at, addresses, address_mode, ceiling, honey))

/// Nothing where there are none. What a ceiling names and is gone is left out: it permits nothing.
Result<std::optional<LimitsRecord>> limits_record(const TenantState& state,
                                                  const LimitsPointer& limits);

} // namespace claviger
