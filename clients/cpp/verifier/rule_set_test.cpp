// SPDX-License-Identifier: Apache-2.0
#include "verifier/rule_set.h"

#include <gmock/gmock.h>

#include "verifier/background.h"
#include "verifier/test_issuer.h"
#include "verifier/token_judge.h"

namespace claviger::offline {
namespace {

constexpr const char* nodes =
    R"([["tenant","1",-1],["cluster","c1",0],["project","4711",1],["project","4712",1]])";
constexpr const char* user = "user:0556eb5c-fee7-42a5-93d4-95282d9a5c08";

Result<RuleSet> build(const std::vector<std::string>& parts) {
    DocumentReader::Snapshot snapshot;
    snapshot.number = 5;
    for (const std::string& part : parts) {
        snapshot.parts.push_back(boost::json::parse(part).as_object());
    }
    return RuleSet::build(snapshot);
}

std::string part(const std::string& more) {
    return R"({"nodes":)" + std::string(nodes) + (more.empty() ? "" : ",") + more + "}";
}

std::string decided(const RuleSet& rules, const Asker& asker, std::string_view permission,
                    std::string_view project) {
    const auto scope = rules.find_scope("project", project);
    const Decision made =
        rules.decide(asker, rules.find_permission(permission).value(), scope.value());
    return made.allowed() ? std::to_string(made.rule->value) : std::string(name_of(made.reason));
}

TEST(RuleSet, DecidesOverAllPartsWithTheRolesOfTheServer) {
    // 7 is Viewer here as well, which holds more than this server says.
    const auto rules = build(
        {part(R"("roles":[[7,["project:read","of-a-later:read"]],[10001,["project:update"]]])"),
         R"({"users":[[")" + std::string(user) + R"(","ann@example.com",["research"]]]})",
         R"({"rules":[[1,"user","ann@example.com",7,2],[2,"group","research",10001,1]]})",
         R"({"rules":[[3,"service-account","0556eb5c-fee7-42a5-93d4-95282d9a5c08",7,0],)"
         R"([4,"user","ann@example.com",99,0]]})"});
    ASSERT_TRUE(rules) << rules.error().detail();
    EXPECT_EQ(rules->number(), 5U);
    EXPECT_EQ(rules->tenant(), TenantId{1});
    const Asker ann{user, "runai-cli"};
    EXPECT_EQ(decided(*rules, ann, "project:read", "4711"), "1");
    EXPECT_EQ(decided(*rules, ann, "project:read", "4712"), "permitted elsewhere only");
    EXPECT_EQ(decided(*rules, ann, "project:update", "4712"), "2");
    EXPECT_EQ(decided(*rules, ann, "department:read", "4711"), "not permitted here");
    EXPECT_EQ(decided(*rules, {test_subject, "ci"}, "project:read", "4711"), "3");
    EXPECT_EQ(decided(*rules, {"user:unknown", "ci"}, "project:read", "4711"), "no rule");
    EXPECT_TRUE(rules->has_user(user));
    EXPECT_FALSE(rules->has_user(test_subject));
    EXPECT_FALSE(rules->find_scope("project", "4713"));
    EXPECT_FALSE(rules->find_scope("system", "1"));
    EXPECT_TRUE(rules->find_scope("tenant", "1"));
    EXPECT_FALSE(rules->find_scope("tenant", "2"));
}

TEST(RuleSet, LimitsOfKeysBind) {
    const auto rules = build(
        {part(R"("roles":[[7,["project:read","project:update"]],[8,["project:read"]]],)"
              R"("limits":[["a",{"ceiling":{"roleIds":[8]}}],["b",{"ceiling":{"roleIds":[]}}],)"
              R"(["c",{"ceiling":{"roleIds":[99]}}],["d",{"nonsense":1}],["e",{"honey":true}],)"
              R"(["f",{"addresses":["10.0.0.0/8"]}],)"
              R"(["g",{"addresses":["10.0.0.0/8"],"addressMode":"log-only"}],)"
              R"(["h",{"expiresAt":"2027-01-15T08:00:01Z"}]],)"
              R"("rules":[[1,"service-account","0556eb5c-fee7-42a5-93d4-95282d9a5c08",7,0]])")});
    ASSERT_TRUE(rules) << rules.error().detail();
    const auto as = [&](std::string_view client) { return Asker{test_subject, client}; };
    EXPECT_EQ(decided(*rules, as("a"), "project:read", "4711"), "1");
    EXPECT_EQ(decided(*rules, as("a"), "project:update", "4711"), "beyond the key's ceiling");
    EXPECT_EQ(decided(*rules, as("b"), "project:read", "4711"), "beyond the key's ceiling");
    EXPECT_EQ(decided(*rules, as("c"), "project:read", "4711"), "beyond the key's ceiling");
    EXPECT_EQ(decided(*rules, as("z"), "project:update", "4711"), "1");

    const auto why = [&](const char* client, std::string_view address) {
        verified_token::parts token;
        token.client_id = client;
        token.subject = test_subject;
        token.tenant = 1;
        auto judged = judge_key(token, *rules, 1'800'000'000);
        judged = judged ? judge_address(token, *rules, address) : judged;
        return judged ? std::nullopt : std::optional(judged.error().reason);
    };
    EXPECT_EQ(why("a", ""), std::nullopt);
    EXPECT_EQ(why("d", ""), refusal_reason::key_expired) << "what cannot be read has expired";
    EXPECT_EQ(why("e", ""), refusal_reason::honey_key);
    EXPECT_EQ(why("f", ""), refusal_reason::address_missing);
    EXPECT_EQ(why("f", "192.0.2.1"), refusal_reason::address_forbidden);
    EXPECT_EQ(why("f", "10.9.9.9"), std::nullopt);
    EXPECT_EQ(why("g", "192.0.2.1"), std::nullopt);
    EXPECT_EQ(why("h", ""), std::nullopt);
    verified_token::parts token;
    token.client_id = "h";
    EXPECT_FALSE(judge_key(token, *rules, 1'800'000'001));
    token.tenant = 2;
    EXPECT_EQ(judge_subject(token, *rules).error().reason, refusal_reason::wrong_tenant);
    token.tenant = 1;
    token.subject = user;
    EXPECT_EQ(judge_subject(token, *rules).error().reason, refusal_reason::unknown_subject);
}

TEST(RuleSet, KnowsResourceTypesOfProtectedApis) {
    const auto rules = build(
        {part(R"("roles":[[1,["project:read","report:read","report:custom","invoice:read"]]],)"
              R"("limits":[["a",{"ceiling":{"permissions":["report:read","project:read"]}}],)"
              R"(["b",{"ceiling":{"permissions":["unheard:read"]}}]],)"
              R"("rules":[[1,"service-account","0556eb5c-fee7-42a5-93d4-95282d9a5c08",1,0]])")});
    ASSERT_TRUE(rules) << rules.error().detail();
    const auto may = [&](const Asker& asker, std::string_view text) {
        const auto permission = rules->find_permission(text);
        return permission &&
               rules->decide(asker, *permission, *rules->find_scope("project", "4711")).allowed();
    };
    for (const char* text : {"report:read", "report:custom", "invoice:read", "project:read"}) {
        EXPECT_TRUE(may({test_subject, "z"}, text)) << text;
    }
    for (const char* text :
         {"report:update", "unheard:read", "report:nonsense", "report", ":read"}) {
        EXPECT_FALSE(may({test_subject, "z"}, text)) << text;
    }
    EXPECT_TRUE(may({test_subject, "a"}, "report:read"));
    EXPECT_FALSE(may({test_subject, "a"}, "invoice:read"));
    EXPECT_EQ(rules->limits_of("b")->expires_at, Timestamp{0}) << "nobody knows what it is";
    const AccessLimit none{LimitSource::token, PermissionSet()};
    const std::vector<std::string> more{"report:read", "unheard:read"};
    EXPECT_TRUE(may({test_subject, "z", &none, more}, "report:read"));
    EXPECT_FALSE(may({test_subject, "z", &none, more}, "invoice:read"));
    EXPECT_FALSE(may({test_subject, "z", &none}, "report:read"));
}

TEST(RuleSet, MalformedRowsAreErrors) {
    for (const char* more :
         {R"("roles":{})", R"("roles":[[7]])", R"("roles":[["7",[]]])", R"("roles":[[7,[1]]])",
          R"("users":[["a","b"]])", R"("users":[["a","b",[1]]])", R"("limits":[{}])",
          R"("limits":[["a"]])", R"("rules":[[1,"user","a",7,4]])",
          R"("rules":[[1,"user","a",7,-1]])", R"("rules":[[1,"nobody","a",7,0]])",
          R"("rules":[[1,"user","a",7]])", R"("rules":[["1","user","a",7,0]])"}) {
        EXPECT_FALSE(build({part(more)})) << more;
    }
    for (const char* wrong :
         {"[]", R"([["project","1",-1]])", R"([["tenant","x",-1]])", R"([["tenant","1",0]])",
          R"([["tenant","1",-1],["cluster","c",-1]])", R"([["tenant","1",-1],["cluster","c",1]])",
          R"([["tenant","1",-1],["cluster","c",-2]])",
          R"([["tenant","1",-1],["nonsense","c",0]])"}) {
        EXPECT_FALSE(build({R"({"nodes":)" + std::string(wrong) + "}"})) << wrong;
    }
}

TEST(RulesState, OldRulesDecideForTheLeaseAtMost) {
    FakeClock clock;
    RulesState state(clock, 60'000);
    EXPECT_TRUE(state.is_stale());
    state.want(5);
    EXPECT_TRUE(state.is_wanted());
    EXPECT_TRUE(state.put(*build({part("")})));
    EXPECT_FALSE(state.is_wanted());
    clock.advance_seconds(1000);
    EXPECT_FALSE(state.is_stale()) << "nothing newer is there";
    state.want(6);
    clock.advance_seconds(50);
    state.want(7); // the lease counts from the first change
    clock.advance_seconds(10);
    EXPECT_FALSE(state.is_stale());
    clock.advance_seconds(1);
    EXPECT_TRUE(state.is_stale());
    EXPECT_FALSE(state.put(*build({part("")}))) << "older than wanted";
    EXPECT_TRUE(state.is_wanted());
    EXPECT_TRUE(state.is_stale());
}

} // namespace
} // namespace claviger::offline
