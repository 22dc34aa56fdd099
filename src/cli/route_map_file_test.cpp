// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_file.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "cli/route_map_commands.h"
#include "store/samples.h"

namespace claviger {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view good = R"(gateways = ["10.0.0.0/8", "::1"]
[[api]]
name = "jobs"
hosts = ["jobs.example"]
tenant = "runai"
resource = "https://jobs.example"
unmapped = "allowed"
[[api.route]]
methods = ["GET", "DELETE"]
path = "/p/{projectId}"
permission = "workloads:read"
scope = {type = "project", path = "projectId"}
[[api.route]]
methods = ["GET"]
path = "/healthz"
access = "anyone"
)";

class RouteMapFileTest : public ::testing::Test {
protected:
    testing::TemporaryDirectory folder_;

    std::string write(std::string_view text) {
        const auto file = folder_.path() / "routes.toml";
        std::ofstream(file) << text;
        return file.string();
    }

    /// Without the folder's name.
    std::vector<std::string> problems(std::string_view text) {
        const auto map = read_route_map(write(text));
        std::vector<std::string> lines = map ? std::vector<std::string>() : map.error();
        for (std::string& line : lines) {
            line.erase(0, folder_.path().string().size() + 1);
        }
        return lines;
    }

    /// The good map with one text replaced.
    std::vector<std::string> problems_with(std::string_view from, std::string_view to) {
        std::string text(good);
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return problems(text.replace(at, from.size(), to));
    }

    std::pair<ExitCode, std::string> run(const std::string& command,
                                         std::map<std::string, std::string, std::less<>> more) {
        std::ostringstream out;
        std::ostringstream error;
        const ExitCode code = run_route_map_command(command, more, {out, error});
        return {code, out.str() + error.str()};
    }
};

TEST_F(RouteMapFileTest, AGoodMapIsRead) {
    const auto map = read_route_map(write(good));
    ASSERT_TRUE(map);
    ASSERT_EQ(map->apis().size(), 1U);
    const ProtectedApi& api = map->apis().front();
    EXPECT_EQ(api.realm, "runai");
    EXPECT_EQ(api.resource, "https://jobs.example");
    EXPECT_EQ(api.unmapped, Unmapped::allowed);
    ASSERT_EQ(api.routes.size(), 2U);
    EXPECT_EQ(text_of(api.routes[0].permission), "workloads:read");
    EXPECT_EQ(api.routes[0].scope.from, ScopeFrom::path);
    EXPECT_EQ(api.routes[0].scope.type, ScopeType::project);
    EXPECT_EQ(api.routes[0].line, 8U);
    EXPECT_EQ(api.routes[1].passed_by, PassedBy::anyone);
    EXPECT_TRUE(map->trusts("::1"));
}

TEST_F(RouteMapFileTest, MistakesAreNamedWithTheirLine) {
    EXPECT_THAT(problems_with("10.0.0.0/8", "10.0.0.0/40"),
                ElementsAre(HasSubstr("routes.toml:1: \"10.0.0.0/40\" is no network")));
    EXPECT_THAT(problems_with("hosts = [\"jobs.example\"]", "hosts = \"jobs.example\""),
                ElementsAre("routes.toml:4: hosts must be an array of texts"));
    EXPECT_THAT(problems_with("unmapped = \"allowed\"", "unmaped = \"allowed\""),
                ElementsAre("routes.toml:7: unknown key unmaped; did you mean \"unmapped\"?"));
    EXPECT_THAT(problems_with("\"allowed\"", "\"maybe\""),
                ElementsAre("routes.toml:7: unmapped must be one of denied, allowed"));
    EXPECT_THAT(problems_with("\"DELETE\"", "\"delete\""),
                ElementsAre(HasSubstr("routes.toml:8: \"delete\" is no method")));
    EXPECT_THAT(problems_with("workloads:read", "workloads:reed"),
                ElementsAre(HasSubstr("routes.toml:11: unknown permission workloads:reed")));
    EXPECT_THAT(problems_with("path = \"projectId\"}", "path = \"id\"}"),
                ElementsAre("routes.toml:8: the path /p/{projectId} has no parameter {id}"));
    EXPECT_THAT(problems_with("type = \"project\"", "type = \"tenant\""),
                ElementsAre("routes.toml:12: type must be one of cluster, department, project"));
    EXPECT_THAT(problems_with(", path = \"projectId\"", ""),
                ElementsAre(HasSubstr("routes.toml:12: a scope needs one of")));
    EXPECT_THAT(problems_with("access = \"anyone\"", "access = \"anyone\"\nscope = \"tenant\""),
                ElementsAre("routes.toml:17: scope has no meaning beside this access"));
    EXPECT_THAT(problems_with("resource = \"https://jobs.example\"", "resource = \"jobs\""),
                ElementsAre(HasSubstr("routes.toml:6: resource must be an absolute URI")));
}

TEST_F(RouteMapFileTest, ResourceTypesAreAddedBeforeRoutesNameThem) {
    const std::string types = "[[resource_type]]\nname = \"map-test-invoices\"\n";
    const std::string text = std::string(good) + types;
    EXPECT_THAT(problems(text), ElementsAre());
    const auto type = find_resource_type("map-test-invoices");
    ASSERT_TRUE(type);
    EXPECT_TRUE(entry_of(*type).is_custom);
    EXPECT_EQ(entry_of(*type).display_name, "map-test-invoices");
    EXPECT_THAT(problems(text + "display_name = \"Invoices\"\n"), ElementsAre()) << "read again";
    EXPECT_EQ(find_resource_type("map-test-invoices"), type);
    EXPECT_EQ(entry_of(*type).display_name, "Invoices");
    EXPECT_TRUE(find_permission("map-test-invoices:custom"));

    EXPECT_THAT(problems(text + types), ElementsAre(HasSubstr("two resource types are named")));
    for (const char* name : {"project", "Invoices", "in voices", "a:b", "1st", "a/b"}) {
        EXPECT_THAT(problems(std::string(good) + "[[resource_type]]\nname = \"" + name + "\"\n"),
                    ElementsAre(HasSubstr("cannot be added")))
            << name;
        EXPECT_TRUE(name == std::string("project") || !find_resource_type(name));
    }
    EXPECT_THAT(problems(std::string(good) + "[[resource_type]]\ntitle = \"x\"\n"),
                ElementsAre(HasSubstr("name is missing"), HasSubstr("unknown key title")));
}

TEST_F(RouteMapFileTest, AScopeMayStandInABodyOrBeNamed) {
    const auto scope_of = [&](const std::string& scope) {
        std::string text(good);
        const std::string old = "path = \"projectId\"}";
        const auto map = read_route_map(write(text.replace(text.find(old), old.size(), scope)));
        return map ? map->apis().front().routes.front().scope : ScopeSource();
    };
    EXPECT_EQ(scope_of("body = \"/spec/project\"}").from, ScopeFrom::body);
    EXPECT_FALSE(scope_of("body = \"project\"}").is_named);
    const ScopeSource by_name = scope_of("path = \"projectId\", by = \"name\"}");
    EXPECT_EQ(by_name.from, ScopeFrom::path);
    EXPECT_TRUE(by_name.is_named);
    const ScopeSource named = scope_of("name = \"vision\"}");
    EXPECT_EQ(named.from, ScopeFrom::fixed);
    EXPECT_TRUE(named.is_named);
    EXPECT_THAT(problems_with("path = \"projectId\"}", "id = \"7\", by = \"name\"}"),
                ElementsAre(HasSubstr("by has no meaning beside id and name")));
    EXPECT_THAT(problems_with("path = \"projectId\"}", "path = \"projectId\", by = \"uid\"}"),
                ElementsAre(HasSubstr("by must be one of id, name")));
}

TEST_F(RouteMapFileTest, RoutesComeFromAnOpenApiDocument) {
    const auto document = [&](std::string_view text) {
        std::ofstream(folder_.path() / "api.json") << text;
        return problems_with("unmapped = \"allowed\"",
                             "openapi = \"api.json\"\nbase_path = \"/v2\"\n[api.tags.Jobs]\n"
                             "resource_type = \"jobs\"\nscope = \"tenant\"");
    };
    EXPECT_THAT(document(R"({"paths":{"/jobs":{"get":{"tags":["Jobs"]},"summary":"x"},
                              "/no":{"get":{}},
                              "/open":{"put":{"x-claviger":{"access":"anyone"}}}}})"),
                ElementsAre());
    const auto map = read_route_map(folder_.path() / "routes.toml");
    ASSERT_TRUE(map);
    const ProtectedApi& api = map->apis().front();
    ASSERT_EQ(api.routes.size(), 4U);
    const auto found = match(api, "GET", "/v2/jobs");
    ASSERT_TRUE(found);
    EXPECT_EQ(text_of(found->route->permission), "jobs:read");
    EXPECT_EQ(found->route->line, 7U) << "where the document is named";
    EXPECT_FALSE(match(api, "GET", "/v2/no"));
    EXPECT_EQ(match(api, "PUT", "/v2/open")->route->passed_by, PassedBy::anyone);

    EXPECT_THAT(document("{"), ElementsAre(HasSubstr("routes.toml:7: api.json cannot be read")));
    EXPECT_THAT(document("{}"), ElementsAre(HasSubstr("api.json has no paths")));
    EXPECT_THAT(document(R"({"paths":{"/a":{"get":{"x-claviger":{"permission":"jobs:reed",
                              "scope":"tenant"}}}}})"),
                Contains(HasSubstr("api.json: GET /a: unknown permission jobs:reed")));
    EXPECT_THAT(document(R"({"paths":{"/a":{"get":{"x-claviger":{"permission":"jobs:read"}}}}})"),
                Contains(HasSubstr("api.json: GET /a: scope is missing")));
    EXPECT_THAT(document(R"({"paths":{"/a":{"get":{"x-claviger":7}}}})"),
                Contains(HasSubstr("x-claviger must be an object")));
    EXPECT_THAT(document(R"({"paths":{"/a":{"get":{"tags":["jobs"]}}}})"),
                ElementsAre(HasSubstr("api.json maps nothing"),
                            HasSubstr("no operation of api.json needs the tag Jobs")));
    EXPECT_THAT(problems_with("unmapped", "base_path = \"/v2\"\nunmapped"),
                ElementsAre(HasSubstr("base_path has no meaning without openapi")));
    EXPECT_THAT(problems_with("unmapped = \"allowed\"", "openapi = \"none.json\""),
                ElementsAre(HasSubstr("none.json cannot be read")));
}

TEST_F(RouteMapFileTest, EmptyAndBrokenFilesAreNoMaps) {
    EXPECT_THAT(problems(""),
                ElementsAre(HasSubstr("gateways is missing"), HasSubstr("there is no [[api]]")));
    EXPECT_THAT(problems("gateways = ["), ElementsAre(HasSubstr("routes.toml:1: ")));
    EXPECT_FALSE(read_route_map(folder_.path() / "missing.toml"));
    EXPECT_FALSE(read_route_map(folder_.path()));
}

TEST_F(RouteMapFileTest, CommandsCheckAndTest) {
    const std::string file = write(good);
    EXPECT_EQ(run("routes check", {{"file", file}}),
              std::pair(ExitCode::ok,
                        std::string("The route map is good: APIs 1, routes 2.\n"
                                    "Some of its gateways are on other machines: the server will "
                                    "want gateway-secret.\n")));
    std::string here(good);
    here.replace(here.find("10.0.0.0/8"), 10, "127.0.0.1");
    EXPECT_EQ(run("routes check", {{"file", write(here)}}).second,
              "The route map is good: APIs 1, routes 2.\n");
    write(good);
    const auto test = [&](std::string method, std::string url) {
        return run("routes test", {{"file", file}, {"method", method}, {"url", url}});
    };
    EXPECT_THAT(test("GET", "https://jobs.example/p/7").second,
                HasSubstr("projectId = 7\nneeds  workloads:read at the project in the path"));
    EXPECT_THAT(test("GET", "/elsewhere").second, HasSubstr("what is not mapped is allowed here"));
    EXPECT_THAT(test("POST", "/healthz").second, HasSubstr("refused")) << "only GET is mapped";
    EXPECT_EQ(test("GET", "jobs.example/p/7").first, ExitCode::usage);
    EXPECT_EQ(test("GET", "https://other.example/p/7").first, ExitCode::failed);
    EXPECT_EQ(test("GET", "/p/../q").first, ExitCode::failed);
    EXPECT_EQ(run("routes check", {{"file", write("x = 1")}}).first, ExitCode::usage);
}

} // namespace
} // namespace claviger
