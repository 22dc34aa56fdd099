// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/option_sources.h"
#include "cli/surroundings.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OptionsFileTest : public ::testing::Test {
protected:
    /// Mistakes without the folder's name.
    std::vector<std::string> problems(const std::string& content) {
        const std::string file = write_file(folder_.path() / "claviger.toml", content);
        std::vector<std::string> lines = read_options_file(file).problems;
        for (std::string& line : lines) {
            const std::string prefix = folder_.path().string() + "/";
            for (std::size_t at = line.find(prefix); at != std::string::npos;
                 at = line.find(prefix)) {
                line.erase(at, prefix.size());
            }
        }
        return lines;
    }

    TemporaryDirectory folder_;
};

TEST_F(OptionsFileTest, NamesUnknownKeysWithLineAndSuggestion) {
    EXPECT_THAT(problems("threads = 2\n\ntoken-lifetme = 3600\nbanana = 1\n"),
                ::testing::UnorderedElementsAre(
                    "unknown key \"token-lifetme\": claviger.toml:3; did you mean "
                    "\"token-lifetime\"?",
                    "unknown key \"banana\": claviger.toml:4; \"claviger config reference\" lists "
                    "the keys"));
}

TEST_F(OptionsFileTest, RefusesSectionsAndItsOwnName) {
    EXPECT_THAT(problems("[server]\nthreads = 2\n"),
                ElementsAre("unknown key \"server\": claviger.toml:1; keys are flat, without "
                            "[sections]"));
    EXPECT_THAT(problems("config = \"other.toml\"\n"),
                ElementsAre(HasSubstr("unknown key \"config\": claviger.toml:1")));
}

TEST_F(OptionsFileTest, RefusesWrongTypes) {
    EXPECT_THAT(problems("token-lifetime = \"3600\""),
                ElementsAre("token-lifetime is a string: claviger.toml:1; write an integer"));
    EXPECT_THAT(problems("token-lifetime = 3600.0"),
                ElementsAre("token-lifetime is a floating-point number: claviger.toml:1; write an "
                            "integer"));
    EXPECT_THAT(problems("\npassword-grant = 1"),
                ElementsAre("password-grant is an integer: claviger.toml:2; write true or false"));
    EXPECT_THAT(problems("data = true"),
                ElementsAre("data is a boolean: claviger.toml:1; write a string"));
    EXPECT_THAT(problems("data = 2026-11-24"),
                ElementsAre("data is a date or time: claviger.toml:1; write a string"));
    EXPECT_THAT(problems("trusted-proxy = \"::1\""),
                ElementsAre("trusted-proxy is a string: claviger.toml:1; write an array of "
                            "strings"));
    EXPECT_THAT(problems("trusted-proxy = [\"::1\", 4]"),
                ElementsAre("trusted-proxy is an array: claviger.toml:1; write an array of "
                            "strings"));
    EXPECT_THAT(problems("listen = {host = \"::1\"}"),
                ElementsAre("listen is a table: claviger.toml:1; write a string"));
}

TEST_F(OptionsFileTest, NamesTheLineOfBrokenToml) {
    EXPECT_THAT(problems("threads = 2\nthreads = 3\n"),
                ElementsAre(HasSubstr("the file is not valid TOML: claviger.toml:2; ")));
    EXPECT_THAT(problems("threads = 2\nlisten = \n"),
                ElementsAre(HasSubstr("the file is not valid TOML: claviger.toml:2; ")));
}

TEST_F(OptionsFileTest, AnEmptyFileSetsNothingAndAnAbsentOneIsAMistake) {
    EXPECT_THAT(problems(""), IsEmpty());
    EXPECT_THAT(problems("# comment\n"), IsEmpty());
    EXPECT_THAT(read_options_file(folder_.path() / "absent.toml").problems,
                ElementsAre(HasSubstr("absent.toml; name a readable TOML file")));
    EXPECT_THAT(read_options_file(folder_.path()).problems,
                ElementsAre(HasSubstr("; name a readable TOML file")));
}

TEST_F(OptionsFileTest, AnEmptyListIsNone) {
    const std::string file = write_file(folder_.path() / "claviger.toml", "trusted-proxy = []\n");
    const OptionsFile read = read_options_file(file);
    EXPECT_THAT(read.problems, IsEmpty());
    EXPECT_EQ(read.settings.at("trusted-proxy").text, "");
}

} // namespace
} // namespace claviger
