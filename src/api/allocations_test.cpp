// SPDX-License-Identifier: Apache-2.0
// The paths that are asked most often allocate little: a number that grew here grew unnoticed.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "api/dispatch.h"
#include "api/resources.h"
#include "auth/test_world.h"

namespace {

thread_local std::size_t allocations = 0;

} // namespace

// Replace those of the whole program; what OpenSSL takes is its own.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace claviger {
namespace {

using testing::World;

class AllocationsTest : public ::testing::Test {
protected:
    static HttpRequest make(HttpMethod method, std::string path) {
        HttpRequest request;
        request.method = method;
        request.path = std::move(path);
        request.host = "127.0.0.1";
        request.source_ip = "192.0.2.1";
        request.request_id = "11111111-2222-4333-8444-555555555555";
        return request;
    }

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
        EXPECT_EQ(dispatcher_.serve(request).status, 200);
        std::size_t count = 0;
        for (int i = 0; i < 3; ++i) {
            const std::size_t before = allocations;
            static_cast<void>(dispatcher_.plan(request.method, request.path));
            static_cast<void>(dispatcher_.runs_on(request));
            const HttpResponse response = dispatcher_.serve(request);
            count = allocations - before;
        }
        return count;
    }

    World world_;
    Dispatcher dispatcher_{all_routes(),
                           Services{world_.store, world_.directory, world_.grants, world_.verifier,
                                    world_.accounts, world_.rules, world_.units, world_.last_logins,
                                    world_.settings, world_.clock, world_.random, world_.log}};
    Result<NewServiceAccount> account_ =
        world_.accounts.create(world_.admin(), "ci-runner-of-research");
};

TEST_F(AllocationsTest, OfATokenRequest) {
    EXPECT_LE(allocations_for(token_request()), 8U);
}

TEST_F(AllocationsTest, OfADecision) {
    const Caller admin = world_.admin();
    const TenantId tenant = world_.state()->tenant.id;
    const auto cluster =
        world_.units.create(admin, {ScopeType::cluster, tenant_scope(tenant), "cluster", "", "{}"});
    const auto department =
        world_.units.create(admin, {ScopeType::department, cluster->id, "research", "", "{}"});
    const auto project =
        world_.units.create(admin, {ScopeType::project, department->id, "vision", "", "{}"});
    ASSERT_TRUE(project.has_value());
    const Subject subject{SubjectType::service_account, account_->account.id.value.text()};
    ASSERT_TRUE(world_.rules.create(world_.admin(), {subject, {tenant, 1}, tenant_scope(tenant)}));
    const auto token = json::parse(dispatcher_.serve(token_request()).body);
    HttpRequest request = make(HttpMethod::get, "/api/v1/org-unit/projects/" + project->id.value);
    request.authorization = "Bearer " + std::string(token.at("accessToken").as_string());
    EXPECT_LE(allocations_for(request), 8U);
}

} // namespace
} // namespace claviger
