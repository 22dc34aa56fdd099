// SPDX-License-Identifier: Apache-2.0
#include "auth/asked_subject.h"

#include <gmock/gmock.h>

#include "auth/test_world.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;

class AskedSubjectTest : public ::testing::Test {
protected:
    /// A user of these groups, who is known here.
    User put_user(const std::string& email, std::vector<std::string> groups) {
        User user;
        user.id = {world.state()->tenant.id, Uuid::make(world.random)};
        user.email = email;
        user.groups = std::move(groups);
        const auto written = world.store.write(
            [&](Transaction& transaction) { return transaction.users().put(user); });
        EXPECT_TRUE(written.has_value());
        return user;
    }
    std::optional<std::string_view> why_not(const Subject& subject) {
        held = world.state();
        return why_not_served(*held, subject, world.clock.now());
    }

    testing::World world;
    TenantStatePointer held;
};

TEST_F(AskedSubjectTest, IsFoundAsCallersSpellIt) {
    const auto made = world.accounts.create(world.admin(), "robot");
    const std::string id = made->account.id.value.text();
    const auto state = world.state();
    for (const std::string& spelled : {std::string("robot"), id}) {
        const auto found = find_asked_subject(*state, SubjectType::service_account, spelled);
        ASSERT_TRUE(found) << spelled;
        EXPECT_EQ(*found, (Subject{SubjectType::service_account, id}));
        EXPECT_EQ(shown_id(*state, *found), "robot");
    }
    EXPECT_FALSE(find_asked_subject(*state, SubjectType::service_account, "nobody"));
    EXPECT_TRUE(find_asked_subject(*state, SubjectType::user, "anna@elsewhere.example"));
}

TEST_F(AskedSubjectTest, AUserHasTheRightsOfTheirGroups) {
    put_user("anna@example.com", {"staff", "night"});
    const auto state = world.state();
    const AskedRights rights(*state, {SubjectType::user, "anna@example.com"});
    EXPECT_THAT(rights.holder().subjects,
                ElementsAre(Subject{SubjectType::user, "anna@example.com"},
                            Subject{SubjectType::group, "staff"},
                            Subject{SubjectType::group, "night"}));
    EXPECT_TRUE(rights.holder().limits.empty());
}

TEST_F(AskedSubjectTest, MembersAreThoseOfAnyOfTheGroups) {
    put_user("anna@example.com", {"staff"});
    put_user("bert@example.com", {"night", "staff"});
    put_user("cleo@example.com", {});
    const auto state = world.state();
    const auto of = [&](const std::string& group) {
        std::vector<std::string> emails;
        for (const User* user : members_of(*state, {{SubjectType::group, group}})) {
            emails.push_back(user->email);
        }
        return emails;
    };
    EXPECT_THAT(of("night"), ElementsAre("bert@example.com"));
    EXPECT_EQ(of("staff").size(), 2U);
    EXPECT_TRUE(of("anna@example.com").empty());
    EXPECT_TRUE(members_of(*state, {{SubjectType::user, "staff"}}).empty());
}

TEST_F(AskedSubjectTest, WhoIsDisabledIsNotServed) {
    const auto made = world.accounts.create(world.admin(), "robot");
    const Subject robot{SubjectType::service_account, made->account.id.value.text()};
    EXPECT_EQ(why_not(robot), std::nullopt);
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), made->account.id.value, false));
    EXPECT_EQ(why_not(robot), "principal disabled");
    EXPECT_EQ(why_not({SubjectType::service_account, Uuid{}.text()}), "unknown principal");
    EXPECT_EQ(why_not({SubjectType::user, "anna@elsewhere.example"}), std::nullopt);
    EXPECT_EQ(why_not({SubjectType::group, "staff"}), std::nullopt);
}

} // namespace
} // namespace claviger
