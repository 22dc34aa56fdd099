// SPDX-License-Identifier: Apache-2.0
#include "access/role.h"

#include <algorithm>
#include <array>
#include <vector>

namespace claviger {
namespace {

struct RoleText {
    std::int32_t number;
    std::string_view name, description;
    bool is_legacy = false;
};

/// In the order of the columns below.
constexpr std::array<RoleText, 21> role_texts{{
    {1, "System administrator", "Controls everything in the tenant. Keep it to few people."},
    {3, "Editor",
     "Manages departments, projects and data volumes, and works with everything below them."},
    {4, "Research manager",
     "Manages every kind of workload asset, and sees projects, jobs and workspaces.", true},
    {5, "L1 researcher", "Runs jobs and workspaces, and manages assets, in the projects given.",
     true},
    {6, "ML engineer", "Manages inference, and sees the tree, nodes and dashboards.", true},
    {7, "Viewer", "Sees the tree, workloads, assets and dashboards. Changes nothing."},
    {8, "L2 researcher", "Runs jobs and workspaces. Sees assets without changing them.", true},
    {9, "Environment administrator", "Manages environments."},
    {10, "Data source administrator", "Manages data sources."},
    {11, "Compute resource administrator", "Manages compute resources."},
    {12, "Template administrator", "Manages templates."},
    {13, "Department viewer", "Sees a department and what is below it."},
    {373, "Credentials administrator", "Manages credentials."},
    {1708, "Application administrator",
     "Manages departments and projects, and assigns all but system-level roles."},
    {1709, "Cloud support", "Sees nearly everything. Changes nothing."},
    {1710, "Department administrator",
     "Manages the projects of a department, and assigns researcher-level roles in it."},
    {1711, "Cloud operator", "Manages clusters, node pools, settings and applications."},
    {2256, "Data volume administrator", "Manages data volumes and with whom they are shared."},
    // The contract names these three without ids or permissions: both are ours.
    {3001, "AI practitioner", "Runs every kind of workload, and manages the assets that it needs."},
    {3002, "Data and storage administrator",
     "Manages data sources, data volumes and storage classes."},
    {3003, "Project administrator",
     "Manages what is in a project, and assigns researcher-level roles in it."},
}};

struct GrantRow {
    std::string_view resource_type;
    std::array<std::string_view, role_texts.size()> actions; // a letter for each action
};

// clang-format off
/// What each role may do: C create, R read, U update, D delete. The columns are the roles
/// 1 3 4 5 6 7 8 9 10 11 12 13 373 1708 1709 1710 1711 2256, and below them 3001 3002 3003.
constexpr std::array<GrantRow, 45> grants{{
    {"department",
     {"CRUD","CRUD","R","","R","R","","R","R","R","R","R","R","CRUD","R","R","","R",
      "R", "R", "R"}},
    {"events-history",
     {"R", "", "", "", "", "", "", "", "", "", "", "", "", "R", "R", "", "R", "",
      "", "", ""}},
    {"policies",
     {"CRUD","CRUD","R","R","R","R","R","R","R","R","R","R","R","CRUD","R","CRUD","","R",
      "R", "R", "CRUD"}},
    {"project",
     {"CRUD","CRUD","CRUD","R","R","R","R","R","R","R","R","R","R","CRUD","R","CRUD","","R",
      "R", "R", "RU"}},
    {"settings",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "R", "", "CRUD", "",
      "", "", ""}},
    {"tenant",
     {"R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R",
      "R", "R", "R"}},
    {"access_rules",
     {"CRUD", "CRUD", "CRUD", "", "", "", "", "", "", "", "", "", "", "CRUD", "R", "CRUD", "R", "",
      "", "", "CRUD"}},
    {"apps",
     {"CRUD", "R", "", "", "", "", "", "", "", "", "", "", "", "R", "", "R", "CRUD", "",
      "", "", "R"}},
    {"groups",
     {"CRUD", "R", "", "", "", "", "", "", "", "", "", "", "", "R", "", "R", "", "",
      "", "", "R"}},
    {"roles",
     {"CRUD", "R", "R", "", "", "", "", "", "", "", "", "", "", "R", "R", "R", "", "",
      "", "", "R"}},
    {"users",
     {"CRUD", "R", "", "", "", "", "", "", "", "", "", "", "", "R", "R", "R", "R", "",
      "", "", "R"}},
    {"cluster",
     {"CRUD","R","R","R","R","R","R","R","R","R","R","R","R","R","R","R","CRUD","R",
      "R", "R", "R"}},
    {"cluster-config",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "R", "", "", "CRUD", "",
      "", "", ""}},
    {"nodepools",
     {"CRUD", "R", "R", "R", "R", "R", "R", "", "", "", "", "", "", "R", "R", "R", "CRUD", "",
      "R", "", "R"}},
    {"nodes",
     {"R", "R", "", "", "R", "R", "", "", "", "", "", "", "", "R", "R", "R", "R", "",
      "R", "", "R"}},
    {"dashboards-analytics",
     {"R", "R", "R", "R", "R", "R", "", "R", "R", "R", "R", "R", "R", "R", "R", "R", "", "R",
      "R", "R", "R"}},
    {"dashboards-consumption",
     {"R", "R", "R", "R", "R", "R", "", "R", "R", "R", "R", "R", "R", "R", "R", "R", "", "R",
      "R", "R", "R"}},
    {"dashboards-overview",
     {"R", "R", "R", "R", "R", "R", "", "R", "R", "R", "R", "R", "R", "R", "R", "R", "", "R",
      "R", "R", "R"}},
    {"inferences",
     {"CRUD", "R", "R", "R", "CRUD", "R", "", "", "", "", "", "R", "", "CRUD", "R", "CRUD", "", "",
      "CRUD", "", "CRUD"}},
    {"jobs",
     {"CRUD","CRUD","R","CRUD","R","R","CRUD","R","R","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"trainings",
     {"CRUD","CRUD","CRUD","CRUD","","R","CRUD","R","R","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"workloads",
     {"CRUD","CRUD","R","CRUD","R","R","CRUD","R","R","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"workspaces",
     {"CRUD","CRUD","CRUD","CRUD","R","R","CRUD","R","R","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"cm-volume-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"compute-resources",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","R","CRUD","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"credentials",
     {"CRUD","CRUD","R","CRUD","R","R","R","","R","","","","CRUD","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"datavolumes",
     {"CRUD","CRUD","CRUD","CRUD","R","R","R","R","R","R","R","R","R","CRUD","","CRUD","","CRUD",
      "R", "CRUD", "CRUD"}},
    {"datavolumes/sharedscopes",
     {"CRUD","CRUD","CRUD","","","","","","","","","","","CRUD","","CRUD","","CRUD",
      "", "CRUD", "CRUD"}},
    {"environments",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","CRUD","R","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"git-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"host-path-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"nfs-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"pvc-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"s3-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","R","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"secret-volume-assets",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","CRUD","R","R","R","R","CRUD","","CRUD","","R",
      "CRUD", "CRUD", "CRUD"}},
    {"templates",
     {"CRUD","CRUD","CRUD","CRUD","","R","R","R","R","R","CRUD","R","R","CRUD","R","CRUD","","R",
      "CRUD", "R", "CRUD"}},
    {"service-account",
     {"CRUD", "R", "", "", "", "", "", "", "", "", "", "", "", "R", "", "R", "CRUD", "",
      "", "", "R"}},
    {"security-settings",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "R", "", "CRUD", "",
      "", "", ""}},
    {"access-keys",
     {"RD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "", ""}},
    {"branding-settings",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "", ""}},
    {"storage-class-configuration",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "CRUD", ""}},
    {"workload-properties",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "", ""}},
    {"network-topologies",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "", ""}},
    {"registries",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "", ""}},
    {"scrapeable-metrics",
     {"CRUD", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
      "", "", ""}},
}};
// clang-format on

void add_letters(PermissionSet& permissions, ResourceType type, std::string_view letters) {
    for (const char letter : letters) {
        const Action action = letter == 'C'   ? Action::create
                              : letter == 'R' ? Action::read
                              : letter == 'U' ? Action::update
                                              : Action::remove;
        permissions.add({type, action});
    }
}

/// Nobody can give away what nobody holds.
void add_custom_types(PermissionSet& permissions) {
    for (const ResourceTypeEntry& type : resource_types()) {
        for (std::size_t i = 0; type.is_custom && i < action_count; ++i) {
            permissions.add({type.id, static_cast<Action>(i)});
        }
    }
}

std::vector<PredefinedRole> make_roles() {
    std::vector<PredefinedRole> roles;
    for (std::size_t column = 0; column < role_texts.size(); ++column) {
        const RoleText& text = role_texts[column];
        PredefinedRole role{text.number, text.name, text.description, text.is_legacy, {}};
        for (const GrantRow& row : grants) {
            add_letters(role.permissions, *find_resource_type(row.resource_type),
                        row.actions[column]);
        }
        if (role.number == system_administrator) {
            add_custom_types(role.permissions);
        }
        roles.push_back(std::move(role));
    }
    return roles;
}

} // namespace

std::span<const PredefinedRole> predefined_roles() {
    static const std::vector<PredefinedRole> roles = make_roles();
    return roles;
}

const PredefinedRole* find_role(std::int32_t number) {
    // Asked for every rule that a decision reads: numbers are small, and each has a place.
    constexpr std::size_t none = role_texts.size();
    static constexpr auto places = [] {
        std::array<std::uint8_t, std::ranges::max(role_texts, {}, &RoleText::number).number + 1>
            all{};
        all.fill(none);
        for (std::size_t i = 0; i < role_texts.size(); ++i) {
            all[static_cast<std::size_t>(role_texts[i].number)] = static_cast<std::uint8_t>(i);
        }
        return all;
    }();
    const auto at = static_cast<std::uint32_t>(number); // a negative one is a huge one
    const std::size_t place = at < places.size() ? places[at] : none;
    return place == none ? nullptr : &predefined_roles()[place];
}

} // namespace claviger
