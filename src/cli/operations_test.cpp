// SPDX-License-Identifier: Apache-2.0
#include "cli/operations.h"

#include <future>
#include <latch>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/audit.h"
#include "auth/test_world.h"
#include "cli/command_line.h"
#include "cli/operator_messages.h"
#include "cli/stopped_directory.h"
#include "cli/surroundings.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// The command line on a data directory as a server has left it.
class OperationsTest : public ::testing::Test {
protected:
    void SetUp() override {
        SystemRandom random;
        ASSERT_TRUE(DataDirectory::open(data_));
        ASSERT_TRUE(MasterKey::load(data_ / "master.key", true, random));
        ASSERT_TRUE(SqliteStore::open(data_));
    }

    int run(std::vector<std::string> arguments) { return run_at(data_, std::move(arguments)); }

    int run_at(const std::filesystem::path& data, std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--data", data.string()});
        out_.str("");
        error_.str("");
        return run_command_line(arguments, {}, {out_, error_});
    }

    int add_tenant(const std::string& realm, std::vector<std::string> more = {}) {
        std::vector<std::string> arguments = {"tenant", "add", realm, "--admin-email",
                                              "Root@example.com"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }

    /// Adds a change event to the first tenant's chain; `follows` decides whether it fits.
    void append_event(bool follows) {
        auto store = SqliteStore::open(data_);
        ASSERT_TRUE(store);
        ASSERT_TRUE((*store)->write([&](Transaction& transaction) -> Result<void> {
            const AuditHead head = TRY(transaction.change_events().head(TenantId{1}));
            AuditEntry entry;
            entry.tenant = TenantId{1};
            entry.number = head.number + 1;
            entry.payload = "{}";
            entry.hash = follows ? chain_hash(head.hash, entry.payload) : head.hash;
            return transaction.change_events().append(entry);
        }));
    }

    std::string out() const { return out_.str(); }
    std::string error() const { return error_.str(); }

    Environment environment_;
    TemporaryDirectory folder_;
    std::filesystem::path data_ = folder_.path() / "data";
    std::ostringstream out_;
    std::ostringstream error_;
};

TEST_F(OperationsTest, AddsATenantWithAGeneratedPassword) {
    ASSERT_EQ(add_tenant("acme", {"--name", "Acme Ltd"}), 0) << error();
    EXPECT_THAT(out(),
                AllOf(HasSubstr("tenant         Acme Ltd\n"), HasSubstr("id             1\n"),
                      HasSubstr("realm          acme\n"), HasSubstr("host           any\n"),
                      HasSubstr("administrator  root@example.com\n"), HasSubstr("password       "),
                      HasSubstr("The password is not shown again.\n")));
    ASSERT_EQ(run({"tenant", "list"}), 0);
    EXPECT_EQ(out(), "ID  REALM  HOST  STATE    NAME\n"
                     "1   acme   -     enabled  Acme Ltd\n");
}

TEST_F(OperationsTest, TakesTheAdministratorsPasswordFromAFileAndKeepsItToItself) {
    const std::string password = "plum-orbit-velvet-canyon";
    const std::string file = write_file(folder_.path() / "password", password + "\n");
    ASSERT_EQ(add_tenant("acme", {"--admin-password-file", file}), 0) << error();
    EXPECT_THAT(out(), AllOf(Not(HasSubstr(password)), Not(HasSubstr("password"))));

    EXPECT_EQ(add_tenant("other", {"--host", "other.example.com", "--admin-password-file",
                                   write_file(folder_.path() / "open", password, 0644)}),
              2);
    EXPECT_THAT(error(), HasSubstr("can be read by the group or others; run chmod 600 on it"));
    EXPECT_EQ(add_tenant("other", {"--host", "other.example.com", "--admin-password-file",
                                   write_file(folder_.path() / "weak", "short")}),
              1);
    EXPECT_THAT(error(), AllOf(StartsWith("claviger: "), HasSubstr("15")));
}

TEST_F(OperationsTest, RefusalsAreOneLine) {
    ASSERT_EQ(add_tenant("acme"), 0);
    EXPECT_EQ(add_tenant("other"), 1);
    EXPECT_EQ(error(), "claviger: a second tenant needs a host name of its own (--host)\n");
    EXPECT_EQ(add_tenant("acme", {"--host", "acme.example.com"}), 1);
    EXPECT_EQ(error(), "claviger: there is a tenant with the realm acme\n");
    EXPECT_EQ(run({"tenant", "disable", "nobody"}), 1);
    EXPECT_EQ(error(), "claviger: there is no tenant with the realm nobody\n");
    EXPECT_EQ(out(), "");
}

TEST_F(OperationsTest, DisablesAndEnablesATenant) {
    ASSERT_EQ(add_tenant("acme"), 0);
    EXPECT_EQ(run({"tenant", "disable", "acme"}), 0);
    EXPECT_EQ(out(), "tenant acme is disabled\n");
    EXPECT_EQ(run({"tenant", "list"}), 0);
    EXPECT_THAT(out(), HasSubstr("disabled"));
    EXPECT_EQ(run({"tenant", "enable", "acme"}), 0);
    EXPECT_EQ(run({"tenant", "list"}), 0);
    EXPECT_THAT(out(), Not(HasSubstr("disabled")));
}

TEST_F(OperationsTest, VerifiesTheAuditLog) {
    ASSERT_EQ(add_tenant("acme"), 0);
    ASSERT_EQ(add_tenant("beta", {"--host", "beta.example.com"}), 0);
    append_event(true);
    ASSERT_EQ(run({"audit", "verify"}), 0);
    EXPECT_EQ(out(), "tenant acme\n"
                     "  change events: 3 entries, intact\n"
                     "  access events: 0 entries, intact\n"
                     "tenant beta\n"
                     "  change events: 2 entries, intact\n"
                     "  access events: 0 entries, intact\n");
}

TEST_F(OperationsTest, NamesTheFirstAlteredAuditEntry) {
    ASSERT_EQ(add_tenant("acme"), 0);
    append_event(false);
    append_event(true);
    ASSERT_EQ(run({"audit", "verify"}), 1);
    EXPECT_THAT(error(), AllOf(StartsWith("claviger: the audit log was altered\n"),
                               HasSubstr("change events: 4 entries, BROKEN at entry 3\n")));
    EXPECT_EQ(out(), "");
}

TEST_F(OperationsTest, BacksUpAndRestoresIntoAnotherDirectory) {
    ASSERT_EQ(add_tenant("acme"), 0);
    const std::filesystem::path file = folder_.path() / "backup";
    ASSERT_EQ(run({"backup", file.string()}), 0) << error();
    EXPECT_THAT(out(), StartsWith("backup written to " + file.string() + ", "));
    ASSERT_EQ(add_tenant("beta", {"--host", "beta.example.com"}), 0);

    const std::filesystem::path other = folder_.path() / "other";
    ASSERT_EQ(run_at(other, {"restore", file.string()}), 0) << error();
    EXPECT_THAT(out(), StartsWith("restored the backup of "));
    EXPECT_EQ(run_at(other, {"tenant", "list"}), 1);
    EXPECT_THAT(error(), HasSubstr("master key"));
    std::filesystem::copy_file(data_ / "master.key", other / "master.key");
    EXPECT_EQ(run_at(other, {"tenant", "list"}), 0) << error();
    EXPECT_THAT(out(), AllOf(HasSubstr("acme"), Not(HasSubstr("beta"))));

    ASSERT_EQ(run({"restore", file.string()}), 0) << error();
    ASSERT_EQ(run({"tenant", "list"}), 0);
    EXPECT_THAT(out(), AllOf(HasSubstr("acme"), Not(HasSubstr("beta"))));
}

TEST_F(OperationsTest, ADamagedBackupChangesNothing) {
    ASSERT_EQ(add_tenant("acme"), 0);
    const std::string file = write_file(folder_.path() / "backup", "no backup at all");
    EXPECT_EQ(run({"restore", file}), 1);
    EXPECT_THAT(error(), StartsWith("claviger: "));
    EXPECT_EQ(run({"tenant", "list"}), 0);
    EXPECT_THAT(out(), HasSubstr("acme"));
}

TEST_F(OperationsTest, ADirectoryInUseWithoutAnAnsweringServerIsUnreachable) {
    const auto held = DataDirectory::open(data_);
    ASSERT_TRUE(held);
    EXPECT_EQ(run({"tenant", "list"}), 7);
    EXPECT_THAT(error(), AllOf(StartsWith("claviger: data directory "), HasSubstr("is in use by"),
                               HasSubstr("does not answer; wait until")));
    EXPECT_EQ(run({"restore", "any"}), 1);
    EXPECT_THAT(error(), HasSubstr("; stop the server, then restore\n"));
}

TEST_F(OperationsTest, NothingIsMadeWhereThereIsNoDataDirectory) {
    const std::filesystem::path absent = folder_.path() / "absent";
    EXPECT_EQ(run_at(absent, {"tenant", "list"}), 1);
    EXPECT_EQ(error(), "claviger: there is no data directory: " + absent.string() +
                           "; name the one of the server with --data, or start the server once\n");
    EXPECT_FALSE(std::filesystem::exists(absent));
}

TEST_F(OperationsTest, TheMasterKeyMayComeFromTheEnvironment) {
    std::ifstream stream(data_ / "master.key");
    std::string key;
    std::getline(stream, key);
    std::filesystem::remove(data_ / "master.key");
    EXPECT_EQ(run({"tenant", "list"}), 1);
    EXPECT_FALSE(std::filesystem::exists(data_ / "master.key"));
    Environment::set("CLAVIGER_MASTER_KEY", key);
    EXPECT_EQ(run({"tenant", "list"}), 0) << error();
}

TEST(OperatorMessagesTest, RequestsSurviveTheWire) {
    OperatorRequest request(operator_command::tenant_add);
    request.arguments["name"] = "Caf\xC3\xA9 \"quoted\" \\";
    request.arguments["host"] = "";
    const std::string line = encode(request);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const auto decoded = decode_request(line.substr(0, line.size() - 1));
    ASSERT_TRUE(decoded) << decoded.error().detail();
    EXPECT_EQ(decoded->command, "tenant add");
    EXPECT_EQ(decoded->arguments, request.arguments);
    EXPECT_TRUE(decode_request(R"({"command":"tenant list","arguments":{}})"));
}

/// Its first reader stays in now() until it is let go.
class HeldClock final : public Clock {
public:
    Timestamp now() const override {
        entered_.count_down();
        released_.wait();
        return {};
    }
    std::int64_t monotonic_milliseconds() const override { return 0; }
    void wait_until_entered() { entered_.wait(); }
    void release() { released_.count_down(); }

private:
    mutable std::latch entered_{1};
    mutable std::latch released_{1};
};

TEST(ConcurrentOperationsTest, OneBackupAtATimeAndOthersGoOn) {
    const TemporaryDirectory folder;
    World world;
    HeldClock clock;
    Operations operations(world.tenants, world.signing_keys, world.rekey, world.directory,
                          world.store, world.events, folder.path() / "none", clock, world.random);
    OperatorRequest backup(operator_command::backup);
    backup.arguments["file"] = folder.path() / "backup";
    auto first = std::async(std::launch::async, [&] { return operations.run(backup); });
    clock.wait_until_entered();
    const auto second = operations.run(backup);
    EXPECT_TRUE(operations.run(OperatorRequest(operator_command::tenant_list)).ok);
    EXPECT_TRUE(operations.run(OperatorRequest(operator_command::audit_verify)).ok);
    clock.release();
    EXPECT_THAT(second.lines, ElementsAre("a backup is being written; try again when it is done"));
    EXPECT_THAT(first.get().lines, Not(ElementsAre(second.lines.front())));
}

TEST(OperatorMessagesTest, AnswersSurviveTheWire) {
    for (const OperatorAnswer& answer :
         {OperatorAnswer{true, {"one", "  two"}}, OperatorAnswer{false, {}}}) {
        const std::string line = encode(answer);
        const auto decoded = decode_answer(line.substr(0, line.size() - 1));
        ASSERT_TRUE(decoded);
        EXPECT_EQ(decoded->ok, answer.ok);
        EXPECT_EQ(decoded->lines, answer.lines);
    }
}

TEST(OperatorMessagesTest, OtherTextIsRefused) {
    for (const char* line :
         {"", "{}", "[]", "null", "tenant list", R"({"command":"x"})",
          R"({"command":1,"arguments":{}})", R"({"command":"x","arguments":[]})",
          R"({"command":"x","arguments":{"a":1}})", R"({"command":"x","arguments":{}} x)",
          R"({"command":"x","command":"y","arguments":{}})"}) {
        EXPECT_FALSE(decode_request(line)) << line;
    }
    for (const char* line : {"", "{}", R"({"ok":1,"lines":[]})", R"({"ok":true,"lines":[1]})",
                             R"({"ok":true})", R"({"ok":true,"lines":{}})"}) {
        EXPECT_FALSE(decode_answer(line)) << line;
    }
}

} // namespace
} // namespace claviger
