// SPDX-License-Identifier: Apache-2.0
// What a decision tells besides itself: to its subject, to who may read access rules, to strangers.
#include <gmock/gmock.h>

#include "api/test_api.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

constexpr std::int32_t viewer = 7;
constexpr std::int32_t department_administrator = 1'710;

class CheckTest : public testing::AdminFixture {
protected:
    ScopeId tenant = tenant_scope(world.state()->tenant.id);
    OrgUnit cluster = make_unit(ScopeType::cluster, tenant, "c");
    OrgUnit department = make_unit(ScopeType::department, cluster.id, "research");
    OrgUnit project = make_unit(ScopeType::project, department.id, "vision");
    OrgUnit elsewhere = make_unit(ScopeType::department, cluster.id, "sales");
    NewServiceAccount ci = *world.accounts.create(world.admin(), "ci-1");
    NewServiceAccount other = *world.accounts.create(world.admin(), "other");

    OrgUnit make_unit(ScopeType type, const ScopeId& parent, std::string name) {
        return *world.units.create(world.admin(), {type, parent, std::move(name), "", "{}"});
    }
    std::string token_of(const NewServiceAccount& account) {
        return world.grant(account).result->access_token;
    }
    std::int32_t give(const NewServiceAccount& account, std::int32_t role, const ScopeId& scope) {
        const auto made = world.rules.create(
            world.admin(), {{SubjectType::service_account, account.account.id.value.text()},
                            {scope.tenant, role},
                            scope});
        return made->id.value;
    }
    json::value post(const std::string& token, const std::string& path, const std::string& body) {
        HttpRequest request = make(HttpMethod::post, "/api/v1/authorization/" + path, body);
        request.authorization = "Bearer " + token;
        const HttpResponse response = dispatcher.serve(request);
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body);
    }
    json::value check(const std::string& token, std::string_view subject, std::string_view action,
                      const std::string& id, std::string_view type = "service-account") {
        return post(token, "check",
                    json::serialize(json::object{{"subject", {{"type", type}, {"id", subject}}},
                                                 {"action", {{"name", action}}},
                                                 {"resource", {{"type", "project"}, {"id", id}}}}));
    }
    static std::string reason(const json::value& answer) {
        return std::string(answer.at("context").at("reason").as_string());
    }
    static bool has(const json::value& answer, std::string_view name) {
        return answer.at("explanation").as_object().contains(name);
    }
};

TEST_F(CheckTest, AllowedItNamesTheRuleAndTheWayDown) {
    const std::int32_t rule = give(ci, viewer, department.id);
    const json::value told = check(admin_token, "ci-1", "read", project.id.value);
    EXPECT_TRUE(told.at("decision").as_bool());
    EXPECT_EQ(told.at("context").at("rule").as_int64(), rule);
    const json::value& grounds = told.at("explanation");
    EXPECT_EQ(grounds.at("permission").as_string(), "project:read");
    EXPECT_EQ(grounds.at("rule").at("id").as_int64(), rule);
    EXPECT_EQ(grounds.at("rule").at("roleName").as_string(), "Viewer");
    EXPECT_EQ(grounds.at("rule").at("subjectId").as_string(), "ci-1");
    EXPECT_EQ(grounds.at("rule").at("scope").at("scopeId").as_string(), department.id.value);
    ASSERT_EQ(grounds.at("inheritance").as_array().size(), 2U);
    EXPECT_EQ(grounds.at("inheritance").at(1).at("path").as_string(), "runai/c/research/vision");
    EXPECT_FALSE(has(told, "missingPermission"));
}

TEST_F(CheckTest, DeniedItNamesWhatIsMissingAndTheFirstSuggestionTurnsIt) {
    give(ci, viewer, elsewhere.id);
    const json::value told = check(admin_token, "ci-1", "read", project.id.value);
    EXPECT_FALSE(told.at("decision").as_bool());
    EXPECT_EQ(reason(told), "permitted elsewhere only");
    const json::value& grounds = told.at("explanation");
    EXPECT_EQ(grounds.at("missingPermission").as_string(), "project:read");
    EXPECT_EQ(grounds.at("heldAt").at(0).at("scopeId").as_string(), elsewhere.id.value);
    const json::value& first = grounds.at("smallestGrants").at(0);
    EXPECT_EQ(first.at("alsoAllowsCount").as_int64(),
              static_cast<std::int64_t>(first.at("alsoAllows").as_array().size()));
    EXPECT_EQ(first.at("scopeId").as_string(), project.id.value);
    give(ci, static_cast<std::int32_t>(first.at("roleId").as_int64()), project.id);
    EXPECT_TRUE(check(admin_token, "ci-1", "read", project.id.value).at("decision").as_bool());
}

TEST_F(CheckTest, TheSubjectItselfIsToldWhatIsItsOwnAndNoSuggestion) {
    const std::int32_t rule = give(ci, viewer, department.id);
    const std::string token = token_of(ci);
    for (const char* type : {"service-account", "caller"}) {
        const json::value allowed = check(token, "ci-1", "read", project.id.value, type);
        EXPECT_EQ(allowed.at("explanation").at("rule").at("id").as_int64(), rule);
        EXPECT_THAT(json::serialize(allowed), Not(HasSubstr("vision"))) << "names of the tree";
    }
    const json::value denied = check(token, "ci-1", "delete", project.id.value);
    EXPECT_EQ(denied.at("explanation").at("missingPermission").as_string(), "project:delete");
    EXPECT_EQ(denied.at("explanation").at("heldThere").at(0).as_string(), "project:read");
    EXPECT_FALSE(has(denied, "smallestGrants"));
}

TEST_F(CheckTest, StrangersGetTheSameAnswerWhateverThereIs) {
    give(ci, viewer, department.id);
    const std::string token = token_of(ci);
    const json::value told = check(token, "other", "read", project.id.value);
    EXPECT_FALSE(told.as_object().contains("explanation"));
    EXPECT_EQ(told.at("context").at("error").at("status").as_int64(), 403);
    for (const json::value& same :
         {check(token, "nobody", "read", project.id.value), check(token, "other", "read", "424242"),
          check(token, "other", "fly", "424242"),
          check(token, "admin@example.com", "read", project.id.value, "user"),
          check(token, "x", "read", project.id.value, "robot")}) {
        EXPECT_EQ(same, told);
    }
}

TEST_F(CheckTest, WhoReadsRulesOfAPartLearnsNothingOfTheRest) {
    const NewServiceAccount head = *world.accounts.create(world.admin(), "head");
    give(head, department_administrator, department.id);
    const std::string token = token_of(head);
    give(ci, viewer, elsewhere.id);
    const json::value denied = check(token, "ci-1", "read", project.id.value);
    EXPECT_EQ(reason(denied), "not permitted here") << "not that it is permitted elsewhere";
    EXPECT_TRUE(denied.at("explanation").at("heldAt").as_array().empty());
    EXPECT_FALSE(denied.at("explanation").at("smallestGrants").as_array().empty());
    EXPECT_FALSE(denied.at("explanation").at("scope").as_object().contains("path"));
    give(ci, viewer, tenant);
    const json::value from_above = check(token, "ci-1", "read", project.id.value);
    EXPECT_TRUE(from_above.at("decision").as_bool());
    EXPECT_TRUE(from_above.at("context").as_object().empty());
    EXPECT_FALSE(has(from_above, "rule") || has(from_above, "inheritance"));
    const std::int32_t near = give(ci, viewer, department.id);
    EXPECT_EQ(check(token, "ci-1", "read", project.id.value).at("context").at("rule").as_int64(),
              near);
    EXPECT_EQ(check(token, "ci-1", "read", elsewhere.id.value),
              check(token, "ci-1", "read", "424242"))
        << "elsewhere it is a stranger";
}

TEST_F(CheckTest, ACeilingIsTheReasonWhereItRefuses) {
    const auto bound = *world.accounts.create(world.admin(), "bound",
                                              R"({"ceiling":{"permissions":["project:update"]}})");
    const json::value told = check(admin_token, "bound", "read", project.id.value);
    EXPECT_EQ(reason(told), "no rule");
    EXPECT_EQ(told.at("explanation").at("limit").as_string(), "beyond the key's ceiling");
    EXPECT_TRUE(told.at("explanation").at("smallestGrants").as_array().empty())
        << "no rule would turn it";
    give(bound, viewer, project.id);
    EXPECT_EQ(reason(check(admin_token, "bound", "read", project.id.value)),
              "beyond the key's ceiling");
    EXPECT_EQ(reason(check(token_of(bound), "bound", "read", project.id.value)),
              "beyond the key's ceiling");
}

TEST_F(CheckTest, ANarrowedTokenCountsForItsOwnSubjectOnly) {
    give(ci, viewer, department.id);
    GrantOptions options;
    options.narrowing.permissions.emplace().add(*find_permission("project:update"));
    const auto narrowed = world.grants.client_credentials(
        *world.state(), "ci-1", ci.client_secret.reveal(), World::origin(), std::move(options));
    const json::value told = check(narrowed.result->access_token, "ci-1", "read", project.id.value);
    EXPECT_EQ(reason(told), "beyond what the token was narrowed to");
    EXPECT_EQ(told.at("explanation").at("limit").as_string(),
              "beyond what the token was narrowed to");
    EXPECT_TRUE(check(admin_token, "ci-1", "read", project.id.value).at("decision").as_bool());
}

TEST_F(CheckTest, ANarrowedTokenReadsNoRulesThatItMayNot) {
    GrantOptions options;
    options.narrowing.permissions.emplace().add(*find_permission("project:read"));
    const auto narrowed =
        world.grants.password(*world.state(), {testing::admin_email, testing::admin_password, {}},
                              World::origin(), std::move(options));
    const json::value told = check(narrowed.result->access_token, "ci-1", "read", project.id.value);
    EXPECT_EQ(told.at("context").at("error").at("status").as_int64(), 403);
}

TEST_F(CheckTest, WithoutGroundsItIsTheAnswerOfAnEvaluation) {
    give(ci, viewer, department.id);
    const json::value told =
        post(admin_token, "check",
             R"({"subject":{"type":"service-account","id":"ci-1"},"action":{"name":"read"},
                 "explain":false,"resource":{"type":"tenant"}})");
    EXPECT_FALSE(told.at("decision").as_bool());
    EXPECT_EQ(reason(told), "permitted elsewhere only");
    EXPECT_FALSE(told.as_object().contains("explanation"));
}

TEST_F(CheckTest, WhoCanNamesTheRuleOfEach) {
    const std::int32_t rule = give(ci, viewer, department.id);
    give(other, viewer, elsewhere.id);
    const std::string question =
        R"({"action":{"name":"read"},"resource":{"type":"project","id":")" + project.id.value +
        "\"}";
    const json::value all = post(admin_token, "who-can", question + "}");
    ASSERT_EQ(all.at("total").as_int64(), 2);
    EXPECT_EQ(all.at("subjects").at(0).at("id").as_string(), "admin@example.com");
    EXPECT_EQ(all.at("subjects").at(1).at("id").as_string(), "ci-1");
    EXPECT_EQ(all.at("subjects").at(1).at("rule").at("id").as_int64(), rule);
    const json::value second = post(admin_token, "who-can", question + R"(,"offset":1,"limit":1})");
    EXPECT_EQ(second.at("subjects").as_array().size(), 1U);
    EXPECT_EQ(second.at("subjects").at(0), all.at("subjects").at(1));
    const json::value beyond = post(admin_token, "who-can", question + R"(,"offset":9})");
    EXPECT_TRUE(beyond.at("subjects").as_array().empty());
}

} // namespace
} // namespace claviger
