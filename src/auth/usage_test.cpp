// SPDX-License-Identifier: Apache-2.0
// Recording what was used: nothing twice, nothing lost that fits, nothing beyond the bound.
#include "auth/usage.h"

#include <gmock/gmock.h>
#include <thread>

#include "auth/test_world.h"
#include "auth/usage_reports.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::World;

constexpr std::int64_t day_seconds = 86'400;

/// A tree of one department with two projects, and a service account.
class UsageTest : public ::testing::Test {
protected:
    World world;
    Permission reads_projects = *find_permission("project:read");
    Permission reads_jobs = *find_permission("jobs:read");
    ScopeId cluster, department, project, other_project;
    NewServiceAccount robot = *world.accounts.create(world.admin(), "robot");

    void SetUp() override {
        cluster = unit(ScopeType::cluster, tenant_scope(tenant()), "c");
        department = unit(ScopeType::department, cluster, "d");
        project = unit(ScopeType::project, department, "p");
        other_project = unit(ScopeType::project, department, "q");
    }

    TenantId tenant() const { return world.state()->tenant.id; }
    ScopeId unit(ScopeType type, const ScopeId& parent, const std::string& name) {
        return world.units.create(world.admin(), {type, parent, name, "", "{}"}).value().id;
    }
    NodeIndex node(const ScopeId& id) const { return *world.state()->access.find(id); }
    Principal principal() const { return world.account(robot).principal; }
    Credential credential() const { return credential_of(principal()); }
    void use(Permission permission, const ScopeId& scope) {
        world.usage.record(*world.state(), principal(), permission, node(scope));
    }
    void give(std::int32_t role, const ScopeId& scope) {
        const auto made =
            world.rules.create(world.admin(), {principal().subject(), {tenant(), role}, scope});
        ASSERT_TRUE(made.has_value()) << made.error().detail();
    }
    /// "p:jobs:read,project:read" for each scope with its name.
    std::vector<std::string> used(Usage& usage, const Credential& of) {
        std::vector<std::string> texts;
        const Day today = usage.today();
        const auto found = find_usage(usage, tenant(), of, today.plus(-1'000), today);
        for (const ScopeUsage& at : found.value()) {
            std::string text(world.state()->access.name(node(at.scope)));
            for (const std::string& permission : at.permissions) {
                text += " " + permission;
            }
            texts.push_back(text + " " + std::to_string(at.days));
        }
        return texts;
    }
    std::vector<std::string> used() { return used(world.usage, credential()); }
};

TEST_F(UsageTest, IsSeenBeforeAndAfterItIsWritten) {
    use(reads_projects, project);
    use(reads_jobs, project);
    use(reads_jobs, other_project);
    use(reads_jobs, other_project);
    EXPECT_EQ(world.usage.pending_count(), 2U) << "one row a scope";
    const std::vector<std::string> expected{"p jobs:read project:read 1", "q jobs:read 1"};
    EXPECT_EQ(used(), expected);
    ASSERT_TRUE(world.usage.flush());
    EXPECT_EQ(world.usage.pending_count(), 0U);
    EXPECT_EQ(used(), expected);
    Usage another(world.store, world.clock); // of the next process
    EXPECT_EQ(used(another, credential()), expected);
}

TEST_F(UsageTest, WhatIsKnownIsNotRecordedAgainBeforeTheNextDay) {
    use(reads_projects, project);
    ASSERT_TRUE(world.usage.flush());
    use(reads_projects, project);
    EXPECT_EQ(world.usage.pending_count(), 0U);
    world.clock.advance_seconds(day_seconds);
    use(reads_projects, project);
    EXPECT_EQ(world.usage.pending_count(), 1U);
    EXPECT_THAT(used(), ElementsAre("p project:read 2"));
    const auto found =
        *find_usage(world.usage, tenant(), credential(), world.usage.today(), world.usage.today());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().days, 1);
    EXPECT_EQ(found.front().first, world.usage.today());
}

TEST_F(UsageTest, CredentialsAreApart) {
    Principal user = world.admin().principal;
    Principal key = user;
    key.access_key = Uuid::make(world.random);
    world.usage.record(*world.state(), user, reads_jobs, node(project));
    world.usage.record(*world.state(), key, reads_projects, node(project));
    EXPECT_THAT(used(world.usage, credential_of(user)), ElementsAre("p jobs:read 1"));
    EXPECT_THAT(used(world.usage, credential_of(key)), ElementsAre("p project:read 1"));
    EXPECT_EQ(credential_of(user).kind, CredentialKind::user);
    EXPECT_EQ(credential_of(key).kind, CredentialKind::access_key);
    EXPECT_THAT(used(), IsEmpty());
}

TEST_F(UsageTest, ListsAreUsedAtTheTopOfTheirReach) {
    constexpr std::int32_t viewer = 7;
    give(viewer, project);
    world.usage.record_anywhere(*world.state(), principal(), reads_projects);
    EXPECT_THAT(used(), ElementsAre("p project:read 1"));
    give(viewer, other_project); // on the same day
    world.usage.record_anywhere(*world.state(), principal(), reads_projects);
    EXPECT_THAT(used(), ElementsAre("p project:read 1", "q project:read 1"));
    give(viewer, department);
    world.usage.record_anywhere(*world.state(), principal(), reads_projects);
    EXPECT_THAT(used(), ElementsAre("d project:read 1", "p project:read 1", "q project:read 1"));
}

TEST_F(UsageTest, ANarrowedTokenDoesNotHideWhatAWholeOneReaches) {
    constexpr std::int32_t viewer = 7;
    give(viewer, department);
    Principal narrowed = principal();
    AccessLimit limit;
    limit.source = LimitSource::token;
    limit.scopes = {project};
    narrowed.narrowing = std::make_shared<const AccessLimit>(limit);
    world.usage.record_anywhere(*world.state(), narrowed, reads_projects);
    EXPECT_THAT(used(), ElementsAre("p project:read 1"));
    world.usage.record_anywhere(*world.state(), principal(), reads_projects);
    EXPECT_THAT(used(), ElementsAre("d project:read 1", "p project:read 1"));
}

TEST_F(UsageTest, AFailingStoreLosesNothingThatFits) {
    use(reads_projects, project);
    world.store.fail_usage(2);
    EXPECT_FALSE(world.usage.flush()) << "the numbers";
    ASSERT_EQ(world.usage.pending_count(), 1U);
    EXPECT_FALSE(world.usage.flush());
    world.store.fail_usage(0);
    ASSERT_TRUE(world.usage.numbers());
    world.store.fail_usage(1);
    EXPECT_FALSE(world.usage.flush()) << "the rows";
    EXPECT_EQ(world.usage.pending_count(), 1U);
    EXPECT_THAT(used(), ElementsAre("p project:read 1")) << "also while they wait";
    use(reads_jobs, project);
    EXPECT_THAT(used(), ElementsAre("p jobs:read project:read 1"));
    ASSERT_TRUE(world.usage.flush());
    EXPECT_EQ(world.usage.pending_count(), 0U);
    EXPECT_EQ(world.usage.dropped(), 0U);
    EXPECT_THAT(used(), ElementsAre("p jobs:read project:read 1"));
}

TEST_F(UsageTest, BeyondTheBoundTheNewestAreDroppedAndCounted) {
    Usage small(world.store, world.clock, {.most_pending = 2});
    const auto record = [&](const ScopeId& scope) {
        small.record(*world.state(), principal(), reads_projects, node(scope));
    };
    record(cluster);
    record(department);
    record(project);
    EXPECT_EQ(small.dropped(), 1U);
    EXPECT_EQ(small.pending_count(), 2U);
    small.record(*world.state(), principal(), reads_jobs, node(department));
    EXPECT_EQ(small.dropped(), 1U) << "rows that are there take more";
    ASSERT_TRUE(small.flush());
    record(project);
    EXPECT_EQ(small.dropped(), 1U) << "what was dropped is not known";
    EXPECT_EQ(used(small, credential()),
              (std::vector<std::string>{"c project:read 1", "d jobs:read project:read 1",
                                        "p project:read 1"}));
}

TEST_F(UsageTest, WaitingEndsWhenItIsHalfFullOrStopped) {
    Usage small(world.store, world.clock, {.most_pending = 2});
    std::jthread writer([&](const std::stop_token& stop) {
        small.wait(stop, std::chrono::hours(1));
        ASSERT_TRUE(small.flush());
        small.wait(stop, std::chrono::hours(1));
    });
    small.record(*world.state(), principal(), reads_projects, node(project));
    while (small.pending_count() != 0) {
        std::this_thread::yield();
    }
    writer.request_stop();
    writer.join();
    EXPECT_EQ(used(small, credential()), std::vector<std::string>{"p project:read 1"});
}

TEST_F(UsageTest, ManyThreadsLoseNothing) {
    constexpr int threads = 4;
    constexpr int rounds = 200;
    std::vector<NodeIndex> nodes;
    for (int i = 0; i < 50; ++i) {
        nodes.push_back(node(unit(ScopeType::project, department, "n" + std::to_string(i))));
    }
    const TenantStatePointer state = world.state();
    const Principal caller = principal();
    std::atomic<bool> is_done = false;
    std::thread writer([&] {
        while (!is_done) {
            EXPECT_TRUE(world.usage.flush());
        }
    });
    std::vector<std::thread> callers;
    for (int number = 0; number < threads; ++number) {
        callers.emplace_back([&, number] {
            for (int i = 0; i < rounds; ++i) {
                const auto at = static_cast<std::size_t>(i + number) % nodes.size();
                const auto action = static_cast<Action>((i + number) % 5);
                world.usage.record(*state, caller, {reads_jobs.resource_type, action}, nodes[at]);
            }
        });
    }
    for (std::thread& thread : callers) {
        thread.join();
    }
    is_done = true;
    writer.join();
    ASSERT_TRUE(world.usage.flush());
    EXPECT_EQ(world.usage.pending_count(), 0U);
    std::size_t bits = 0;
    const auto found =
        *find_usage(world.usage, tenant(), credential(), world.usage.today(), world.usage.today());
    for (const ScopeUsage& at : found) {
        bits += at.permissions.size();
    }
    EXPECT_EQ(found.size(), nodes.size());
    EXPECT_EQ(bits, nodes.size()) << "each node was used with one action: both go on together";
}

TEST_F(UsageTest, WhatIsOldIsRemovedOnceAnHour) {
    Usage usage(world.store, world.clock, {.retention_days = 10});
    const auto record = [&] {
        usage.record(*world.state(), principal(), reads_projects, node(project));
        return usage.flush();
    };
    const std::vector<TenantId> tenants{tenant()};
    ASSERT_TRUE(record());
    world.clock.advance_seconds(10 * day_seconds);
    ASSERT_TRUE(record());
    ASSERT_TRUE(usage.remove_old(tenants, 1'000));
    EXPECT_THAT(used(usage, credential()), ElementsAre("p project:read 2"));
    world.clock.advance_seconds(day_seconds);
    ASSERT_TRUE(usage.remove_old(tenants, 1'000));
    EXPECT_THAT(used(usage, credential()), ElementsAre("p project:read 1"));
}

TEST(ExercisedRulesTest, AHundredThousandRulesAreJudgedQuickly) {
    World world;
    const Tenant tenant = world.state()->tenant;
    const Timestamp now = world.clock.now();
    std::vector<OrgUnit> units{{{tenant.id, ScopeType::cluster, "c"},
                                tenant_scope(tenant.id),
                                "c",
                                "",
                                "{}",
                                "a",
                                "a",
                                now,
                                now,
                                {}}};
    std::vector<AccessRule> rules;
    const Uuid account = Uuid::make(world.random);
    for (std::int32_t i = 1; i <= 100'000; ++i) {
        const ScopeId project{tenant.id, ScopeType::project, std::to_string(i)};
        units.push_back(
            {project, units.front().id, project.value, "", "{}", "a", "a", now, now, {}});
        rules.push_back({{tenant.id, i},
                         {SubjectType::service_account, account.text()},
                         {tenant.id, 7},
                         project,
                         "a",
                         now,
                         now,
                         {}});
    }
    TenantState state(tenant);
    state.access = AccessSnapshot::build(tenant, units, rules);
    const Principal principal{PrincipalKind::service_account, account, "robot"};
    for (std::size_t i = 1; i <= 10'000; ++i) {
        world.usage.record(state, principal, *find_permission("project:read"),
                           *state.access.find(units[i].id));
    }
    ASSERT_TRUE(world.usage.flush());
    const auto begin = std::chrono::steady_clock::now();
    const auto exercised = *ExercisedRules::read(world.usage, state, world.usage.today());
    std::size_t used = 0;
    state.access.for_each_rule(
        [&](const RuleInPlace& rule) { used += exercised.contains(rule) ? 1U : 0U; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(used, 10'000U);
    RecordProperty("seconds", std::to_string(took.count()));
}

TEST(PermissionNumbersTest, BitsStandForTheSamePermissionsInEveryVersion) {
    // As an earlier version numbered them, with one that this version does not know.
    const PermissionNumbers numbers(
        {{"gone:read", "project:read", "jobs:delete", "project:create"}, Day{5}});
    PermissionSet set;
    set.add(*find_permission("project:create"));
    set.add(*find_permission("jobs:delete"));
    EXPECT_EQ(numbers.bits_of(set), Bytes{0b1100});
    EXPECT_EQ(numbers.permissions_of({0b1101}), set);
    EXPECT_THAT(numbers.texts_of({0b1101}),
                ElementsAre("gone:read", "jobs:delete", "project:create"));
    EXPECT_THAT(numbers.texts_of({0, 1}), IsEmpty());
}

TEST(PermissionNumbersTest, EveryPermissionGetsANumberBesideThoseOfBefore) {
    World world;
    const std::vector<std::string> earlier{"gone:read", "users:update"};
    ASSERT_TRUE(world.store.usage().number(earlier, Day{5}));
    const auto numbers = world.usage.numbers().value();
    EXPECT_EQ(numbers->since(), Day{5});
    for (const ResourceTypeEntry& type : resource_types()) {
        for (std::size_t action = 0; action < action_count; ++action) {
            const Permission permission{type.id, static_cast<Action>(action)};
            PermissionSet set;
            set.add(permission);
            EXPECT_THAT(numbers->texts_of(numbers->bits_of(set)), ElementsAre(text_of(permission)));
        }
    }
    PermissionSet updates;
    updates.add(*find_permission("users:update"));
    EXPECT_EQ(numbers->bits_of(updates), Bytes{0b10});
}

} // namespace
} // namespace claviger
