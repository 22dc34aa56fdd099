// SPDX-License-Identifier: Apache-2.0
// The paths that are asked most often allocate little: a number that grew here grew unnoticed.
#include <atomic>
#include <cstdlib>
#include <new>

#include "api/test_api.h"

namespace {

thread_local std::size_t allocations = 0;

} // namespace

// Replace those of the whole program; what OpenSSL takes is its own. Not inlined: where only one
// half of a pair is, GCC 12 sees free() of what some operator new gave.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
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

} // namespace
} // namespace claviger
