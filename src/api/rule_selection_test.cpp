// SPDX-License-Identifier: Apache-2.0
// The list of access rules takes short cuts. Whatever is asked, it must show what looking at every
// rule as the API shows it would.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

#include "api/test_api.h"

namespace claviger {
namespace {

using testing::AdminFixture;

class RuleSelectionTest : public AdminFixture {
protected:
    static constexpr std::string_view rules_path = "/api/v1/authorization/access-rules";
    std::mt19937 random_{7};
    std::vector<json::object> all_; // by their ids, deleted ones last

    template <class Value>
    const Value& any_of(const std::vector<Value>& values) {
        return values[random_() % values.size()];
    }

    json::value get(std::string_view path, std::string query) {
        HttpRequest request = make(HttpMethod::get, std::string(path));
        request.query = std::move(query);
        request.authorization = "Bearer " + admin_token;
        const HttpResponse response = dispatcher.serve(request);
        EXPECT_EQ(response.status, 200) << request.query << response.body;
        return json::parse(response.body);
    }

    std::int64_t add(std::string_view subject_type, std::string_view subject, int role,
                     std::string_view scope_type, const std::string& scope) {
        const json::object body{{"subjectType", subject_type},
                                {"subjectId", subject},
                                {"roleId", role},
                                {"scopeType", scope_type},
                                {"scopeId", scope}};
        const HttpResponse response =
            as_admin(HttpMethod::post, std::string(rules_path), json::serialize(body));
        EXPECT_EQ(response.status, 201) << response.body;
        return response.status == 201 ? json::parse(response.body).at("id").as_int64() : 0;
    }

    void SetUp() override {
        AdminFixture::SetUp();
        const std::vector<std::pair<std::string_view, std::string>> subjects{
            {"user", "ann@example.com"},
            {"user", "Bob@example.com"},
            {"group", "ann@example.com"},
            {"group", "builders"},
            {"service-account", "robot"}};
        ASSERT_EQ(
            as_admin(HttpMethod::post, "/api/v1/service-accounts", R"({"name":"robot"})").status,
            201);
        const TenantId tenant = world.state()->tenant.id;
        const auto unit = [&](ScopeType type, const ScopeId& parent, const char* name) {
            return world.units.create(world.admin(), {type, parent, name, "", "{}"})->id;
        };
        const ScopeId cluster = unit(ScopeType::cluster, tenant_scope(tenant), "west");
        const ScopeId department = unit(ScopeType::department, cluster, "research");
        const std::vector<std::pair<std::string_view, std::string>> scopes{
            {"tenant", tenant_scope(tenant).value},
            {"cluster", cluster.value},
            {"project", unit(ScopeType::project, department, "vision").value},
            {"project", unit(ScopeType::project, department, "building").value}};
        std::vector<std::int64_t> made;
        for (const auto& [type, subject] : subjects) {
            for (const auto& [scope_type, scope] : scopes) {
                for (const int role : {7, 13, 3}) {
                    made.push_back(add(type, subject, role, scope_type, scope));
                    world.clock.advance_seconds(1);
                }
            }
        }
        for (std::size_t i = 0; i < made.size(); i += 4) {
            ASSERT_EQ(as_admin(HttpMethod::remove,
                               std::string(rules_path) + "/" + std::to_string(made[i]))
                          .status,
                      204);
        }
        const json::value page = get(rules_path, "limit=500&includeDeleted=true");
        for (const json::value& rule : page.at("accessRules").as_array()) {
            all_.push_back(rule.as_object());
        }
        ASSERT_GT(all_.size(), made.size() / 2);
    }

    std::string member(const json::object& rule, std::string_view name) const {
        if (name == "phase") {
            return std::string(rule.at("status").at("phase").as_string());
        }
        const json::value& value = rule.at(name);
        return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    }
    static bool contains(std::string text, std::string part) {
        return ascii_lower(text).find(ascii_lower(part)) != std::string::npos;
    }
};

TEST_F(RuleSelectionTest, ShowsWhatLookingAtEachRuleWould) {
    const std::vector<std::string> texts{"subjectId", "roleName",  "scopeName", "scopeId",
                                         "scopeType", "createdBy", "phase",     "subjectType"};
    const std::vector<std::string> sorts{"", "createdAt", "roleId", "subjectId", "scopeName"};
    for (int round = 0; round < 300; ++round) {
        std::string query = "x=1";
        std::vector<std::function<bool(const json::object&)>> wanted;
        const auto want = [&](const std::string& text, auto condition) {
            query += text;
            wanted.emplace_back(condition);
        };
        const json::object& model = any_of(all_);
        if (random_() % 3 == 0) {
            const std::string name = any_of(texts);
            const std::string value = member(model, name);
            want("&filterBy=" + name + "%3D%3D" + value,
                 [=, this](const json::object& rule) { return member(rule, name) == value; });
        }
        if (random_() % 3 == 0) {
            const std::string name = any_of(texts);
            const std::string value = member(model, name).substr(1, 3);
            if (!value.empty()) {
                want("&filterBy=" + name + "%3D%40" + value, [=, this](const json::object& rule) {
                    return contains(member(rule, name), value);
                });
            }
        }
        if (random_() % 4 == 0) {
            const std::string part = member(model, "subjectId").substr(0, 4);
            want("&search=" + part, [=, this](const json::object& rule) {
                return contains(member(rule, "subjectId"), part) ||
                       contains(member(rule, "roleName"), part) ||
                       contains(member(rule, "scopeName"), part);
            });
        }
        for (const char* name : {"roleId", "scopeId", "scopeType", "subjectType"}) {
            if (random_() % 5 == 0) {
                const std::string value = member(model, name);
                want(std::string("&") + name + "=" + value,
                     [=, this](const json::object& rule) { return member(rule, name) == value; });
            }
        }
        if (random_() % 3 == 0) {
            const std::string one = member(model, "subjectId");
            const std::string two = member(any_of(all_), "subjectId");
            want("&subjectIds=" + one + "&subjectIds=" + two, [=, this](const json::object& rule) {
                return member(rule, "subjectId") == one || member(rule, "subjectId") == two;
            });
        }
        const bool with_deleted = random_() % 2 == 0;
        std::vector<json::object> expected;
        for (const json::object& rule : all_) {
            const bool fits =
                std::ranges::all_of(wanted, [&](const auto& condition) { return condition(rule); });
            if (fits && (with_deleted || rule.at("deletedAt").is_null())) {
                expected.push_back(rule);
            }
        }
        const std::string sort = any_of(sorts);
        const bool down = random_() % 2 == 0;
        std::ranges::stable_sort(expected, {},
                                 [](const json::object& rule) { return rule.at("id").as_int64(); });
        if (sort.empty() && down) {
            std::ranges::reverse(expected);
        } else if (!sort.empty()) {
            const auto key = [&](const json::object& rule) {
                return sort == "roleId" ? std::pair(rule.at("roleId").as_int64(), std::string())
                                        : std::pair(std::int64_t{0}, member(rule, sort));
            };
            std::ranges::stable_sort(expected, [&](const auto& a, const auto& b) {
                return down ? key(b) < key(a) : key(a) < key(b);
            });
        }
        query += with_deleted ? "&includeDeleted=true" : "";
        query += sort.empty() ? "" : "&sortBy=" + sort;
        query += down ? "&sortOrder=desc" : "";
        const std::size_t offset = random_() % 6;
        query += "&limit=7&offset=" + std::to_string(offset);
        const json::value answer = get(rules_path, query);
        EXPECT_EQ(answer.at("totalRecords").as_int64(), static_cast<std::int64_t>(expected.size()))
            << query;
        std::vector<std::int64_t> ids, shown;
        for (std::size_t i = offset; i < std::min(offset + 7, expected.size()); ++i) {
            ids.push_back(expected[i].at("id").as_int64());
        }
        for (const json::value& rule : answer.at("accessRules").as_array()) {
            shown.push_back(rule.at("id").as_int64());
        }
        EXPECT_EQ(shown, ids) << query;
    }
}

} // namespace
} // namespace claviger
