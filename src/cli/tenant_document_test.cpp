// SPDX-License-Identifier: Apache-2.0
// Tenants as documents: what goes out comes in again, all of it or nothing.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/permission_sets.h"
#include "auth/test_world.h"
#include "cli/operations.h"
#include "cli/tenant_document.h"
#include "store/samples.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// A world and the operator's commands on it.
struct Site {
    TemporaryDirectory folder;
    World world;
    Operations operations{world.tenants,   world.signing_keys, world.rekey,
                          world.directory, world.store,        world.events,
                          folder.path(),   world.clock,        world.random};

    OperatorAnswer run(std::string_view command, const std::string& file,
                       const std::string& realm = "") {
        OperatorRequest request(command);
        request.arguments["file"] = (folder.path() / file).string();
        if (!realm.empty()) {
            request.arguments["tenant"] = realm;
        }
        return operations.run(request);
    }
    std::string exported(const std::string& realm = "") {
        const OperatorAnswer answer = run(operator_command::export_tenant, "out.json", realm);
        EXPECT_TRUE(answer.ok) << (answer.lines.empty() ? "" : answer.lines.front());
        return read_file(folder.path() / "out.json");
    }
    OperatorAnswer imported(const std::string& text, const std::string& realm = "") {
        std::ofstream(folder.path() / "in.json") << text;
        return run(operator_command::import_tenant, "in.json", realm);
    }
    std::vector<std::string> refused(const std::string& text) {
        const auto before = loaded(world.store);
        const OperatorAnswer answer = imported(text);
        EXPECT_FALSE(answer.ok);
        EXPECT_EQ(loaded(world.store), before) << "something was imported all the same";
        return answer.lines;
    }
};

/// One of everything.
void fill(World& world) {
    const Caller admin = world.admin();
    const auto account = world.accounts.create(admin, "ci-1");
    OrgUnitDraft cluster{ScopeType::cluster, tenant_scope(admin.tenant()), "east", "", "{}"};
    const OrgUnit east = *world.units.create(world.admin(), cluster);
    OrgUnitDraft department{ScopeType::department, east.id, "re/search", "where \"we\" look", "{}"};
    const OrgUnit research = *world.units.create(world.admin(), department);
    OrgUnitDraft project{ScopeType::project, research.id, "alpha", "",
                         R"({"enforceRunaiScheduler":false})"};
    const OrgUnit alpha = *world.units.create(world.admin(), project);
    ASSERT_TRUE(world.store.write([&](Transaction& transaction) -> Result<void> {
        Role role;
        role.id = {admin.tenant(), first_own_role + 7};
        role.name = "Auditor";
        role.permission_sets = {predefined_permission_sets().front().id};
        role.created_by = "admin@example.com";
        role.created_at = world.clock.now();
        role.updated_at = role.created_at;
        TRY(transaction.roles().put(role));
        User user = testing::user(admin.tenant(), 1, "ann@example.com");
        user.groups = {"ops", "люди"};
        user.attributes = R"({"uid":"1000"})";
        TRY(transaction.users().put(user));
        AccessKey key = access_key(user.id, 2, "laptop");
        key.client_id = "ak-abcdefghijklmnop";
        TRY(transaction.access_keys().put(key));
        IdentityProvider provider = identity_provider(admin.tenant(), "corp");
        TRY(transaction.identity_providers().put(provider));
        TRY(transaction.tenant_settings().put(tenant_settings(admin.tenant())));
        return {};
    }));
    const RoleId viewer{admin.tenant(), 7};
    const RoleId auditor{admin.tenant(), first_own_role + 7};
    const std::string id = account->account.id.value.text();
    ASSERT_TRUE(
        world.rules.create(world.admin(), {{SubjectType::service_account, id}, viewer, alpha.id}));
    ASSERT_TRUE(world.rules.create(world.admin(), {{SubjectType::group, "ops"}, auditor, east.id}));
    ASSERT_TRUE(world.accounts.set_limits(
        world.admin(), account->account.id.value,
        R"({"expiresAt":"2036-01-01T00:00:00.000000Z","ceiling":{"roleIds":[10007],"scopes":)"
        R"([{"scopeType":"department","scopeId":")" +
            research.id.value + R"("}]},"honey":true})"));
}

TEST(TenantDocumentTest, WhatGoesOutComesInAgain) {
    Site from;
    fill(from.world);
    const std::string document = from.exported();
    Site to;
    const OperatorAnswer answer = to.imported(document);
    ASSERT_TRUE(answer.ok) << ::testing::PrintToString(answer.lines);
    EXPECT_EQ(to.exported(), document);
    EXPECT_THAT(document, HasSubstr(R"("ceiling":{"roles":["Auditor"],"scopes":[["east",)"
                                    R"("re/search"]]},"honey":true)"));
    EXPECT_THAT(answer.lines, Contains("  accessRules: 2 added"));
    EXPECT_THAT(answer.lines, Contains("  2 were there already")); // the administrator and its rule

    const auto before = loaded(to.world.store);
    const OperatorAnswer again = to.imported(document);
    EXPECT_TRUE(again.ok);
    EXPECT_EQ(loaded(to.world.store), before);
    for (const char* secret : {"argon2", "keyed", "password", "sealed"}) {
        EXPECT_THAT(document, ::testing::Not(HasSubstr(secret)));
    }
}

TEST(TenantDocumentTest, ImportedRightsActAndNothingSignsInWithoutASecret) {
    Site from;
    fill(from.world);
    Site to;
    ASSERT_TRUE(to.imported(from.exported()).ok);
    const TenantStatePointer state = to.world.state();
    const AccountEntry* account = state->accounts.find_by_name("ci-1");
    ASSERT_NE(account, nullptr);
    const Subject subject{SubjectType::service_account, account->id.text()};
    EXPECT_TRUE(permissions_anywhere(state->access, {std::span(&subject, 1)})
                    .contains({*find_resource_type("project"), Action::read}));
    for (const char* client : {"ci-1", "ak-abcdefghijklmnop"}) {
        EXPECT_FALSE(
            to.world.grants.client_credentials(*state, client, "", World::origin(), {}).result);
    }
    EXPECT_FALSE(
        to.world.grants.password(*state, {"ann@example.com", "", ""}, World::origin(), {}).result);
}

TEST(TenantDocumentTest, EveryProblemIsNamedWithItsLineAndNothingIsImported) {
    Site site;
    const auto lines = site.refused(R"({"claviger": 1,
"users": [
  {"email": "good@example.com"},
  {"email": "bad"},
  {"email": "x@example.com", "colour": "red"},
  {"email": 7},
  {"email": "y@example.com", "groups": [""]} ,
  {"email": "z@example.com",}
],
"clusters": [{"name": "east"},
  {"name": ""}],
"projects": [
  {"cluster": "east", "department": "none", "name": "p"},
  {"cluster": "", "name": "p"},
  {"cluster": "east", "name": "q"},
  {"cluster": "east", "name": "q", "description": "again"}
],
"accessRules": [
  {"subjectType": "user", "subject": "good@example.com", "role": "Viewer", "scope": ["east"]},
  {"subjectType": "user", "subject": "good@example.com", "role": "King", "scope": []},
  {"subjectType": "service-account", "subject": "nobody", "role": "Viewer", "scope": []},
  {"subjectType": "user", "subject": "good@example.com", "role": "Viewer",
   "scope": ["east", "none", "p"]},
  {"subjectType": "user", "subject": "good@example.com", "role": "Viewer", "scope": ["west"]}
]})");
    ASSERT_EQ(lines.size(), 13U) << ::testing::PrintToString(lines);
    EXPECT_THAT(lines.at(0), HasSubstr("12 problems"));
    const std::vector<std::string> beginnings{
        "line 4: users: email is no e-mail",
        "line 5: users: there is no member colour",
        "line 6: users: email has the wrong type",
        "line 7: users: a group has no name",
        "line 8: users: ",
        "line 11: clusters: name must be",
        "line 13: projects: there is no east/none",
        "line 16: projects: east/default/q exists",
        "line 20: accessRules: there is no role King",
        "line 21: accessRules: there is no service account nobody",
        "line 24: accessRules: there is no west"};
    std::size_t found = 0;
    for (const std::string& beginning : beginnings) {
        const bool there = std::ranges::any_of(
            lines, [&](const std::string& line) { return line.starts_with(beginning); });
        EXPECT_TRUE(there) << beginning << " in " << ::testing::PrintToString(lines);
        found += there ? 1 : 0;
    }
    EXPECT_EQ(found, beginnings.size());
}

TEST(TenantDocumentTest, WhatIsThereAndDiffersIsAProblem) {
    Site site;
    fill(site.world);
    const auto lines = site.refused(
        R"({"claviger":1,"serviceAccounts":[{"name":"ci-1","enabled":false},{"name":"ci-2"}]})");
    EXPECT_THAT(lines, ElementsAre(HasSubstr("1 problem"),
                                   "line 1: serviceAccounts: a service account of this name "
                                   "exists already and is different"));
}

TEST(TenantDocumentTest, OtherDocumentsAreRefused) {
    Site site;
    const std::vector<std::pair<std::string, std::string>> documents{
        {"", "line 1"},
        {"[]", "no JSON object"},
        {"{}", "version 1"},
        {R"({"claviger":2})", "version 1"},
        {R"({"claviger":"1"})", "version 1"},
        {"{\"claviger\":1,\n\"users\":[\n{\"email\":\"a@b.cc\"", "line 3"},
        {R"({"claviger":1,"users":{}})", "users must be an array"},
        {R"({"claviger":1,"users":[null]})", "objects only"},
        {R"({"claviger":1,"users":["x"]})", "objects only"},
        {R"({"claviger":1,"users":[],"users":[]})", "no JSON object"},
        {R"({"claviger":1,"things":[]})", "no section of the name things"},
        {R"({"claviger":1,"settings":[]})", "settings must be an object"}};
    for (const auto& [document, reason] : documents) {
        const auto lines = site.refused(document);
        ASSERT_EQ(lines.size(), 2U) << document;
        EXPECT_THAT(lines.at(1), HasSubstr(reason)) << document;
    }
}

TEST(TenantDocumentTest, TheTenantMustBeClear) {
    Site site;
    ASSERT_TRUE(site.world.add_tenant("second", "second.example"));
    EXPECT_THAT(site.run(operator_command::export_tenant, "x").lines,
                ElementsAre(HasSubstr("--tenant REALM")));
    EXPECT_THAT(site.run(operator_command::export_tenant, "x", "third").lines,
                ElementsAre("there is no tenant with the realm third"));
    EXPECT_THAT(site.exported("second"), HasSubstr(R"("realm":"second")"));
}

TEST(TenantDocumentTest, WhicheverWriteFailsAllOrNothingIsImported) {
    Site from;
    fill(from.world);
    const std::string document = from.exported();
    Site whole;
    whole.world.store.fail_call(0);
    ASSERT_TRUE(whole.imported(document).ok);
    const std::uint64_t calls = whole.world.store.calls();
    ASSERT_GT(calls, 20U);
    Site site;
    const auto before = loaded(site.world.store);
    for (std::uint64_t call = 1; call <= calls; ++call) {
        site.world.store.fail_call(call);
        EXPECT_FALSE(site.imported(document).ok) << call;
        site.world.store.fail_call(0);
        ASSERT_EQ(loaded(site.world.store), before) << call;
    }
}

} // namespace
} // namespace claviger
