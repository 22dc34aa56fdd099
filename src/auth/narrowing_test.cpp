// SPDX-License-Identifier: Apache-2.0
#include "auth/narrowing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/scope_type.h"
#include "auth/test_world.h"
#include "jose/jwt.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using testing::World;

constexpr const char* other_resource = "https://build.example.com/";

class NarrowingTest : public ::testing::Test {
protected:
    NarrowingTest() { world.settings.resources = {other_resource}; }

    World world;
    NewServiceAccount account = *world.accounts.create(world.admin(), "ci");
    OrgUnit cluster = *world.units.create(
        world.admin(), {ScopeType::cluster, tenant_scope(world.state()->tenant.id), "c", "", "{}"});
    OrgUnit department =
        *world.units.create(world.admin(), {ScopeType::department, cluster.id, "d", "", "{}"});

    void SetUp() override {
        const TenantId tenant = world.state()->tenant.id;
        ASSERT_TRUE(world.rules.create(
            world.admin(), {{SubjectType::service_account, account.account.id.value.text()},
                            {tenant, system_administrator},
                            tenant_scope(tenant)}));
    }
    Result<Narrowing> read(const NarrowingRequest& request) {
        return read_narrowing(world.state()->tenant.id, world.settings, request);
    }
    NarrowingRequest within(const OrgUnit& unit) {
        NarrowingRequest request;
        request.scope_type = name_of(unit.id.type);
        request.scope_id = unit.id.value;
        return request;
    }
    GrantOutcome grant(const NarrowingRequest& request, bool with_id_token = false) {
        GrantOptions options{IssuerKind::root, with_id_token};
        options.narrowing = *read(request);
        return world.grants.client_credentials(*world.state(), "ci", account.client_secret.reveal(),
                                               World::origin(), std::move(options));
    }
    GrantOutcome sign_in(const NarrowingRequest& request) {
        GrantOptions options;
        options.narrowing = *read(request);
        return world.grants.password(*world.state(),
                                     {testing::admin_email, testing::admin_password, {}},
                                     World::origin(), std::move(options));
    }
    GrantOutcome refresh(const GrantOutcome& from, const NarrowingRequest& request) {
        GrantOptions options;
        options.narrowing = *read(request);
        return world.grants.refresh(*world.state(), {from.result->session->refresh_token, {}},
                                    World::origin(), std::move(options));
    }
    Judged<Principal> verify(const std::string& token) {
        return world.verifier.verify(*world.state(), token, AcceptedTokens::access_and_id_tokens,
                                     "192.0.2.1");
    }
    DecisionReason judge(const std::string& token, std::string_view permission,
                         const ScopeId& scope) {
        const auto principal = verify(token);
        EXPECT_TRUE(principal);
        const Rights rights = rights_of(*principal);
        const AccessSnapshot& access = world.state()->access;
        return decide(access, {rights.subjects(), *find_permission(permission), *access.find(scope),
                               rights.limits()})
            .reason;
    }
    static ParsedJwt claims_of(const GrantOutcome& outcome) {
        return *parse_jwt(outcome.result->access_token);
    }
};

TEST_F(NarrowingTest, IsReadFromWhatARequestSays) {
    EXPECT_FALSE(read({})->binds());
    EXPECT_FALSE(read({.scope = "openid profile  offline_access"})->binds())
        << "words of others say nothing";
    const auto narrowed = read({.scope = "openid project:read cluster:read"});
    EXPECT_EQ(scope_claim(*narrowed->permissions), "project:read cluster:read");
    for (const char* scope : {"project:fly", "nothing:read", "https://example.com/x",
                              "project:", ":read", "openid project:read x:y"}) {
        EXPECT_EQ(read({.scope = scope}).error().code(), ErrorCode::invalid_scope) << scope;
    }
    EXPECT_EQ(read({.scope = "a\"b"}).error().code(), ErrorCode::invalid_request);
    EXPECT_EQ(read({.scope = std::string(64, ' ')}).error().code(), ErrorCode::invalid_request);
    NarrowingRequest lifetime;
    for (const std::int64_t seconds : {0, -1}) {
        lifetime.lifetime_seconds = seconds;
        EXPECT_EQ(read(lifetime).error().code(), ErrorCode::invalid_request);
    }
}

TEST_F(NarrowingTest, NamesARegisteredResource) {
    EXPECT_EQ(read({.resource = other_resource})->audience, other_resource);
    for (const char* resource : {"runai", "https://build.example.com", "https://other.example/",
                                 "https://build.example.com/#x", "build"}) {
        EXPECT_EQ(read({.resource = resource}).error().code(), ErrorCode::invalid_target)
            << resource;
    }
    world.settings.audience = "https://api.example.com";
    EXPECT_FALSE(read({.resource = "https://api.example.com"})->binds());
    for (const char* text : {"", "a", ":b", "a:", "a:#", "a b:c", "a:b,c", "a:\x7F", "\xC3:b"}) {
        EXPECT_FALSE(is_absolute_uri(text)) << text;
    }
}

TEST_F(NarrowingTest, NamesAScopeByTypeAndId) {
    for (const auto& [type, id] : {std::pair("project", ""),
                                   {"", "1"},
                                   {"place", "1"},
                                   {"system", "1"},
                                   {"project", "1:2"},
                                   {"project", "1 2"}}) {
        NarrowingRequest request;
        request.scope_type = type;
        request.scope_id = id;
        EXPECT_EQ(read(request).error().code(), ErrorCode::invalid_scope) << type << " " << id;
    }
    NarrowingRequest unknown;
    unknown.scope_type = "project";
    unknown.scope_id = "424242";
    ASSERT_TRUE(read(unknown)) << "a stranger learns nothing";
    EXPECT_EQ(grant(unknown).result.error().code(), ErrorCode::invalid_scope);
}

TEST_F(NarrowingTest, LeavesOtherTokensAsTheyAre) {
    const ParsedJwt plain = claims_of(grant({}));
    EXPECT_FALSE(plain.scope);
    EXPECT_FALSE(plain.within);
    EXPECT_EQ(plain.audience, std::vector<std::string>{"runai"});
    EXPECT_EQ(*plain.expires_at - *plain.issued_at, 3600);
    EXPECT_EQ(verify(grant({}).result->access_token)->narrowing, nullptr);
}

TEST_F(NarrowingTest, BoundsTheToken) {
    NarrowingRequest request = within(department);
    request.scope = "department:read cluster:read";
    const auto granted = grant(request, true);
    EXPECT_EQ(granted.result->scope, "department:read cluster:read");
    EXPECT_EQ(granted.result->id_token, "") << "it would be good for everything";
    EXPECT_EQ(claims_of(granted).within, text_of(department.id));
    const std::string& token = granted.result->access_token;
    for (int time = 0; time < 2; ++time) { // the second from the cache
        EXPECT_EQ(judge(token, "department:read", department.id), DecisionReason::permitted);
        EXPECT_EQ(judge(token, "department:update", department.id), DecisionReason::beyond_token);
        EXPECT_EQ(judge(token, "department:read", cluster.id), DecisionReason::beyond_token);
    }
    const std::string plain = grant({}).result->access_token;
    EXPECT_EQ(judge(plain, "department:update", department.id), DecisionReason::permitted);
}

TEST_F(NarrowingTest, GivesNothingThatIsNotHeld) {
    const NewServiceAccount other = *world.accounts.create(world.admin(), "other");
    GrantOptions options;
    options.narrowing = *read({.scope = "project:delete"});
    const auto granted = world.grants.client_credentials(
        *world.state(), "other", other.client_secret.reveal(), World::origin(), options);
    ASSERT_TRUE(granted.result) << "asking is no error";
    EXPECT_EQ(judge(granted.result->access_token, "project:delete", cluster.id),
              DecisionReason::no_rule);
}

TEST_F(NarrowingTest, ShortensTheLifetimeAndNeverLengthensIt) {
    NarrowingRequest request;
    request.lifetime_seconds = 60;
    const auto shorter = grant(request, true);
    EXPECT_EQ(shorter.result->expires_in, 60);
    const ParsedJwt claims = claims_of(shorter);
    EXPECT_EQ(*claims.expires_at - *claims.issued_at, 60);
    const ParsedJwt id_token = *parse_jwt(shorter.result->id_token);
    EXPECT_EQ(*id_token.expires_at - *id_token.issued_at, 60);
    request.lifetime_seconds = 1'000'000;
    EXPECT_EQ(grant(request).result->expires_in, 3600);
}

TEST_F(NarrowingTest, OfAnotherResourceIsNotForThisOne) {
    const auto granted = grant({.resource = other_resource}, true);
    EXPECT_EQ(claims_of(granted).audience, std::vector<std::string>{other_resource});
    EXPECT_EQ(granted.result->id_token, "");
    EXPECT_FALSE(verify(granted.result->access_token));
}

TEST_F(NarrowingTest, IsNotMixedUpInTheCache) {
    // More tokens than there are places for narrowings: each stays bound by its own.
    const std::string read_only = grant({.scope = "department:read"}).result->access_token;
    const std::string plain = grant({}).result->access_token;
    EXPECT_EQ(judge(read_only, "department:update", department.id), DecisionReason::beyond_token);
    for (int i = 0; i < 3000; ++i) {
        const auto other = grant({.scope = "department:update"});
        ASSERT_EQ(judge(other.result->access_token, "department:read", department.id),
                  DecisionReason::beyond_token);
    }
    EXPECT_EQ(judge(read_only, "department:read", department.id), DecisionReason::permitted);
    EXPECT_EQ(judge(read_only, "department:update", department.id), DecisionReason::beyond_token);
    EXPECT_EQ(judge(plain, "department:update", department.id), DecisionReason::permitted);
}

TEST_F(NarrowingTest, MakesNoKeyThatIsWider) {
    const auto session = sign_in({.scope = "access-keys:create department:read"});
    Caller caller = world.admin();
    caller.principal = *verify(session.result->access_token);
    const auto refused = world.keys.create(caller, "laptop");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail(), HasSubstr("beyond what the token was narrowed to"));
    EXPECT_TRUE(
        world.keys.create(caller, "laptop", R"({"ceiling":{"permissions":["department:read"]}})"));
    EXPECT_TRUE(world.users.create(caller, "new@example.com", false))
        << "a user without rules holds nothing; whether users are made is judged by the route";
}

// --- sessions -----------------------------------------------------------------------------------

TEST_F(NarrowingTest, OfASignInStaysWithItsSession) {
    NarrowingRequest request = within(cluster);
    request.scope = "department:read department:update";
    const auto first = sign_in(request);
    EXPECT_EQ(first.result->id_token, "");
    const auto second = refresh(first, {});
    ASSERT_TRUE(second.result);
    EXPECT_EQ(second.result->id_token, "");
    EXPECT_EQ(second.result->scope, "department:read department:update");
    EXPECT_EQ(claims_of(second).within, text_of(cluster.id));
    const auto third = refresh(second, {.scope = "department:read"});
    EXPECT_EQ(third.result->scope, "department:read");
    const auto fourth = refresh(third, within(department));
    EXPECT_EQ(fourth.result->scope, "department:read department:update")
        << "a refresh narrows its own token (RFC 6749 6)";
    EXPECT_EQ(claims_of(fourth).within, text_of(department.id));
}

TEST_F(NarrowingTest, IsNotWidenedByARefresh) {
    const auto session = sign_in([&] {
        NarrowingRequest request = within(department);
        request.scope = "department:read";
        request.lifetime_seconds = 60;
        return request;
    }());
    EXPECT_EQ(refresh(session, {.scope = "department:update"}).result.error().code(),
              ErrorCode::invalid_scope);
    EXPECT_EQ(refresh(session, within(cluster)).result.error().code(), ErrorCode::invalid_scope);
    NarrowingRequest longer;
    longer.lifetime_seconds = 600;
    const auto refreshed = refresh(session, longer);
    ASSERT_TRUE(refreshed.result) << "what was refused has not used the token up";
    EXPECT_EQ(refreshed.result->expires_in, 60);
    EXPECT_EQ(refreshed.result->scope, "department:read");
}

TEST_F(NarrowingTest, OfASessionIsKeptAsText) {
    const TenantId tenant = world.state()->tenant.id;
    NarrowingRequest request = within(department);
    request.scope = "department:read";
    request.resource = other_resource;
    request.lifetime_seconds = 60;
    const Narrowing narrowing = *read(request);
    const auto again = parse_narrowing(tenant, text_of(narrowing));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->permissions, narrowing.permissions);
    EXPECT_EQ(again->scope, narrowing.scope);
    EXPECT_EQ(again->audience, other_resource);
    EXPECT_EQ(again->lifetime_seconds, 60);
    EXPECT_EQ(text_of(Narrowing()), "{}");
    for (const char* text : {"", "[]", R"({"scope":1})", R"({"within":"project"})",
                             R"({"more":"x"})", R"({"lifetime":"60"})"}) {
        EXPECT_FALSE(parse_narrowing(tenant, text)) << text;
    }
}

TEST_F(NarrowingTest, ThatCannotBeReadEndsTheRefresh) {
    const auto session = sign_in({});
    Session row = *world.state()->sessions.find(session.result->session->id);
    row.narrowing = R"({"unknown":"x"})";
    ASSERT_TRUE(world.store.write(
        [&](Transaction& transaction) { return transaction.sessions().put(row); }));
    EXPECT_EQ(refresh(session, {}).result.error().code(), ErrorCode::invalid_grant);
}

TEST_F(NarrowingTest, OfClaimsThatAreNotOursIsNone) {
    const TenantId tenant = world.state()->tenant.id;
    EXPECT_FALSE(limit_of_claims(tenant, std::nullopt, "project"));
    EXPECT_FALSE(limit_of_claims(tenant, std::nullopt, "place:1"));
    const auto nothing = limit_of_claims(tenant, "gone:read", std::nullopt);
    ASSERT_TRUE(nothing);
    EXPECT_TRUE(nothing->permissions->empty()) << "a permission that is gone permits nothing";
    EXPECT_TRUE(nothing->bounds_permissions());
}

} // namespace
} // namespace claviger
