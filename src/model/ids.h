// SPDX-License-Identifier: Apache-2.0
// Identifiers. Each carries its tenant, so a look-up that forgets the tenant does not compile.
// Ids are never reused.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/uuid.h"

namespace claviger {

enum class TenantId : std::int32_t {};

constexpr std::int32_t number_of(TenantId id) {
    return static_cast<std::int32_t>(id);
}

/// `Noun` is the type of the thing that is named, `Value` how it is written down.
template <class Noun, class Value>
struct Id {
    TenantId tenant{};
    Value value{};
    friend auto operator<=>(const Id&, const Id&) = default;
};

struct ServiceAccount;
struct User;
struct AccessKey;
struct Session;
struct AccessRule;
struct Role;

using ServiceAccountId = Id<ServiceAccount, Uuid>;
using UserId = Id<User, Uuid>;
using AccessKeyId = Id<AccessKey, Uuid>;
using SessionId = Id<Session, Uuid>;
using AccessRuleId = Id<AccessRule, std::int32_t>;
using RoleId = Id<Role, std::int32_t>;

/// The kinds of node in the tree, from the top. `system` is above all tenants.
enum class ScopeType : std::uint8_t { system, tenant, cluster, department, project };

/// A node of the tree tenant > cluster > department > project. `value` is the decimal tenant id, a
/// cluster's UUID, or a department's or project's decimal number.
struct ScopeId {
    TenantId tenant{};
    ScopeType type = ScopeType::tenant;
    std::string value;
    friend auto operator<=>(const ScopeId&, const ScopeId&) = default;
};

/// The root of a tenant's tree.
inline ScopeId tenant_scope(TenantId tenant) {
    return {tenant, ScopeType::tenant, std::to_string(number_of(tenant))};
}

} // namespace claviger
