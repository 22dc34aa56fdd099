// SPDX-License-Identifier: Apache-2.0
// The limits of a service account or an access key on the wire, and as their row keeps them
// (auth/credential_limits.h): the same JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/scope_text.h"
#include "auth/credential_limits.h"

namespace claviger {

struct AddressModeText {
    AddressMode value = AddressMode::enforced;
    static Result<AddressModeText> decode(std::string_view text);
    std::string wire() const { return std::string(name_of(value)); }
    static json::object schema();
};

struct KeyCeilingScope {
    using UnknownMembers = Refused;
    ScopeTypeText scope_type;
    std::string scope_id;
};
BOOST_DESCRIBE_STRUCT(KeyCeilingScope, (), (scope_type, scope_id))

struct KeyCeiling {
    using UnknownMembers = Refused;
    std::optional<std::vector<std::int32_t>> role_ids;
    std::optional<std::vector<std::string>> permissions;
    std::optional<std::vector<KeyCeilingScope>> scopes;
};
BOOST_DESCRIBE_STRUCT(KeyCeiling, (), (role_ids, permissions, scopes))

struct KeyLimits {
    using UnknownMembers = Refused;
    std::optional<Timestamp> expires_at;
    std::optional<std::vector<std::string>> addresses;
    std::optional<AddressModeText> address_mode;
    std::optional<KeyCeiling> ceiling;
    std::optional<bool> honey; // good for nothing, and every use is an alarm
};
BOOST_DESCRIBE_STRUCT(KeyLimits, (), (expires_at, addresses, address_mode, ceiling, honey))

/// As the row keeps them; absent ones are none.
std::string limits_text(const std::optional<KeyLimits>& limits);
/// `internal` for a text that is not ours.
Result<KeyLimits> read_key_limits(const CredentialLimits* limits);

} // namespace claviger
