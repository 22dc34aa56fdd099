// SPDX-License-Identifier: Apache-2.0
#include "cli/api_command.h"

#include <array>
#include <set>
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/api_output.h"
#include "cli/command_line.h"
#include "cli/surroundings.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ApiResult<Key> find_one(std::string_view text) {
    if (text != "ci-runner") {
        return std::unexpected(ApiFailure{ExitCode::not_found, "none"});
    }
    return Key{"service-accounts", "8d2b"};
}

const ApiCommand sample{
    .words = "sample",
    .help = "A command of this test",
    .method = HttpMethod::post,
    .path = "/api/v1/{key}/things/{thing}/{key.id}",
    .arguments = {{.spelling = "KEY",
                   .field = "key",
                   .help = "",
                   .kind = ArgumentKind::key,
                   .sent_in = SentIn::path},
                  {.spelling = "THING", .field = "thing", .help = "", .sent_in = SentIn::path},
                  {.spelling = "--days", .field = "days", .help = "", .kind = ArgumentKind::number},
                  {.spelling = "--note", .field = "note", .help = ""},
                  {.spelling = "--force",
                   .field = "isForced",
                   .help = "",
                   .kind = ArgumentKind::flag,
                   .sent_in = SentIn::body},
                  {.spelling = "--only",
                   .field = "permissions",
                   .help = "",
                   .kind = ArgumentKind::list,
                   .sent_in = SentIn::body},
                  {.spelling = "--secret",
                   .field = "secret",
                   .help = "",
                   .kind = ArgumentKind::secret_file,
                   .sent_in = SentIn::body},
                  {.spelling = "--of",
                   .field = "keyId",
                   .help = "",
                   .kind = ArgumentKind::key,
                   .sent_in = SentIn::body}},
    .fixed_members = R"("type":"key")",
};

TEST(ApiCommandTest, PathQueryAndBodyFollowFromTheDeclaration) {
    const TemporaryDirectory folder;
    const std::string file = write_file(folder.path() / "secret", "two \"words\"\n");
    const auto call = make_call(sample,
                                {{"KEY", "ci-runner"},
                                 {"THING", "a/b?c d"},
                                 {"days", "30"},
                                 {"note", "x&y=z"},
                                 {"force", "true"},
                                 {"only", "a:read,b:read"},
                                 {"secret", file},
                                 {"of", "ci-runner"}},
                                find_one);
    ASSERT_TRUE(call) << call.error().line;
    EXPECT_EQ(call->path,
              "/api/v1/service-accounts/8d2b/things/a%2Fb%3Fc%20d/8d2b?days=30&note=x%26y%3Dz");
    EXPECT_EQ(call->content_type, "application/json");
    EXPECT_EQ(call->body.reveal(), R"({"type":"key","isForced":true,"permissions":["a:read",)"
                                   R"("b:read"],"secret":"two \"words\"","keyId":"8d2b"})");
}

TEST(ApiCommandTest, WhatIsNotGivenIsNotSent) {
    ApiCommand reading = sample;
    reading.arguments.resize(4);
    reading.fixed_members = "";
    const auto call = make_call(reading, {{"KEY", "ci-runner"}, {"THING", "t"}}, find_one);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->path, "/api/v1/service-accounts/8d2b/things/t/8d2b");
    EXPECT_EQ(call->content_type, "");
    EXPECT_TRUE(call->body.empty());
}

TEST(ApiCommandTest, FormsAreEncodedAsForms) {
    ApiCommand form = sample;
    form.encoding = BodyEncoding::form;
    form.fixed_members = "";
    const TemporaryDirectory folder;
    const std::string file = write_file(folder.path() / "secret", "a+b&c\n");
    const auto call =
        make_call(form, {{"KEY", "ci-runner"}, {"secret", file}, {"of", "ci-runner"}}, find_one);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->content_type, "application/x-www-form-urlencoded");
    EXPECT_EQ(call->body.reveal(), "secret=a%2Bb%26c&keyId=8d2b");
}

TEST(ApiCommandTest, WrongValuesAreMisuse) {
    const auto code = [](const ArgumentValues& values) {
        return make_call(sample, values, find_one).error().code;
    };
    EXPECT_EQ(code({{"days", "soon"}}), ExitCode::usage);
    EXPECT_EQ(code({{"secret", "/nonexistent"}}), ExitCode::usage);
    EXPECT_EQ(code({{"KEY", "unknown"}}), ExitCode::not_found);
    const TemporaryDirectory folder;
    const std::string file = write_file(folder.path() / "secret", "x\n", 0644);
    EXPECT_EQ(code({{"secret", file}}), ExitCode::usage);
}

/// Every field of a path is a required argument, but for a key that may be one's own, and no
/// argument hides a common flag.
TEST(ApiCommandTest, EveryDeclarationIsWhole) {
    std::set<std::string_view> words;
    for (const ApiCommand& command : api_commands()) {
        EXPECT_TRUE(words.insert(command.words).second) << command.words;
        EXPECT_NE(command.print, nullptr) << command.words;
        ArgumentValues values;
        for (const ApiArgument& argument : command.arguments) {
            if (argument.sent_in == SentIn::path) {
                const bool may_be_own = argument.kind == ArgumentKind::key;
                EXPECT_TRUE(argument.is_required || may_be_own) << command.words;
                values[argument_name(argument)] = "ci-runner";
            }
            for (const ApiArgument& common : common_api_arguments()) {
                EXPECT_NE(argument.spelling, common.spelling) << command.words;
            }
        }
        const auto call = make_call(command, values, find_one);
        if (!call && command.make_body != nullptr) { // it wants one of several flags
            EXPECT_EQ(call.error().code, ExitCode::usage) << command.words;
            continue;
        }
        ASSERT_TRUE(call) << command.words;
        EXPECT_THAT(call->path, StartsWith("/")) << command.words;
        EXPECT_THAT(call->path, Not(HasSubstr("{"))) << command.words;
    }
}

class ApiSettingsTest : public ::testing::Test {
protected:
    static std::string problem(const ArgumentValues& arguments) {
        const auto settings = read_api_settings(arguments);
        return settings ? "" : settings.error().detail();
    }

    Environment environment_;
    TemporaryDirectory folder_;
};

TEST_F(ApiSettingsTest, CredentialsComeFromTheEnvironmentAndLeaveIt) {
    Environment::set("CLAVIGER_URL", "https://claviger.example/base/");
    Environment::set("CLAVIGER_CLIENT_ID", "ci-runner");
    Environment::set("CLAVIGER_CLIENT_SECRET", "planted-secret-value");
    const auto settings = read_api_settings({{"timeout", "5"}, {"ca-file", "/ca.pem"}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_EQ(settings->url, "https://claviger.example/base");
    EXPECT_EQ(settings->credentials.kind, CredentialsKind::client);
    EXPECT_EQ(settings->credentials.id, "ci-runner");
    EXPECT_EQ(settings->credentials.secret.reveal(), "planted-secret-value");
    EXPECT_EQ(settings->limits.timeout_seconds, 5);
    EXPECT_EQ(settings->limits.ca_file, "/ca.pem");
    EXPECT_EQ(std::getenv("CLAVIGER_CLIENT_SECRET"), nullptr);
}

TEST_F(ApiSettingsTest, SecretsMayLieInFilesThatNobodyElseReads) {
    const ArgumentValues flags{{"url", "https://claviger.example"}};
    Environment::set("CLAVIGER_TOKEN_FILE", write_file(folder_.path() / "token", "abc\n"));
    const auto settings = read_api_settings(flags);
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_EQ(settings->credentials.kind, CredentialsKind::token);
    EXPECT_EQ(settings->credentials.secret.reveal(), "abc");
    Environment::set("CLAVIGER_TOKEN_FILE", write_file(folder_.path() / "open", "abc\n", 0644));
    EXPECT_THAT(problem(flags), HasSubstr("run chmod 600 on it"));
    Environment::set("CLAVIGER_TOKEN", "def");
    EXPECT_THAT(problem(flags), HasSubstr("CLAVIGER_TOKEN and CLAVIGER_TOKEN_FILE are both set"));
}

TEST_F(ApiSettingsTest, MissingAndDoubleCredentialsAreNamed) {
    const ArgumentValues flags{{"url", "https://claviger.example"}};
    EXPECT_THAT(problem(flags), StartsWith("there are no credentials"));
    Environment::set("CLAVIGER_USERNAME", "a@b.example");
    EXPECT_THAT(problem(flags), StartsWith("CLAVIGER_PASSWORD is missing"));
    Environment::set("CLAVIGER_PASSWORD", "x");
    EXPECT_EQ(problem(flags), "");
    Environment::set("CLAVIGER_PASSWORD", "x");
    Environment::set("CLAVIGER_TOKEN", "y");
    EXPECT_THAT(problem(flags), StartsWith("there are two kinds of credentials"));
    EXPECT_EQ(std::getenv("CLAVIGER_PASSWORD"), nullptr);
    Environment::set("CLAVIGER_PASSWORD", "x");
    EXPECT_THAT(problem({}), StartsWith("the server's address is missing"));
    Environment::set("CLAVIGER_PASSWORD", "x");
    EXPECT_THAT(problem({{"url", "https://x.example"}, {"timeout", "0"}}),
                StartsWith("timeout is not accepted"));
}

TEST(ServerAddressTest, PlainHttpIsForThisMachine) {
    for (const char* good : {"http://127.0.0.1:8080", "http://localhost", "http://[::1]:80",
                             "https://claviger.example", "https://10.0.0.1"}) {
        EXPECT_TRUE(server_address(good, false)) << good;
    }
    for (const char* bad : {"http://claviger.example", "http://127.0.0.1.example",
                            "http://10.0.0.1", "ftp://localhost", "https://user:word@x.example",
                            "https://x.example/?a", "https://x.example/#a", "claviger", ""}) {
        EXPECT_FALSE(server_address(bad, false)) << bad;
    }
    EXPECT_TRUE(server_address("http://10.0.0.1", true));
    EXPECT_FALSE(server_address("file:///etc/passwd", true));
}

TEST(PrintableTest, ControlCharactersDoNotReachATerminal) {
    EXPECT_EQ(printable("a\x1B[2Jb\r\n\x7F"), "a?[2Jb???");
    EXPECT_EQ(printable("caf\xC3\xA9"), "caf\xC3\xA9");
    EXPECT_EQ(printable("a\xC2\x9B"
                        "b"),
              "a?b");
    EXPECT_EQ(printable("a\xFF"), "a?");
}

TEST(ApiOutputTest, TablesAreAligned) {
    static constexpr std::array<Column, 2> columns{{{"name", "NAME"}, {"days", "DAYS"}}};
    const auto items =
        boost::json::parse(R"([{"name":"é","days":3},{"name":"longer","days":null}])");
    std::ostringstream out;
    print_table(out, &items, columns, "none");
    EXPECT_EQ(out.str(), "NAME    DAYS\né       3\nlonger  -\n");
    out.str("");
    print_table(out, nullptr, columns, "none");
    EXPECT_EQ(out.str(), "none\n");
    out.str("");
    print_members(out, items.as_array()[0], columns);
    EXPECT_EQ(out.str(), "NAME  é\nDAYS  3\n");
}

TEST(ApiCommandLineTest, SecretsAreNoFlags) {
    const Environment environment;
    std::ostringstream out;
    std::ostringstream error;
    const int code =
        run_command_line({"access", "rules", "--token", "planted-secret-value"}, {}, {out, error});
    EXPECT_EQ(code, 2);
    EXPECT_THAT(error.str(), Not(HasSubstr("planted-secret-value")));
}

TEST(ApiCommandLineTest, NobodyListeningIsItsOwnExitCode) {
    const Environment environment;
    Environment::set("CLAVIGER_TOKEN", "planted-secret-value");
    std::ostringstream out;
    std::ostringstream error;
    const int code = run_command_line(
        {"access", "rules", "--url", "http://127.0.0.1:1", "--timeout", "5"}, {}, {out, error});
    EXPECT_EQ(code, 7);
    EXPECT_THAT(error.str(), HasSubstr("http://127.0.0.1:1; check --url"));
    EXPECT_THAT(error.str(), Not(HasSubstr("planted-secret-value")));
}

} // namespace
} // namespace claviger
