// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <latch>
#include <set>

#include <gtest/gtest.h>

#include "auth/test_world.h"
#include "jose/jwt.h"

namespace claviger {
namespace {

using testing::admin_email;
using testing::admin_password;
using testing::World;

/// Only tests look into tokens without verifying them.
std::string payload_of(const std::string& token) {
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    return std::string(as_text(*decode_base64url(token.substr(first + 1, second - first - 1))));
}

class UserGrantsTest : public ::testing::Test {
protected:
    World world;

    static std::string refresh_token_of(const GrantOutcome& outcome) {
        return outcome.result && outcome.result->session ? outcome.result->session->refresh_token
                                                         : std::string();
    }
    static ErrorCode error_of(const GrantOutcome& outcome) {
        return outcome.result ? ErrorCode::internal : outcome.result.error().code();
    }
    bool is_good(const std::string& token) {
        return world.verifier
            .verify(*world.state(), token, AcceptedTokens::access_and_id_tokens, "192.0.2.1")
            .has_value();
    }
    User admin_row() const { return *world.state()->users.find_by_email(admin_email); }
    void put(const User& user) {
        ASSERT_TRUE(world.store.write(
            [&](Transaction& transaction) { return transaction.users().put(user); }));
    }
    std::string last_event() {
        const auto payloads = testing::payloads_of(world.events, world.state()->tenant.id);
        return payloads.empty() ? "" : payloads.back();
    }
};

// --- password -----------------------------------------------------------------------------------

TEST_F(UserGrantsTest, SignsInInAnyCaseOfTheAddress) {
    const auto granted = world.sign_in("Admin@Example.COM");
    ASSERT_TRUE(granted.result);
    EXPECT_TRUE(is_good(granted.result->access_token));
    EXPECT_TRUE(is_good(granted.result->id_token));
    EXPECT_EQ(granted.result->session->expires_in, 2'592'000);
    EXPECT_EQ(world.state()->sessions.size(), 1U);
    EXPECT_EQ(world.last_logins.latest(admin_row().id.value, std::nullopt), world.clock.now());
}

TEST_F(UserGrantsTest, AnswersUnknownAndWrongAlike) {
    User disabled = admin_row();
    disabled.enabled = false;
    const auto unknown = world.sign_in("nobody@example.com", "wrong");
    const auto wrong = world.sign_in(admin_email, "wrong");
    put(disabled);
    const auto off = world.sign_in();
    for (const GrantOutcome* outcome : {&unknown, &wrong, &off}) {
        EXPECT_EQ(error_of(*outcome), ErrorCode::invalid_grant);
        EXPECT_EQ(outcome->result.error().detail(), unknown.result.error().detail());
        EXPECT_NE(outcome->ticket, 0U) << "a refused sign-in is recorded";
    }
    EXPECT_EQ(world.state()->sessions.size(), 0U);
}

TEST_F(UserGrantsTest, RefusesATemporaryPassword) {
    User user = admin_row();
    user.password_is_temporary = true;
    put(user);
    const auto refused = world.sign_in();
    EXPECT_EQ(error_of(refused), ErrorCode::invalid_grant);
    EXPECT_NE(refused.result.error().detail().find("/api/v1/me/password"), std::string::npos);
    EXPECT_EQ(world.sign_in(admin_email, "wrong").result.error().detail(),
              world.sign_in("nobody@example.com").result.error().detail())
        << "only who knows the password learns that it is temporary";
}

TEST_F(UserGrantsTest, RefusesUsersOfIdentityProviders) {
    User user = admin_row();
    user.is_local = false;
    put(user);
    EXPECT_EQ(error_of(world.sign_in()), ErrorCode::invalid_grant);
}

TEST_F(UserGrantsTest, CountsAllSpellingsOfAnAccountAsOne) {
    const std::vector<std::string> spellings{"admin@example.com",
                                             "ADMIN@example.com",
                                             " admin@example.com",
                                             "admin@example.com\t",
                                             "admin\uFF20example.com", // fullwidth commercial at
                                             std::string("admin@example.com\0", 18),
                                             "admi\u00ADn@example.com"}; // soft hyphen
    int reached = 0;
    for (int i = 0; i < 200; ++i) {
        const auto refused = world.sign_in(spellings[static_cast<std::size_t>(i) % 7], "wrong");
        reached += error_of(refused) == ErrorCode::invalid_grant ? 1 : 0;
        if (error_of(refused) == ErrorCode::too_many_requests) {
            EXPECT_GT(refused.retry_after_seconds, 0);
        }
    }
    EXPECT_LE(reached, 20) << "one counter, whatever the spelling";
    EXPECT_EQ(error_of(world.sign_in()), ErrorCode::too_many_requests);
    EXPECT_TRUE(world.sign_in(admin_email, admin_password, "192.0.2.2").result)
        << "nobody is locked out from elsewhere";
    EXPECT_EQ(error_of(world.sign_in("other@example.com", "wrong")), ErrorCode::invalid_grant);
    world.clock.advance_seconds(600);
    EXPECT_TRUE(world.sign_in().result);
}

TEST_F(UserGrantsTest, MakesOutdatedHashesAgain) {
    Passwords weaker(world.pepper, Argon2Parameters{32, 1}, world.random, world.clock);
    User user = admin_row();
    user.password_hash = *weaker.hash(admin_password);
    put(user);
    ASSERT_TRUE(world.sign_in().result);
    EXPECT_TRUE(admin_row().password_hash.starts_with("$argon2id$v=19$m=64,t=1"));
    const std::string once = admin_row().password_hash;
    ASSERT_TRUE(world.sign_in().result);
    EXPECT_EQ(admin_row().password_hash, once);
}

TEST_F(UserGrantsTest, KeepsAHundredSessions) {
    const auto first = world.sign_in();
    for (int i = 0; i < 100; ++i) {
        world.clock.advance_seconds(1);
        ASSERT_TRUE(world.sign_in().result);
    }
    EXPECT_EQ(world.state()->sessions.size(), 100U);
    EXPECT_EQ(error_of(world.refresh(refresh_token_of(first))), ErrorCode::invalid_grant);
    world.clock.advance_seconds(2'592'001);
    ASSERT_TRUE(world.sign_in().result);
    EXPECT_EQ(world.state()->sessions.size(), 1U) << "expired ones go";
}

// --- tokens of users ----------------------------------------------------------------------------

TEST_F(UserGrantsTest, SaysInIdTokensWhatIsKnownOfTheUser) {
    User user = admin_row();
    user.groups = {"research", "\u65E5\u672C"};
    user.attributes = R"({"firstName":"Ada","lastName":"Example","uid":1001,"gid":"2002",)"
                      R"("supplementaryGroups":[30,"40"],"other":{}})";
    put(user);
    const auto granted = world.sign_in(admin_email, admin_password, "192.0.2.1", "runai-cli");
    ASSERT_TRUE(granted.result);
    const std::string id = payload_of(granted.result->id_token);
    for (const char* claim :
         {R"("aud":"runai-cli")", R"("email":"admin@example.com")",
          R"("preferred_username":"admin@example.com")", R"("given_name":"Ada")",
          R"("family_name":"Example")", R"("uid":"1001")", R"("gid":"2002")",
          R"("supplementaryGroups":["30","40"])", R"("groups":["research","\u65e5\u672c"])"}) {
        EXPECT_NE(id.find(claim), std::string::npos) << claim << " in " << id;
    }
    const std::string access = payload_of(granted.result->access_token);
    EXPECT_NE(access.find(R"("client_id":"runai-cli")"), std::string::npos);
    EXPECT_EQ(access.find("email"), std::string::npos);
    EXPECT_TRUE(is_good(granted.result->id_token));
}

TEST_F(UserGrantsTest, TakesUnknownClientsForTheUsualOne) {
    for (const auto& [sent, used] :
         std::map<std::string, std::string>{{"", "runai"},
                                            {"runai-admin-ui", "runai-admin-ui"},
                                            {"runai-cli-sso", "runai-cli-sso"},
                                            {"something", "runai"}}) {
        const auto granted = world.sign_in(admin_email, admin_password, "192.0.2.1", sent);
        EXPECT_NE(payload_of(granted.result->access_token).find("\"client_id\":\"" + used + "\""),
                  std::string::npos)
            << sent;
    }
}

// --- refresh tokens -----------------------------------------------------------------------------

TEST_F(UserGrantsTest, RefreshTokensAreReadOnlyAsTheyWereMade) {
    Session session;
    session.id = {world.state()->tenant.id, Uuid::make(world.random)};
    session.generation = 0x01020304;
    const std::string text = world.refresh_tokens.make(session);
    ASSERT_EQ(text.size(), 54U);
    EXPECT_TRUE(text.starts_with("clvr_"));
    const auto content = world.refresh_tokens.read(session.id.tenant, text);
    ASSERT_TRUE(content);
    EXPECT_EQ(content->session, session.id);
    EXPECT_EQ(content->generation, session.generation);
    EXPECT_FALSE(world.refresh_tokens.read(TenantId{99}, text)) << "of another tenant";
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == '7' ? '8' : '7';
        EXPECT_FALSE(world.refresh_tokens.read(session.id.tenant, changed)) << i;
    }
    EXPECT_FALSE(world.refresh_tokens.read(session.id.tenant, ""));
    EXPECT_FALSE(world.refresh_tokens.read(session.id.tenant, text + "0"));
    const RootKey another = RootKey::make(world.random);
    const RefreshTokens others(another);
    EXPECT_FALSE(others.read(session.id.tenant, text));
}

TEST_F(UserGrantsTest, RefreshesOnceATime) {
    const auto signed_in = world.sign_in();
    const auto second = world.refresh(refresh_token_of(signed_in));
    ASSERT_TRUE(second.result);
    EXPECT_NE(second.ticket, 0U);
    EXPECT_NE(last_event().find(R"("action":"refresh")"), std::string::npos);
    EXPECT_TRUE(is_good(second.result->access_token));
    EXPECT_TRUE(is_good(signed_in.result->access_token)) << "tokens live their own life";
    EXPECT_TRUE(is_good(second.result->id_token));
    const auto third = world.refresh(refresh_token_of(second));
    ASSERT_TRUE(third.result);
    // Whoever comes with one that was used ends them all.
    EXPECT_EQ(error_of(world.refresh(refresh_token_of(second))), ErrorCode::invalid_grant);
    EXPECT_NE(last_event().find(R"("reason":"reuse")"), std::string::npos);
    EXPECT_EQ(error_of(world.refresh(refresh_token_of(third))), ErrorCode::invalid_grant);
    EXPECT_EQ(world.state()->sessions.size(), 0U);
}

TEST_F(UserGrantsTest, RefreshTokensBelongToTheirClient) {
    const auto signed_in = world.sign_in(admin_email, admin_password, "192.0.2.1", "runai-cli");
    const std::string token = refresh_token_of(signed_in);
    for (const char* other : {"runai", "runai-admin-ui", "something"}) {
        EXPECT_EQ(error_of(world.refresh(token, other)), ErrorCode::invalid_grant) << other;
    }
    EXPECT_TRUE(world.refresh(token, "runai-cli").result) << "it was not used up";
    const std::string unnamed =
        refresh_token_of(world.sign_in(admin_email, admin_password, "192.0.2.1", "something"));
    EXPECT_TRUE(world.refresh(unnamed, "something").result);
}

TEST_F(UserGrantsTest, SessionsExpire) {
    const std::string token = refresh_token_of(world.sign_in());
    world.clock.advance_seconds(2'000'000);
    const auto second = world.refresh(token);
    ASSERT_TRUE(second.result);
    EXPECT_EQ(second.result->session->expires_in, 592'000) << "a refresh lengthens nothing";
    world.clock.advance_seconds(592'000);
    EXPECT_EQ(error_of(world.refresh(refresh_token_of(second))), ErrorCode::invalid_grant);
}

TEST_F(UserGrantsTest, EndingEventsEndRefreshing) {
    const auto end = [&](const auto& change) {
        const std::string token = refresh_token_of(world.sign_in());
        ASSERT_FALSE(token.empty());
        const User before = admin_row();
        User user = before;
        change(user);
        put(user);
        const auto refused = world.refresh(token);
        EXPECT_EQ(error_of(refused), ErrorCode::invalid_grant);
        EXPECT_EQ(refused.result.error().detail(),
                  world.refresh("clvr_garbage").result.error().detail());
        put(before);
    };
    end([](User& user) { user.enabled = false; });
    end([](User& user) { user.password_is_temporary = true; });
    end([](User& user) { user.deleted_at = user.created_at; });
}

TEST_F(UserGrantsTest, NobodyWithoutARuleRefreshes) {
    const auto account = world.accounts.create(world.admin(), "ci-1");
    const Subject other{SubjectType::service_account, account->account.id.value.text()};
    const TenantId tenant = world.state()->tenant.id;
    ASSERT_TRUE(world.rules.create(world.admin(), {other, {tenant, 1}, tenant_scope(tenant)}));
    const std::string token = refresh_token_of(world.sign_in());
    ASSERT_TRUE(world.rules.remove(world.admin(), {tenant, 1}));
    EXPECT_EQ(error_of(world.refresh(token)), ErrorCode::invalid_grant);
    // A rule for one of the user's groups reaches the user.
    User user = admin_row();
    user.groups = {"research"};
    put(user);
    ASSERT_TRUE(
        world.rules.create(world.account(*account),
                           {{SubjectType::group, "research"}, {tenant, 7}, tenant_scope(tenant)}));
    EXPECT_TRUE(world.refresh(token).result);
}

TEST_F(UserGrantsTest, OfParallelRefreshesOneWins) {
    constexpr int rounds = 100; // in some of them all have read the session before one writes it
    constexpr int callers = 4;
    for (int round = 0; round < rounds; ++round) {
        const std::string token = refresh_token_of(world.sign_in());
        std::latch start(callers);
        std::vector<std::future<GrantOutcome>> calls;
        for (int i = 0; i < callers; ++i) {
            calls.push_back(std::async(std::launch::async, [&] {
                start.arrive_and_wait();
                return world.refresh(token);
            }));
        }
        int won = 0;
        for (auto& call : calls) {
            won += call.get().result ? 1 : 0;
        }
        ASSERT_LE(won, 1) << "round " << round;
        ASSERT_EQ(world.state()->sessions.size(), 0U) << "the others came with a used one";
    }
}

TEST_F(UserGrantsTest, FaultsLeaveTheTokenGood) {
    std::string token = refresh_token_of(world.sign_in());
    for (std::uint64_t call = 1;; ++call) {
        world.store.fail_call(call);
        const auto outcome = world.refresh(token);
        const bool failed = world.store.calls() >= call;
        world.store.fail_call(0);
        if (!failed) {
            ASSERT_TRUE(outcome.result);
            break;
        }
        EXPECT_NE(error_of(outcome), ErrorCode::invalid_grant);
        const auto again = world.refresh(token);
        ASSERT_TRUE(again.result) << call;
        token = refresh_token_of(again);
    }
}

} // namespace
} // namespace claviger
