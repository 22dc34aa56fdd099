// SPDX-License-Identifier: Apache-2.0
#include "auth/revocations.h"

#include <gtest/gtest.h>

#include "auth/revocation_journal.h"
#include "auth/security_event.h"
#include "auth/test_world.h"
#include "jose/jwt.h"

namespace claviger {
namespace {

using testing::admin_email;
using testing::World;

constexpr std::int64_t lifetime = 3600;

class RevocationsTest : public ::testing::Test {
protected:
    World world;

    static void must(const Result<void>& done) {
        ASSERT_TRUE(done.has_value()) << (done ? "" : done.error().detail());
    }
    NewServiceAccount account(const std::string& name) {
        return *world.accounts.create(world.admin(), name);
    }
    std::string token_of(const NewServiceAccount& made) {
        return world.grant(made).result.value().access_token;
    }
    bool is_good(const std::string& token) {
        return world.verifier
            .verify(*world.state(), token, AcceptedTokens::access_and_id_tokens, "192.0.2.1")
            .has_value();
    }
    static NamedToken named(const std::string& token) {
        const ParsedJwt jwt = *parse_jwt(token);
        return {jwt.token_id, Timestamp::from_seconds(*jwt.expires_at), "owner"};
    }
    const RevocationTable& table() {
        held = world.state();
        return held->revocations;
    }
    const Revocation& last() { return *table().find(table().last_number()); }
    std::vector<RevocationKind> kinds_since(std::uint64_t number) {
        std::vector<RevocationKind> kinds;
        while (const Revocation* revocation = table().find(++number)) {
            kinds.push_back(revocation->kind);
        }
        return kinds;
    }
    /// A directory that reads the store anew, as after a restart.
    TenantStatePointer reload() {
        Directory again(world.vault, "127.0.0.1", world.log);
        const auto attached = again.attach(world.store);
        EXPECT_TRUE(attached);
        auto state = again.current()->tenants.front();
        EXPECT_TRUE(world.directory.attach(world.store));
        return state;
    }

    TenantStatePointer held;
};

// --- one token ----------------------------------------------------------------------------------

TEST_F(RevocationsTest, AnEndedTokenIsRefusedAlthoughItIsCached) {
    const auto robot = account("robot");
    const std::string ended = token_of(robot);
    const std::string other = token_of(robot);
    ASSERT_TRUE(is_good(ended)); // from here on it is remembered
    must(world.revocations.end_token(world.admin(), named(ended)));
    EXPECT_FALSE(is_good(ended));
    EXPECT_TRUE(is_good(other));
    EXPECT_EQ(table().ended_count(), 1U);
    EXPECT_EQ(last().kind, RevocationKind::token);
    EXPECT_EQ(last().name, parse_jwt(ended)->token_id);
}

TEST_F(RevocationsTest, AnEndedTokenStaysEndedAfterARestart) {
    const std::string token = token_of(account("robot"));
    must(world.revocations.end_token(world.admin(), named(token)));
    const auto again = reload();
    EXPECT_FALSE(world.verifier.verify(*again, token, AcceptedTokens::access_tokens, "192.0.2.1"));
    EXPECT_EQ(again->revocations.last_number(), table().last_number());
}

TEST_F(RevocationsTest, AnEndedTokenIsForgottenWhenItHasExpired) {
    const auto robot = account("robot");
    const std::string first = token_of(robot);
    must(world.revocations.end_token(world.admin(), named(first)));
    world.clock.advance_seconds(lifetime / 2);
    const std::string second = token_of(robot);
    must(world.revocations.end_token(world.admin(), named(second)));
    const std::uint64_t number = table().last_number();
    world.clock.advance_seconds(lifetime / 2);
    EXPECT_EQ(world.revocations.remove_expired().value(), 1U);
    EXPECT_EQ(table().ended_count(), 1U);
    EXPECT_FALSE(is_good(second));
    world.clock.advance_seconds(lifetime);
    EXPECT_EQ(world.revocations.remove_expired().value(), 0U) << "the last one keeps the number";
    EXPECT_EQ(reload()->revocations.last_number(), number);
    const std::string third = token_of(robot);
    must(world.revocations.end_token(world.admin(), named(third)));
    EXPECT_EQ(table().last_number(), number + 1);
    EXPECT_EQ(world.revocations.remove_expired().value(), 1U);
    EXPECT_EQ(table().ended_count(), 1U);
}

TEST_F(RevocationsTest, WhatIsEndedTwiceIsNotRevivedByTheShorterEntry) {
    const auto robot = account("robot");
    const std::string token = token_of(robot);
    const Caller stale = world.admin(); // two requests that began together
    NamedToken shorter = named(token);
    shorter.expires_at = world.clock.now().plus_seconds(10);
    must(world.revocations.end_token(stale, named(token)));
    must(world.revocations.end_token(stale, shorter));
    must(world.revocations.end_account_tokens(world.admin(), account("other").account.id.value));
    world.clock.advance_seconds(11);
    EXPECT_EQ(world.revocations.remove_expired().value(), 1U);
    EXPECT_FALSE(is_good(token));
}

TEST_F(RevocationsTest, OnlyNamesOfTokensThatCanLiveAreTaken) {
    const std::string token = token_of(account("robot"));
    NamedToken later = named(token);
    later.expires_at = world.clock.now().plus_seconds(longest_token_lifetime_seconds + 61);
    EXPECT_EQ(world.revocations.end_token(world.admin(), later).error().code(),
              ErrorCode::invalid_request);
    EXPECT_EQ(
        world.revocations.end_token(world.admin(), {"x", world.clock.now(), ""}).error().code(),
        ErrorCode::invalid_request);
    NamedToken past = named(token);
    past.expires_at = world.clock.now();
    must(world.revocations.end_token(world.admin(), past));
    EXPECT_EQ(table().ended_count(), 0U);
}

TEST_F(RevocationsTest, AFailedWriteEndsNothingAndSaysSo) {
    const std::string token = token_of(account("robot"));
    const std::uint64_t number = table().last_number();
    for (std::uint64_t call = 1; call <= 2; ++call) { // the entry, its audit event
        world.store.fail_call(call);
        const auto done = world.revocations.end_token(world.admin(), named(token));
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code(), ErrorCode::unavailable);
        EXPECT_TRUE(is_good(token));
        EXPECT_EQ(table().last_number(), number);
    }
    world.store.fail_call(0);
    must(world.revocations.end_token(world.admin(), named(token)));
    EXPECT_FALSE(is_good(token));
}

// --- sessions, keys, subjects, tenants ----------------------------------------------------------

TEST_F(RevocationsTest, ARevokedSignInTakesItsAccessTokensAlong) {
    const auto one = world.sign_in();
    const auto two = world.sign_in();
    const auto next = world.refresh(one.result->session->refresh_token);
    ASSERT_TRUE(next.result);
    const Session* session =
        world.revocations.find_session(*world.state(), one.result->session->refresh_token);
    ASSERT_NE(session, nullptr) << "an older generation names the session as well";
    must(world.revocations.end_session(world.admin(), *session));
    EXPECT_FALSE(is_good(one.result->access_token));
    EXPECT_FALSE(is_good(one.result->id_token));
    EXPECT_FALSE(is_good(next.result->access_token));
    EXPECT_FALSE(world.refresh(next.result->session->refresh_token).result);
    EXPECT_TRUE(is_good(two.result->access_token));
    EXPECT_TRUE(world.refresh(two.result->session->refresh_token).result);
}

TEST_F(RevocationsTest, AReusedRefreshTokenEndsTheAccessTokensOfTheSignIn) {
    const auto one = world.sign_in();
    const auto next = world.refresh(one.result->session->refresh_token);
    ASSERT_TRUE(is_good(next.result->access_token));
    EXPECT_FALSE(world.refresh(one.result->session->refresh_token).result);
    EXPECT_FALSE(is_good(next.result->access_token));
}

TEST_F(RevocationsTest, AKeysTokensEndAndItsSecretStaysGood) {
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop");
    const auto grant = [&] {
        return world.grants
            .client_credentials(*world.state(), key.key.client_id, key.client_secret.reveal(),
                                World::origin(), {})
            .result;
    };
    const std::string token = grant()->access_token;
    const std::string signed_in = world.sign_in().result->access_token;
    must(world.revocations.end_access_key_tokens(world.admin(), key.key.id.value));
    EXPECT_FALSE(is_good(token));
    EXPECT_TRUE(is_good(signed_in));
    EXPECT_EQ(last().kind, RevocationKind::access_key);
    EXPECT_EQ(last().name, key.key.client_id);
    EXPECT_EQ(last().epoch, 2U);
    ASSERT_TRUE(grant());
    EXPECT_TRUE(is_good(grant()->access_token));
    must(world.revocations.end_secret(world.admin(), key.key.id.value, key.key.secrets[0].id));
    EXPECT_FALSE(grant());
    EXPECT_EQ(last().kind, RevocationKind::secret);
    EXPECT_EQ(last().name, key.key.client_id);
    EXPECT_EQ(last().epoch, 1U);
    const std::uint64_t number = last().number;
    must(world.revocations.end_secret(world.admin(), key.key.id.value, key.key.secrets[0].id));
    EXPECT_EQ(last().number, number) << "it has ended already";
    EXPECT_EQ(
        world.revocations.end_secret(world.admin(), key.key.id.value, Uuid::make(world.random))
            .error()
            .code(),
        ErrorCode::not_found);
}

TEST_F(RevocationsTest, AnAccountsTokensEnd) {
    const auto robot = account("robot");
    const std::string token = token_of(robot);
    must(world.revocations.end_account_tokens(world.admin(), robot.account.id.value));
    EXPECT_FALSE(is_good(token));
    EXPECT_TRUE(is_good(token_of(robot)));
    EXPECT_EQ(last().name, "sa:" + robot.account.id.value.text());
    EXPECT_TRUE(last().active);
    must(world.revocations.end_secret(world.admin(), robot.account.id.value,
                                      robot.account.secrets[0].id));
    EXPECT_FALSE(world.grant(robot).result);
}

TEST_F(RevocationsTest, ATenantsTokensEndAndThoseOfTheSameSecondAreGood) {
    const auto robot = account("robot");
    world.clock.advance_seconds(1);
    const std::string before = token_of(robot);
    const auto signed_in = world.sign_in();
    ASSERT_TRUE(is_good(before));
    must(world.revocations.end_all_tokens(world.admin()));
    EXPECT_FALSE(is_good(before));
    EXPECT_FALSE(is_good(signed_in.result->access_token));
    EXPECT_FALSE(world.refresh(signed_in.result->session->refresh_token).result);
    const std::string after = token_of(robot);
    EXPECT_TRUE(is_good(after)) << "issued in the second of the revocation, but after it";
    EXPECT_EQ(*parse_jwt(after)->issued_at, first_good_second(last().at));
    world.clock.advance_seconds(1);
    EXPECT_TRUE(world.refresh(world.sign_in().result->session->refresh_token).result);
    EXPECT_EQ(last().kind, RevocationKind::tenant);
    EXPECT_FALSE(
        world.verifier.verify(*reload(), before, AcceptedTokens::access_tokens, "192.0.2.1"));
    ASSERT_TRUE(world.add_tenant("second", "second.example").has_value());
}

// --- the feed -----------------------------------------------------------------------------------

TEST_F(RevocationsTest, EveryChangeThatEndsSomethingIsOnTheFeed) {
    using enum RevocationKind;
    const auto robot = account("robot");
    const Uuid id = robot.account.id.value;
    const NewUser ann = *world.users.create(world.admin(), "ann@example.com", false);
    const auto since = [&](auto change) {
        const std::uint64_t before = table().last_number();
        change();
        return kinds_since(before);
    };
    using Kinds = std::vector<RevocationKind>;
    EXPECT_EQ(since([&] { account("fresh"); }), Kinds{}) << "no token of a new account is out";
    EXPECT_EQ(since([&] { token_of(robot); }), Kinds{});
    EXPECT_EQ(since([&] { world.sign_in(); }), Kinds{});
    EXPECT_EQ(since([&] {
                  world.secrets.replace(world.admin(), {PrincipalKind::service_account, id}, 0);
              }),
              Kinds{principal});
    EXPECT_EQ(since([&] { must(world.accounts.set_enabled(world.admin(), id, false)); }),
              Kinds{principal});
    EXPECT_FALSE(last().active);
    EXPECT_EQ(since([&] { must(world.accounts.set_enabled(world.admin(), id, true)); }),
              Kinds{principal});
    EXPECT_TRUE(last().active);
    EXPECT_EQ(since([&] { must(world.users.sign_out(world.admin(), ann.user.id.value)); }),
              Kinds{principal});
    EXPECT_EQ(since([&] { world.users.reset_password(world.admin(), ann.user.id.value); }),
              Kinds{principal});
    EXPECT_EQ(since([&] { must(world.users.remove(world.admin(), ann.user.id.value)); }),
              Kinds{principal});
    EXPECT_FALSE(last().active);
    const auto cluster = world.units.create(
        world.admin(),
        {ScopeType::cluster, tenant_scope(world.state()->tenant.id), "cluster", "", "{}"});
    ASSERT_TRUE(cluster);
    EXPECT_EQ(last().kind, rules);
    EXPECT_EQ(since([&] { must(world.accounts.remove(world.admin(), id)); }), Kinds{principal});
}

TEST_F(RevocationsTest, NumbersHaveNoGapsAndGoOnAfterARestart) {
    const auto robot = account("robot");
    for (int i = 0; i < 5; ++i) {
        must(world.revocations.end_token(world.admin(), named(token_of(robot))));
    }
    const std::uint64_t number = table().last_number();
    for (std::uint64_t i = table().first_recent(); i <= number; ++i) {
        ASSERT_NE(table().find(i), nullptr);
        EXPECT_EQ(table().find(i)->number, i);
    }
    EXPECT_EQ(table().find(number + 1), nullptr);
    const auto again = reload();
    EXPECT_EQ(again->revocations.first_recent(), table().first_recent());
    EXPECT_EQ(again->revocations.last_number(), number);
}

TEST_F(RevocationsTest, TheFeedKeepsItsEndAndKnowsWhereItBegins) {
    RevocationTable revocations;
    EXPECT_EQ(revocations.last_number(), 0U);
    Revocation one;
    one.kind = RevocationKind::rules;
    const std::size_t many = RevocationTable::least_recent * 2 + 7;
    std::vector<Revocation> all;
    for (std::size_t i = 1; i <= many; ++i) {
        one.number = i;
        revocations.put(one);
        all.push_back(one);
    }
    EXPECT_EQ(revocations.last_number(), many);
    EXPECT_LE(revocations.first_recent(), many - RevocationTable::least_recent + 1);
    EXPECT_GT(revocations.first_recent(), RevocationTable::least_recent / 2);
    EXPECT_EQ(revocations.find(revocations.first_recent() - 1), nullptr);
    EXPECT_EQ(revocations.find(many)->number, many);
    EXPECT_EQ(RevocationTable::build(all).first_recent(), many - RevocationTable::least_recent + 1);
    all.erase(all.end() - 10); // it had expired
    EXPECT_EQ(RevocationTable::build(all).first_recent(), many - 8);
    EXPECT_EQ(RevocationTable::build(all).last_number(), many);
}

// --- signed -------------------------------------------------------------------------------------

TEST_F(RevocationsTest, AnEventIsSignedAndIsNoToken) {
    const std::string token = token_of(account("robot"));
    must(world.revocations.end_token(world.admin(), named(token)));
    const auto state = world.state();
    const std::string event =
        sign_revocation(*state, world.settings, last(), world.clock.now()).value();
    EXPECT_EQ(event, sign_revocation(*state, world.settings, last(), world.clock.now()).value());
    const ParsedJwt jwt = *parse_jwt(event);
    const OpenedKey* key = state->keys.find(jwt.kid, world.clock.now());
    ASSERT_NE(key, nullptr);
    EXPECT_TRUE(key->public_key.verify(jwt.signing_input, jwt.signature));
    EXPECT_NE(jwt.kid, parse_jwt(token)->kid);
    EXPECT_EQ(jwt.type, security_event_type);
    EXPECT_FALSE(jwt.expires_at);
    EXPECT_EQ(jwt.subject, "");
    EXPECT_FALSE(is_good(event));
}

TEST_F(RevocationsTest, WhatTheKeyOfEventsSignsIsNeverAToken) {
    const auto robot = account("robot");
    const auto state = world.state();
    const OpenedKey* key = state->keys.signing_key(KeyPurpose::security_event,
                                                   SigningAlgorithm::es256, world.clock.now());
    ASSERT_NE(key, nullptr);
    for (const std::string_view type : {access_token_type, id_token_type}) {
        const std::int64_t now = world.clock.now().seconds();
        const std::string forged =
            JwtBuilder(key->private_key, key->row.kid, type)
                .add(claim::issuer, root_issuer(world.settings, state->tenant))
                .add(claim::subject, "sa:" + robot.account.id.value.text())
                .add(claim::audience, world.settings.audience)
                .add(claim::client_id, "robot")
                .add(claim::issued_at, now)
                .add(claim::expiration, now + 60)
                .add(claim::token_id, parse_jwt(token_of(robot))->token_id)
                .add(claim::tenant, std::int64_t{number_of(state->tenant.id)})
                .sign();
        EXPECT_FALSE(is_good(forged)) << type;
    }
}

TEST_F(RevocationsTest, TheAdministratorIsKnownByRule) {
    EXPECT_TRUE(is_administrator(world.admin()));
    EXPECT_FALSE(is_administrator(world.account(account("robot"))));
}

} // namespace
} // namespace claviger
