// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/surroundings.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CommandLineTest : public ::testing::Test {
protected:
    int run(const std::vector<std::string>& arguments) {
        out_.str("");
        error_.str("");
        const Commands commands{
            .serve =
                [this](ServeOptions given) {
                    served_.push_back(std::move(given));
                    return 42;
                },
            .openapi = [] { return std::string("{}\n"); },
            .version = "1.2.3",
        };
        return run_command_line(arguments, commands, {out_, error_});
    }

    std::string out() const { return out_.str(); }
    std::string error() const { return error_.str(); }

    Environment environment_;
    TemporaryDirectory folder_;
    std::ostringstream out_;
    std::ostringstream error_;
    std::vector<ServeOptions> served_;
};

TEST_F(CommandLineTest, ServeGetsTheEffectiveOptions) {
    Environment::set("CLAVIGER_THREADS", "3");
    EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:0", "--data=/srv/x", "--demo", "--trusted-proxy",
                   "10.0.0.0/8", "--trusted-proxy", "::1"}),
              42);
    ASSERT_EQ(served_.size(), 1U);
    EXPECT_EQ(served_[0].options.listen.port, 0);
    EXPECT_EQ(served_[0].options.data, "/srv/x");
    EXPECT_EQ(served_[0].options.threads, 3);
    EXPECT_EQ(served_[0].options.trusted_proxy.size(), 2U);
    EXPECT_TRUE(served_[0].demo);
    EXPECT_EQ(run({"serve"}), 42);
    EXPECT_FALSE(served_[1].demo);
}

TEST_F(CommandLineTest, EveryOptionIsAFlagOfServe) {
    ASSERT_EQ(run({"serve", "--help"}), 0);
    for (const OptionSpec& spec : option_table()) {
        EXPECT_THAT(out(), HasSubstr(flag_of(spec) + " " + std::string(spec.metavar)));
        EXPECT_THAT(out(), HasSubstr(std::string(spec.help)));
    }
}

TEST_F(CommandLineTest, MistakesInOptionsStopServeWithOneLineEach) {
    EXPECT_EQ(run({"serve", "--threads", "0", "--token-lifetime", "60"}), 2);
    EXPECT_EQ(error(), "claviger: token-lifetime \"60\" is not accepted: flag; give a whole number "
                       "from 61 to 86400\n"
                       "claviger: threads \"0\" is not accepted: flag; give a whole number from 1 "
                       "to 64\n");
    EXPECT_TRUE(served_.empty());
    EXPECT_EQ(out(), "");
}

TEST_F(CommandLineTest, ConfigShowPrintsValuesAndOrigins) {
    const std::string file =
        write_file(folder_.path() / "c.toml", "threads = 2\nlog-level = \"debug\"\n");
    Environment::set("CLAVIGER_ADMIN_PASSWORD", "planted-secret-value");
    EXPECT_EQ(run({"config", "show", "--config", file, "--log-level", "error"}), 0);
    EXPECT_THAT(out(), Not(HasSubstr("planted-secret-value")));
    const auto line = [this](const std::string& name) {
        std::istringstream lines(out());
        for (std::string text; std::getline(lines, text);) {
            std::istringstream words(text);
            std::vector<std::string> found{std::istream_iterator<std::string>(words), {}};
            if (!found.empty() && found.front() == name) {
                std::string joined;
                for (const std::string& word : found) {
                    joined += (joined.empty() ? "" : " ") + word;
                }
                return joined;
            }
        }
        return std::string();
    };
    EXPECT_EQ(line("OPTION"), "OPTION VALUE ORIGIN");
    EXPECT_EQ(line("threads"), "threads 2 file " + file + ":1");
    EXPECT_EQ(line("log-level"), "log-level error flag");
    EXPECT_EQ(line("admin-password"),
              "admin-password ******** environment CLAVIGER_ADMIN_PASSWORD");
    EXPECT_EQ(line("token-lifetime"), "token-lifetime 3600 default");
    EXPECT_EQ(line("public-url"), "public-url (the listening address) default");
}

TEST_F(CommandLineTest, ConfigCheckJudges) {
    EXPECT_EQ(run({"config", "check"}), 0);
    EXPECT_EQ(out(), "The configuration is good.\n");
    const std::string file = write_file(folder_.path() / "c.toml", "\nthread = 2\n");
    EXPECT_EQ(run({"config", "check", "--config", file}), 2);
    EXPECT_EQ(out(), "");
    EXPECT_EQ(error(),
              "claviger: unknown key \"thread\": " + file + ":2; did you mean \"threads\"?\n");
}

TEST_F(CommandLineTest, TheReferencePageIsUpToDate) {
    EXPECT_EQ(run({"config", "reference"}), 0);
    std::ifstream page(CLAVIGER_SOURCE_DIR "/docs/reference/options.md");
    const std::string kept{std::istreambuf_iterator<char>(page), {}};
    EXPECT_EQ(out(), kept) << "run: claviger config reference > docs/reference/options.md";
}

TEST_F(CommandLineTest, PrintsVersionAndDescription) {
    EXPECT_EQ(run({"version"}), 0);
    EXPECT_EQ(out(), "claviger 1.2.3\n");
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_EQ(out(), "claviger 1.2.3\n");
    EXPECT_EQ(run({"openapi"}), 0);
    EXPECT_EQ(out(), "{}\n");
}

TEST_F(CommandLineTest, HelpIsThereAtEveryLevel) {
    EXPECT_EQ(run({"--help"}), 0);
    for (const char* command : {"serve", "config", "tenant", "backup", "restore", "audit",
                                "openapi", "version", "help"}) {
        EXPECT_THAT(out(), HasSubstr(std::string("\n  ") + command + " "));
    }
    EXPECT_EQ(run({"help", "tenant", "add"}), 0);
    EXPECT_THAT(out(), HasSubstr("Usage: claviger tenant add [OPTIONS] REALM"));
    const std::string by_command = out();
    EXPECT_EQ(run({"tenant", "add", "--help"}), 0);
    EXPECT_EQ(out(), by_command);
    EXPECT_EQ(run({"help"}), 0);
    EXPECT_THAT(out(), HasSubstr("Usage: claviger"));
}

TEST_F(CommandLineTest, ACommandThatIsNotCompleteShowsItsHelp) {
    EXPECT_EQ(run({}), 2);
    EXPECT_THAT(error(), HasSubstr("Usage: claviger"));
    EXPECT_EQ(run({"tenant"}), 2);
    EXPECT_THAT(error(), AllOf(HasSubstr("Usage: claviger tenant"), HasSubstr("disable")));
    EXPECT_EQ(out(), "");
}

TEST_F(CommandLineTest, UnknownWordsComeWithASuggestion) {
    EXPECT_EQ(run({"serv"}), 2);
    EXPECT_EQ(error(),
              "claviger: unknown command \"serv\": command line; did you mean \"serve\"?\n");
    EXPECT_EQ(run({"tenant", "ad"}), 2);
    EXPECT_EQ(error(), "claviger: unknown command \"ad\": command line; did you mean \"add\"?\n");
    EXPECT_EQ(run({"help", "banana"}), 2);
    EXPECT_EQ(error(), "claviger: unknown command \"banana\": command line; see \"claviger "
                       "--help\"\n");
    EXPECT_EQ(run({"serve", "--token-lifetim=5"}), 2);
    EXPECT_EQ(error(), "claviger: unknown flag \"--token-lifetim\": command line; did you mean "
                       "\"--token-lifetime\"?\n");
    EXPECT_EQ(run({"--data", "x", "serve"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: unknown flag \"--data\": command line; "));
    EXPECT_EQ(run({"tenant", "--data", "x", "list"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: unknown flag \"--data\": command line; "));
    EXPECT_EQ(run({"version", "now"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: unexpected argument \"now\": command line; "));
    EXPECT_EQ(run({"serve", "version"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: unexpected argument \"version\": command line; "));
}

TEST_F(CommandLineTest, MissingAndRepeatedArgumentsAreNamed) {
    EXPECT_EQ(run({"backup"}), 2);
    EXPECT_THAT(error(), AllOf(StartsWith("claviger: FILE is required"),
                               HasSubstr("see \"claviger backup --help\"")));
    EXPECT_EQ(run({"tenant", "add", "acme"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: --admin-email is required"));
    EXPECT_EQ(run({"serve", "--data"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: --data"));
    EXPECT_EQ(run({"serve", "--data", "a", "--data", "b"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: --data is given twice"));
    EXPECT_EQ(run({"backup", "a", "b"}), 2);
    EXPECT_THAT(error(), StartsWith("claviger: unexpected argument \"b\""));
    EXPECT_TRUE(served_.empty());
}

TEST_F(CommandLineTest, SecretsAreNoFlagsAndAreNotRepeated) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"serve", "--admin-password", "planted-secret-value"},
          std::vector<std::string>{"serve", "--admin-password=planted-secret-value"}}) {
        EXPECT_EQ(run(arguments), 2);
        EXPECT_EQ(error(), "claviger: admin-password is a secret and no flag: command line; set "
                           "CLAVIGER_ADMIN_PASSWORD, or give --admin-password-file FILE\n");
    }
}

} // namespace
} // namespace claviger
