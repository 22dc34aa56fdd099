// SPDX-License-Identifier: Apache-2.0
// What `claviger can` and `claviger who-can` send, print and end with.
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/api_command.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ApiResult<ApiCall> call_of(std::string_view words, const ArgumentValues& values) {
    return make_call(*find_api_command(words), values,
                     [](std::string_view) -> ApiResult<Key> { return Key{}; });
}

boost::json::value sent(std::string_view words, const ArgumentValues& values) {
    const auto call = call_of(words, values);
    return call ? boost::json::parse(call->body.reveal()) : boost::json::value(call.error().line);
}

std::string printed(std::string_view words, std::string_view answer) {
    std::ostringstream out;
    find_api_command(words)->print(out, boost::json::parse(answer));
    return out.str();
}

ApiResult<ExitCode> judged(std::string_view answer) {
    return find_api_command("can")->judge(boost::json::parse(answer));
}

TEST(CanTest, SendsTheQuestionOfAnEvaluation) {
    EXPECT_EQ(sent("can", {{"SUBJECT", "ci"},
                           {"ACTION", "read"},
                           {"RESOURCE", "workspaces"},
                           {"at", "project/3"},
                           {"explain", "true"}}),
              boost::json::parse(R"({"subject":{"type":"service-account","id":"ci"},
                  "action":{"name":"read"},"explain":true,"resource":{"type":"workspaces",
                  "id":"3","properties":{"scopeType":"project"}}})"));
    EXPECT_EQ(sent("can", {{"SUBJECT", "me"}, {"ACTION", "read"}, {"RESOURCE", "roles"}}),
              boost::json::parse(R"({"subject":{"type":"caller","id":"me"},"explain":false,
                  "action":{"name":"read"},"resource":{"type":"roles"}})"));
}

TEST(CanTest, KindsOfSubjectsAreSpelledOutOrTold) {
    const auto subject = [](const char* text) {
        const auto body = sent("can", {{"SUBJECT", text}});
        return std::string(body.at("subject").at("type").as_string()) + " " +
               std::string(body.at("subject").at("id").as_string());
    };
    EXPECT_EQ(subject("a@b.example"), "user a@b.example");
    EXPECT_EQ(subject("group:a@b"), "group a@b");
    EXPECT_EQ(subject("service-account:me"), "service-account me");
    EXPECT_EQ(subject("users"), "service-account users");
}

TEST(CanTest, ATreesOwnResourceIsNamedByItself) {
    const auto resource = [](const ArgumentValues& values) {
        return boost::json::value(sent("can", values).at("resource"));
    };
    EXPECT_EQ(
        resource({{"RESOURCE", "project/3"}}),
        boost::json::parse(R"({"type":"project","id":"3","properties":{"scopeType":"project"}})"));
    EXPECT_EQ(resource({{"RESOURCE", "project"}, {"at", "3"}}),
              boost::json::parse(R"({"type":"project","id":"3"})"));
    EXPECT_EQ(call_of("can", {{"RESOURCE", "project/3"}, {"at", "3"}}).error().code,
              ExitCode::usage);
}

TEST(CanTest, EndsAsTheDecisionSays) {
    EXPECT_EQ(judged(R"({"decision":true,"context":{}})"), ExitCode::ok);
    EXPECT_EQ(judged(R"({"decision":false,"context":{"reason":"no rule"}})"), ExitCode::failed);
    EXPECT_EQ(judged(R"({"decision":false,"context":{"error":{"status":403,"message":"no"}}})")
                  .error()
                  .code,
              ExitCode::denied);
    EXPECT_EQ(judged("[]").error().code, ExitCode::failed);
}

TEST(CanTest, PrintsTheRuleAndTheWayDown) {
    const std::string text = printed("can", R"({"decision":true,"context":{"rule":12},
        "explanation":{"permission":"project:read","scope":{"scopeType":"project","scopeId":"3"},
        "rule":{"id":12,"subjectType":"group","subjectId":"sta\u001bff","roleId":7,
        "roleName":"Viewer","scope":{"scopeType":"department","scopeId":"2","path":"a/b"}},
        "inheritance":[{"scopeType":"department","scopeId":"2","path":"a/b"},
        {"scopeType":"project","scopeId":"3"}]}})");
    for (const char* part :
         {"allowed\n", "permission  project:read\n", "asked at    project 3\n",
          "rule        12, which gives Viewer (7) to group sta?ff at department 2 (a/b)\n",
          "inherited   department 2 (a/b) > project 3\n"}) {
        EXPECT_THAT(text, HasSubstr(part));
    }
}

TEST(CanTest, PrintsWhatIsMissingAndWhatWouldDo) {
    const std::string text = printed("can", R"({"decision":false,"context":{"reason":"no rule"},
        "explanation":{"permission":"project:read","missingPermission":"project:read",
        "limit":"beyond the key's ceiling","scope":{"scopeType":"project","scopeId":"3"},
        "heldThere":[],"heldAt":[{"scopeType":"cluster","scopeId":"c"}],
        "smallestGrants":[{"roleId":7,"roleName":"Viewer","scopeType":"project","scopeId":"3",
        "alsoAllowsCount":0,"alsoAllows":[]}]}})");
    for (const char* part :
         {"denied: no rule\n", "missing   project:read\n", "held at   cluster c\n",
          "limit     beyond the key's ceiling: no access rule helps\n",
          "  Viewer (7) at project 3; it allows nothing else\n"}) {
        EXPECT_THAT(text, HasSubstr(part));
    }
    EXPECT_THAT(text, Not(HasSubstr("held there")));
    EXPECT_THAT(text, Not(HasSubstr("permission ")));
    EXPECT_EQ(printed("can", "[]"), "denied: -\n");
}

TEST(WhoCanTest, SendsAPageAndPrintsIt) {
    EXPECT_EQ(
        sent("who-can",
             {{"ACTION", "read"}, {"RESOURCE", "jobs"}, {"at", "department/2"}, {"limit", "1"}}),
        boost::json::parse(R"({"action":{"name":"read"},"limit":1,"resource":{"type":"jobs",
                  "id":"2","properties":{"scopeType":"department"}}})"));
    EXPECT_EQ(call_of("who-can", {{"offset", "x"}}).error().code, ExitCode::usage);
    const std::string text = printed("who-can", R"({"subjects":[{"type":"user","id":"a@b.example",
        "rule":{"id":4,"roleName":"Viewer","scope":{"scopeType":"tenant","scopeId":"1"}}}],
        "total":2})");
    EXPECT_THAT(text, HasSubstr("KIND  NAME         RULE  ROLE    AT\n"));
    EXPECT_THAT(text, HasSubstr("user  a@b.example  4     Viewer  tenant 1\n"));
    EXPECT_THAT(text, HasSubstr("1 of 2; "));
    EXPECT_EQ(printed("who-can", R"({"subjects":[],"total":0})"), "Nobody may.\n");
}

} // namespace
} // namespace claviger
