// SPDX-License-Identifier: Apache-2.0
// Why requests were refused: what is kept, who may read it, and what is told to whom.
#include "auth/diagnoses.h"

#include <gmock/gmock.h>

#include "api/test_api.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

constexpr std::int32_t viewer = 7;

class DiagnosisTest : public testing::AdminFixture {
protected:
    NewServiceAccount ci = *world.accounts.create(world.admin(), "ci-1");
    NewServiceAccount stranger = *world.accounts.create(world.admin(), "other");
    OrgUnit cluster = *world.units.create(
        world.admin(), {ScopeType::cluster, tenant_scope(world.state()->tenant.id), "c", "", "{}"});

    /// Each with a request id of its own, which is kept in `last`.
    HttpResponse send(HttpRequest request) {
        last = Uuid::make(world.random).text();
        request.request_id = last;
        return dispatcher.serve(request);
    }
    HttpResponse send_as(const std::string& token, HttpMethod method, std::string path,
                         std::string body = {}) {
        HttpRequest request = make(method, std::move(path), std::move(body));
        request.authorization = "Bearer " + token;
        return send(std::move(request));
    }
    HttpResponse ask_token(std::string_view client, std::string_view secret,
                           std::string_view source = "192.0.2.1") {
        HttpRequest request = make(HttpMethod::post, "/api/v1/token");
        json::object body{
            {"grantType", "client_credentials"}, {"clientId", client}, {"clientSecret", secret}};
        request.body = json::serialize(body);
        request.source_ip = source;
        return send(std::move(request));
    }
    std::string token_of(const NewServiceAccount& account) {
        return world.grant(account).result->access_token;
    }
    HttpResponse why_as(const std::string& token, const std::string& id) {
        HttpRequest request = make(HttpMethod::get, "/api/v1/diagnoses/" + id);
        request.authorization = "Bearer " + token;
        return dispatcher.serve(request);
    }
    json::value why(const std::string& id) {
        const HttpResponse response = why_as(admin_token, id);
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body);
    }
    void give(const NewServiceAccount& account, std::int32_t role, const ScopeId& scope) {
        const TenantId tenant = world.state()->tenant.id;
        EXPECT_TRUE(world.rules.create(
            world.admin(), {{SubjectType::service_account, account.account.id.value.text()},
                            {tenant, role},
                            scope}));
    }
    static std::string text(const json::value& answer, std::string_view name) {
        return std::string(answer.at(name).as_string());
    }

    std::string last;
};

TEST_F(DiagnosisTest, SaysWhatTheWireDoesNot) {
    const std::string right(ci.client_secret.reveal());
    const HttpResponse refused = ask_token("ci-1", right + " ", "198.51.100.4");
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, Not(HasSubstr("white")));
    const json::value told = why(last);
    EXPECT_EQ(text(told, "requestId"), last);
    EXPECT_EQ(text(told, "operation"), "POST /api/v1/token");
    EXPECT_EQ(text(told, "grantType"), "client_credentials");
    EXPECT_EQ(text(told, "reason"), "wrong-secret");
    EXPECT_EQ(text(told, "secretProblem"), "white-space");
    EXPECT_THAT(text(told, "hint"), HasSubstr("without the white space"));
    EXPECT_EQ(text(told, "sourceIp"), "198.51.100.4");
    EXPECT_EQ(told.at("status").as_int64(), 400);
    EXPECT_EQ(text(told.at("subject"), "name"), "ci-1");
    EXPECT_EQ(text(told.at("subject"), "type"), "service-account");
    EXPECT_THAT(json::serialize(told), Not(HasSubstr(right.substr(5, 20))));
}

TEST_F(DiagnosisTest, KnowsTheLineBreakOfASecret) {
    const std::string secret = std::string(ci.client_secret.reveal()) + "\n";
    EXPECT_EQ(ask_token("ci-1", secret).status, 400);
    EXPECT_EQ(text(why(last), "reason"), "control-characters");
    EXPECT_THAT(text(why(last), "hint"), HasSubstr("line break"));
    HttpRequest form = make(HttpMethod::post, "/oauth2/token");
    form.content_type = "application/x-www-form-urlencoded";
    form.body = "grant_type=client_credentials&client_id=ci-1&client_secret=x%0A";
    EXPECT_EQ(send(form).status, 400);
    EXPECT_EQ(text(why(last), "reason"), "control-characters");
    form.body = "grant_type=client_credentials";
    form.authorization = "Basic Y2ktMTpzM2NyM3QK"; // ci-1:s3cr3t and a line break
    EXPECT_EQ(send(form).status, 401);
    const json::value told = why(last);
    EXPECT_EQ(text(told, "reason"), "control-characters");
    EXPECT_EQ(text(told, "secretProblem"), "line-break");
    EXPECT_EQ(text(told.at("subject"), "name"), "ci-1");
    EXPECT_THAT(json::serialize(told), Not(HasSubstr("s3cr3t")));
    EXPECT_EQ(as_admin(HttpMethod::post, "/api/v1/token", R"({"grantType":"x"})").status, 400);
}

TEST_F(DiagnosisTest, NamesAStrangerAsTheAuditDoes) {
    ask_token("nobody", "x");
    EXPECT_EQ(text(why(last), "reason"), "unknown-client");
    EXPECT_EQ(text(why(last).at("subject"), "name"), "nobody");
    EXPECT_FALSE(why(last).at("subject").as_object().contains("id"));
    ask_token("My Secret Phrase", "x");
    EXPECT_EQ(text(why(last).at("subject"), "name"), "(unreadable)");
}

TEST_F(DiagnosisTest, SaysWhichAddressAndWhoNamedIt) {
    const auto bound =
        *world.accounts.create(world.admin(), "bound", R"({"addresses":["10.0.0.0/8"]})");
    ask_token("bound", bound.client_secret.reveal(), "203.0.113.9");
    EXPECT_THAT(text(why(last), "message"), HasSubstr("203.0.113.9"));
    EXPECT_THAT(text(why(last), "message"), HasSubstr("no trusted proxy"));
    HttpRequest request = make(HttpMethod::get, "/api/v1/clusters");
    request.authorization = "Bearer " + world.grant(bound, "10.0.0.1").result->access_token;
    request.is_behind_proxy = true;
    EXPECT_EQ(send(request).status, 401);
    EXPECT_EQ(text(why(last), "reason"), "address-not-allowed");
    EXPECT_TRUE(why(last).at("isBehindTrustedProxy").as_bool());
    EXPECT_THAT(text(why(last), "message"), HasSubstr("a trusted proxy named it"));
}

TEST_F(DiagnosisTest, CountsTheSecondsOfAToken) {
    const std::string old = token_of(ci);
    world.clock.advance_seconds(3'607);
    EXPECT_EQ(send_as(old, HttpMethod::get, "/api/v1/clusters").status, 401);
    const std::string id = last;
    const std::string fresh = token_of(ci);
    const json::value told = json::parse(why_as(fresh, id).body);
    EXPECT_EQ(text(told, "reason"), "token-expired");
    EXPECT_EQ(told.at("secondsOff").as_int64(), 7);
    EXPECT_THAT(text(told, "message"), HasSubstr("7 seconds before"));
    EXPECT_TRUE(told.as_object().contains("expiredAt"));
}

TEST_F(DiagnosisTest, KnowsRefusalsThatAreNoGrants) {
    EXPECT_EQ(send(make(HttpMethod::get, "/api/v1/clusters")).status, 401);
    const std::string missing = last;
    EXPECT_EQ(send_as("x", HttpMethod::get, "/api/v1/clusters").status, 401);
    const std::string malformed = last;
    HttpRequest form = make(HttpMethod::post, "/oauth2/token");
    form.content_type = "application/x-www-form-urlencoded";
    form.body = "grant_type=client_credentials";
    EXPECT_EQ(send(form).status, 401);
    const std::string no_client = last;
    EXPECT_EQ(text(why(missing), "reason"), "token-missing");
    EXPECT_EQ(text(why(malformed), "reason"), "token-malformed");
    EXPECT_EQ(text(why(no_client), "reason"), "credentials-missing");
    EXPECT_EQ(as_admin(HttpMethod::get, "/api/v1/none").status, 404);
    const std::size_t kept = world.diagnoses.size();
    EXPECT_EQ(as_admin(HttpMethod::post, "/api/v1/clusters", "{").status, 400);
    EXPECT_EQ(as_admin(HttpMethod::get, "/api/v1/clusters").status, 200);
    EXPECT_EQ(world.diagnoses.size(), kept) << "refusals only";
}

// --- permissions --------------------------------------------------------------------------------

TEST_F(DiagnosisTest, NamesTheSmallestRuleThatWouldDo) {
    give(ci, viewer, cluster.id);
    const std::string token = token_of(ci);
    const std::string path = "/api/v1/clusters/" + cluster.id.value;
    const std::string body = R"({"name":"renamed"})";
    EXPECT_EQ(send_as(token, HttpMethod::put, path, body).status, 403);
    const std::string id = last;
    const json::value told = why(id);
    EXPECT_EQ(text(told, "operation"), "PUT /api/v1/clusters/{clusterUuid}");
    EXPECT_EQ(text(told, "reason"), "permission-missing");
    EXPECT_EQ(text(told, "missingPermission"), "cluster:update");
    EXPECT_EQ(text(told.at("scope"), "scopeType"), "cluster");
    EXPECT_EQ(text(told.at("scope"), "scopeId"), cluster.id.value);
    EXPECT_EQ(text(told.at("scope"), "path"), "runai/c");
    EXPECT_FALSE(told.at("isPermittedNow").as_bool());
    EXPECT_THAT(json::serialize(told.at("heldThere")), HasSubstr("cluster:read"));
    const json::value& smallest = told.at("smallestGrants").at(0);
    EXPECT_EQ(smallest.at("alsoAllowsCount").as_int64(),
              static_cast<std::int64_t>(smallest.at("alsoAllows").as_array().size()));
    EXPECT_THAT(json::serialize(smallest.at("alsoAllows")), Not(HasSubstr("cluster:read")))
        << "which it may already";
    const auto role = static_cast<std::int32_t>(smallest.at("roleId").as_int64());
    give(ci, role, {world.state()->tenant.id, ScopeType::cluster, text(smallest, "scopeId")});
    EXPECT_LT(send_as(token, HttpMethod::put, path, body).status, 300);
    EXPECT_TRUE(why(id).at("isPermittedNow").as_bool());
    EXPECT_TRUE(why(id).at("smallestGrants").as_array().empty());
}

TEST_F(DiagnosisTest, SaysWhenNoRuleHelps) {
    const auto bound = *world.accounts.create(world.admin(), "bound",
                                              R"({"ceiling":{"permissions":["project:read"]}})");
    const std::string token = token_of(bound);
    const std::string path = "/api/v1/clusters/" + cluster.id.value;
    EXPECT_EQ(send_as(token, HttpMethod::get, path).status, 403);
    EXPECT_EQ(text(why(last), "reason"), "permission-missing");
    EXPECT_THAT(text(why(last), "hint"), HasSubstr("That alone does not help: the ceiling"));
    give(bound, viewer, cluster.id);
    EXPECT_EQ(send_as(token, HttpMethod::get, path).status, 403);
    EXPECT_EQ(text(why(last), "reason"), "beyond-ceiling");
    EXPECT_THAT(text(why(last), "hint"), HasSubstr("No access rule helps"));
    EXPECT_TRUE(why(last).at("smallestGrants").as_array().empty());
    EXPECT_EQ(send_as(token, HttpMethod::get, "/api/v1/clusters").status, 403);
    EXPECT_EQ(text(why(last), "reason"), "beyond-ceiling");
    EXPECT_FALSE(why(last).as_object().contains("scope")) << "it is missing everywhere";
}

TEST_F(DiagnosisTest, SaysWhatANarrowedTokenWasNarrowedFrom) {
    give(ci, viewer, cluster.id);
    GrantOptions options;
    options.narrowing.permissions.emplace().add(*find_permission("project:read"));
    const auto narrowed = world.grants.client_credentials(
        *world.state(), "ci-1", ci.client_secret.reveal(), World::origin(), std::move(options));
    EXPECT_EQ(send_as(narrowed.result->access_token, HttpMethod::get,
                      "/api/v1/clusters/" + cluster.id.value)
                  .status,
              403);
    EXPECT_EQ(text(why(last), "reason"), "beyond-narrowing");
}

TEST_F(DiagnosisTest, RepeatsTheDetailOfOtherRefusals) {
    constexpr std::int32_t editor = 3;
    const std::string token = token_of(ci);
    give(ci, editor, tenant_scope(world.state()->tenant.id));
    const std::string body =
        R"({"subjectId":"x@example.com","subjectType":"user","roleId":1,"scopeType":"cluster",)"
        R"("scopeId":")" +
        cluster.id.value + "\"}";
    const HttpResponse refused =
        send_as(token, HttpMethod::post, "/api/v1/authorization/access-rules", body);
    EXPECT_EQ(refused.status, 403);
    const json::value told = why(last);
    if (refused.body.find("holds more") != std::string::npos) {
        EXPECT_EQ(text(told, "reason"), "not-permitted");
        EXPECT_THAT(text(told, "detail"), HasSubstr("holds more than you do"));
        EXPECT_THAT(text(told, "message"), HasSubstr("holds more than you do"));
    } else {
        ADD_FAILURE() << refused.body;
    }
    EXPECT_EQ(text(told.at("subject"), "name"), "ci-1");
}

// --- who may read -------------------------------------------------------------------------------

TEST_F(DiagnosisTest, IsToldToWhomItConcernsOnly) {
    give(stranger, viewer, cluster.id);
    const std::string own = token_of(ci);
    const std::string other = token_of(stranger);
    EXPECT_EQ(send_as(own, HttpMethod::get, "/api/v1/clusters/" + cluster.id.value).status, 403);
    const std::string denied = last;
    ask_token("ci-1", "wrong");
    const std::string wrong = last;
    ask_token("nobody", "wrong");
    const std::string unknown = last;
    const HttpResponse nothing = why_as(other, Uuid::make(world.random).text());
    EXPECT_EQ(nothing.status, 404);
    for (const std::string& id : {denied, wrong, unknown}) {
        const HttpResponse hidden = why_as(other, id);
        EXPECT_EQ(hidden.status, 404);
        EXPECT_EQ(hidden.body, nothing.body) << "as one that is not there";
        EXPECT_EQ(why_as(admin_token, id).status, 200);
    }
    EXPECT_EQ(why_as(own, unknown).status, 404);
    EXPECT_EQ(why_as(own, "x").status, 404);
    EXPECT_EQ(why_as("x", denied).status, 401);
    EXPECT_EQ(text(json::parse(why_as(own, wrong).body), "reason"), "wrong-secret");
    const json::value told = json::parse(why_as(own, denied).body);
    EXPECT_EQ(text(told, "missingPermission"), "cluster:read");
    EXPECT_FALSE(told.as_object().contains("smallestGrants")) << "for administrators";
    EXPECT_FALSE(told.at("scope").as_object().contains("path"));
    EXPECT_THAT(text(told, "message"), Not(HasSubstr("runai/c")));
}

TEST_F(DiagnosisTest, OfAnAccessKeyIsToldToItsOwner) {
    User owner;
    owner.id = {world.state()->tenant.id, Uuid::make(world.random)};
    owner.email = "dev@example.com";
    EXPECT_TRUE(world.store.write(
        [&](Transaction& transaction) { return transaction.users().put(owner); }));
    Caller caller;
    caller.state = world.state();
    caller.principal = {PrincipalKind::user, owner.id.value, owner.email};
    const auto key = *world.keys.create(caller, "laptop");
    ask_token(key.key.client_id, "wrong");
    const auto granted = world.grants.client_credentials(
        *world.state(), key.key.client_id, key.client_secret.reveal(), World::origin(), {});
    const json::value told = json::parse(why_as(granted.result->access_token, last).body);
    EXPECT_EQ(text(told, "reason"), "wrong-secret");
    EXPECT_EQ(text(told.at("subject"), "name"), "dev@example.com");
    EXPECT_EQ(text(told.at("subject"), "clientId"), key.key.client_id);
    EXPECT_EQ(why_as(token_of(ci), last).status, 404);
}

TEST_F(DiagnosisTest, OfAnotherTenantIsToldToNobody) {
    EXPECT_TRUE(world.add_tenant("other", "b.example"));
    ask_token("ci-1", "wrong");
    HttpRequest request = make(HttpMethod::post, "/api/v1/token");
    request.host = "b.example";
    request.body = R"({"grantType":"password","username":")" + std::string(testing::admin_email) +
                   R"(","password":")" + testing::admin_password + R"("})";
    const json::value signed_in = json::parse(dispatcher.serve(request).body);
    HttpRequest asked = make(HttpMethod::get, "/api/v1/diagnoses/" + last);
    asked.host = "b.example";
    asked.authorization = "Bearer " + text(signed_in, "accessToken");
    EXPECT_EQ(dispatcher.serve(asked).status, 404);
}

} // namespace
} // namespace claviger
