// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <gtest/gtest.h>

#include "access/role.h"
#include "access/test_rows.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::admin_email;
using testing::admin_password;
using testing::World;

constexpr const char* strong_password = "orchid-lantern-quarry-73-meadow";
constexpr std::int32_t viewer = 7;

class UsersTest : public ::testing::Test {
protected:
    World world;
    const TenantId tenant = world.state()->tenant.id;
    NewUser made = *world.users.create(world.admin(), "Ada@Example.com", false);

    const Uuid& id() const { return made.user.id.value; }
    const User* row() const { return world.state()->users.find(id()); }
    std::string password() const { return std::string(made.password.reveal()); }
    static ErrorCode error_of(const auto& result) {
        return result ? ErrorCode::internal : result.error().code();
    }
    Result<AccessRule> give(Subject subject, std::int32_t role) {
        return world.rules.create(world.admin(),
                                  {std::move(subject), {tenant, role}, tenant_scope(tenant)});
    }
    /// Who manages users, and holds no more than that and what a viewer may.
    Caller user_manager() {
        const auto account = world.accounts.create(world.admin(), "user-manager");
        EXPECT_TRUE(give({SubjectType::service_account, account->account.id.value.text()}, viewer));
        return world.account(*account);
    }
    AccessKey add_key() {
        AccessKey key;
        key.id = {tenant, Uuid::make(world.random)};
        key.user = id();
        key.client_id = "ak-aaaabbbbccccdddd";
        key.name = "k1";
        key.secrets.push_back({Uuid::make(world.random), 1,
                               world.pepper.keyed_hash(key.client_id, "secret"),
                               world.clock.now()});
        EXPECT_TRUE(world.store.write(
            [&](Transaction& transaction) { return transaction.access_keys().put(key); }));
        return key;
    }
    Result<GrantedTokens> key_tokens() {
        return world.grants
            .client_credentials(*world.state(), "ak-aaaabbbbccccdddd", "secret", World::origin(),
                                {})
            .result;
    }
    bool is_good(const std::string& token) {
        return world.verifier
            .verify(*world.state(), token, AcceptedTokens::access_tokens, "192.0.2.1")
            .has_value();
    }
    Caller as_user() const {
        Caller caller = world.admin();
        caller.principal = {PrincipalKind::user, id(), row()->email, row()->groups};
        return caller;
    }
};

TEST_F(UsersTest, AreCreatedOnceInAnyCase) {
    EXPECT_EQ(made.user.email, "ada@example.com");
    EXPECT_TRUE(world.sign_in("ADA@example.com", password()).result);
    EXPECT_EQ(error_of(world.users.create(world.admin(), "ADA@EXAMPLE.COM", false)),
              ErrorCode::conflict);
    for (const char* bad : {"", "ada", "victim@a.example@evil.example", "a b@c.io"}) {
        EXPECT_EQ(error_of(world.users.create(world.admin(), bad, false)),
                  ErrorCode::invalid_request)
            << bad;
    }
}

TEST_F(UsersTest, WithATemporaryPasswordChangeItFirst) {
    const NewUser fresh = *world.users.create(world.admin(), "new@example.com", true);
    const std::string first(fresh.password.reveal());
    EXPECT_FALSE(world.sign_in("new@example.com", first).result);
    Caller caller = world.admin();
    const User user = *caller.state->users.find(fresh.user.id.value);
    caller.principal = {PrincipalKind::user, user.id.value, user.email};
    ASSERT_TRUE(world.users.change_password(caller, user, first, strong_password));
    EXPECT_TRUE(world.sign_in("new@example.com", strong_password).result);
    EXPECT_FALSE(world.sign_in("new@example.com", first).result);
}

TEST_F(UsersTest, SignOutEndsEverythingButTheKeys) {
    add_key();
    const auto signed_in = world.sign_in("ada@example.com", password());
    const auto by_key = key_tokens();
    ASSERT_TRUE(by_key);
    EXPECT_TRUE(is_good(by_key->access_token));
    ASSERT_TRUE(world.users.sign_out(world.admin(), id()));
    EXPECT_FALSE(is_good(signed_in.result->access_token));
    EXPECT_FALSE(is_good(by_key->access_token));
    EXPECT_FALSE(world.refresh(signed_in.result->session->refresh_token).result);
    EXPECT_EQ(world.state()->sessions.size(), 0U);
    EXPECT_TRUE(is_good(key_tokens()->access_token)) << "the key itself stays";
    EXPECT_TRUE(world.sign_in("ada@example.com", password()).result);
}

TEST_F(UsersTest, ResetGivesATemporaryPassword) {
    const auto signed_in = world.sign_in("ada@example.com", password());
    const auto fresh = world.users.reset_password(world.admin(), id());
    ASSERT_TRUE(fresh);
    EXPECT_TRUE(row()->password_is_temporary);
    EXPECT_FALSE(is_good(signed_in.result->access_token));
    EXPECT_FALSE(world.refresh(signed_in.result->session->refresh_token).result);
    EXPECT_FALSE(world.sign_in("ada@example.com", password()).result);
    EXPECT_FALSE(world.sign_in("ada@example.com", fresh->reveal()).result);
}

TEST_F(UsersTest, OfIdentityProvidersHaveNoPasswordToReset) {
    User user = *row();
    user.is_local = false;
    user.password_hash.clear();
    ASSERT_TRUE(
        world.store.write([&](Transaction& transaction) { return transaction.users().put(user); }));
    EXPECT_EQ(error_of(world.users.reset_password(world.admin(), id())),
              ErrorCode::invalid_request);
}

TEST_F(UsersTest, ChangeTheirPasswordToAGoodOneOnly) {
    const User user = *row();
    const auto change = [&](std::string_view wanted) {
        return error_of(world.users.change_password(as_user(), user, password(), wanted));
    };
    for (const std::string& bad :
         {password(), std::string("short"), std::string("passwordpassword"), std::string(5000, 'a'),
          std::string("ada@example.com-1"), std::string("adaadaada-runai1")}) {
        EXPECT_EQ(change(bad), ErrorCode::invalid_request) << bad.substr(0, 30);
    }
    const auto signed_in = world.sign_in("ada@example.com", password());
    EXPECT_TRUE(world.users.change_password(as_user(), user, password(), strong_password));
    EXPECT_FALSE(is_good(signed_in.result->access_token)) << "all sign-ins end";
    EXPECT_FALSE(world.sign_in("ada@example.com", password()).result);
    EXPECT_TRUE(world.sign_in("ada@example.com", strong_password).result);
    EXPECT_EQ(error_of(world.users.change_password(as_user(), user, strong_password,
                                                   "meadow-quarry-lantern-orchid-91")),
              ErrorCode::conflict)
        << "what was checked is not what is there now";
}

TEST_F(UsersTest, AreDeletedWithAllThatIsTheirs) {
    add_key();
    ASSERT_TRUE(give({SubjectType::user, "ada@example.com"}, viewer));
    const auto signed_in = world.sign_in("ada@example.com", password());
    ASSERT_TRUE(world.users.remove(world.admin(), id()));
    EXPECT_EQ(row(), nullptr);
    EXPECT_FALSE(is_good(signed_in.result->access_token));
    EXPECT_FALSE(world.refresh(signed_in.result->session->refresh_token).result);
    EXPECT_FALSE(key_tokens());
    EXPECT_EQ(rule_count(world.state()->access), 1U) << "the administrator's";
    EXPECT_EQ(error_of(world.users.remove(world.admin(), id())), ErrorCode::not_found);
    const auto again = world.users.create(world.admin(), "ada@example.com", false);
    ASSERT_TRUE(again);
    EXPECT_NE(again->user.id, made.user.id);
    EXPECT_FALSE(key_tokens());
}

TEST_F(UsersTest, WithMoreRightsAreOutOfReach) {
    const Caller manager = user_manager();
    ASSERT_TRUE(give({SubjectType::user, "ada@example.com"}, system_administrator));
    Caller caller = manager;
    caller.state = world.state();
    EXPECT_EQ(error_of(world.users.reset_password(caller, id())), ErrorCode::access_denied);
    EXPECT_EQ(error_of(world.users.remove(caller, id())), ErrorCode::access_denied);
    EXPECT_TRUE(world.sign_in("ada@example.com", password()).result);
}

TEST_F(UsersTest, WithMoreRightsByAGroupAreOutOfReach) {
    const Caller manager = user_manager();
    User user = *row();
    user.groups = {"administrators"};
    ASSERT_TRUE(
        world.store.write([&](Transaction& transaction) { return transaction.users().put(user); }));
    ASSERT_TRUE(give({SubjectType::group, "administrators"}, system_administrator));
    Caller caller = manager;
    caller.state = world.state();
    EXPECT_EQ(error_of(world.users.reset_password(caller, id())), ErrorCode::access_denied);
}

TEST_F(UsersTest, AreNotCreatedForRulesThatGiveMore) {
    const Caller manager = user_manager();
    ASSERT_TRUE(give({SubjectType::user, "boss@example.com"}, system_administrator));
    Caller caller = manager;
    caller.state = world.state();
    EXPECT_EQ(error_of(world.users.create(caller, "Boss@example.com", false)),
              ErrorCode::access_denied)
        << "whoever creates the account knows its password";
    EXPECT_TRUE(world.users.create(caller, "other@example.com", false));
}

TEST_F(UsersTest, TheLastAdministratorStays) {
    const User* admin = world.state()->users.find_by_email(admin_email);
    EXPECT_EQ(error_of(world.users.remove(world.admin(), admin->id.value)), ErrorCode::conflict);
    EXPECT_TRUE(world.sign_in().result);
    ASSERT_TRUE(give({SubjectType::user, "ada@example.com"}, system_administrator));
    EXPECT_TRUE(world.users.remove(world.admin(), admin->id.value));
}

TEST_F(UsersTest, FaultsLeaveNothingHalfDone) {
    add_key();
    ASSERT_TRUE(world.sign_in("ada@example.com", password()).result);
    const std::vector<std::function<bool()>> operations{
        [&] { return world.users.create(world.admin(), "late@example.com", true).has_value(); },
        [&] { return world.users.sign_out(world.admin(), id()).has_value(); },
        [&] { return world.users.reset_password(world.admin(), id()).has_value(); },
        [&] { return world.users.remove(world.admin(), id()).has_value(); },
    };
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

TEST_F(UsersTest, LeaveATrail) {
    ASSERT_TRUE(world.users.sign_out(world.admin(), id()));
    ASSERT_TRUE(world.users.reset_password(world.admin(), id()));
    ASSERT_TRUE(world.users.remove(world.admin(), id()));
    std::string trail;
    for (const std::string& payload : testing::payloads_of(world.memory, tenant)) {
        trail += payload + "\n";
    }
    for (const char* action : {"sign-out", "reset-password", "delete"}) {
        EXPECT_NE(trail.find("\"action\":\"" + std::string(action) + "\""), std::string::npos);
    }
    EXPECT_EQ(trail.find(password()), std::string::npos);
}

} // namespace
} // namespace claviger
