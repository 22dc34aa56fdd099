// SPDX-License-Identifier: Apache-2.0
#include "auth/identity_providers.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include "auth/test_world.h"

namespace claviger {
namespace {

using testing::World;

constexpr std::string_view address = "https://idp.example/.well-known/openid-configuration";

class IdentityProvidersTest : public ::testing::Test {
protected:
    World world;
    TenantId tenant = world.state()->tenant.id;

    static IdentityProviderDraft oidc(std::string_view secret = "the-secret") {
        IdentityProviderDraft draft;
        draft.settings.address = address;
        draft.settings.client_id = "claviger";
        draft.secret = secret;
        return draft;
    }
    static IdentityProviderDraft named(std::string name) {
        IdentityProviderDraft draft = oidc();
        draft.name = std::move(name);
        return draft;
    }
    std::string make(const IdentityProviderDraft& draft) {
        return *world.identity_providers.create(world.admin(), draft);
    }
    IdentityProvider row(const std::string& alias) const {
        return world.state()->identity_providers->at(alias);
    }
    std::string secret_of(const IdentityProvider& row) const {
        return std::string(world.identity_providers.open_secret(row)->reveal());
    }
    Result<void> update(const std::string& alias, const IdentityProviderDraft& draft) {
        return world.identity_providers.update(world.admin(), alias, draft);
    }
    template <class T>
    static ErrorCode code_of(const Result<T>& result) {
        return result ? ErrorCode{} : result.error().code();
    }
};

TEST_F(IdentityProvidersTest, AreNamedAfterTheirNameOrType) {
    EXPECT_EQ(make(oidc()), "oidc");
    EXPECT_EQ(make(oidc()), "oidc-2");
    EXPECT_EQ(make(named("My Company_SSO!")), "my-company-sso");
    EXPECT_EQ(make(named("my company  sso")), "my-company-sso-2");
    EXPECT_EQ(make(named("\u65e5\u672c")), "oidc-3") << "nothing is left of it";
    EXPECT_EQ(make(named("")), "oidc-4");
    const std::string alias = make(named(std::string(255, 'x')));
    EXPECT_EQ(alias, std::string(50, 'x'));
    for (const char* name : {" x", "x ", "a\nb", "\xFF"}) {
        EXPECT_EQ(code_of(world.identity_providers.create(world.admin(), named(name))),
                  ErrorCode::invalid_request)
            << name;
    }
}

TEST_F(IdentityProvidersTest, SealTheirSecretToTheirPlace) {
    const std::string alias = make(oidc());
    const IdentityProvider kept = row(alias);
    EXPECT_EQ(secret_of(kept), "the-secret");
    const std::string all(kept.sealed_secret.begin(), kept.sealed_secret.end());
    EXPECT_EQ((all + kept.settings + kept.mappers).find("the-secret"), std::string::npos);

    IdentityProvider moved = kept;
    moved.tenant = TenantId{2};
    EXPECT_EQ(code_of(world.identity_providers.open_secret(moved)), ErrorCode::internal);
    moved = kept;
    moved.alias = "oidc-2";
    EXPECT_EQ(code_of(world.identity_providers.open_secret(moved)), ErrorCode::internal);
    moved = kept;
    IdentityProviderSettings settings = settings_of(kept);
    settings.address = "https://evil.example/";
    moved.settings = settings_text(settings);
    EXPECT_EQ(code_of(world.identity_providers.open_secret(moved)), ErrorCode::internal);
    moved = kept;
    moved.sealed_secret.back() ^= 1;
    EXPECT_EQ(code_of(world.identity_providers.open_secret(moved)), ErrorCode::internal);
}

TEST_F(IdentityProvidersTest, KeepTheSecretForTheMaskAtTheSameAddress) {
    const std::string alias = make(oidc());
    IdentityProviderDraft draft = oidc(masked_secret);
    draft.settings.client_id = "another";
    ASSERT_TRUE(update(alias, draft));
    EXPECT_EQ(settings_of(row(alias)).client_id, "another");
    EXPECT_EQ(secret_of(row(alias)), "the-secret");

    draft.settings.address = "https://evil.example/";
    const IdentityProvider before = row(alias);
    EXPECT_EQ(code_of(update(alias, draft)), ErrorCode::invalid_request);
    EXPECT_EQ(row(alias).settings, before.settings);
    draft.secret = "a-new-one";
    ASSERT_TRUE(update(alias, draft));
    EXPECT_EQ(secret_of(row(alias)), "a-new-one");
    EXPECT_EQ(code_of(world.identity_providers.create(world.admin(), oidc(masked_secret))),
              ErrorCode::invalid_request)
        << "the mask is no secret";
}

/// As an import leaves them.
TEST_F(IdentityProvidersTest, WithoutASecretWaitForOne) {
    const std::string alias = make(oidc());
    IdentityProvider imported = row(alias);
    imported.sealed_secret.clear();
    ASSERT_TRUE(world.store.write(
        [&](Transaction& transaction) { return transaction.identity_providers().put(imported); }));
    EXPECT_EQ(code_of(update(alias, oidc(masked_secret))), ErrorCode::invalid_request);
    EXPECT_EQ(code_of(world.identity_providers.open_secret(row(alias))), ErrorCode::internal);
    ASSERT_TRUE(update(alias, oidc("at-last")));
    EXPECT_EQ(secret_of(row(alias)), "at-last");
}

TEST_F(IdentityProvidersTest, KeepWhatAnUpdateLeavesOut) {
    IdentityProviderDraft draft = named("Company");
    draft.mappers = IdentityProviderMappers{};
    draft.mappers->uid = "sub";
    const std::string alias = make(draft);
    ASSERT_TRUE(update(alias, oidc(masked_secret)));
    EXPECT_EQ(row(alias).name, "Company");
    EXPECT_EQ(mappers_of(row(alias)).uid, "sub");
    EXPECT_EQ(mappers_of(row(alias)).gid, std::nullopt);

    IdentityProviderDraft saml;
    saml.type = IdentityProviderType::saml;
    saml.settings.metadata = "<EntityDescriptor/>";
    saml.settings.file_name = "idp.xml";
    const std::string file = make(saml);
    EXPECT_TRUE(row(file).sealed_secret.empty());
    saml.settings.metadata.clear();
    saml.settings.entity_id = "claviger";
    ASSERT_TRUE(update(file, saml));
    EXPECT_EQ(settings_of(row(file)).metadata, "<EntityDescriptor/>");
    EXPECT_EQ(settings_of(row(file)).entity_id, "claviger");
    EXPECT_EQ(code_of(update(file, oidc())), ErrorCode::invalid_request) << "the type stays";
}

TEST_F(IdentityProvidersTest, AreAHundredATenant) {
    for (std::size_t i = 0; i < most_identity_providers; ++i) {
        ASSERT_TRUE(world.identity_providers.create(world.admin(), oidc()));
    }
    EXPECT_EQ(code_of(world.identity_providers.create(world.admin(), oidc())), ErrorCode::conflict);
    ASSERT_TRUE(world.identity_providers.remove(world.admin(), "oidc-7"));
    EXPECT_EQ(make(oidc()), "oidc-7") << "the first free one";
}

TEST_F(IdentityProvidersTest, AreNotLedToWhenTheyAreGone) {
    const std::string alias = make(oidc());
    const std::string other = make(oidc());
    ASSERT_TRUE(world.security_settings.set_auto_redirect(world.admin(), {true, alias}));
    ASSERT_TRUE(world.security_settings.set_idle_timeout(world.admin(), 90));
    ASSERT_TRUE(world.identity_providers.remove(world.admin(), other));
    EXPECT_EQ(security_values_of(world.state()->settings).auto_redirect.alias, alias);
    ASSERT_TRUE(world.identity_providers.remove(world.admin(), alias));
    const SecurityValues values = security_values_of(world.state()->settings);
    EXPECT_EQ(values.auto_redirect.enabled, false);
    EXPECT_EQ(values.auto_redirect.alias, "");
    EXPECT_EQ(values.idle_timeout_minutes, 90) << "the rest stays";
    EXPECT_EQ(code_of(world.security_settings.set_auto_redirect(world.admin(), {true, alias})),
              ErrorCode::invalid_request);
}

TEST_F(IdentityProvidersTest, BelongToTheirTenant) {
    const std::string alias = make(oidc());
    ASSERT_TRUE(world.add_tenant("other", "other.example"));
    const Caller stranger = world.admin("other");
    EXPECT_EQ(code_of(world.identity_providers.remove(stranger, alias)), ErrorCode::not_found);
    EXPECT_EQ(code_of(world.identity_providers.update(stranger, alias, oidc())),
              ErrorCode::not_found);
    EXPECT_EQ(code_of(world.security_settings.set_auto_redirect(stranger, {true, alias})),
              ErrorCode::invalid_request);
    EXPECT_EQ(*world.identity_providers.create(stranger, oidc()), "oidc");
}

TEST_F(IdentityProvidersTest, LeaveNoSecretOnRecord) {
    const std::string alias = make(oidc());
    ASSERT_TRUE(update(alias, oidc("a-new-one")));
    ASSERT_TRUE(world.identity_providers.update_mappers(world.admin(), alias, {}));
    ASSERT_TRUE(world.identity_providers.remove(world.admin(), alias));
    std::string all;
    for (const std::string& payload : testing::payloads_of(world.memory, tenant)) {
        all += payload;
    }
    EXPECT_NE(all.find(R"("entity_type":"security-settings","entity_id":"oidc")"),
              std::string::npos);
    for (const char* secret : {"the-secret", "a-new-one"}) {
        EXPECT_EQ(all.find(secret), std::string::npos);
    }
}

/// Whatever call fails, a change is there with its audit entry, or neither is.
TEST_F(IdentityProvidersTest, FaultsLeaveNothingHalfDone) {
    const std::string alias = make(oidc());
    const std::vector<std::function<bool()>> operations{
        [&] { return world.identity_providers.create(world.admin(), oidc()).has_value(); },
        [&] { return update(alias, oidc("another")).has_value(); },
        [&] {
            return world.identity_providers.update_mappers(world.admin(), alias, {}).has_value();
        },
        [&] {
            return world.security_settings.set_auto_redirect(world.admin(), {true, alias})
                .has_value();
        },
        [&] { return world.identity_providers.remove(world.admin(), alias).has_value(); }};
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

/// Two who change at once: each change is whole, and both settings are there.
TEST_F(IdentityProvidersTest, AreChangedWhole) {
    const std::string alias = make(oidc());
    {
        std::jthread first([&] {
            for (int i = 0; i < 50; ++i) {
                EXPECT_TRUE(update(alias, oidc("first-secret")));
                EXPECT_TRUE(world.security_settings.set_idle_timeout(world.admin(), 1 + i));
            }
        });
        std::jthread second([&] {
            for (int i = 0; i < 50; ++i) {
                IdentityProviderDraft draft = oidc("second-secret");
                draft.settings.address = "https://second.example/";
                EXPECT_TRUE(update(alias, draft));
                EXPECT_TRUE(world.security_settings.set_logout_redirect_uri(
                    world.admin(), "https://bye.example/" + std::to_string(i)));
            }
        });
    }
    const IdentityProvider kept = row(alias);
    EXPECT_EQ(secret_of(kept),
              settings_of(kept).address == address ? "first-secret" : "second-secret");
    const SecurityValues values = security_values_of(world.state()->settings);
    EXPECT_EQ(values.idle_timeout_minutes, 50);
    EXPECT_EQ(values.logout_redirect_uri, "https://bye.example/49");
}

// --- security settings --------------------------------------------------------------------------

TEST(SecuritySettingsTest, BeginWithTheContractsValues) {
    const SecurityValues values = security_values_of({});
    EXPECT_EQ(values.auto_redirect.enabled, false);
    EXPECT_EQ(values.auto_redirect.alias, "");
    EXPECT_EQ(values.idle_timeout_minutes, 60);
    EXPECT_EQ(values.logout_redirect_uri, "");
}

TEST(SecuritySettingsTest, KeepNullAndWhatIsNotTheirs) {
    World world;
    const TenantId tenant = world.state()->tenant.id;
    ASSERT_TRUE(world.store.write([&](Transaction& transaction) {
        return transaction.tenant_settings().put(
            {tenant, R"({"another":[1],"logoutRedirectUri":7})", Timestamp{1}});
    }));
    ASSERT_TRUE(world.security_settings.set_idle_timeout(world.admin(), std::nullopt));
    const TenantSettings row = world.state()->settings;
    EXPECT_EQ(security_values_of(row).idle_timeout_minutes, std::nullopt);
    EXPECT_NE(row.values.find(R"("another":[1])"), std::string::npos) << row.values;
    EXPECT_EQ(security_values_of(row).logout_redirect_uri, "") << "what cannot be read is not set";
    for (const double minutes :
         {0.0, 0.99, -1.0, 10080.5, std::nan(""), std::numeric_limits<double>::infinity()}) {
        EXPECT_FALSE(world.security_settings.set_idle_timeout(world.admin(), minutes)) << minutes;
    }
    for (const double minutes : {1.0, 1.5, 10080.0}) {
        EXPECT_TRUE(world.security_settings.set_idle_timeout(world.admin(), minutes)) << minutes;
        EXPECT_EQ(security_values_of(world.state()->settings).idle_timeout_minutes, minutes);
    }
}

} // namespace
} // namespace claviger
