// SPDX-License-Identifier: Apache-2.0
// The whole API over stores in memory, for tests.
#pragma once

#include <gtest/gtest.h>

#include "api/dispatch.h"
#include "api/resources.h"
#include "auth/test_world.h"

namespace claviger::testing {

class ApiFixture : public ::testing::Test {
protected:
    World world;
    Services services{world.store,
                      world.events,
                      world.directory,
                      world.grants,
                      world.verifier,
                      world.accounts,
                      world.keys,
                      world.secrets,
                      world.leaked_secrets,
                      world.users,
                      world.rules,
                      world.units,
                      world.roles,
                      world.identity_providers,
                      world.security_settings,
                      world.revocations,
                      world.last_logins,
                      world.usage,
                      world.settings,
                      world.clock,
                      world.random,
                      world.log,
                      world.diagnoses};
    Dispatcher dispatcher{all_routes(), services};

    static HttpRequest make(HttpMethod method, std::string path, std::string body = {}) {
        HttpRequest request;
        request.method = method;
        request.path = std::move(path);
        request.host = "127.0.0.1";
        request.source_ip = "192.0.2.1";
        request.request_id = "11111111-2222-4333-8444-555555555555";
        request.body = std::move(body);
        return request;
    }
};

/// With a token of the administrator.
class AdminFixture : public ApiFixture {
protected:
    std::string admin_token;

    void SetUp() override {
        HttpRequest request = make(HttpMethod::post, "/api/v1/token");
        request.body = R"({"grantType":"password","username":")" + std::string(admin_email) +
                       R"(","password":")" + admin_password + R"("})";
        const json::value answer = json::parse(dispatcher.serve(request).body);
        admin_token = answer.at("accessToken").as_string();
    }

    HttpResponse as_admin(HttpMethod method, std::string path, std::string body = {}) {
        HttpRequest request = make(method, std::move(path), std::move(body));
        request.authorization = "Bearer " + admin_token;
        return dispatcher.serve(request);
    }
};

} // namespace claviger::testing
