// SPDX-License-Identifier: Apache-2.0
// What `claviger why` prints of an answer.
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/api_command.h"

namespace claviger {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string printed(std::string_view answer) {
    std::ostringstream out;
    find_api_command("why")->print(out, boost::json::parse(answer));
    return out.str();
}

TEST(WhyTest, AsksForOneRequest) {
    const ApiCommand* command = find_api_command("why");
    ASSERT_NE(command, nullptr);
    const auto call = make_call(*command, {{"REQUEST-ID", "a/../b"}},
                                [](std::string_view) -> ApiResult<Key> { return Key{}; });
    ASSERT_TRUE(call);
    EXPECT_EQ(call->path, "/api/v1/diagnoses/a%2F..%2Fb");
}

TEST(WhyTest, PrintsTheReasonAndTheSmallestRules) {
    const std::string text = printed(
        R"({"operation":"GET /api/v1/clusters/{clusterUuid}","status":403,"at":"2026-11-24",
            "sourceIp":"192.0.2.7","subject":{"type":"service-account","name":"ci"},
            "reason":"permission-missing","message":"It does not hold it.","hint":"Make a rule.",
            "heldThere":["cluster:read"],"heldAt":[{"scopeType":"cluster","scopeId":"7",
            "path":"acme/b"}],"isPermittedNow":true,"smallestGrants":[
            {"roleId":7,"roleName":"Viewer","alsoAllowsCount":0,"alsoAllows":[]},
            {"roleId":3,"roleName":"Editor","scopeType":"project","scopeId":"4",
             "alsoAllowsCount":9,"alsoAllows":["a","b","c","d","e","f","g","h","i"]}]})");
    for (const char* part :
         {"GET /api/v1/clusters/{clusterUuid}, answered with 403\n", "service-account ci\n",
          "why         It does not hold it.\n", "what helps  Make a rule.\n",
          "held there  cluster:read\n", "held at     cluster 7 (acme/b)\n",
          "by now      access rules permit it\n",
          "  Viewer (7) at any scope; it allows nothing else\n",
          "  Editor (3) at project 4; it also allows 9: a, b, c, d, e, f, g, h, ...\n"}) {
        EXPECT_THAT(text, HasSubstr(part));
    }
}

TEST(WhyTest, PrintsWhatIsThereAndNothingThatATerminalObeys) {
    const std::string text =
        printed(R"({"subject":{"name":"x\u001b[2J"},"reason":"unknown-client","message":"m"})");
    EXPECT_THAT(text, HasSubstr(", which nobody is"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("smallest")));
    EXPECT_THAT(printed("[]"), Not(HasSubstr("by ")));
}

} // namespace
} // namespace claviger
