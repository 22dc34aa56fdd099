// SPDX-License-Identifier: Apache-2.0
#include "api/route_map.h"

#include <gmock/gmock.h>

namespace claviger {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

MappedRoute route(std::vector<std::string> methods, std::string path) {
    MappedRoute made;
    made.methods = std::move(methods);
    made.path = std::move(path);
    made.passed_by = PassedBy::authenticated;
    return made;
}

ProtectedApi api(std::string name, std::vector<std::string> hosts,
                 std::vector<MappedRoute> routes) {
    ProtectedApi made;
    made.name = std::move(name);
    made.hosts = std::move(hosts);
    made.routes = std::move(routes);
    return made;
}

std::vector<std::string> problems(std::vector<ProtectedApi> apis) {
    const auto map = RouteMap::build(std::move(apis), AddressList());
    std::vector<std::string> texts;
    if (!map) {
        for (const MapProblem& problem : map.error()) {
            texts.push_back(problem.text);
        }
    }
    return texts;
}

std::string matched(const ProtectedApi& of, std::string_view method, std::string_view path) {
    const auto found = match(of, method, path);
    return found ? found->route->path : "none";
}

TEST(RouteMapTest, ARequestIsMatchedByMethodAndPath) {
    const ProtectedApi made =
        api("a", {"a.example"},
            {route({"GET"}, "/"), route({"GET", "POST"}, "/p/{id}"), route({"GET"}, "/p/{id}/w")});
    EXPECT_EQ(matched(made, "GET", "/"), "/");
    EXPECT_EQ(matched(made, "POST", "/p/7"), "/p/{id}");
    EXPECT_EQ(matched(made, "GET", "/p/7/w"), "/p/{id}/w");
    for (const char* path : {"/p", "/p/7/", "/p/7/x", "/P/7", "/p//w", "/px/7"}) {
        EXPECT_EQ(matched(made, "GET", path), "none") << path;
    }
    EXPECT_EQ(matched(made, "DELETE", "/p/7"), "none");
    EXPECT_EQ(matched(made, "get", "/p/7"), "none");
}

TEST(RouteMapTest, ParametersAreDecoded) {
    const ProtectedApi made = api("a", {}, {route({"GET"}, "/p/{id}/w/{name}")});
    EXPECT_THAT(match(made, "GET", "/p/7/w/a%20b")->parameters,
                ElementsAre(Pair("id", "7"), Pair("name", "a b")));
}

TEST(RouteMapTest, WhatSaysMoreEarlierDecidesAlone) {
    const ProtectedApi made = api("a", {},
                                  {route({"GET"}, "/{x}/b"), route({"GET"}, "/a/{y}"),
                                   route({"GET", "DELETE"}, "/{x}/{y}"), route({"POST"}, "/a/b")});
    EXPECT_EQ(matched(made, "POST", "/a/b"), "/a/b");
    EXPECT_EQ(matched(made, "DELETE", "/a/b"), "none") << "not by the one that says less";
    EXPECT_EQ(matched(made, "GET", "/a/c"), "/a/{y}");
    EXPECT_EQ(matched(made, "GET", "/c/b"), "/{x}/b");
    EXPECT_EQ(matched(made, "DELETE", "/c/d"), "/{x}/{y}");
    EXPECT_TRUE(has_path(made, "/a/b"));
    EXPECT_FALSE(has_path(made, "/a"));
}

TEST(RouteMapTest, ApisAreFoundByHostAndName) {
    std::vector<ProtectedApi> apis;
    apis.push_back(api("a", {"a.example", "a2.example"}, {}));
    apis.push_back(api("b", {"b.example"}, {}));
    AddressList gateways;
    ASSERT_TRUE(gateways.add("10.0.0.0/8"));
    const auto map = RouteMap::build(std::move(apis), gateways);
    ASSERT_TRUE(map);
    EXPECT_EQ(map->find_api("a2.example")->name, "a");
    EXPECT_EQ(map->find_api("c.example"), nullptr);
    EXPECT_EQ(map->find_api_named("b")->hosts.front(), "b.example");
    EXPECT_EQ(map->find_api_named("c"), nullptr);
    EXPECT_TRUE(map->trusts("10.1.2.3"));
    EXPECT_FALSE(map->trusts("11.1.2.3"));
}

TEST(RouteMapTest, ContradictionsAreNamed) {
    EXPECT_THAT(problems({api("a", {"x"}, {}), api("a", {"x"}, {})}),
                ElementsAre("two APIs are named a", "two APIs have the host x"));
    EXPECT_THAT(problems({api("a", {"X:80"}, {})}),
                ElementsAre("\"X:80\" is no host name in lower case, without a port"));
    EXPECT_THAT(
        problems({api("a", {}, {route({"GET"}, "/p/{x}"), route({"POST", "GET"}, "/p/{y}")})}),
        ElementsAre("GET /p/{y} is mapped twice: also in line 0"));
    MappedRoute lost = route({"GET"}, "/p/{x}");
    lost.scope = {ScopeFrom::path, ScopeType::project, "y"};
    EXPECT_THAT(problems({api("a", {}, {lost})}),
                ElementsAre("the path /p/{x} has no parameter {y}"));
    for (const char* path : {"p", "/a//b", "/a/../b", "/%61", "/a;b", "/a?b", "/a/"}) {
        EXPECT_THAT(problems({api("a", {}, {route({"GET"}, path)})}),
                    ElementsAre("the path " + std::string(path) +
                                " is not canonical: no request could have it"));
    }
    for (const char* path : {"/{x}.pdf", "/a{x}", "/{}", "/a}b", "/{x}/{y}{z}"}) {
        EXPECT_THAT(problems({api("a", {}, {route({"GET"}, path)})}),
                    ElementsAre("the path " + std::string(path) +
                                " has a parameter that is not a whole segment, such as /{name}"));
    }
}

} // namespace
} // namespace claviger
