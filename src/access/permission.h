// SPDX-License-Identifier: Apache-2.0
// A permission is a resource type and an action (NIST RBAC). Resource types are interned strings
// from a table, so that later ones need no new code; actions are a small closed set.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace claviger {

/// Index into the table of resource types. Stable within a process only; store the name.
enum class ResourceType : std::uint16_t {};

struct ResourceTypeEntry {
    ResourceType id{};
    std::string_view name;         // "service-account"
    std::string_view display_name; // "Service accounts"
    std::string_view group;        // "iam"
    bool is_custom = false;        // of a protected API, not of the contract
};

/// All resource types, in the order of their ids.
std::span<const ResourceTypeEntry> resource_types();
const ResourceTypeEntry& entry_of(ResourceType type);
std::optional<ResourceType> find_resource_type(std::string_view name);

inline constexpr std::size_t most_custom_types = 1'000;

/// Adds a resource type of a protected API, of the group "custom"; one that has been added already
/// takes the new display name. Absent when the name is one of the contract's, is not of 1 to 63 of
/// a-z, 0-9, - and _ beginning with a letter, or when there are too many.
/// To be called while the process starts, before another thread or a role reads the table.
std::optional<ResourceType> add_resource_type(std::string name, std::string display_name);

/// The contract's five and `custom`.
enum class Action : std::uint8_t { create, read, update, remove, sync, custom };
inline constexpr std::size_t action_count = 6;
std::string_view name_of(Action action); // "create", "read", "update", "delete", "sync", "custom"
std::optional<Action> find_action(std::string_view name);

struct Permission {
    ResourceType resource_type{};
    Action action = Action::read;
    friend auto operator<=>(const Permission&, const Permission&) = default;
};
/// "service-account:create"
std::string text_of(Permission permission);
/// The permission of such a text; nothing for any other.
std::optional<Permission> find_permission(std::string_view text);

/// A set of permissions: one byte of action bits for each resource type.
class PermissionSet {
public:
    void add(Permission permission);
    void add(const PermissionSet& other);
    /// Removes what is not in `other`.
    void keep_only(const PermissionSet& other);
    bool contains(Permission permission) const;
    /// True when every permission of `other` is in this set.
    bool includes(const PermissionSet& other) const;
    bool empty() const;
    std::size_t size() const;
    std::vector<Permission> list() const;
    friend bool operator==(const PermissionSet& a, const PermissionSet& b) {
        return a.includes(b) && b.includes(a);
    }

private:
    std::vector<std::uint8_t> actions_; // by ResourceType; shorter means zero
};

} // namespace claviger
