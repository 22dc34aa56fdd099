// SPDX-License-Identifier: Apache-2.0
#include "access/permission_sets.h"

#include <algorithm>
#include <array>
#include <vector>

#include "access/role.h"

namespace claviger {
namespace {

/// FNV-1a with a final mix. Ids are made of it, so it may never change.
std::uint64_t lasting_hash(std::string_view text) {
    std::uint64_t value = 0xCBF29CE484222325ULL;
    for (const char c : text) {
        value = (value ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
    }
    value ^= value >> 32;
    return value * 0x9E3779B97F4A7C15ULL;
}

/// Version 8 of RFC 9562: the bits are ours.
Uuid id_of(std::string_view name) {
    Uuid id;
    const std::array<std::uint64_t, 2> halves{
        lasting_hash("permission set 1: " + std::string(name)),
        lasting_hash("permission set 2: " + std::string(name))};
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x80);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    return id;
}

PredefinedPermissionSet make_set(std::string name, std::string description,
                                 PermissionSet permissions) {
    const Uuid id = id_of(name);
    return {id, std::move(name), std::move(description), std::move(permissions)};
}

PermissionSet permissions_on(ResourceType type, std::span<const Action> actions) {
    PermissionSet permissions;
    for (const Action action : actions) {
        permissions.add({type, action});
    }
    return permissions;
}

std::vector<PredefinedPermissionSet> make_sets() {
    constexpr std::array view{Action::read};
    constexpr std::array manage{Action::create, Action::read, Action::update, Action::remove};
    constexpr std::array operate{Action::sync, Action::custom};
    std::vector<PredefinedPermissionSet> sets;
    for (const PredefinedRole& role : predefined_roles()) {
        sets.push_back(
            make_set(std::string(role.name), std::string(role.description), role.permissions));
    }
    for (const ResourceTypeEntry& type : resource_types()) {
        const std::string name(type.name);
        sets.push_back(make_set("View " + name, "Sees resources of the type " + name + ".",
                                permissions_on(type.id, view)));
        sets.push_back(
            make_set("Manage " + name,
                     "Creates, sees, changes and deletes resources of the type " + name + ".",
                     permissions_on(type.id, manage)));
        if (type.is_custom) {
            sets.push_back(make_set("Operate " + name,
                                    "Does what else there is to resources of the type " + name +
                                        ": the actions sync and custom.",
                                    permissions_on(type.id, operate)));
        }
    }
    return sets;
}

} // namespace

std::span<const PredefinedPermissionSet> predefined_permission_sets() {
    static const std::vector<PredefinedPermissionSet> sets = make_sets();
    return sets;
}

const PredefinedPermissionSet* find_permission_set(const Uuid& id) {
    const auto sets = predefined_permission_sets();
    const auto at = std::ranges::find(sets, id, &PredefinedPermissionSet::id);
    return at == sets.end() ? nullptr : &*at;
}

PermissionSet permissions_of_sets(std::span<const Uuid> ids) {
    PermissionSet permissions;
    for (const Uuid& id : ids) {
        if (const PredefinedPermissionSet* set = find_permission_set(id)) {
            permissions.add(set->permissions);
        }
    }
    return permissions;
}

} // namespace claviger
