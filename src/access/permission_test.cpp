// SPDX-License-Identifier: Apache-2.0
#include "access/permission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

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
