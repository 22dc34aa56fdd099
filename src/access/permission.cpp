// SPDX-License-Identifier: Apache-2.0
#include "access/permission.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>

namespace claviger {
namespace {

struct TypeText {
    std::string_view name, display_name, group;
};

/// The resource types of the contract (Appendices A and C), by group.
constexpr std::array<TypeText, 45> type_texts{{
    {"department", "Departments", "organization"},
    {"events-history", "Event history", "organization"},
    {"policies", "Policies", "organization"},
    {"project", "Projects", "organization"},
    {"settings", "Settings", "organization"},
    {"security-settings", "Security settings", "organization"},
    {"branding-settings", "Branding settings", "organization"},
    {"tenant", "Account", "organization"},
    {"access_rules", "Access rules", "iam"},
    {"apps", "Applications", "iam"},
    {"service-account", "Service accounts", "iam"},
    {"access-keys", "Access keys", "iam"},
    {"groups", "Groups", "iam"},
    {"roles", "Roles", "iam"},
    {"users", "Users", "iam"},
    {"cluster", "Clusters", "physical-resource"},
    {"cluster-config", "Cluster configuration", "physical-resource"},
    {"nodepools", "Node pools", "physical-resource"},
    {"nodes", "Nodes", "physical-resource"},
    {"network-topologies", "Network topologies", "physical-resource"},
    {"storage-class-configuration", "Storage class configuration", "physical-resource"},
    {"registries", "Registries", "physical-resource"},
    {"scrapeable-metrics", "Scrapeable metrics", "physical-resource"},
    {"dashboards-analytics", "Analytics dashboard", "dashboard"},
    {"dashboards-consumption", "Consumption dashboard", "dashboard"},
    {"dashboards-overview", "Overview dashboard", "dashboard"},
    {"inferences", "Inferences", "workload"},
    {"jobs", "Jobs", "workload"},
    {"trainings", "Trainings", "workload"},
    {"workloads", "Workloads", "workload"},
    {"workspaces", "Workspaces", "workload"},
    {"workload-properties", "Workload properties", "workload"},
    {"cm-volume-assets", "Data sources", "workload-asset"},
    {"compute-resources", "Compute resources", "workload-asset"},
    {"credentials", "Credentials", "workload-asset"},
    {"datavolumes", "Data volumes", "workload-asset"},
    {"datavolumes/sharedscopes", "Data volumes - sharing list", "workload-asset"},
    {"environments", "Environments", "workload-asset"},
    {"git-assets", "Data sources", "workload-asset"},
    {"host-path-assets", "Data sources", "workload-asset"},
    {"nfs-assets", "Data sources", "workload-asset"},
    {"pvc-assets", "Data sources", "workload-asset"},
    {"s3-assets", "Data sources", "workload-asset"},
    {"secret-volume-assets", "Data sources", "workload-asset"},
    {"templates", "Templates", "workload-asset"},
}};

constexpr std::array<std::string_view, action_count> action_names{"create", "read", "update",
                                                                  "delete", "sync", "custom"};

constexpr std::size_t index_of(ResourceType type) {
    return static_cast<std::size_t>(type);
}

constexpr std::uint8_t bit_of(Action action) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(action));
}

struct TypeTable {
    std::vector<ResourceTypeEntry> entries;
    std::deque<std::string> texts; // of custom types: they stay where they are
};

TypeTable& table() {
    static TypeTable all = [] {
        TypeTable made;
        made.entries.reserve(type_texts.size() + most_custom_types);
        for (std::size_t i = 0; i < type_texts.size(); ++i) {
            made.entries.push_back({static_cast<ResourceType>(i), type_texts[i].name,
                                    type_texts[i].display_name, type_texts[i].group});
        }
        return made;
    }();
    return all;
}

bool is_type_name(std::string_view name) {
    return !name.empty() && name.size() <= 63 && name.front() >= 'a' && name.front() <= 'z' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
}

} // namespace

std::span<const ResourceTypeEntry> resource_types() {
    return table().entries;
}

const ResourceTypeEntry& entry_of(ResourceType type) {
    return resource_types()[index_of(type)];
}

std::optional<ResourceType> find_resource_type(std::string_view name) {
    const auto types = resource_types();
    const auto at = std::ranges::find(types, name, &ResourceTypeEntry::name);
    return at == types.end() ? std::nullopt : std::optional(at->id);
}

std::optional<ResourceType> add_resource_type(std::string name, std::string display_name) {
    TypeTable& all = table();
    const auto known = find_resource_type(name);
    if (known && !entry_of(*known).is_custom) {
        return std::nullopt;
    }
    const bool is_full = all.entries.size() >= type_texts.size() + most_custom_types;
    if (!known && (!is_type_name(name) || is_full)) {
        return std::nullopt;
    }
    const std::string& display = all.texts.emplace_back(std::move(display_name));
    if (known) {
        all.entries[index_of(*known)].display_name = display;
        return known;
    }
    const auto id = static_cast<ResourceType>(all.entries.size());
    all.entries.push_back({id, all.texts.emplace_back(std::move(name)), display, "custom", true});
    return id;
}

std::string_view name_of(Action action) {
    return action_names[static_cast<std::size_t>(action)];
}

std::optional<Action> find_action(std::string_view name) {
    const auto at = std::ranges::find(action_names, name);
    if (at == action_names.end()) {
        return std::nullopt;
    }
    return static_cast<Action>(at - action_names.begin());
}

std::string text_of(Permission permission) {
    std::string text(entry_of(permission.resource_type).name);
    text += ':';
    text += name_of(permission.action);
    return text;
}

std::optional<Permission> find_permission(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto type = find_resource_type(text.substr(0, colon));
    const auto action = find_action(text.substr(colon + 1));
    return type && action ? std::optional(Permission{*type, *action}) : std::nullopt;
}

void PermissionSet::add(Permission permission) {
    const std::size_t index = index_of(permission.resource_type);
    if (actions_.size() <= index) {
        actions_.resize(index + 1, 0);
    }
    actions_[index] = static_cast<std::uint8_t>(actions_[index] | bit_of(permission.action));
}

void PermissionSet::add(const PermissionSet& other) {
    actions_.resize(std::max(actions_.size(), other.actions_.size()), 0);
    for (std::size_t i = 0; i < other.actions_.size(); ++i) {
        actions_[i] = static_cast<std::uint8_t>(actions_[i] | other.actions_[i]);
    }
}

void PermissionSet::keep_only(const PermissionSet& other) {
    actions_.resize(std::min(actions_.size(), other.actions_.size()));
    for (std::size_t i = 0; i < actions_.size(); ++i) {
        actions_[i] = static_cast<std::uint8_t>(actions_[i] & other.actions_[i]);
    }
}

bool PermissionSet::contains(Permission permission) const {
    const std::size_t index = index_of(permission.resource_type);
    return index < actions_.size() && (actions_[index] & bit_of(permission.action)) != 0;
}

bool PermissionSet::includes(const PermissionSet& other) const {
    for (std::size_t i = 0; i < other.actions_.size(); ++i) {
        const unsigned held = i < actions_.size() ? actions_[i] : 0U;
        if ((other.actions_[i] & ~held) != 0) {
            return false;
        }
    }
    return true;
}

bool PermissionSet::empty() const {
    return std::ranges::all_of(actions_, [](std::uint8_t actions) { return actions == 0; });
}

std::size_t PermissionSet::size() const {
    std::size_t count = 0;
    for (const std::uint8_t actions : actions_) {
        count += static_cast<std::size_t>(std::popcount(actions));
    }
    return count;
}

std::vector<Permission> PermissionSet::list() const {
    std::vector<Permission> permissions;
    for (std::size_t type = 0; type < actions_.size(); ++type) {
        for (std::size_t action = 0; action < action_count; ++action) {
            const Permission permission{static_cast<ResourceType>(type),
                                        static_cast<Action>(action)};
            if (contains(permission)) {
                permissions.push_back(permission);
            }
        }
    }
    return permissions;
}

} // namespace claviger
