// SPDX-License-Identifier: Apache-2.0
#include <cctype>

#include <gtest/gtest.h>

#include "access/test_rows.h"
#include "auth/names.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::admin_email;
using testing::admin_password;
using testing::World;

constexpr std::int32_t viewer = 7;
constexpr std::int32_t department_administrator = 1710;
constexpr std::int32_t l1_researcher = 5;

AccessRuleDraft rule_for(const NewServiceAccount& made, std::int32_t role, const ScopeId& scope) {
    return {
        {SubjectType::service_account, made.account.id.value.text()}, {scope.tenant, role}, scope};
}

// --- names and secrets --------------------------------------------------------------------------

TEST(Names, FollowTheContract) {
    for (const char* name : {"a1", "a_b-c9", "ci-1", "ab"}) {
        EXPECT_TRUE(is_resource_name(name)) << name;
    }
    for (const char* name : {"A1", "a", "1a", "a-", "a b", "", "a_", "é1", "a\n1"}) {
        EXPECT_FALSE(is_resource_name(name)) << name;
    }
    EXPECT_FALSE(is_resource_name(std::string(256, 'a')));
    EXPECT_TRUE(is_email_address("a.b+c@d-e.io"));
    for (const char* text : {"a@b", "@b.io", "a@.io", "a@b.i", "a@b@c.io", "a b@c.io", "a@b.i1"}) {
        EXPECT_FALSE(is_email_address(text)) << text;
    }
    EXPECT_TRUE(is_host_name("a.example"));
    EXPECT_FALSE(is_host_name("A.example"));
    EXPECT_FALSE(is_host_name("-a.example"));
}

TEST(Names, FoldToOneForAllSpellings) {
    const std::string plain = "admin@example.com";
    for (const char* spelling :
         {"Admin@Example.COM", " admin@example.com\t", "admin\uFF20example.com",
          "\uFF41dmin@example.com", "ad\u00ADmin@example.com", "admin@example.com\u200B"}) {
        EXPECT_EQ(fold_name(spelling), plain) << spelling;
    }
    EXPECT_EQ(fold_name("Admin \xFF"), "admin\xFF") << "no text, and still a name to count";
}

TEST(ClientSecrets, HaveAFormThatScannersKnow) {
    SystemRandom random;
    const Secret secret = generate_client_secret(random, SecretKind::service_account);
    const std::string_view text = secret.reveal();
    ASSERT_EQ(text.size(), 54U);
    EXPECT_TRUE(text.starts_with("clvs_"));
    EXPECT_EQ(
        std::ranges::count_if(text.substr(5), [](unsigned char c) { return std::isalnum(c); }), 49);
    const std::uint32_t sum = crc32(text.substr(0, 48));
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(sum >> 24), static_cast<std::uint8_t>(sum >> 16),
        static_cast<std::uint8_t>(sum >> 8), static_cast<std::uint8_t>(sum)};
    EXPECT_EQ(text.substr(48), base62(bytes, 6));
}

TEST(NewPasswords, MustBeLongAndHardToGuess) {
    const std::vector<std::string> context{"admin@example.com", "admin", "acme"};
    EXPECT_TRUE(check_new_password(admin_password, context));
    EXPECT_TRUE(check_new_password("correct horse battery staple", context));
    EXPECT_TRUE(check_new_password("日本語のとても長い合い言葉です四五", context));
    for (const std::string& bad :
         {std::string("short"), std::string(14, 'x'), std::string("aaaaaaaaaaaaaaaaaaaa"),
          std::string("passwordpassword"), std::string("P4$$w0rdP4$$w0rd"),
          std::string("123456789012345678"), std::string("qwertyuiopasdfghjkl"),
          std::string("admin@example.com12"), std::string("abcabcabcabcabcabc"),
          std::string(1025, 'q'),
          std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                      "\xFF\xFF\xFF\xFF")}) {
        EXPECT_FALSE(check_new_password(bad, context)) << bad.substr(0, 30);
    }
}

TEST(Passwords, AreNormalisedAndUnknownUsersCostTheSame) {
    World world;
    const std::string composed = "violet-\u00e9tude-lantern-9";
    const std::string decomposed = "violet-e\u0301tude-lantern-9";
    const std::string phc = *world.passwords.hash(composed);
    EXPECT_TRUE(*world.passwords.verify(phc, decomposed));
    EXPECT_FALSE(*world.passwords.verify(phc, "violet-etude-lantern-9"));
    EXPECT_FALSE(*world.passwords.verify("", composed));
    EXPECT_FALSE(*world.passwords.verify(phc, "\xFF"));
}

// --- tokens -------------------------------------------------------------------------------------

class TokenTest : public ::testing::Test {
protected:
    World world;
    NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");

    Judged<Principal> verify(const std::string& token,
                             AcceptedTokens accepted = AcceptedTokens::access_tokens) {
        return world.verifier.verify(*world.state(), token, accepted, "192.0.2.1");
    }
};

TEST_F(TokenTest, AreGrantedForTheRightSecretOnly) {
    const GrantOutcome granted = world.grant(account);
    ASSERT_TRUE(granted.result);
    EXPECT_EQ(granted.result->expires_in, 3600);
    EXPECT_NE(granted.ticket, 0U);
    EXPECT_EQ(verify(granted.result->access_token)->name, "ci-1");
    for (const char* secret : {"", "wrong", "clvs_wrong"}) {
        const GrantOutcome refused =
            world.grants.client_credentials(*world.state(), "ci-1", secret, World::origin(), {});
        EXPECT_EQ(refused.result.error().code(), ErrorCode::invalid_client);
        EXPECT_NE(refused.ticket, 0U) << "a refused sign-in is recorded";
    }
    const GrantOutcome unknown =
        world.grants.client_credentials(*world.state(), "nobody", "x", World::origin(), {});
    const GrantOutcome wrong =
        world.grants.client_credentials(*world.state(), "ci-1", "x", World::origin(), {});
    EXPECT_EQ(unknown.result.error().detail(), wrong.result.error().detail());
}

TEST_F(TokenTest, EndWithEveryChangeOfTheirAccount) {
    const Uuid id = account.account.id.value;
    std::string token = world.grant(account).result->access_token;
    ASSERT_TRUE(verify(token));
    const Secret fresh =
        *world.secrets.replace(world.admin(), {PrincipalKind::service_account, id}, 0);
    EXPECT_FALSE(verify(token)) << "in the same second";
    EXPECT_FALSE(world.grant(account).result) << "the old secret";
    const auto grant = [&] {
        return world.grants.client_credentials(*world.state(), "ci-1", fresh.reveal(),
                                               World::origin(), {});
    };
    token = grant().result->access_token;
    ASSERT_TRUE(verify(token));
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), id, false));
    EXPECT_FALSE(verify(token));
    EXPECT_FALSE(grant().result) << "disabled";
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), id, true));
    EXPECT_FALSE(verify(token)) << "enabling revives nothing";
    ASSERT_TRUE(world.accounts.remove(world.admin(), id));
    EXPECT_FALSE(grant().result) << "gone";
}

TEST_F(TokenTest, ExpireAndStayInTheirTenant) {
    const std::string token = world.grant(account).result->access_token;
    ASSERT_TRUE(world.add_tenant("other", "other.example"));
    EXPECT_FALSE(world.verifier.verify(*world.state("other"), token, AcceptedTokens::access_tokens,
                                       "192.0.2.1"));
    world.clock.advance_seconds(3599);
    EXPECT_TRUE(verify(token));
    world.clock.advance_seconds(1);
    EXPECT_FALSE(verify(token)) << "also from the cache";
}

TEST_F(TokenTest, StayTheirOwnWhileMoreAndMoreAreKnown) {
    const NewServiceAccount other = *world.accounts.create(world.admin(), "ci-2");
    std::vector<std::string> tokens;
    for (std::size_t i = 0; i < 3'000; ++i) { // the cache grows twice meanwhile
        tokens.push_back(world.grant(i % 2 == 0 ? account : other).result->access_token);
        ASSERT_EQ(verify(tokens.back())->name, i % 2 == 0 ? "ci-1" : "ci-2");
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        ASSERT_EQ(verify(tokens[i])->name, i % 2 == 0 ? "ci-1" : "ci-2");
    }
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), other.account.id.value, false));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        ASSERT_EQ(verify(tokens[i]).has_value(), i % 2 == 0);
    }
}

TEST_F(TokenTest, KeepAccessAndIdTokensApart) {
    const GrantOutcome granted =
        world.grants.client_credentials(*world.state(), "ci-1", account.client_secret.reveal(),
                                        World::origin(), {IssuerKind::realm, true});
    const std::string& id_token = granted.result->id_token;
    EXPECT_FALSE(verify(id_token));
    EXPECT_TRUE(verify(id_token, AcceptedTokens::access_and_id_tokens));
    EXPECT_FALSE(verify(id_token)) << "nor from the cache";
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), account.account.id.value, false));
    EXPECT_FALSE(verify(id_token, AcceptedTokens::access_and_id_tokens));
}

TEST_F(TokenTest, OfADisabledTenantAreRefused) {
    const std::string token = world.grant(account).result->access_token;
    ASSERT_TRUE(world.tenants.set_enabled("runai", false));
    EXPECT_FALSE(verify(token));
    EXPECT_FALSE(world.grant(account).result);
}

TEST_F(TokenTest, AreTheSameSizeWhateverTheRights) {
    const std::size_t before = world.grant(account).result->access_token.size();
    for (const std::int32_t role : {1, 3, 4, 5, 6, 7}) {
        ASSERT_TRUE(world.rules.create(
            world.admin(), rule_for(account, role, tenant_scope(world.state()->tenant.id))));
    }
    EXPECT_EQ(world.grant(account).result->access_token.size(), before);
}

TEST_F(TokenTest, GuessingIsThrottledButLocksNobodyOut) {
    bool throttled = false;
    for (int i = 0; i < 300; ++i) {
        const auto outcome = world.grants.client_credentials(
            *world.state(), "ci-1", "guess" + std::to_string(i), World::origin(), {});
        throttled = throttled || outcome.result.error().code() == ErrorCode::too_many_requests;
    }
    EXPECT_TRUE(throttled);
    EXPECT_TRUE(world.grant(account).result) << "the right secret, from the same source";
    EXPECT_TRUE(world.grant(account, "192.0.2.2").result);
}

TEST(SigningKeys, AreSealedToTheirPlace) {
    World world;
    const SigningKey key = world.state()->keys.keys().front().row;
    ASSERT_TRUE(world.vault.open(key));
    SigningKey moved = key;
    moved.tenant = TenantId{2};
    EXPECT_FALSE(world.vault.open(moved));
    moved = key;
    moved.purpose =
        key.purpose == KeyPurpose::id_token ? KeyPurpose::access_token : KeyPurpose::id_token;
    EXPECT_FALSE(world.vault.open(moved));
    moved = key;
    moved.sealed_private_key.back() ^= 1;
    EXPECT_FALSE(world.vault.open(moved));
}

TEST(SigningKeys, OfANewAlgorithmWaitUntilVerifiersHaveSeenThem) {
    World world;
    world.settings.algorithm = SigningAlgorithm::ed25519;
    ASSERT_TRUE(world.signing_keys.run());
    const auto algorithm = [&] {
        return world.state()
            ->keys
            .signing_key(KeyPurpose::access_token, SigningAlgorithm::ed25519, world.clock.now())
            ->row.algorithm;
    };
    EXPECT_EQ(algorithm(), SigningAlgorithm::es256);
    EXPECT_NE(world.state()->keys.jwk_set(world.clock.now()).find("Ed25519"), std::string::npos);
    world.clock.advance_seconds(key_set_max_age_seconds + clock_skew_seconds);
    EXPECT_EQ(algorithm(), SigningAlgorithm::ed25519);
}

// --- administration -----------------------------------------------------------------------------

class AdministrationTest : public ::testing::Test {
protected:
    World world;
    const TenantId tenant = world.state()->tenant.id;
    const OrgUnit cluster = *world.units.create(
        world.admin(), {ScopeType::cluster, tenant_scope(tenant), "c", "", "{}"});
    const OrgUnit department =
        *world.units.create(world.admin(), {ScopeType::department, cluster.id, "nlp", "", "{}"});
    const OrgUnit other =
        *world.units.create(world.admin(), {ScopeType::department, cluster.id, "cv", "", "{}"});
    NewServiceAccount account = *world.accounts.create(world.admin(), "ci-1");
    NewServiceAccount target = *world.accounts.create(world.admin(), "ci-2");
};

TEST_F(AdministrationTest, NobodyGivesMoreThanTheyHold) {
    ASSERT_TRUE(world.rules.create(world.admin(),
                                   rule_for(account, department_administrator, department.id)));
    const auto grant = [&](std::int32_t role, const ScopeId& scope) {
        return world.rules.create(world.account(account), rule_for(target, role, scope));
    };
    EXPECT_TRUE(grant(l1_researcher, department.id));
    EXPECT_EQ(grant(1, department.id).error().code(), ErrorCode::access_denied);
    EXPECT_EQ(grant(viewer, other.id).error().code(), ErrorCode::access_denied);
    EXPECT_EQ(grant(l1_researcher, department.id).error().code(), ErrorCode::conflict);
    EXPECT_EQ(grant(99, department.id).error().code(), ErrorCode::invalid_request);
}

TEST_F(AdministrationTest, RulesGoWithTheirAccountAndScope) {
    ASSERT_TRUE(world.rules.create(world.admin(), rule_for(account, viewer, department.id)));
    ASSERT_TRUE(world.rules.create(world.admin(), rule_for(target, viewer, department.id)));
    ASSERT_TRUE(world.accounts.remove(world.admin(), account.account.id.value));
    EXPECT_EQ(rule_count(world.state()->access), 2U);
    ASSERT_TRUE(world.units.remove(world.admin(), department.id, false));
    EXPECT_EQ(rule_count(world.state()->access), 1U);
    const auto again = world.accounts.create(world.admin(), "ci-1");
    EXPECT_NE(again->account.id, account.account.id) << "a name may return, an id never";
}

TEST_F(AdministrationTest, NamesAreTakenOnce) {
    EXPECT_EQ(world.accounts.create(world.admin(), "ci-1").error().code(), ErrorCode::conflict);
    EXPECT_EQ(world.accounts.create(world.admin(), "ak-1").error().code(),
              ErrorCode::invalid_request);
    EXPECT_EQ(
        world.units.create(world.admin(), {ScopeType::department, cluster.id, "nlp", "", "{}"})
            .error()
            .code(),
        ErrorCode::conflict);
    const OrgUnit project =
        *world.units.create(world.admin(), {ScopeType::project, department.id, "p", "", "{}"});
    EXPECT_EQ(world.units.create(world.admin(), {ScopeType::project, other.id, "p", "", "{}"})
                  .error()
                  .code(),
              ErrorCode::conflict)
        << "once in the cluster: its namespace must be free";
    EXPECT_EQ(world.units.remove(world.admin(), department.id, false).error().code(),
              ErrorCode::conflict);
    EXPECT_EQ(world.units.remove(world.admin(), cluster.id, false).error().code(),
              ErrorCode::conflict);
    EXPECT_TRUE(world.units.remove(world.admin(), cluster.id, true));
    EXPECT_FALSE(world.state()->access.find(project.id));
}

TEST_F(AdministrationTest, TenantsDoNotSeeOneAnother) {
    ASSERT_TRUE(world.add_tenant("other", "other.example"));
    EXPECT_EQ(world.accounts.remove(world.admin("other"), account.account.id.value).error().code(),
              ErrorCode::not_found);
    EXPECT_TRUE(world.accounts.create(world.admin("other"), "ci-1"));
    EXPECT_EQ(world.state("other")->access.find(department.id), std::nullopt);
    EXPECT_EQ(world.add_tenant("third", "other.example").error().code(), ErrorCode::conflict);
    EXPECT_EQ(world.add_tenant("third", "").error().code(), ErrorCode::invalid_request);
    EXPECT_EQ(world.directory.current()->find_by_host("other.example")->tenant.realm, "other");
    EXPECT_EQ(world.directory.current()->find_by_host("127.0.0.1")->tenant.realm, "runai");
    EXPECT_EQ(world.directory.current()->find_by_host("unknown.example"), nullptr);
}

/// Whatever call fails, a change is there with its audit entry, or neither is.
TEST_F(AdministrationTest, FaultsLeaveNothingHalfDone) {
    const auto operations = [&]() -> std::vector<std::function<bool()>> {
        return {
            [&] { return world.accounts.create(world.admin(), "fresh").has_value(); },
            [&] {
                return world.secrets
                    .replace(world.admin(),
                             {PrincipalKind::service_account, account.account.id.value}, 0)
                    .has_value();
            },
            [&] {
                return world.rules.create(world.admin(), rule_for(target, viewer, other.id))
                    .has_value();
            },
            [&] { return world.units.remove(world.admin(), cluster.id, true).has_value(); },
            [&] { return world.add_tenant("late", "late.example").has_value(); },
        };
    }();
    const auto entries = [&] {
        std::uint64_t count = 0;
        for (const Tenant& each : world.tenants.list()) {
            count += world.memory.open_audit_reader().value()->head(each.id)->number;
        }
        return count;
    };
    for (const auto& operation : operations) {
        for (std::uint64_t call = 1;; ++call) {
            const std::uint64_t before = entries();
            const auto state = world.directory.current();
            world.store.fail_call(call);
            const bool done = operation();
            const bool failed = world.store.calls() >= call;
            world.store.fail_call(0);
            EXPECT_NE(done, failed);
            if (done) {
                EXPECT_GT(entries(), before);
                break;
            }
            EXPECT_EQ(entries(), before);
            EXPECT_EQ(world.directory.current(), state);
        }
        EXPECT_TRUE(verify_audit(world.memory, world.events, tenant)->intact());
    }
}

TEST(Audit, NoticesEveryChangeOfTheChain) {
    World world;
    const auto account = world.accounts.create(world.admin(), "ci-1");
    EXPECT_TRUE(world.grant(*account).result);
    const auto report = *verify_audit(world.memory, world.events, world.state()->tenant.id);
    EXPECT_TRUE(report.intact());
    EXPECT_EQ(report.accesses.entries, 1U);
    EXPECT_NE(chain_hash({}, "a"), chain_hash({}, "b"));
    Digest other{};
    other[0] = 1;
    EXPECT_NE(chain_hash({}, "a"), chain_hash(other, "a"));
}

TEST(LastLogins, AreWrittenInBatches) {
    World world;
    const auto account = world.accounts.create(world.admin(), "ci-1");
    const Uuid id = account->account.id.value;
    EXPECT_EQ(world.last_logins.latest(id, std::nullopt), std::nullopt);
    EXPECT_TRUE(world.grant(*account).result);
    EXPECT_EQ(world.last_logins.latest(id, std::nullopt), world.clock.now());
    ASSERT_TRUE(world.last_logins.flush(world.memory));
    Directory reloaded(world.vault, "127.0.0.1", world.log);
    ASSERT_TRUE(reloaded.attach(world.memory));
    const TenantStatePointer state = reloaded.current()->tenants.front();
    EXPECT_EQ(state->accounts.find(id)->last_login, world.clock.now());
}

} // namespace
} // namespace claviger
