// SPDX-License-Identifier: Apache-2.0
#include "auth/credential_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/scope_type.h"
#include "auth/expiring_keys.h"
#include "auth/test_world.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

constexpr std::int32_t viewer = 7;
constexpr const char* inside = "192.0.2.1";
constexpr const char* outside = "203.0.113.9";

// --- addresses ----------------------------------------------------------------------------------

AddressList list_of(std::initializer_list<std::string_view> networks) {
    AddressList list;
    for (const std::string_view network : networks) {
        EXPECT_TRUE(list.add(network)) << network;
    }
    return list;
}

TEST(AddressListTest, ContainsWhatItsNetworksSay) {
    const AddressList list = list_of({"10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "::1"});
    for (const char* address : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:7fff::1",
                                "::1", "::ffff:10.1.2.3"}) {
        EXPECT_TRUE(list.contains(address)) << address;
    }
    for (const char* address : {"11.0.0.0", "9.255.255.255", "192.0.2.8", "2001:db8:8000::", "::2",
                                "::ffff:11.0.0.1", "", "10", "10.0.0.1.", "10.0.0.0/8", "x"}) {
        EXPECT_FALSE(list.contains(address)) << address;
    }
    EXPECT_FALSE(AddressList().contains("10.0.0.1"));
    EXPECT_TRUE(list_of({"0.0.0.0/0"}).contains("203.0.113.9"));
    EXPECT_FALSE(list_of({"0.0.0.0/0"}).contains("2001:db8::1"));
    EXPECT_TRUE(list_of({"fe80::/10"}).contains("fe80::1%eth0"));
}

TEST(AddressListTest, TakesNoNetworkThatMeansAnother) {
    AddressList list;
    for (const char* network : {"", "/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                                "10.0.0.0/8 ", "2001:db8::1/32", "::/129", "10/8", "host"}) {
        EXPECT_FALSE(list.add(network)) << network;
    }
    EXPECT_FALSE(list.add(std::string_view("10.0.0.1\0x", 10)));
}

TEST(AddressListTest, IncludesALargerOrEqualNetworkOnly) {
    const AddressList list = list_of({"10.0.0.0/8", "2001:db8::/32"});
    EXPECT_TRUE(list.includes(list_of({"10.1.0.0/16", "10.0.0.0/8", "2001:db8:1::/48"})));
    EXPECT_TRUE(list.includes(AddressList()));
    EXPECT_FALSE(list.includes(list_of({"10.0.0.0/7"})));
    EXPECT_FALSE(list.includes(list_of({"10.1.0.0/16", "11.0.0.0/16"})));
    EXPECT_FALSE(list.includes(list_of({"::/0"})));
}

// --- their text ---------------------------------------------------------------------------------

TEST(CredentialLimitsTest, AreReadStrictly) {
    const TenantId tenant{1};
    for (const char* text :
         {"", "[]", "null", R"({"expires":"2027-01-01T00:00:00Z"})", R"({"expiresAt":1})",
          R"({"expiresAt":"soon"})", R"({"addresses":"10.0.0.0/8"})", R"({"addresses":["10"]})",
          R"({"addressMode":"off"})", R"({"ceiling":[]})", R"({"ceiling":{"role":[7]}})",
          R"({"ceiling":{"roleIds":["7"]}})", R"({"ceiling":{"permissions":["project"]}})",
          R"({"ceiling":{"permissions":["nothing:read"]}})", R"({"ceiling":{"scopes":["1"]}})",
          R"({"ceiling":{"scopes":[{"scopeType":"place","scopeId":"1"}]}})",
          R"({"ceiling":{"scopes":[{"scopeType":"project","scopeId":"1","x":1}]}})"}) {
        EXPECT_FALSE(parse_limits(tenant, text)) << text;
        const LimitsPointer read = read_limits(tenant, text);
        ASSERT_NE(read, nullptr) << text;
        EXPECT_EQ(read->expires_at, Timestamp{0}) << "refused, not unbounded: " << text;
    }
    EXPECT_EQ(read_limits(tenant, "{}"), nullptr);
    const auto limits = parse_limits(tenant, R"({"ceiling":{"roleIds":[]}})");
    EXPECT_TRUE(limits->ceiling->bounds_permissions()) << "no role is no permission";
}

// --- use ----------------------------------------------------------------------------------------

class LimitsTest : public ::testing::Test {
protected:
    World world;
    OrgUnit cluster = *world.units.create(
        world.admin(), {ScopeType::cluster, tenant_scope(world.state()->tenant.id), "c", "", "{}"});
    OrgUnit left = make_department("left");
    OrgUnit right = make_department("right");

    OrgUnit make_department(const char* name) {
        return *world.units.create(world.admin(),
                                   {ScopeType::department, cluster.id, name, "", "{}"});
    }
    std::string ceiling(const OrgUnit& unit, std::string_view permissions = R"("department:read")",
                        std::string_view more = "") {
        return R"({"ceiling":{"permissions":[)" + std::string(permissions) +
               R"(],"scopes":[{"scopeType":"department","scopeId":")" + unit.id.value + R"("}]})" +
               std::string(more) + "}";
    }
    NewServiceAccount make_account(const char* name, const std::string& limits,
                                   std::int32_t role = system_administrator) {
        NewServiceAccount made = *world.accounts.create(world.admin(), name, limits);
        const TenantId tenant = world.state()->tenant.id;
        EXPECT_TRUE(world.rules.create(
            world.admin(), {{SubjectType::service_account, made.account.id.value.text()},
                            {tenant, role},
                            tenant_scope(tenant)}));
        return made;
    }
    Judged<Principal> verify(const std::string& token, std::string_view source = inside) {
        return world.verifier.verify(*world.state(), token, AcceptedTokens::access_tokens, source);
    }
    /// Who calls with a fresh token of the account.
    Caller caller_of(const NewServiceAccount& made, Narrowing narrowing = {}) {
        const auto granted = world.grants.client_credentials(
            *world.state(), made.account.name, made.client_secret.reveal(), World::origin(),
            {IssuerKind::root, false, std::move(narrowing)});
        return caller_of(granted);
    }
    Caller caller_of(const NewAccessKey& made) {
        return caller_of(world.grants.client_credentials(
            *world.state(), made.key.client_id, made.client_secret.reveal(), World::origin(), {}));
    }
    Caller caller_of(const GrantOutcome& granted) {
        Caller caller;
        caller.state = world.state();
        caller.principal = *verify(granted.result->access_token);
        return caller;
    }
    Decision decide_at(const Caller& caller, const OrgUnit& unit, Action action = Action::read) {
        const Rights rights = rights_of(caller.principal);
        const AccessSnapshot& access = caller.state->access;
        return decide(access, {rights.subjects(),
                               {*find_resource_type("department"), action},
                               *access.find(unit.id),
                               rights.limits()});
    }
    std::string last_access_event() {
        return testing::payloads_of(world.events, world.state()->tenant.id).back();
    }
    std::string in_seconds(std::int64_t seconds) {
        return R"({"expiresAt":")" + format_rfc3339(world.clock.now().plus_seconds(seconds)) +
               R"("})";
    }
};

template <class T>
std::string refusal(const Result<T>& result) {
    return result ? "done" : result.error().detail();
}

TEST_F(LimitsTest, EndTheKeyAndItsTokensAtItsExpiry) {
    const NewServiceAccount account = make_account("ci", in_seconds(100));
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop", in_seconds(100));
    const auto of_account = world.grant(account);
    EXPECT_EQ(of_account.result->expires_in, 100) << "the token ends with its key";
    EXPECT_TRUE(of_account.result->key_expires_at);
    const Caller caller = caller_of(key);
    world.clock.advance_seconds(99);
    EXPECT_TRUE(verify(of_account.result->access_token));
    ASSERT_TRUE(world.accounts.set_limits(world.admin(), account.account.id.value, in_seconds(1)));
    world.clock.advance_seconds(1);
    EXPECT_FALSE(verify(of_account.result->access_token));
    const auto refused = world.grant(account);
    EXPECT_EQ(refused.result.error().code(), ErrorCode::invalid_client);
    EXPECT_THAT(last_access_event(), HasSubstr("key expired"));
    const auto of_key = world.grants.client_credentials(
        *world.state(), key.key.client_id, key.client_secret.reveal(), World::origin(), {});
    EXPECT_EQ(of_key.result.error().detail(), refused.result.error().detail());
    ASSERT_TRUE(world.accounts.set_limits(world.admin(), account.account.id.value, "{}"));
    EXPECT_TRUE(world.grant(account).result);
}

TEST_F(LimitsTest, ActOnTokensThatAreOut) {
    const NewServiceAccount account = make_account("ci", "{}");
    const std::string token = world.grant(account).result->access_token;
    EXPECT_FALSE(world.grant(account).result->key_expires_at);
    ASSERT_TRUE(verify(token));
    ASSERT_TRUE(world.accounts.set_limits(world.admin(), account.account.id.value, in_seconds(5)));
    world.clock.advance_seconds(5);
    EXPECT_FALSE(verify(token)) << "also from the cache";
}

TEST_F(LimitsTest, WarnOfAnExpiryThatIsNear) {
    const std::int64_t week = world.settings.key_expiry_warning_seconds;
    const NewServiceAccount account = make_account("ci", in_seconds(week + 1));
    EXPECT_FALSE(world.grant(account).result->key_expires_at);
    EXPECT_TRUE(find_expiring_keys(*world.state(), world.clock.now(), week).empty());
    world.clock.advance_seconds(1);
    EXPECT_TRUE(world.grant(account).result->key_expires_at);
    const auto keys = find_expiring_keys(*world.state(), world.clock.now(), week);
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0].client_id, "ci");
    EXPECT_TRUE(
        find_expiring_keys(*world.state(), world.clock.now().plus_seconds(week), week).empty())
        << "what has expired does not expire any more";
}

TEST_F(LimitsTest, WatchTheExpiryOncePerKey) {
    ExpiryWatch watch(world.directory, 100, world.log);
    make_account("ci", in_seconds(150));
    watch.run(world.clock.now());
    EXPECT_EQ(watch.expiring(), 0U);
    watch.run(world.clock.now().plus_seconds(59));
    EXPECT_EQ(watch.expiring(), 0U) << "looks once a minute";
    watch.run(world.clock.now().plus_seconds(60));
    EXPECT_EQ(watch.expiring(), 1U);
    watch.run(world.clock.now().plus_seconds(150));
    EXPECT_EQ(watch.expiring(), 0U);
}

TEST_F(LimitsTest, RefuseOtherAddressesAtSignInAndAtEachUse) {
    const NewServiceAccount account = make_account("ci", R"({"addresses":["192.0.2.0/24"]})");
    EXPECT_EQ(world.grant(account, outside).result.error().code(), ErrorCode::invalid_client);
    EXPECT_THAT(last_access_event(), HasSubstr("address not in the list"));
    const std::string token = world.grant(account, inside).result->access_token;
    EXPECT_TRUE(verify(token, inside));
    EXPECT_FALSE(verify(token, outside));
    EXPECT_FALSE(verify(token, "")) << "an address that is not known is in no list";
    EXPECT_FALSE(verify(token, inside)->is_outside_addresses);
}

TEST_F(LimitsTest, OnlyLogOtherAddressesWhereThatIsAsked) {
    const NewServiceAccount account =
        make_account("ci", R"({"addresses":["192.0.2.0/24"],"addressMode":"log-only"})");
    const auto granted = world.grant(account, outside);
    ASSERT_TRUE(granted.result);
    EXPECT_TRUE(granted.result->is_outside_addresses);
    EXPECT_THAT(last_access_event(), HasSubstr("not in the list of the key"));
    EXPECT_TRUE(verify(granted.result->access_token, outside)->is_outside_addresses);
    EXPECT_FALSE(verify(granted.result->access_token, inside)->is_outside_addresses);
    EXPECT_EQ(world.grants.counts().outside_addresses, 1U);
    EXPECT_EQ(world.verifier.outside_addresses(), 1U);
    EXPECT_FALSE(world.grant(account, inside).result->is_outside_addresses);
    EXPECT_THAT(last_access_event(), Not(HasSubstr("not in the list of the key")));
}

TEST_F(LimitsTest, BoundRightsByTheCeiling) {
    const Caller caller = caller_of(make_account("ci", ceiling(left)));
    EXPECT_TRUE(decide_at(caller, left).allowed());
    EXPECT_EQ(decide_at(caller, right).reason, DecisionReason::beyond_key);
    EXPECT_EQ(decide_at(caller, left, Action::update).reason, DecisionReason::beyond_key);
    const Caller of_roles = caller_of(make_account("ci-2", R"({"ceiling":{"roleIds":[7]}})"));
    EXPECT_TRUE(decide_at(of_roles, right).allowed());
    EXPECT_EQ(decide_at(of_roles, right, Action::update).reason, DecisionReason::beyond_key);
    const Caller none = caller_of(make_account("ci-3", R"({"ceiling":{"scopes":[]}})"));
    EXPECT_FALSE(decide_at(none, left).allowed());
}

// --- nobody makes more than they are ------------------------------------------------------------

TEST_F(LimitsTest, NameOnlyWhatThereIs) {
    for (const char* limits : {R"({"ceiling":{"roleIds":[424242]}})",
                               R"({"ceiling":{"scopes":[{"scopeType":"project","scopeId":"9"}]}})",
                               R"({"expiresAt":"2001-01-01T00:00:00Z"})"}) {
        EXPECT_EQ(world.accounts.create(world.admin(), "ci", limits).error().code(),
                  ErrorCode::invalid_request)
            << limits;
        EXPECT_EQ(world.keys.create(world.admin(), "laptop", limits).error().code(),
                  ErrorCode::invalid_request)
            << limits;
    }
}

TEST_F(LimitsTest, OfAKeyBoundTheKeysThatItMakes) {
    const std::string with_keys = R"("department:read","access-keys:create","access-keys:update")";
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop", ceiling(left, with_keys));
    const Caller caller = caller_of(key);
    for (const std::string& wider :
         {std::string("{}"), ceiling(right), ceiling(left, R"("department:update")"),
          std::string(R"({"ceiling":{"permissions":["department:read"]}})")}) {
        const auto made = world.keys.create(caller, "other", wider);
        EXPECT_EQ(made.error().code(), ErrorCode::access_denied) << wider;
        EXPECT_THAT(refusal(made), HasSubstr("beyond the key's ceiling")) << wider;
    }
    EXPECT_EQ(refusal(world.keys.create(caller, "other", ceiling(left))), "done");
    const NewAccessKey wide = *world.keys.create(world.admin(), "wide");
    EXPECT_THAT(refusal(world.secrets.replace(
                    caller, {PrincipalKind::user, wide.key.id.value, KeyReach::own}, 0)),
                HasSubstr("its ceiling must be within your own"));
    EXPECT_EQ(refusal(world.secrets.replace(
                  caller, {PrincipalKind::user, key.key.id.value, KeyReach::own}, 0)),
              "done")
        << "its own secret makes it no wider";
}

TEST_F(LimitsTest, OfAKeyAreNotWidenedWithIt) {
    const std::string own = ceiling(left, R"("department:read","access-keys:update")");
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop", own);
    const auto set = [&](const Caller& caller, const std::string& limits) {
        return refusal(world.keys.set_limits(caller, key.key.id.value, KeyReach::own, limits));
    };
    EXPECT_THAT(set(caller_of(key), "{}"), HasSubstr("within your own"));
    EXPECT_THAT(set(caller_of(key), ceiling(right)), HasSubstr("within your own"));
    EXPECT_EQ(set(caller_of(key), ceiling(left, R"("access-keys:update")")), "done");
    EXPECT_THAT(set(caller_of(key), own), HasSubstr("within your own")) << "nor back again";
    EXPECT_EQ(set(world.admin(), "{}"), "done");
}

TEST_F(LimitsTest, LetAKeyManageKeysOnlyWhereThatIsPermitted) {
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop", ceiling(left));
    const Caller caller = caller_of(key);
    const Uuid id = key.key.id.value;
    for (const std::string& refused :
         {refusal(world.keys.create(caller, "other", ceiling(left))),
          refusal(world.secrets.replace(caller, {PrincipalKind::user, id, KeyReach::own}, 0)),
          refusal(world.keys.set_limits(caller, id, KeyReach::own, ceiling(left))),
          refusal(world.keys.remove(caller, id, KeyReach::own))}) {
        EXPECT_THAT(refused, HasSubstr("missing permission access-keys:"));
    }
}

TEST_F(LimitsTest, OfTimeAndPlaceBoundWhatAKeyMakes) {
    const std::string addresses = R"("addresses":["192.0.2.0/24"])";
    const NewServiceAccount account = make_account("ci", "{" + addresses + "}");
    const Caller caller = caller_of(account);
    EXPECT_THAT(refusal(world.accounts.create(caller, "other")), HasSubstr("other addresses"));
    EXPECT_THAT(refusal(world.accounts.create(caller, "other",
                                              "{" + addresses + R"(,"addressMode":"log-only"})")),
                HasSubstr("other addresses"));
    EXPECT_EQ(refusal(world.accounts.create(caller, "other", R"({"addresses":["192.0.2.7"]})")),
              "done");
    EXPECT_THAT(refusal(world.users.create(caller, "new@example.com", false)),
                HasSubstr("other addresses"))
        << "a password has no limits";

    const NewServiceAccount passing = make_account("passing", in_seconds(1000));
    const Caller until = caller_of(passing);
    EXPECT_THAT(refusal(world.accounts.create(until, "next")), HasSubstr("use after"));
    EXPECT_THAT(refusal(world.accounts.create(until, "next", in_seconds(1001))),
                HasSubstr("use after"));
    EXPECT_THAT(refusal(world.accounts.set_limits(until, passing.account.id.value, "{}")),
                HasSubstr("use after"));
    EXPECT_EQ(refusal(world.accounts.create(until, "next", in_seconds(1000))), "done");
}

TEST_F(LimitsTest, AreInTheSumWhenSomebodyIsJudgedByRights) {
    const NewServiceAccount bounded = make_account("bounded", R"({"ceiling":{"roleIds":[7]}})");
    const NewServiceAccount other = make_account("other", "{}");
    EXPECT_THAT(
        refusal(world.secrets.replace(caller_of(bounded),
                                      {PrincipalKind::service_account, other.account.id.value}, 0)),
        HasSubstr("beyond the key's ceiling"));
    const TenantId tenant = world.state()->tenant.id;
    const AccessRuleDraft rule{{SubjectType::user, "new@example.com"},
                               {tenant, system_administrator},
                               tenant_scope(tenant)};
    EXPECT_THAT(refusal(world.rules.create(caller_of(bounded), rule)),
                HasSubstr("beyond the key's ceiling"));
    // A viewer may get hold of an account that may do no more than look.
    const NewServiceAccount looks = make_account("looks", "{}", viewer);
    EXPECT_EQ(refusal(world.secrets.replace(
                  caller_of(looks), {PrincipalKind::service_account, bounded.account.id.value}, 0)),
              "done");
    const Caller caller = caller_of(looks);
    EXPECT_THAT(refusal(world.accounts.set_limits(caller, bounded.account.id.value, "{}")),
                HasSubstr("holds more than you do"));
}

TEST_F(LimitsTest, StayInTheRowAndInTheRecord) {
    const NewServiceAccount account = make_account("ci", ceiling(left));
    const Uuid id = account.account.id.value;
    EXPECT_EQ(row_of(world.state()->tenant.id, *world.state()->accounts.find(id)).limits,
              ceiling(left));
    ASSERT_TRUE(world.accounts.set_enabled(world.admin(), id, false));
    EXPECT_EQ(world.state()->accounts.find(id)->limits->text, ceiling(left));
    ASSERT_TRUE(world.accounts.set_limits(world.admin(), id, ceiling(right)));
    const auto payloads = testing::payloads_of(world.store, world.state()->tenant.id);
    EXPECT_THAT(payloads.back(), HasSubstr(right.id.value));
    EXPECT_THAT(payloads.back(), HasSubstr("department:read"));
}

} // namespace
} // namespace claviger
