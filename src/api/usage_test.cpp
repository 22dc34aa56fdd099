// SPDX-License-Identifier: Apache-2.0
// What the API tells of uses: of one key, of keys that nobody uses, of rules that gave nothing.
#include <gmock/gmock.h>

#include "api/test_api.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t day_seconds = 86'400;
constexpr std::int32_t viewer = 7;
constexpr const char* unused_rules = "/api/v1/usage/unused-rules";
constexpr const char* unused_keys = "/api/v1/usage/unused-keys";

/// A department with a project in a cluster, a service account, and users in a group.
class UsageApiTest : public testing::AdminFixture {
protected:
    ScopeId cluster, department, project, other_project;
    NewServiceAccount robot = *world.accounts.create(world.admin(), "robot");

    void SetUp() override {
        ASSERT_TRUE(world.usage.begin());
        AdminFixture::SetUp();
        cluster = unit(ScopeType::cluster, tenant_scope(tenant()), "c");
        department = unit(ScopeType::department, cluster, "d");
        project = unit(ScopeType::project, department, "p");
        other_project = unit(ScopeType::project, department, "q");
    }

    TenantId tenant() const { return world.state()->tenant.id; }
    ScopeId unit(ScopeType type, const ScopeId& parent, const std::string& name) {
        return world.units.create(world.admin(), {type, parent, name, "", "{}"}).value().id;
    }
    Subject robots() const { return {SubjectType::service_account, robot.account.id.value.text()}; }
    std::int32_t give(const Subject& subject, std::int32_t role, const ScopeId& scope) {
        return world.rules.create(world.admin(), {subject, {tenant(), role}, scope})
            .value()
            .id.value;
    }
    void wait_days(std::int64_t days) { world.clock.advance_seconds(days * day_seconds); }

    json::value ask(const std::string& token, std::string path, std::string query = {},
                    int status = 200) {
        HttpRequest request = make(HttpMethod::get, std::move(path));
        request.query = std::move(query);
        request.authorization = "Bearer " + token;
        const HttpResponse response = dispatcher.serve(request);
        EXPECT_EQ(response.status, status) << response.body;
        return json::parse(response.body);
    }
    json::value ask_as_admin(std::string path, std::string query = {}, int status = 200) {
        AdminFixture::SetUp(); // days may have passed
        return ask(admin_token, std::move(path), std::move(query), status);
    }
    std::string robot_token() { return world.grant(robot).result->access_token; }
    void make_older(std::int32_t number, std::int64_t days) {
        AccessRule rule = *world.state()->access.rule({tenant(), number});
        rule.created_at.microseconds -= days * 86'400'000'000;
        ASSERT_TRUE(
            world.store.write([&](Transaction& to) { return to.access_rules().put(rule); }));
    }
    json::value robot_usage(std::string query = {}, int status = 200) {
        return ask_as_admin("/api/v1/service-accounts/" + robots().value + "/usage",
                            std::move(query), status);
    }
    static std::vector<std::int64_t> ids(const json::value& answer) {
        std::vector<std::int64_t> found;
        for (const json::value& rule : answer.at("accessRules").as_array()) {
            found.push_back(rule.at("id").as_int64());
        }
        return found;
    }
    static std::vector<std::string> names(const json::value& answer) {
        std::vector<std::string> found;
        for (const json::value& key : answer.at("keys").as_array()) {
            found.emplace_back(key.at("name").as_string());
        }
        return found;
    }
};

TEST_F(UsageApiTest, AKeysUseIsToldByScopeAndDay) {
    give(robots(), viewer, project);
    EXPECT_TRUE(robot_usage().at("scopes").as_array().empty());
    ask(robot_token(), "/api/v1/org-unit/projects");
    ask(robot_token(), "/api/v1/org-unit/projects/" + project.value);
    ask(robot_token(), "/api/v1/org-unit/projects/" + other_project.value, {}, 403);
    ask(robot_token(), "/api/v1/access-keys"); // needs no permission
    const json::value before = robot_usage();
    ASSERT_EQ(before.at("scopes").as_array().size(), 1U) << json::serialize(before);
    const json::value& scope = before.at("scopes").at(0);
    EXPECT_EQ(scope.at("scopeType"), "project");
    EXPECT_EQ(scope.at("scopeId").as_string(), project.value);
    EXPECT_EQ(scope.at("scopeName"), "p");
    EXPECT_EQ(json::serialize(scope.at("permissions")), R"(["project:read"])");
    EXPECT_EQ(scope.at("days"), 1);
    const std::string first_day = format_day(world.usage.today());
    EXPECT_EQ(scope.at("firstUsed").as_string(), first_day);
    EXPECT_EQ(before.at("recordedSince").as_string(), first_day);
    wait_days(3);
    ask(robot_token(), "/api/v1/org-unit/projects");
    ASSERT_TRUE(world.usage.flush());
    const std::string last_day = format_day(world.usage.today());
    const json::value both = robot_usage();
    const json::value& after = both.at("scopes").at(0);
    EXPECT_EQ(after.at("firstUsed").as_string(), first_day);
    EXPECT_EQ(after.at("lastUsed").as_string(), last_day);
    EXPECT_EQ(after.at("days"), 2);
    EXPECT_EQ(robot_usage("from=" + last_day).at("scopes").at(0).at("days"), 1);
    EXPECT_EQ(robot_usage("to=" + first_day).at("scopes").at(0).at("days"), 1);
    robot_usage("from=" + last_day + "&to=" + first_day, 400);
    robot_usage("from=yesterday", 400);
}

TEST_F(UsageApiTest, DecisionsThatAreAskedForAreNoUse) {
    give(robots(), viewer, project);
    HttpRequest request = make(HttpMethod::post, "/access/v1/evaluation");
    request.body = R"({"subject":{"type":"service-account","id":")" + robots().value +
                   R"("},"action":{"name":"read"},"resource":{"type":"project","id":")" +
                   project.value + R"("}})";
    for (const std::string& token : {robot_token(), admin_token}) {
        request.authorization = "Bearer " + token;
        EXPECT_EQ(dispatcher.serve(request).status, 200);
    }
    EXPECT_TRUE(robot_usage().at("scopes").as_array().empty());
}

TEST_F(UsageApiTest, AnAccessKeyIsItsOwnersAndTheAdministrators) {
    const NewAccessKey key = *world.keys.create(world.admin(), "laptop", "{}");
    const std::string id = key.key.id.value.text();
    const auto granted =
        world.grants.client_credentials(*world.state(), key.key.client_id,
                                        key.client_secret.reveal(), testing::World::origin(), {});
    ask(granted.result->access_token, "/api/v1/users");
    const json::value own = ask(admin_token, "/api/v1/access-keys/" + id + "/usage");
    EXPECT_EQ(own.at("scopes").at(0).at("scopeType"), "tenant");
    EXPECT_EQ(json::serialize(own.at("scopes").at(0).at("permissions")), R"(["users:read"])");
    const std::string any = "/api/v1/administration/access-keys/" + id + "/usage";
    EXPECT_EQ(ask(admin_token, any), own);
    ask(robot_token(), "/api/v1/access-keys/" + id + "/usage", {}, 404);
    ask(robot_token(), any, {}, 403);
    ask(robot_token(), "/api/v1/service-accounts/" + robots().value + "/usage", {}, 403);
    ask(admin_token, "/api/v1/service-accounts/" + id + "/usage", {}, 404);
    ask(admin_token, "/api/v1/access-keys/nonsense/usage", {}, 404);
}

TEST_F(UsageApiTest, KeysThatNobodyUsesAreListed) {
    const NewServiceAccount idle = *world.accounts.create(world.admin(), "idle");
    ASSERT_TRUE(world.keys.create(world.admin(), "laptop", "{}"));
    EXPECT_THAT(names(ask_as_admin(unused_keys)), IsEmpty()) << "they are young";
    wait_days(5);
    ask(world.grant(idle).result->access_token, "/api/v1/access-keys");
    wait_days(60);
    robot_token();
    EXPECT_THAT(names(ask_as_admin(unused_keys, "days=30")),
                UnorderedElementsAre("idle", "laptop"));
    EXPECT_THAT(names(ask_as_admin(unused_keys, "days=62")), ElementsAre("laptop"));
    EXPECT_THAT(names(ask_as_admin(unused_keys)), IsEmpty());
    wait_days(45);
    const json::value all = ask_as_admin(unused_keys, "days=40");
    EXPECT_THAT(names(all), UnorderedElementsAre("robot", "idle", "laptop"));
    const json::value page = ask_as_admin(unused_keys, "days=40&limit=1&offset=1&sortBy=name");
    EXPECT_THAT(names(page), ElementsAre("laptop"));
    EXPECT_EQ(page.at("totalRecords"), 3);
    EXPECT_EQ(page.at("displayRecords"), 1);
    const json::value& laptop = page.at("keys").at(0);
    EXPECT_EQ(laptop.at("type"), "access-key");
    EXPECT_EQ(laptop.at("createdBy"), testing::admin_email);
    EXPECT_TRUE(laptop.at("lastLogin").is_null());
    EXPECT_TRUE(laptop.at("lastUsed").is_null());
    EXPECT_THAT(names(ask(robot_token(), unused_keys, "days=1")), IsEmpty())
        << "of others, for who may not list them";
    ask_as_admin(unused_keys, "days=0", 400);
    ask_as_admin(unused_keys, "days=401", 400);
}

TEST_F(UsageApiTest, AnUnusedKeyTellsItsLastUseAndAUseWithoutANewTokenCounts) {
    give(robots(), viewer, project);
    const std::string token = robot_token();
    world.clock.advance_seconds(600);
    ask(token, "/api/v1/org-unit/projects");
    wait_days(2);
    const json::value listed = ask_as_admin(unused_keys, "days=1");
    EXPECT_THAT(names(listed), ElementsAre("robot"));
    EXPECT_FALSE(listed.at("keys").at(0).at("lastUsed").is_null());
    world.usage.record(*world.state(), world.account(robot).principal,
                       *find_permission("project:read"), *world.state()->access.find(project));
    EXPECT_THAT(names(ask_as_admin(unused_keys, "days=1")), IsEmpty());
}

TEST_F(UsageApiTest, RulesAreListedOnlyWhenNobodyUsedThem) {
    const auto at_project = give(robots(), viewer, project);
    const auto at_other = give(robots(), viewer, other_project);
    const auto at_department = give(robots(), viewer, department);
    EXPECT_FALSE(ask_as_admin(unused_rules).at("isComplete").as_bool()) << "just begun";
    wait_days(10);
    ask(robot_token(), "/api/v1/org-unit/projects/" + project.value);
    wait_days(3);
    make_older(at_other, 100); // than what was recorded: nobody knows whether it was used
    const json::value early = ask_as_admin(unused_rules, "days=20");
    EXPECT_FALSE(early.at("isComplete").as_bool());
    EXPECT_THAT(ids(early), IsEmpty());
    const auto young = give(robots(), viewer, cluster);
    const json::value answer = ask_as_admin(unused_rules, "days=10");
    EXPECT_TRUE(answer.at("isComplete").as_bool());
    EXPECT_THAT(ids(answer), ElementsAre(at_other)) << "what is below a rule uses it";
    EXPECT_THAT(ids(ask_as_admin(unused_rules, "days=2")),
                ElementsAre(at_project, at_other, at_department));
    wait_days(3);
    const json::value page = ask_as_admin(unused_rules, "days=2&limit=2&offset=2");
    EXPECT_THAT(ids(page), ElementsAre(at_department, young));
    EXPECT_EQ(page.at("totalRecords"), 4);
}

TEST_F(UsageApiTest, ARuleOfAnotherPermissionIsNotUsed) {
    const auto reads = give(robots(), viewer, project);
    constexpr std::int32_t system_role = 1;
    const auto other = give({SubjectType::user, "nobody@example.com"}, system_role, project);
    wait_days(5);
    ask(robot_token(), "/api/v1/org-unit/projects/" + project.value);
    EXPECT_THAT(ids(ask_as_admin(unused_rules, "days=3")), ElementsAre(other));
    EXPECT_NE(reads, other);
}

TEST_F(UsageApiTest, AGroupsRuleIsUsedByItsMembersAndTheirKeys) {
    User ann;
    ann.id = {tenant(), Uuid::make(world.random)};
    ann.email = "ann@example.com";
    ann.groups = {"team"};
    ann.created_at = ann.updated_at = world.clock.now();
    ASSERT_TRUE(world.store.write([&](Transaction& to) { return to.users().put(ann); }));
    const auto of_group = give({SubjectType::group, "team"}, viewer, department);
    const auto of_other = give({SubjectType::group, "others"}, viewer, department);
    const auto of_user = give({SubjectType::user, ann.email}, viewer, project);
    wait_days(5);
    Principal by_key{PrincipalKind::user, ann.id.value, ann.email, ann.groups};
    by_key.access_key = Uuid::make(world.random); // deleted since: its uses stay its owner's
    world.usage.record(*world.state(), by_key, *find_permission("project:read"),
                       *world.state()->access.find(other_project));
    EXPECT_THAT(ids(ask_as_admin(unused_rules, "days=3")), ElementsAre(of_other, of_user));
    EXPECT_NE(of_group, of_other);
}

TEST_F(UsageApiTest, OnlyRulesWithinReachAreShown) {
    constexpr std::int32_t department_administrator = 1710;
    const auto inside = give({SubjectType::user, "x@example.com"}, viewer, project);
    give({SubjectType::user, "x@example.com"}, viewer, cluster);
    const auto own = give(robots(), department_administrator, department);
    wait_days(5);
    const std::vector<std::int64_t> seen = ids(ask(robot_token(), unused_rules, "days=3"));
    EXPECT_THAT(seen, ElementsAre(inside)) << "asking uses the rule " << own;
}

} // namespace
} // namespace claviger
