// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <random>

#include "api/filter.h"
#include "api/openapi.h"
#include "api/test_api.h"

namespace claviger {
namespace {

using testing::World;

// --- parameters, filters ------------------------------------------------------------------------

TEST(Parameters, AreReadStrictly) {
    const auto parameters = parse_parameters("a=1&b=x+y%20z&a=2&c&=d");
    ASSERT_TRUE(parameters);
    EXPECT_EQ((*parameters)[1].second, "x y z");
    EXPECT_EQ(query_values(*parameters, "a").size(), 2U);
    for (const char* text : {"a=%", "a=%4", "a=%zz", "a=%00", "a=%ff", "a=%0a"}) {
        EXPECT_FALSE(parse_parameters(text)) << text;
    }
    std::string many;
    for (int i = 0; i < 65; ++i) {
        many += "p" + std::to_string(i) + "=1&";
    }
    EXPECT_FALSE(parse_parameters(many));
}

TEST(Filter, SplitsOnlyWhereAFieldFollows) {
    const std::vector<std::string_view> names{"subjectId", "roleId", "createdAt"};
    const std::vector<FieldKind> kinds{FieldKind::text, FieldKind::number, FieldKind::time};
    const auto terms =
        parse_filter({{"subjectId==a,b@x.io,roleId>=3", "subjectId=@c"}}, names, kinds);
    ASSERT_TRUE(terms);
    ASSERT_EQ(terms->size(), 3U);
    EXPECT_EQ((*terms)[0].value, "a,b@x.io");
    EXPECT_EQ((*terms)[1].number, 3);
    for (const char* text : {"bogus==1", "subjectId=1", "subjectId==", "roleId==x", "==x",
                             "createdAt==yesterday", "createdAt=@2026-01-01T00:00:00Z"}) {
        EXPECT_FALSE(parse_filter({{text}}, names, kinds)) << text;
    }
}

TEST(Filter, ComparesAsTheContractSays) {
    const auto matches = [](FilterOperator op, const char* value, const char* text) {
        return text_matches({0, op, value, 0}, text);
    };
    EXPECT_TRUE(matches(FilterOperator::equal, "Viewer", "Viewer"));
    EXPECT_FALSE(matches(FilterOperator::equal, "viewer", "Viewer"));
    EXPECT_TRUE(matches(FilterOperator::contains, "IEW", "Viewer"));
    EXPECT_FALSE(matches(FilterOperator::not_contains, "iew", "Viewer"));
    EXPECT_TRUE(matches(FilterOperator::starts_with, "view", "Viewer"));
    EXPECT_TRUE(matches(FilterOperator::ends_with, "WER", "Viewer"));
    ListRequest request;
    request.sort_by = "AccessRulesSortFilterFields.CREATEDAT";
    EXPECT_EQ(*sort_field(request, {"name", "createdAt"}), 1U);
    request.sort_by = "bogus";
    EXPECT_FALSE(sort_field(request, {"name"}));
    request.limit = 501;
    EXPECT_FALSE(page_of(request));
    request.sort_order = "sideways";
    EXPECT_FALSE(is_descending(request));
}

struct Pebble {
    std::int64_t position = 0;
    std::int64_t weight = 0;
    std::string colour;
};

/// All of `pebbles` but the green ones, as a plain sort puts them.
std::vector<Pebble> sorted(const std::vector<Pebble>& pebbles, std::string_view by, bool down) {
    std::vector<Pebble> rest;
    std::ranges::copy_if(pebbles, std::back_inserter(rest),
                         [](const Pebble& pebble) { return pebble.colour != "g"; });
    if (by.empty() && down) {
        std::ranges::reverse(rest);
    } else if (!by.empty()) {
        std::ranges::stable_sort(rest, [&](const Pebble& a, const Pebble& b) {
            const Pebble& first = down ? b : a;
            const Pebble& second = down ? a : b;
            return by == "colour" ? first.colour < second.colour : first.weight < second.weight;
        });
    }
    return rest;
}

TEST(PageWalkTest, GivesThePageOfASortedListInWhateverOrderTheRowsCome) {
    using Number = std::optional<std::int64_t>;
    static const std::vector<ListField<Pebble>> fields{
        {"colour", FieldKind::text, [](const Pebble& p) { return p.colour; }, nullptr},
        {"weight", FieldKind::number, nullptr,
         [](const Pebble& p) { return p.weight == 0 ? Number() : Number(p.weight); }}};
    std::mt19937 random(7);
    std::vector<Pebble> all;
    for (std::int64_t i = 0; i < 300; ++i) {
        all.push_back({i, static_cast<std::int64_t>(random() % 9), std::string(1, "rgb"[i % 3])});
    }
    for (int round = 0; round < 200; ++round) {
        const std::array<const char*, 3> choices{"", "colour", "weight"};
        const bool down = random() % 2 == 0;
        const Page page{random() % 250, 1 + random() % 60};
        ListRequest request;
        request.sort_by = choices[random() % choices.size()];
        request.sort_order = down ? "desc" : "asc";
        request.filter_by = FilterText{{"colour!=g"}};
        auto walk = PageWalk<Pebble>::begin(request, page, fields, nullptr);
        ASSERT_TRUE(walk);
        std::vector<Pebble> shuffled = all;
        std::ranges::shuffle(shuffled, random);
        for (const Pebble& pebble : shuffled) {
            walk->offer(pebble.position, pebble);
        }
        auto expected = sorted(all, *request.sort_by, down);
        EXPECT_EQ(walk->total(), expected.size());
        expected = take_page(expected, page);
        EXPECT_TRUE(
            std::ranges::equal(walk->rows(), expected, {}, &Pebble::position, &Pebble::position))
            << "round " << round;
    }
}

TEST(PageWalkTest, SearchesAndOnlyCounts) {
    static const std::vector<ListField<Pebble>> fields;
    ListRequest request;
    request.search = "red";
    auto walk = PageWalk<Pebble>::begin(
        request, no_page, fields,
        [](const Pebble& pebble, std::string_view search) { return pebble.colour == search; });
    ASSERT_TRUE(walk);
    for (std::int64_t i = 0; i < 10; ++i) {
        walk->offer(i, {i, 0, i % 2 == 0 ? "red" : "blue"});
    }
    EXPECT_EQ(walk->total(), 5U);
    EXPECT_TRUE(walk->rows().empty());
    request.sort_by = "weight";
    EXPECT_FALSE(PageWalk<Pebble>::begin(request, no_page, fields, nullptr));
}

// --- dispatch -----------------------------------------------------------------------------------

using ApiTest = testing::AdminFixture;

TEST_F(ApiTest, RoutesAreSound) {
    EXPECT_TRUE(Dispatcher::check(all_routes()));
    Routes twice = all_routes();
    twice.push_back(twice.front());
    EXPECT_FALSE(Dispatcher::check(twice));
    const std::string document = openapi_document(all_routes(), "1");
    for (const Route& route : all_routes()) {
        EXPECT_NE(document.find("\"" + std::string(route.operation.id) + "\""), std::string::npos);
    }
}

TEST_F(ApiTest, EveryProtectedRouteAsksForAToken) {
    for (const Route& route : all_routes()) {
        if (!route.operation.access.needs_token()) {
            continue;
        }
        HttpRequest request = make(route.operation.method, std::string(route.operation.path));
        std::string& path = request.path;
        while (path.find('{') != std::string::npos) {
            const std::size_t begin = path.find('{');
            path.replace(begin, path.find('}') - begin + 1, "1");
        }
        for (const char* header :
             {"", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic eA==", "Bearer a b"}) {
            request.authorization =
                *header == '\0' ? std::nullopt : std::optional<std::string>(header);
            const HttpResponse response = dispatcher.serve(request);
            EXPECT_EQ(response.status, 401) << route.operation.id << " " << header;
            EXPECT_EQ(json::parse(response.body).at("code").as_int64(), 401);
        }
    }
}

TEST_F(ApiTest, ARefusalSaysWhetherATokenCame) {
    const auto message = [&](std::optional<std::string> header) {
        HttpRequest request = make(HttpMethod::get, "/api/v1/clusters");
        request.authorization = std::move(header);
        return std::string(json::parse(dispatcher.serve(request).body).at("message").as_string());
    };
    EXPECT_EQ(message(std::nullopt), "The Authorization header is missing.");
    for (const char* header : {"", "Bearer", "Basic eA==", "Bearer a b"}) {
        EXPECT_EQ(message(header), "The Authorization header holds no bearer token.");
    }
    for (const std::string& token : {std::string("a.b.c"), admin_token + "x"}) {
        EXPECT_EQ(message("Bearer " + token), "The bearer token is not valid.");
    }
}

TEST_F(ApiTest, AnUnknownIdIsNamed) {
    const std::string uuid = "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10";
    const auto details = [&](HttpMethod method, std::string path, std::string body = {}) {
        const HttpResponse response = as_admin(method, std::move(path), std::move(body));
        const json::value problem = json::parse(response.body);
        EXPECT_EQ(problem.at("code").as_int64(), 404) << response.body;
        EXPECT_EQ(problem.at("message").as_string(), "Resource id not found.");
        const std::string text(problem.at("details").as_string());
        return text.substr(0, text.find("; request id "));
    };
    const auto get = [&](std::string path) { return details(HttpMethod::get, std::move(path)); };
    const auto rule = [&](const std::string& subject, const std::string& scope) {
        return details(HttpMethod::post, "/api/v1/authorization/access-rules",
                       R"({"subjectType":"service-account","roleId":1,"scopeType":"department",)"
                       R"("subjectId":")" +
                           subject + R"(","scopeId":")" + scope + R"("})");
    };
    EXPECT_EQ(get("/api/v1/clusters/" + uuid), "no cluster has this clusterUuid");
    EXPECT_EQ(get("/api/v1/org-unit/departments/99"), "no department has this departmentId");
    EXPECT_EQ(get("/api/v1/org-unit/projects/99"), "no project has this projectId");
    EXPECT_EQ(get("/api/v1/authorization/access-rules/99"), "no access rule has this accessRuleId");
    EXPECT_EQ(get("/api/v1/authorization/roles/99"), "no role has this roleIdPath");
    for (const std::string& id : {uuid, std::string("x")}) {
        EXPECT_EQ(get("/api/v1/service-accounts/" + id),
                  "no service account has this serviceAccountId");
    }
    EXPECT_EQ(details(HttpMethod::remove, "/api/v1/service-accounts/" + uuid),
              "no service account has this serviceAccountId");
    const json::value cluster =
        json::parse(as_admin(HttpMethod::post, "/api/v1/clusters", R"({"name":"c"})").body);
    const std::string known(cluster.at("uuid").as_string());
    EXPECT_EQ(details(HttpMethod::post, "/api/v1/org-unit/projects",
                      R"({"name":"p","clusterId":")" + uuid + R"("})"),
              "no cluster has this clusterId");
    EXPECT_EQ(details(HttpMethod::post, "/api/v1/org-unit/projects",
                      R"({"name":"p","clusterId":")" + known + R"(","parentId":"99"})"),
              "no department has this parentId");
    EXPECT_EQ(rule("nobody", "99"), "no department has this scopeId");
    const json::value listed =
        json::parse(as_admin(HttpMethod::get, "/api/v1/org-unit/departments").body);
    const std::string department(listed.at("departments").at(0).at("id").as_string());
    EXPECT_EQ(rule("nobody", department), "no service account has this subjectId");
}

/// A body that each operation with this path reads.
std::string body_for(std::string_view path) {
    if (path.ends_with("/limits")) {
        return "{}"; // it knows all of its members
    }
    if (path.starts_with("/access/") || path.ends_with("/who-can")) {
        return R"({"subject":{"type":"user","id":"a@b.example"},"action":{"name":"read"},)"
               R"("resource":{"type":"project","id":"1"}})";
    }
    return R"({"name":"a-1","email":"a@b.example","enabled":true,"description":"","ids":["1"],)"
           R"("action":"delete","payload":{"roleId":7,"subjects":[],"scopes":[]},)"
           R"("permissionSets":[],"type":"oidc","secretId":"1"})";
}

TEST_F(ApiTest, EveryPermissionIsAskedFor) {
    const auto account = world.accounts.create(world.admin(), "ci-1");
    HttpRequest grant = make(HttpMethod::post, "/api/v1/token");
    grant.body = R"({"grantType":"client_credentials","clientId":"ci-1","clientSecret":")" +
                 std::string(account->client_secret.reveal()) + R"("})";
    const std::string token(
        json::parse(dispatcher.serve(grant).body).at("accessToken").as_string());
    for (const Route& route : all_routes()) {
        const Access& access = route.operation.access;
        if (!access.needs_permission() || access.at() == EvaluatedAt::request) {
            continue;
        }
        HttpRequest request = make(route.operation.method, std::string(route.operation.path),
                                   body_for(route.operation.path));
        while (request.path.find('{') != std::string::npos) {
            const std::size_t begin = request.path.find('{');
            const std::size_t length = request.path.find('}') - begin + 1;
            const std::string name = request.path.substr(begin, length);
            const bool is_uuid = name == "{clusterUuid}" || name == "{workloadId}";
            request.path.replace(begin, length,
                                 is_uuid ? "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10" : "1");
        }
        request.authorization = "Bearer " + token;
        request.query = "start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z"; // where required
        const HttpResponse response = dispatcher.serve(request);
        EXPECT_EQ(response.status, 403) << route.operation.id << " " << response.body;
        EXPECT_NE(response.body.find(std::string(access.resource_type()) + ":" +
                                     std::string(name_of(access.action()))),
                  std::string::npos)
            << "the answer names what is missing";
    }
}

TEST_F(ApiTest, BodiesAreReadAsOldClientsSendThem) {
    EXPECT_EQ(as_admin(HttpMethod::post, "/api/v1/service-accounts", R"({"NAME":"a-1"})").status,
              201);
    EXPECT_EQ(
        as_admin(HttpMethod::post, "/api/v1/service-accounts", R"("{\"name\": \"a-2\"}")").status,
        201);
    EXPECT_EQ(as_admin(HttpMethod::post, "/api/v1/service-accounts", R"({"name":"a-1"})").status,
              409);
    for (const char* body : {"", "[]", "{", R"({"name":1})", R"({"name":"a","NAME":"b"})",
                             R"({"name":"A1"})", R"("x")", "{}"}) {
        const HttpResponse response = as_admin(HttpMethod::post, "/api/v1/service-accounts", body);
        EXPECT_EQ(response.status, 400) << body;
        EXPECT_EQ(json::parse(response.body).at("code").as_int64(), 400);
    }
}

TEST_F(ApiTest, EveryRouteIsFoundByItsPath) {
    for (const Route& route : all_routes()) {
        std::string path(route.operation.path);
        while (path.find('{') != std::string::npos) {
            const std::size_t begin = path.find('{');
            path.replace(begin, path.find('}') - begin + 1, "some-id");
        }
        EXPECT_EQ(dispatcher.plan(route.operation.method, path).route_id, route.operation.id);
        for (const std::string& other : {path + "/", path.substr(1), path + "x/y/z"}) {
            EXPECT_EQ(dispatcher.plan(route.operation.method, other).route_id, "unmatched")
                << other;
        }
    }
}

TEST_F(ApiTest, APathSaysItsMethods) {
    const auto allowed = [&](std::string path) {
        const HttpResponse response = dispatcher.serve(make(HttpMethod::options, std::move(path)));
        return response.status == 204 ? response.headers.front().second : "none";
    };
    EXPECT_EQ(allowed("/api/v1/clusters/x"), "GET, HEAD, PUT, DELETE, OPTIONS");
    EXPECT_EQ(allowed("/api/v1/clusters"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(allowed("/api/v1/authorization/access-rules/7"), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(allowed("/api/v1/authorization/access-rules/count"), "GET, HEAD, OPTIONS")
        << "a literal segment wins";
    EXPECT_EQ(allowed("/auth/realms/x/protocol/openid-connect/token"), "POST, OPTIONS");
    for (const char* path : {"/api/v1/clusters/", "/api/v1/clusters/x/y", "/auth/realms//token",
                             "/api/v1", "/", "/API/V1/clusters"}) {
        EXPECT_EQ(allowed(path), "none") << path;
    }
    const HttpResponse refused = dispatcher.serve(make(HttpMethod::other, "/api/v1/clusters/x"));
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.headers.front().second, "GET, HEAD, PUT, DELETE, OPTIONS");
}

TEST_F(ApiTest, MethodsAndPathsAreJudged) {
    EXPECT_EQ(dispatcher.serve(make(HttpMethod::get, "/nowhere")).status, 404);
    const HttpResponse wrong = dispatcher.serve(make(HttpMethod::get, "/api/v1/token"));
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.headers.front().second, "POST, OPTIONS");
    EXPECT_EQ(dispatcher.serve(make(HttpMethod::options, "/api/v1/clusters")).status, 204);
    EXPECT_EQ(dispatcher.serve(make(HttpMethod::head, "/.well-known/jwks.json")).status, 200);
    HttpRequest elsewhere = make(HttpMethod::get, "/.well-known/jwks.json");
    ASSERT_TRUE(world.add_tenant("other", "other.example"));
    elsewhere.host = "unknown.example";
    EXPECT_EQ(dispatcher.serve(elsewhere).status, 404);
    elsewhere.host = "other.example";
    EXPECT_EQ(dispatcher.serve(elsewhere).status, 200);
}

TEST_F(ApiTest, TokenEndpointsAnswerInTheirOwnWays) {
    const auto post = [&](const char* path, const char* type, const char* body) {
        HttpRequest request = make(HttpMethod::post, path, body);
        request.content_type = type;
        return dispatcher.serve(request);
    };
    constexpr const char* form = "application/x-www-form-urlencoded";
    constexpr const char* realm = "/auth/realms/runai/protocol/openid-connect/token";
    const char* client = "grant_type=client_credentials&client_id=x&client_secret=y";
    const char* user = "grant_type=password&username=admin%40example.com&password=y";
    EXPECT_EQ(post("/api/v1/token", "application/json",
                   R"({"grantType":"client_credentials","clientId":"x","clientSecret":"y"})")
                  .status,
              400);
    EXPECT_EQ(post("/api/v2/token", form, client).status, 401);
    EXPECT_EQ(post("/oauth2/token", form, user).status, 400);
    EXPECT_EQ(post(realm, form, user).status, 401);
    EXPECT_EQ(post("/auth/realms/other/protocol/openid-connect/token", form, client).status, 404);
    EXPECT_NE(
        post("/oauth2/token", form, "grant_type=x&client_id=a").body.find("unsupported_grant_type"),
        std::string::npos);
    EXPECT_NE(post("/oauth2/token", "application/json", "{}").body.find("invalid_request"),
              std::string::npos);
    EXPECT_EQ(post("/api/v1/token", "text/xml", "<a/>").status, 415);
}

/// What hashes a password may not run on a thread that answers others, however it is spelled.
TEST_F(ApiTest, PasswordsNeverRunInline) {
    for (const char* body : {R"({"grantType":"password","username":"a","password":"b"})",
                             R"({"grantType":"\u0070assword","username":"a","\u0070assword":"b"})",
                             R"("{\"grantType\":\"password\"}")"}) {
        EXPECT_EQ(dispatcher.runs_on(make(HttpMethod::post, "/api/v1/token", body)),
                  RunsOn::worker);
    }
    EXPECT_EQ(dispatcher.runs_on(make(HttpMethod::post, "/oauth2/token",
                                      "grant_type=%70assword&username=a&p%61ssword=b")),
              RunsOn::worker);
    EXPECT_EQ(dispatcher.runs_on(make(HttpMethod::post, "/oauth2/token",
                                      "grant_type=client_credentials&client_id=a")),
              RunsOn::inline_thread);
}

TEST_F(ApiTest, ListsAreFilteredSortedAndPaged) {
    const json::value cluster =
        json::parse(as_admin(HttpMethod::post, "/api/v1/clusters", R"({"name":"c"})").body);
    const std::string uuid(cluster.at("uuid").as_string());
    for (const char* name : {"b", "a", "c"}) {
        const HttpResponse made =
            as_admin(HttpMethod::post, "/api/v1/org-unit/projects",
                     std::string(R"({"name":")") + name + R"(","clusterId":")" + uuid +
                         R"(","resources":[{"nodePool":{"id":"1"},"gpu":{"deserved":1.5}}]})");
        ASSERT_EQ(made.status, 201) << made.body;
        EXPECT_NE(made.body.find("\"gpuQuota\":1.5"), std::string::npos);
    }
    HttpRequest request = make(HttpMethod::get, "/api/v1/org-unit/projects");
    request.authorization = "Bearer " + admin_token;
    request.query = "filterBy=name~b";
    EXPECT_EQ(dispatcher.serve(request).status, 400) << "no such operator";
    request.query = "sortBy=name&sortOrder=desc&limit=1&filterBy=name%21%3Db";
    const json::value page = json::parse(dispatcher.serve(request).body);
    EXPECT_EQ(page.at("projects").as_array().size(), 1U);
    EXPECT_EQ(page.at("projects").at(0).at("name").as_string(), "c");
    EXPECT_EQ(page.at("next").as_int64(), 1);
    request.query = "offset=5";
    EXPECT_EQ(dispatcher.serve(request).body, R"({"projects":[]})");
    request.query = "access_token=x";
    EXPECT_EQ(dispatcher.serve(request).status, 400);
}

} // namespace
} // namespace claviger
