// SPDX-License-Identifier: Apache-2.0
#include "cli/route_map_file.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "cli/route_map_commands.h"
#include "store/samples.h"

namespace claviger {
namespace {

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
              std::pair(ExitCode::ok, std::string("The route map is good: APIs 1, routes 2.\n")));
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
