// SPDX-License-Identifier: Apache-2.0
// The commands about keys on a stopped data directory, and where the master key comes from.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.h"
#include "cli/master_key_source.h"
#include "cli/surroundings.h"
#include "store/data_directory.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class KeyOperationsTest : public ::testing::Test {
protected:
    void SetUp() override {
        SystemRandom random;
        ASSERT_TRUE(DataDirectory::open(data_));
        ASSERT_TRUE(MasterKey::load(data_ / "master.key", true, random));
        ASSERT_TRUE(SqliteStore::open(data_));
        ASSERT_EQ(add_tenant("acme", {}), 0) << error();
    }

    int run(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--data", data_.string()});
        out_.str("");
        error_.str("");
        return run_command_line(arguments, {}, {out_, error_});
    }
    int add_tenant(const std::string& realm, const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"tenant", "add", realm, "--admin-email",
                                              "root@example.com"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
    std::string out() const { return out_.str(); }
    std::string error() const { return error_.str(); }
    /// The kid in the n-th line of the last output.
    std::string kid_in_line(int number) const {
        std::istringstream lines(out());
        std::string line;
        for (int i = 0; i <= number; ++i) {
            std::getline(lines, line);
        }
        return line.substr(0, line.find(' '));
    }
    std::string digits() const {
        std::ifstream stream(data_ / "master.key");
        std::string line;
        std::getline(stream, line);
        return line;
    }

    Environment environment_;
    TemporaryDirectory folder_;
    std::filesystem::path data_ = folder_.path() / "data";
    std::ostringstream out_;
    std::ostringstream error_;
};

TEST_F(KeyOperationsTest, ListsTheKeysWithTheirStates) {
    ASSERT_EQ(run({"keys", "list"}), 0) << error();
    EXPECT_THAT(out(), AllOf(StartsWith("KID "), ContainsRegex("access_token +ES256 +active"),
                             ContainsRegex("id_token +ES256 +active"),
                             ContainsRegex("since [0-9T:-]+Z\n")));
}

TEST_F(KeyOperationsTest, RotatesAndSaysWhenTheNewOnesSign) {
    ASSERT_EQ(run({"keys", "rotate"}), 0) << error();
    EXPECT_THAT(out(), ContainsRegex("access_token +ES256 +pending .*active at [0-9T:-]+Z\n"));
    ASSERT_EQ(run({"keys", "rotate"}), 0) << error();
    ASSERT_EQ(run({"keys", "list"}), 0);
    EXPECT_EQ(std::ranges::count(out(), '\n'), 7) << "three active, three pending";
}

TEST_F(KeyOperationsTest, BurnsAKeyAndActivatesAnother) {
    ASSERT_EQ(run({"keys", "list"}), 0);
    const std::string kid = kid_in_line(1);
    ASSERT_EQ(run({"keys", "burn", kid}), 0) << error();
    EXPECT_THAT(out(), AllOf(StartsWith("signing key " + kid + " is gone\nsigning key "),
                             HasSubstr(" is active\n"), HasSubstr("Nobody is known to hold")));
    ASSERT_EQ(run({"keys", "list"}), 0);
    EXPECT_THAT(out(), ContainsRegex(kid + " .*gone .*burned at [0-9T:-]+Z\n"));
    EXPECT_EQ(run({"keys", "burn", kid}), 1);
    EXPECT_EQ(error(), "claviger: the signing key is gone already\n");
    EXPECT_EQ(run({"keys", "burn", "unheard-of"}), 1);
    EXPECT_EQ(error(), "claviger: there is no signing key unheard-of\n");
    EXPECT_EQ(run({"audit", "verify"}), 0);
}

TEST_F(KeyOperationsTest, OfSeveralTenantsOneIsNamed) {
    ASSERT_EQ(add_tenant("beta", {"--host", "beta.example.com"}), 0) << error();
    EXPECT_EQ(run({"keys", "list"}), 1);
    EXPECT_THAT(error(), HasSubstr("--tenant REALM"));
    ASSERT_EQ(run({"keys", "list", "--tenant", "acme"}), 0);
    const std::string kid = kid_in_line(1);
    EXPECT_EQ(run({"keys", "burn", kid, "--tenant", "beta"}), 1);
    EXPECT_EQ(run({"keys", "burn", kid, "--tenant", "acme"}), 0) << error();
}

TEST_F(KeyOperationsTest, ReplacesTheMasterKeyAndChecksIt) {
    const std::string before = digits();
    ASSERT_EQ(run({"rekey", "--check"}), 0) << error();
    EXPECT_THAT(out(), AllOf(StartsWith("master key "), HasSubstr("master.key\n"),
                             HasSubstr("opened: the root key, 3 signing keys, 0 secrets")));
    ASSERT_EQ(run({"rekey"}), 0) << error();
    EXPECT_THAT(out(), AllOf(HasSubstr(" is in force, in the place of "), Not(HasSubstr(before)),
                             Not(HasSubstr(digits()))));
    EXPECT_NE(digits(), before);
    ASSERT_EQ(run({"rekey", "--check"}), 0) << error();
    EXPECT_EQ(run({"keys", "list"}), 0) << error();
}

TEST_F(KeyOperationsTest, AMasterKeyFromTheEnvironmentIsReplacedByTheOperator) {
    const std::string before = digits();
    const std::string next(64, 'b');
    std::filesystem::remove(data_ / "master.key");
    Environment::set("CLAVIGER_MASTER_KEY", before);
    EXPECT_EQ(run({"rekey"}), 1);
    EXPECT_THAT(error(), HasSubstr("environment CLAVIGER_MASTER_KEY"));
    Environment::set("CLAVIGER_MASTER_KEY", before);
    const std::string file = write_file(folder_.path() / "next", next + "\n");
    ASSERT_EQ(run({"rekey", "--new-master-key-file", file}), 0) << error();
    EXPECT_THAT(out(), AllOf(HasSubstr(" is accepted, beside "), HasSubstr("restart the server"),
                             Not(HasSubstr(next))));
    for (const std::string& key : {before, next}) {
        Environment::set("CLAVIGER_MASTER_KEY", key);
        EXPECT_EQ(run({"rekey", "--check"}), 0) << error();
        EXPECT_THAT(out(), HasSubstr(" is accepted as well\n"));
    }
    EXPECT_EQ(
        run({"rekey", "--new-master-key-file", write_file(folder_.path() / "open", next, 0644)}),
        2);
    EXPECT_THAT(error(), HasSubstr("new-master-key, from flag: "));
}

TEST_F(KeyOperationsTest, AnotherMasterKeyIsRefusedByName) {
    std::filesystem::remove(data_ / "master.key");
    write_file(data_ / "master.key", std::string(64, 'f') + "\n");
    EXPECT_EQ(run({"keys", "list"}), 1);
    EXPECT_THAT(error(), StartsWith("claviger: the master key is another one: the data directory "
                                    "is sealed under "));
    EXPECT_THAT(error(), Not(HasSubstr(std::string(64, 'f'))));
    write_file(data_ / "master.key", "no key");
    EXPECT_EQ(run({"keys", "list"}), 1);
    EXPECT_THAT(error(), HasSubstr("master.key: the master key must be 64 hexadecimal digits"));
}

/// Only the places of the master key.
class MasterKeySourceTest : public ::testing::Test {
protected:
    MasterKeySourceTest() { unsetenv("CREDENTIALS_DIRECTORY"); }
    ~MasterKeySourceTest() override { unsetenv("CREDENTIALS_DIRECTORY"); }

    void put_credential(mode_t mode = 0440) {
        write_file(folder_.path() / "claviger-master-key", std::string(64, 'c') + "\n", mode);
        Environment::set("CREDENTIALS_DIRECTORY", folder_.path().string());
    }
    Result<FoundMasterKey> find(bool create = false) {
        const FlagValues flags{{"data", data_.path().string()}};
        return find_master_key(resolve_options(flags).options, create, random_);
    }
    std::string id_of(char digit) const { return MasterKey::parse(std::string(64, digit))->id(); }

    Environment environment_;
    TemporaryDirectory folder_;
    TemporaryDirectory data_;
    SystemRandom random_;
};

TEST_F(MasterKeySourceTest, TheFileInTheDataDirectoryIsMadeOnlyWhenAskedFor) {
    EXPECT_FALSE(find());
    const auto made = find(true);
    ASSERT_TRUE(made) << made.error().detail();
    EXPECT_EQ(made->origin.own_file, data_.path() / "master.key");
    EXPECT_EQ(find()->key.id(), made->key.id());
}

TEST_F(MasterKeySourceTest, ACredentialOfSystemdIsTakenAndNothingIsMadeBesideIt) {
    put_credential();
    const auto found = find(true);
    ASSERT_TRUE(found) << found.error().detail();
    EXPECT_EQ(found->key.id(), id_of('c'));
    EXPECT_TRUE(found->origin.own_file.empty());
    EXPECT_THAT(found->origin.text, HasSubstr("the credential "));
    EXPECT_FALSE(found->was_in_environment);
    EXPECT_FALSE(std::filesystem::exists(data_.path() / "master.key"));
    put_credential(0444);
    EXPECT_FALSE(find()) << "everybody could read it";
}

TEST_F(MasterKeySourceTest, OtherCredentialsOfTheUnitDoNotCount) {
    Environment::set("CREDENTIALS_DIRECTORY", folder_.path().string());
    EXPECT_EQ(find(true)->origin.own_file, data_.path() / "master.key");
}

TEST_F(MasterKeySourceTest, TheEnvironmentIsToldFromAFileThatItNames) {
    Environment::set("CLAVIGER_MASTER_KEY", std::string(64, 'e'));
    EXPECT_TRUE(find()->was_in_environment);
    EXPECT_EQ(getenv("CLAVIGER_MASTER_KEY"), nullptr);
    Environment::set("CLAVIGER_MASTER_KEY_FILE",
                     write_file(folder_.path() / "key", std::string(64, 'e')));
    const auto found = find();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->key.id(), id_of('e'));
    EXPECT_FALSE(found->was_in_environment);
}

TEST_F(MasterKeySourceTest, TwoSourcesAreAnErrorThatNamesThem) {
    ASSERT_TRUE(find(true));
    put_credential();
    const auto both = find();
    ASSERT_FALSE(both);
    EXPECT_THAT(both.error().detail(),
                AllOf(HasSubstr("there are two master keys"), HasSubstr("claviger-master-key"),
                      HasSubstr("master.key; keep one of them")));
    std::filesystem::remove(data_.path() / "master.key");
    Environment::set("CLAVIGER_MASTER_KEY", std::string(64, 'e'));
    const auto two = find();
    ASSERT_FALSE(two);
    EXPECT_THAT(two.error().detail(), HasSubstr("environment CLAVIGER_MASTER_KEY"));
    unsetenv("CREDENTIALS_DIRECTORY");
    ASSERT_TRUE(find(true));
    Environment::set("CLAVIGER_MASTER_KEY", std::string(64, 'e'));
    const auto option_and_file = find();
    ASSERT_FALSE(option_and_file);
    EXPECT_THAT(option_and_file.error().detail(), HasSubstr("master.key; keep one of them"));
}

} // namespace
} // namespace claviger
