// SPDX-License-Identifier: Apache-2.0
#include "access/permission.h"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "access/permission_sets.h"
#include "access/role.h"
#include "access/test_rows.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;

TEST(ResourceTypes, AreTheContractsAndTheDumps) {
    const std::set<std::string_view> groups{"organization", "physical-resource", "iam",
                                            "dashboard",    "workload",          "workload-asset"};
    std::set<std::string_view> names;
    for (const ResourceTypeEntry& entry : resource_types()) {
        EXPECT_TRUE(groups.contains(entry.group)) << entry.name;
        EXPECT_FALSE(entry.display_name.empty()) << entry.name;
        EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
        EXPECT_EQ(find_resource_type(entry.name), entry.id);
        EXPECT_EQ(entry_of(entry.id).name, entry.name);
    }
    EXPECT_EQ(names.size(), 45U) << "43 of the contract, two of the dump only";
    for (const char* name :
         {"service-account", "apps", "access-keys", "security-settings", "access_rules", "groups",
          "datavolumes/sharedscopes", "scrapeable-metrics", "tenant"}) {
        EXPECT_TRUE(names.contains(name)) << name;
    }
    EXPECT_FALSE(find_resource_type("Project").has_value());
    EXPECT_FALSE(find_resource_type("").has_value());
}

TEST(Actions, HaveNames) {
    for (const char* name : {"create", "read", "update", "delete", "sync", "custom"}) {
        ASSERT_TRUE(find_action(name).has_value()) << name;
        EXPECT_EQ(name_of(*find_action(name)), name);
    }
    EXPECT_FALSE(find_action("remove").has_value());
    EXPECT_EQ(text_of(permission("service-account", Action::remove)), "service-account:delete");
}

TEST(PermissionSets, HoldWhatWasAdded) {
    const Permission read = permission("project", Action::read);
    const Permission create = permission("templates", Action::create);
    PermissionSet one;
    EXPECT_TRUE(one.list().empty());
    EXPECT_FALSE(one.contains(read));
    one.add(read);
    PermissionSet both;
    both.add(create);
    EXPECT_FALSE(both.includes(one));
    both.add(one);
    EXPECT_TRUE(both.includes(one));
    EXPECT_TRUE(both.includes({}));
    EXPECT_FALSE(one.includes(both));
    EXPECT_FALSE(one.contains(permission("project", Action::update)));
    EXPECT_THAT(both.list(), ElementsAre(read, create));
}

std::string letters(const PredefinedRole& role, std::string_view type) {
    std::string held;
    for (const auto& [letter, action] :
         {std::pair{'C', Action::create}, std::pair{'R', Action::read},
          std::pair{'U', Action::update}, std::pair{'D', Action::remove}}) {
        if (role.permissions.contains(permission(type, action))) {
            held += letter;
        }
    }
    return held;
}

TEST(Roles, LetTheAdministratorMakeOthers) {
    for (const PredefinedRole& role : predefined_roles()) {
        const bool administrator = role.number == system_administrator;
        EXPECT_EQ(letters(role, "roles").find_first_of("CUD") != std::string::npos, administrator)
            << role.name;
    }
    EXPECT_EQ(letters(*find_role(system_administrator), "roles"), "CRUD");
}

TEST(Roles, OfResearchersAndEngineersAreLegacy) {
    std::vector<std::int32_t> legacy;
    for (const PredefinedRole& role : predefined_roles()) {
        if (role.is_legacy) {
            legacy.push_back(role.number);
        }
    }
    EXPECT_THAT(legacy, ElementsAre(4, 5, 6, 8));
}

/// Roles are stored with these ids: they may never change.
TEST(PredefinedPermissionSets, KeepTheirIds) {
    const auto id_of = [](std::string_view name) {
        const auto sets = predefined_permission_sets();
        const auto at = std::ranges::find(sets, name, &PredefinedPermissionSet::name);
        return at == sets.end() ? "none" : at->id.text();
    };
    EXPECT_EQ(id_of("System administrator"), "52afff9c-8990-84e7-98df-c2bdbf58dd1d");
    EXPECT_EQ(id_of("AI practitioner"), "d603f315-2df6-8fe0-a095-558c939d46e1");
    EXPECT_EQ(id_of("View project"), "f8334275-4abd-8c19-a2c8-554e467c10b7");
    EXPECT_EQ(id_of("Manage roles"), "765a2de8-ffa2-87ac-ad1d-ccaedd8aaef1");
    EXPECT_EQ(id_of("Manage datavolumes/sharedscopes"), "37cf25f9-5eb3-8340-b88e-834da40f3cd6");
}

TEST(PredefinedPermissionSets, AreOneARoleAndTwoAType) {
    const auto sets = predefined_permission_sets();
    EXPECT_EQ(sets.size(), predefined_roles().size() + 2 * resource_types().size());
    std::set<std::string> ids;
    std::set<std::string> names;
    for (const PredefinedPermissionSet& set : sets) {
        EXPECT_TRUE(ids.insert(set.id.text()).second) << set.name;
        EXPECT_TRUE(names.insert(set.name).second) << set.name;
        EXPECT_EQ(find_permission_set(set.id), &set);
        EXPECT_FALSE(set.permissions.list().empty()) << set.name;
    }
    EXPECT_EQ(find_permission_set(Uuid{}), nullptr);
    const PermissionSet chief = find_role(system_administrator)->permissions;
    EXPECT_TRUE(permissions_of_sets(std::array{sets.front().id}).includes(chief));
    EXPECT_TRUE(permissions_of_sets(std::array{Uuid{}}).list().empty());
}

/// The contract's way to extend the roles to the types that are newer than they (4.1).
TEST(Roles, HoldNewTypesAsTheOldOnes) {
    for (const PredefinedRole& role : predefined_roles()) {
        const bool administrator = role.number == system_administrator;
        EXPECT_EQ(letters(role, "service-account"), letters(role, "apps")) << role.name;
        EXPECT_EQ(letters(role, "security-settings"), letters(role, "settings")) << role.name;
        EXPECT_EQ(letters(role, "access-keys"), administrator ? "RD" : "") << role.name;
        EXPECT_EQ(letters(role, "registries"), administrator ? "CRUD" : "") << role.name;
        EXPECT_EQ(letters(role, "tenant"), "R") << role.name;
    }
}

TEST(Roles, AreFoundByNumberOnly) {
    for (const PredefinedRole& role : predefined_roles()) {
        EXPECT_EQ(find_role(role.number), &role);
        EXPECT_FALSE(role.description.empty());
    }
    for (const std::int32_t number : {-1, 0, 2, 14, 2257}) {
        EXPECT_EQ(find_role(number), nullptr) << number;
    }
}

} // namespace
} // namespace claviger
