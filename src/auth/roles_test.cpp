// SPDX-License-Identifier: Apache-2.0
#include "auth/roles.h"

#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <thread>

#include "access/permission_sets.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::World;

Uuid set_named(std::string_view name) {
    const auto sets = predefined_permission_sets();
    return std::ranges::find(sets, name, &PredefinedPermissionSet::name)->id;
}

RoleDraft draft_of(std::string name, std::vector<std::string_view> sets) {
    RoleDraft draft;
    draft.name = std::move(name);
    std::ranges::transform(sets, std::back_inserter(draft.permission_sets), set_named);
    return draft;
}

class RolesTest : public ::testing::Test {
protected:
    World world;
    TenantId tenant = world.state()->tenant.id;
    ScopeId root = tenant_scope(tenant);

    Role make(const RoleDraft& draft) { return *world.roles.create(world.admin(), draft); }

    /// A new account with these roles in the whole tenant.
    NewServiceAccount member(const std::string& name, std::vector<RoleId> roles) {
        NewServiceAccount made = *world.accounts.create(world.admin(), name);
        for (const RoleId role : roles) {
            EXPECT_TRUE(give(made, role, root));
        }
        return made;
    }
    Result<AccessRule> give(const NewServiceAccount& made, RoleId role, const ScopeId& scope) {
        return world.rules.create(
            world.admin(),
            {{SubjectType::service_account, made.account.id.value.text()}, role, scope});
    }
    bool may(const NewServiceAccount& made, std::string_view type, Action action) const {
        const Caller caller = world.account(made);
        const Rights rights = rights_of(caller.principal);
        return permissions_at(caller.state->access, rights.holder(), caller.state->access.root())
            .contains({*find_resource_type(type), action});
    }
    template <class T>
    static ErrorCode code_of(const Result<T>& result) {
        return result ? ErrorCode{} : result.error().code();
    }
};

TEST_F(RolesTest, GiveWhatTheirSetsHold) {
    const Role role = make(draft_of("Reader", {"View project", "View users", "View users"}));
    EXPECT_GT(role.id.value, first_own_role);
    EXPECT_EQ(role.permission_sets.size(), 2U) << "what is named twice counts once";
    EXPECT_EQ(role.created_by, testing::admin_email);
    const NewServiceAccount holder = member("holder", {role.id});
    EXPECT_TRUE(may(holder, "users", Action::read));
    EXPECT_FALSE(may(holder, "users", Action::create));

    ASSERT_TRUE(world.roles.update(world.admin(), role.id, draft_of("Clerk", {"Manage users"})));
    EXPECT_TRUE(may(holder, "users", Action::create)) << "at once, for those who hold it";
    EXPECT_FALSE(may(holder, "project", Action::read));
    EXPECT_EQ(world.state()->access.role_name(role.id.value), "Clerk");

    ASSERT_TRUE(world.roles.set_enabled(world.admin(), role.id, false));
    EXPECT_FALSE(may(holder, "users", Action::read));
    ASSERT_TRUE(world.roles.set_enabled(world.admin(), role.id, true));
    EXPECT_TRUE(may(holder, "users", Action::read));
}

TEST_F(RolesTest, HaveAForm) {
    const auto refused = [&](RoleDraft draft) {
        return code_of(world.roles.create(world.admin(), draft));
    };
    RoleDraft draft = draft_of("Reader", {"View project"});
    for (const std::string& name : {std::string(), std::string(" x"), std::string(256, 'x'),
                                    std::string("a\nb"), std::string("\xFF")}) {
        draft.name = name;
        EXPECT_EQ(refused(draft), ErrorCode::invalid_request) << name;
    }
    draft = draft_of("Reader", {});
    draft.description = std::string(longest_role_description + 1, 'x');
    EXPECT_EQ(refused(draft), ErrorCode::invalid_request);
    draft = draft_of("Reader", {});
    draft.permission_sets.push_back(Uuid{});
    EXPECT_EQ(refused(draft), ErrorCode::invalid_request) << "an unknown set";
    draft.permission_sets.assign(most_permission_sets + 1, set_named("View project"));
    EXPECT_EQ(refused(draft), ErrorCode::invalid_request);
    for (const char* role : {"", "x", "2", "10001", "7 "}) {
        draft = draft_of("Reader", {});
        draft.kubernetes_role = role;
        EXPECT_EQ(refused(draft), ErrorCode::invalid_request) << role;
    }
    draft.kubernetes_role = "7";
    EXPECT_TRUE(world.roles.create(world.admin(), draft));
}

TEST_F(RolesTest, HaveNamesOfTheirOwn) {
    const Role first = make(draft_of("Reader", {}));
    for (const char* name : {"Reader", "READER", "system ADMINISTRATOR", "Viewer"}) {
        EXPECT_EQ(code_of(world.roles.create(world.admin(), draft_of(name, {}))),
                  ErrorCode::conflict)
            << name;
    }
    const Role second = make(draft_of("Writer", {}));
    EXPECT_EQ(code_of(world.roles.update(world.admin(), second.id, draft_of("reader", {}))),
              ErrorCode::conflict);
    EXPECT_TRUE(world.roles.update(world.admin(), first.id, draft_of("READER", {})))
        << "another spelling of the same";
    ASSERT_TRUE(world.roles.remove(world.admin(), first.id));
    EXPECT_TRUE(world.roles.create(world.admin(), draft_of("Reader", {}))) << "free again";
    ASSERT_TRUE(world.add_tenant("other", "other.example"));
    EXPECT_TRUE(world.roles.create(world.admin("other"), draft_of("Writer", {})));
    EXPECT_EQ(code_of(world.roles.remove(world.admin("other"), second.id)), ErrorCode::not_found)
        << "another tenant's";
}

TEST_F(RolesTest, ThatArePredefinedNeverChange) {
    for (const PredefinedRole& predefined : predefined_roles()) {
        const RoleId id{tenant, predefined.number};
        EXPECT_EQ(code_of(world.roles.update(world.admin(), id, draft_of("x", {}))),
                  ErrorCode::access_denied);
        EXPECT_EQ(code_of(world.roles.set_enabled(world.admin(), id, false)),
                  ErrorCode::access_denied);
        EXPECT_EQ(code_of(world.roles.remove(world.admin(), id)), ErrorCode::access_denied);
    }
    EXPECT_EQ(code_of(world.roles.remove(world.admin(), {tenant, 424242})), ErrorCode::not_found);
}

/// Somebody who may make and change roles cannot make themselves more than they are.
TEST_F(RolesTest, CannotBeWidenedBeyondTheirMaker) {
    const Role keeper = make(draft_of("Role keeper", {"Manage roles", "View project"}));
    const Role chief = make(draft_of("Chief", {"System administrator"}));
    const Role plain = make(draft_of("Plain", {"View project"}));
    const NewServiceAccount holder = member("keeper", {keeper.id});
    const auto as_keeper = [&] { return world.account(holder); };
    for (const std::string_view set : {"System administrator", "Manage project", "View users"}) {
        EXPECT_EQ(code_of(world.roles.create(as_keeper(), draft_of("New", {set}))),
                  ErrorCode::access_denied)
            << set;
        EXPECT_EQ(code_of(world.roles.update(as_keeper(), keeper.id,
                                             draft_of("Role keeper", {"Manage roles", set}))),
                  ErrorCode::access_denied)
            << set;
    }
    EXPECT_EQ(code_of(world.roles.update(as_keeper(), chief.id, draft_of("Chief", {}))),
              ErrorCode::access_denied)
        << "nor can they take away what they do not hold";
    EXPECT_EQ(code_of(world.roles.set_enabled(as_keeper(), chief.id, false)),
              ErrorCode::access_denied);
    EXPECT_EQ(code_of(world.roles.remove(as_keeper(), chief.id)), ErrorCode::access_denied);
    EXPECT_TRUE(world.roles.create(as_keeper(), draft_of("New", {"View project", "View roles"})));
    EXPECT_TRUE(world.roles.update(as_keeper(), plain.id, draft_of("Plain", {"View roles"})));
    EXPECT_TRUE(world.roles.update(as_keeper(), keeper.id, draft_of("Role keeper", {})))
        << "giving up is allowed";
    EXPECT_EQ(code_of(world.roles.update(as_keeper(), keeper.id,
                                         draft_of("Role keeper", {"Manage roles"}))),
              ErrorCode::access_denied)
        << "and taking it back is not";
}

/// What counts is what is held in the whole tenant.
TEST_F(RolesTest, AreMadeByWhatIsHeldAtTheRoot) {
    const OrgUnit cluster =
        *world.units.create(world.admin(), {ScopeType::cluster, root, "east", "", "{}"});
    const NewServiceAccount holder =
        member("local", {make(draft_of("Role keeper", {"Manage roles"})).id});
    ASSERT_TRUE(give(holder, {tenant, system_administrator}, cluster.id));
    EXPECT_EQ(code_of(world.roles.create(world.account(holder), draft_of("New", {"View users"}))),
              ErrorCode::access_denied);
}

TEST_F(RolesTest, AreGrantedOnlyWithinTheGranter) {
    const Role strong = make(draft_of("Strong", {"View security-settings"}));
    const Role weak = make(draft_of("Weak", {"View project"}));
    const NewServiceAccount granter =
        member("granter", {make(draft_of("Granter", {"Manage access_rules", "View project"})).id});
    const Subject subject{SubjectType::user, "new@example.com"};
    const auto grant = [&](const Role& role) {
        return code_of(world.rules.create(world.account(granter), {subject, role.id, root}));
    };
    EXPECT_EQ(grant(strong), ErrorCode::access_denied);
    EXPECT_EQ(grant(weak), ErrorCode{});
    ASSERT_TRUE(world.roles.set_enabled(world.admin(), strong.id, false));
    EXPECT_EQ(grant(strong), ErrorCode::access_denied) << "it may be enabled again";
}

/// Between the beginning of a request and its transaction, an own role may change.
TEST_F(RolesTest, AreJudgedAsTheyAreInTheTransaction) {
    const Role role = make(draft_of("Growing", {"View project"}));
    const NewServiceAccount granter = member(
        "granter",
        {make(draft_of("Granter", {"Manage access_rules", "Manage roles", "View project"})).id});
    const Caller before = world.account(granter);
    const AccessRuleDraft rule{{SubjectType::user, "new@example.com"}, role.id, root};
    ASSERT_TRUE(
        world.roles.update(world.admin(), role.id, draft_of("Growing", {"System administrator"})));
    EXPECT_EQ(code_of(world.rules.create(before, rule)), ErrorCode::access_denied);
    EXPECT_EQ(code_of(world.roles.update(before, role.id, draft_of("Growing", {}))),
              ErrorCode::access_denied);
    ASSERT_TRUE(world.roles.remove(world.admin(), role.id));
    EXPECT_EQ(code_of(world.rules.create(before, rule)), ErrorCode::not_found);
}

TEST_F(RolesTest, ThatRulesUseStay) {
    const Role role = make(draft_of("Reader", {"View project"}));
    const Caller before = world.admin();
    const NewServiceAccount holder = member("holder", {role.id});
    for (const Caller& caller : {world.admin(), before}) {
        const auto refused = world.roles.remove(caller, role.id);
        EXPECT_EQ(code_of(refused), ErrorCode::conflict);
        EXPECT_NE(refused.error().detail().find("use this role: 1;"), std::string::npos);
    }
    ASSERT_TRUE(world.accounts.remove(world.admin(), holder.account.id.value));
    EXPECT_TRUE(world.roles.remove(world.admin(), role.id));
    EXPECT_EQ(world.state()->access.own_role(role.id.value), nullptr);
}

TEST_F(RolesTest, AreAThousandATenant) {
    for (std::size_t i = 0; i < most_own_roles; ++i) {
        ASSERT_TRUE(world.roles.create(world.admin(), draft_of("r" + std::to_string(i), {})));
    }
    EXPECT_EQ(code_of(world.roles.create(world.admin(), draft_of("one more", {}))),
              ErrorCode::conflict);
}

TEST_F(RolesTest, AreOnRecord) {
    const Role role = make(draft_of("Reader", {"View project", "View users"}));
    ASSERT_TRUE(world.roles.set_enabled(world.admin(), role.id, false));
    ASSERT_TRUE(world.roles.remove(world.admin(), role.id));
    std::vector<std::string> payloads;
    for (const std::string& payload : testing::payloads_of(world.memory, tenant)) {
        if (payload.find(R"("entity_type":"roles")") != std::string::npos) {
            payloads.push_back(payload);
        }
    }
    ASSERT_EQ(payloads.size(), 3U);
    EXPECT_NE(payloads[0].find(R"("permissionSets":"View project, View users")"), std::string::npos)
        << payloads[0];
    EXPECT_NE(payloads[1].find(R"("enabled":"false")"), std::string::npos);
    EXPECT_NE(payloads[2].find(R"("action":"delete")"), std::string::npos);
}

/// Whatever call fails, a change is there with its audit entry, or neither is.
TEST_F(RolesTest, FaultsLeaveNothingHalfDone) {
    const Role role = make(draft_of("Reader", {"View project"}));
    const std::vector<std::function<bool()>> operations{
        [&] { return world.roles.create(world.admin(), draft_of("New", {})).has_value(); },
        [&] {
            return world.roles.update(world.admin(), role.id, draft_of("Clerk", {})).has_value();
        },
        [&] { return world.roles.set_enabled(world.admin(), role.id, false).has_value(); },
        [&] { return world.roles.remove(world.admin(), role.id).has_value(); }};
    for (const auto& operation : operations) {
        for (std::uint64_t call = 1;; ++call) {
            const auto state = world.directory.current();
            world.store.fail_call(call);
            const bool done = operation();
            const bool failed = world.store.calls() >= call;
            world.store.fail_call(0);
            EXPECT_NE(done, failed);
            if (done) {
                break;
            }
            EXPECT_EQ(world.directory.current(), state);
        }
        EXPECT_TRUE(verify_audit(world.memory, world.events, tenant)->intact());
    }
}

TEST_F(RolesTest, OfOneNameAreMadeOnceByMany) {
    constexpr int threads = 4;
    std::atomic<int> made{0};
    {
        std::vector<std::jthread> running;
        for (int i = 0; i < threads; ++i) {
            running.emplace_back([&, name = i % 2 == 0 ? "Reader" : "reader"] {
                made += world.roles.create(world.admin(), draft_of(name, {})).has_value() ? 1 : 0;
            });
        }
    }
    EXPECT_EQ(made, 1);
}

} // namespace
} // namespace claviger
