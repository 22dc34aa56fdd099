// SPDX-License-Identifier: Apache-2.0
// The paths that are asked most often allocate little: a number that grew here grew unnoticed.
#include <atomic>
#include <cstdlib>
#include <new>
#include <set>

#include <gmock/gmock.h>

#include "api/route_map.h"
#include "api/test_api.h"

namespace {

thread_local std::size_t allocations = 0;
thread_local std::size_t failing = 0; // the number of the one that fails; 0: none

} // namespace

// Replace those of the whole program; what OpenSSL takes is its own. Not inlined: where only one
// half of a pair is, GCC 12 sees free() of what some operator new gave.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return ++allocations == failing ? nullptr : std::malloc(size);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (void* memory = operator new(size, std::nothrow)) {
        return memory;
    }
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace claviger {
namespace {

class AllocationsTest : public testing::ApiFixture {
protected:
    HttpRequest token_request() const {
        HttpRequest request = make(HttpMethod::post, "/api/v1/token");
        request.content_type = "application/json";
        request.body = R"({"grantType":"client_credentials","clientId":"ci-runner-of-research",)"
                       R"("clientSecret":")" +
                       std::string(account_->client_secret.reveal()) + "\"}";
        return request;
    }

    /// For one request, once the caches are warm.
    std::size_t allocations_for(const HttpRequest& request) {
        EXPECT_EQ(dispatcher.serve(request).status, 200);
        std::size_t count = 0;
        for (int i = 0; i < 3; ++i) {
            const std::size_t before = allocations;
            static_cast<void>(dispatcher.plan(request.method, request.path));
            static_cast<void>(dispatcher.runs_on(request));
            const HttpResponse response = dispatcher.serve(request);
            count = allocations - before;
        }
        return count;
    }

    Result<NewServiceAccount> account_ =
        world.accounts.create(world.admin(), "ci-runner-of-research");
};

TEST_F(AllocationsTest, OfATokenRequest) {
    EXPECT_LE(allocations_for(token_request()), 8U);
}

TEST_F(AllocationsTest, OfADecision) {
    const Caller admin = world.admin();
    const TenantId tenant = world.state()->tenant.id;
    const auto cluster =
        world.units.create(admin, {ScopeType::cluster, tenant_scope(tenant), "cluster", "", "{}"});
    const auto department =
        world.units.create(admin, {ScopeType::department, cluster->id, "research", "", "{}"});
    const auto project =
        world.units.create(admin, {ScopeType::project, department->id, "vision", "", "{}"});
    ASSERT_TRUE(project.has_value());
    const Subject subject{SubjectType::service_account, account_->account.id.value.text()};
    ASSERT_TRUE(world.rules.create(world.admin(), {subject, {tenant, 1}, tenant_scope(tenant)}));
    const auto token = json::parse(dispatcher.serve(token_request()).body);
    HttpRequest request = make(HttpMethod::get, "/api/v1/org-unit/projects/" + project->id.value);
    request.authorization = "Bearer " + std::string(token.at("accessToken").as_string());
    EXPECT_LE(allocations_for(request), 8U);
}

class ForwardedAllocationsTest : public AllocationsTest {
protected:
    static MappedRoute route(std::string path, std::string_view type, Action action) {
        MappedRoute made;
        made.methods = {"GET"};
        made.path = std::move(path);
        made.permission = {find_resource_type(type).value(), action};
        return made;
    }

    static RouteMap build_map() {
        ProtectedApi api;
        api.name = "app";
        api.hosts = {"app.example"};
        api.realm = "runai";
        api.resource = "https://app.example";
        api.routes = {route("/open", "workloads", Action::read),
                      route("/closed", "settings", Action::update)};
        AddressList gateways;
        gateways.add("192.0.2.1/32");
        return RouteMap::build({api}, std::move(gateways)).value();
    }

    HttpRequest question(std::string_view uri, std::string authorization) {
        HttpRequest request = make(HttpMethod::get, "/forward-auth");
        request.peer_ip = "192.0.2.1";
        request.header_lines = "X-Forwarded-Method: GET\r\nX-Forwarded-Host: app.example\r\n"
                               "X-Forwarded-Uri: " +
                               std::string(uri) + "\r\n";
        request.authorization = std::move(authorization);
        return request;
    }

    /// The statuses of one question while the first, the second, ... allocation fails.
    std::set<int> statuses_of(const HttpRequest& request) {
        std::set<int> statuses;
        for (std::size_t n = 1; failing = 0, n < 10'000; ++n) {
            const std::size_t fails = allocations + n;
            failing = fails;
            const HttpResponse response = asked_.serve(request);
            failing = 0;
            statuses.insert(response.status);
            if (allocations < fails) {
                break;
            }
        }
        return statuses;
    }

    const RouteMap map_ = build_map();
    Dispatcher asked_ = [&] {
        Services with_map = services;
        with_map.route_map = &map_;
        return Dispatcher(all_routes(), with_map);
    }();
};

TEST_F(ForwardedAllocationsTest, ThatFailLetNothingPass) {
    const TenantId tenant = world.state()->tenant.id;
    const Subject subject{SubjectType::service_account, account_->account.id.value.text()};
    ASSERT_TRUE(world.rules.create(world.admin(), {subject, {tenant, 7}, tenant_scope(tenant)}));
    const auto token = json::parse(dispatcher.serve(token_request()).body);
    const std::string bearer = "Bearer " + std::string(token.at("accessToken").as_string());
    EXPECT_THAT(statuses_of(question("/closed", bearer)),
                ::testing::UnorderedElementsAre(403, 500));
    EXPECT_THAT(statuses_of(question("/closed", "")), ::testing::UnorderedElementsAre(401, 500));
    EXPECT_THAT(statuses_of(question("/closed", bearer + "x")),
                ::testing::UnorderedElementsAre(401, 500));
    EXPECT_THAT(statuses_of(question("/open", bearer)), ::testing::UnorderedElementsAre(200, 500));
}

} // namespace
} // namespace claviger
