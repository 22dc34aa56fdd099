// SPDX-License-Identifier: Apache-2.0
// What only the SQLite store does: files, migrations, the lock, and a disk that fails.
#include "store/sqlite_store.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/data_directory.h"
#include "store/fault_vfs.h"
#include "store/samples.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::unique_ptr<SqliteStore> open_store(const std::filesystem::path& directory) {
    auto opened = SqliteStore::open(directory);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().detail());
    return opened ? *std::move(opened) : nullptr;
}

int mode_of(const std::filesystem::path& path) {
    return static_cast<int>(std::filesystem::status(path).permissions());
}

void set_mode(const std::filesystem::path& path, int mode) {
    std::filesystem::permissions(path, std::filesystem::perms(mode));
}

/// The text of the refusal; empty when it opens.
std::string refusal(const std::filesystem::path& directory) {
    const auto opened = SqliteStore::open(directory);
    return opened ? "" : opened.error().detail();
}

TEST(SqliteStoreTest, TakesTheSettingsThatMakeItDurable) {
    const TemporaryDirectory directory;
    const auto writer =
        SqliteWriter::open(directory.path() / "claviger.db", store_migrations(), {});
    ASSERT_TRUE(writer.has_value());
    Connection& connection = (*writer)->connection();
    EXPECT_EQ(connection.ask("PRAGMA journal_mode").value(), "wal");
    EXPECT_EQ(connection.ask("PRAGMA synchronous").value(), "2"); // FULL
    EXPECT_EQ(connection.ask("PRAGMA wal_autocheckpoint").value(), "0");
    EXPECT_EQ(connection.ask("PRAGMA secure_delete").value(), "2"); // FAST
    EXPECT_EQ(connection.ask("PRAGMA mmap_size").value(), "0");
    EXPECT_EQ(connection.ask("PRAGMA foreign_keys").value(), "1");
}

TEST(SqliteStoreTest, EveryPutStandsInTheChangeLog) {
    const TemporaryDirectory directory;
    {
        const auto store = open_store(directory.path());
        ASSERT_TRUE(put(*store, tenant(first)));
        ASSERT_TRUE(put(*store, rule(first, 7, "ann@example.com")));
        ASSERT_FALSE(put(*store, rule(first, 8, "ann@example.com")));
        ASSERT_TRUE(put(*store, account(first, 1, "robot")));
    }
    const auto reader =
        Connection::open(directory.path() / "claviger.db", Connection::Mode::read_only);
    ASSERT_TRUE(reader.has_value());
    EXPECT_EQ((*reader)
                  ->ask("SELECT group_concat(number || ' ' || tenant || ' ' || noun || ' ' || id "
                        "|| ' ' || at, ', ') FROM (SELECT * FROM change ORDER BY number)")
                  .value(),
              "1 1 tenant 1 1800000002000000, 2 1 access_rule 7 1800000012000000, "
              "3 1 service_account " +
                  uuid(1).text() + " 1800000006000000");
    EXPECT_EQ((*reader)->ask("SELECT number FROM change_counter").value(), "3");
}

TEST(SqliteStoreTest, KeepsTheLogSmallAndEmptiesItAtClose) {
    const TemporaryDirectory directory;
    const auto log = directory.path() / "claviger.db-wal";
    {
        auto opened = SqliteStore::open(directory.path(), {.checkpoint_above_pages = 50});
        ASSERT_TRUE(opened.has_value());
        ASSERT_TRUE(put(**opened, tenant(first)));
        for (std::uint32_t i = 0; i < 300; ++i) {
            ASSERT_TRUE(put(**opened, account(first, i, "robot-" + std::to_string(i))));
        }
        EXPECT_LT(std::filesystem::file_size(log), 100U * 4096U);
    }
    EXPECT_EQ(std::filesystem::file_size(log), 0U);
}

TEST(SqliteStoreTest, RefusesAWriteInsideAWrite) {
    const TemporaryDirectory directory;
    const auto store = open_store(directory.path());
    Result<void> inner;
    ASSERT_TRUE(store->write([&](Transaction&) -> Result<void> {
        inner = store->write([](Transaction&) -> Result<void> { return {}; });
        return {};
    }));
    ASSERT_FALSE(inner.has_value());
    EXPECT_EQ(inner.error().code(), ErrorCode::internal);
}

TEST(SqliteStoreTest, RefusesFilesThatAreNoDatabase) {
    const TemporaryDirectory directory;
    write_file(directory.path() / "claviger.db", std::string(8192, 'x'));
    EXPECT_THAT(refusal(directory.path()),
                AllOf(HasSubstr("claviger.db"), HasSubstr("not a database")));
}

TEST(SqliteStoreTest, RefusesADamagedSchema) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "claviger.db";
    open_store(directory.path()).reset();
    std::string bytes = read_file(file);
    ASSERT_GT(bytes.size(), 4096U);
    std::fill(bytes.begin() + 100, bytes.begin() + 4096, '\x5A'); // the header stays
    write_file(file, bytes);
    EXPECT_THAT(refusal(directory.path()), AllOf(HasSubstr("claviger.db"), HasSubstr("malformed")));
}

TEST(SqliteStoreTest, RefusesADirectoryInWhichNothingCanBeMade) {
    EXPECT_THAT(refusal("/proc/self/fdinfo"),
                HasSubstr("cannot open /proc/self/fdinfo/claviger.db"));
}

TEST(SqliteStoreTest, RefusesADatabaseOfANewerVersion) {
    const TemporaryDirectory directory;
    open_store(directory.path()).reset();
    {
        const auto connection =
            Connection::open(directory.path() / "claviger.db", Connection::Mode::read_write);
        ASSERT_TRUE(connection.has_value());
        ASSERT_TRUE((*connection)->execute("UPDATE schema_version SET version = 99"));
    }
    EXPECT_THAT(refusal(directory.path()), AllOf(HasSubstr("newer version"), HasSubstr("99")));
}

TEST(MigrationsTest, EachStepIsATransactionOfItsOwn) {
    const TemporaryDirectory directory;
    const auto connection =
        Connection::open(directory.path() / "some.db", Connection::Mode::read_write);
    ASSERT_TRUE(connection.has_value());
    const std::array<std::string_view, 3> steps{
        "CREATE TABLE one (a);", "INSERT INTO one VALUES (7);",
        "CREATE TABLE three (a); INSERT INTO missing VALUES (1);"};
    EXPECT_FALSE(migrate(**connection, steps).has_value());
    EXPECT_FALSE((*connection)->in_transaction());
    EXPECT_EQ(schema_version(**connection).value(), 2);
    EXPECT_EQ((*connection)->ask("SELECT a FROM one").value(), "7");
    EXPECT_FALSE((*connection)->ask("SELECT a FROM three").has_value());
    ASSERT_TRUE(migrate(**connection, std::span(steps).first(2)));
    EXPECT_EQ((*connection)->ask("SELECT count(*) FROM one").value(), "1");
}

/// Rows as schema 1 held them. They must be readable for ever, so this text never changes.
constexpr std::string_view rows_of_schema_1 = R"sql(
INSERT INTO tenant VALUES (1, 'realm1', 'host1.example', 'Tenant 1', 1, 1800000001000000,
    1800000002000000);
INSERT INTO service_account VALUES (1, x'000102030405060708090a0b0c0d0e0f', 'robot', 1, 4,
    'admin@example.com', 1800000005000000, 1800000006000000, NULL, 1800000007000000);
INSERT INTO client_secret VALUES (1, x'000102030405060708090a0b0c0d0e0f', 0,
    x'0f0e0d0c0b0a09080706050403020100', 2,
    x'0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20', 1800000003000000);
INSERT INTO user VALUES (1, x'00112233445566778899aabbccddeeff', 'ann@example.com', 'phc', 0, 1, 1,
    'admin@example.com', 1800000007000000, 1800000008000000, NULL, NULL);
INSERT INTO org_unit VALUES (1, 2, 'c', 1, '1', 'east', '', '{}', 'a', 'b', 1800000009000000,
    1800000010000000, NULL);
INSERT INTO access_rule VALUES (1, 1, 0, 'ann@example.com', 1, 1, '1', 'a', 1800000011000000,
    1800000012000000, NULL);
INSERT INTO signing_key VALUES (1, 'kid-1', 0, 0, x'00ff', 1800000013000000, 1800000014000000,
    NULL);
INSERT INTO change_event VALUES (1, 1, 1800000015000000, '{}',
    x'0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20');
)sql";

TEST(MigrationsTest, ADatabaseOfSchema1IsUpgraded) {
    const TemporaryDirectory directory;
    {
        const auto connection =
            Connection::open(directory.path() / "claviger.db", Connection::Mode::read_write);
        ASSERT_TRUE(connection.has_value());
        ASSERT_TRUE(migrate(**connection, store_migrations().first(1)));
        ASSERT_TRUE((*connection)->execute(std::string(rows_of_schema_1)));
    }
    const auto store = open_store(directory.path());
    ASSERT_TRUE(store);
    const auto rows = loaded(*store);
    ASSERT_EQ(rows.size(), 6U);
    EXPECT_EQ(rows.at(0), text_of(tenant(first)));
    EXPECT_EQ(rows.at(1), "account|1|00010203-0405-0607-0809-0a0b0c0d0e0f|robot|1|4|"
                          "0f0e0d0c-0b0a-0908-0706-050403020100|2|"
                          "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20|"
                          "1800000003000000|1|never|never|0|0|||{}|"
                          "admin@example.com|1800000005000000|1800000006000000|"
                          "never|1800000007000000|");
    EXPECT_THAT(rows.at(5), HasSubstr("kid-1|0|0|00ff|0|86400|")) << "a key that waits is pending";
    EXPECT_TRUE(put(*store, account(first, 1, "new")).has_value());
    ASSERT_TRUE(store->write([&](Transaction& transaction) -> Result<void> {
        const AuditHead head = TRY(transaction.change_events().head(first));
        EXPECT_EQ(head.number, 1U);
        return {};
    }));
}

TEST(DiskFailureTest, AFullDiskFailsTheWriteAndHeals) {
    const TemporaryDirectory directory;
    DiskFaults faults;
    const ShimVfs vfs(faults);
    const auto store = open_store(directory.path());
    ASSERT_TRUE(put(*store, tenant(first)));
    const auto before = loaded(*store);
    faults.fail_writes(SQLITE_FULL);
    const auto refused = put(*store, account(first, 1, "robot"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(refused.error().detail(), HasSubstr("full"));
    EXPECT_EQ(loaded(*store), before);
    faults.fail_writes(SQLITE_OK);
    ASSERT_TRUE(put(*store, account(first, 1, "robot")));
    EXPECT_EQ(loaded(*store).size(), 2U);
}

TEST(DiskFailureTest, AfterAFailedSyncNothingIsAcknowledgedUntilItIsOpenedAgain) {
    const TemporaryDirectory directory;
    DiskFaults faults;
    const ShimVfs vfs(faults);
    auto store = open_store(directory.path());
    ASSERT_TRUE(put(*store, tenant(first)));
    bool told = false;
    store->set_commit_listener([&](std::uint64_t, std::span<const Row>) { told = true; });
    faults.fail_syncs(SQLITE_IOERR_FSYNC);
    const auto failed = put(*store, account(first, 1, "robot"));
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code(), ErrorCode::unavailable);
    faults.fail_syncs(SQLITE_OK);
    for (int i = 0; i < 3; ++i) {
        const auto refused = put(*store, account(first, 2, "other"));
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
        EXPECT_THAT(refused.error().detail(), HasSubstr("restart"));
    }
    EXPECT_FALSE(told);
    store.reset();
    store = open_store(directory.path());
    ASSERT_TRUE(put(*store, account(first, 2, "other")));
}

TEST(DiskFailureTest, EveryWriteOfAFailedBatchIsRefused) {
    const TemporaryDirectory directory;
    DiskFaults faults;
    const ShimVfs vfs(faults);
    const auto store = open_store(directory.path());
    ASSERT_TRUE(put(*store, tenant(first)));
    faults.fail_writes(SQLITE_FULL);
    std::atomic<int> acknowledged = 0;
    {
        std::vector<std::jthread> threads;
        for (std::uint32_t i = 0; i < 8; ++i) {
            threads.emplace_back([&, i] {
                const auto row = account(first, i, "robot-" + std::to_string(i));
                acknowledged += put(*store, row).has_value() ? 1 : 0;
            });
        }
    }
    EXPECT_EQ(acknowledged, 0);
    faults.fail_writes(SQLITE_OK);
    EXPECT_EQ(loaded(*store).size(), 1U);
}

TEST(SqliteStoreTest, TriesAWriteOnTheDisk) {
    const TemporaryDirectory directory;
    DiskFaults faults;
    const ShimVfs vfs(faults);
    const auto store = open_store(directory.path());
    EXPECT_TRUE(store->try_write());
    faults.fail_writes(SQLITE_FULL);
    const auto refused = store->try_write();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    faults.fail_writes(SQLITE_OK);
    EXPECT_TRUE(store->try_write());
    faults.fail_syncs(SQLITE_IOERR_FSYNC);
    EXPECT_FALSE(store->try_write());
    faults.fail_syncs(SQLITE_OK);
    EXPECT_FALSE(store->try_write()) << "what a failed sync left behind is unknown";
}

TEST(DataDirectoryTest, IsMadeForItsOwnerOnly) {
    const TemporaryDirectory parent;
    const auto path = parent.path() / "deep" / "data";
    const auto directory = DataDirectory::open(path);
    ASSERT_TRUE(directory.has_value()) << directory.error().detail();
    EXPECT_EQ(directory->path(), path);
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
}

TEST(DataDirectoryTest, IsUsedByOneOwnerAtATime) {
    const TemporaryDirectory parent;
    const auto path = parent.path() / "data";
    {
        const auto directory = DataDirectory::open(path);
        ASSERT_TRUE(directory.has_value());
        const auto other = DataDirectory::open(path);
        ASSERT_FALSE(other.has_value());
        EXPECT_EQ(other.error().code(), ErrorCode::conflict);
        EXPECT_EQ(other.error().detail(), "data directory " + path.string() +
                                              " is in use by process " +
                                              std::to_string(::getpid()));
    }
    EXPECT_TRUE(DataDirectory::open(path).has_value());
}

TEST(DataDirectoryTest, TheLockOfADeadProcessIsNoLock) {
    const TemporaryDirectory parent;
    const auto path = parent.path() / "data";
    const pid_t child = ::fork();
    if (child == 0) {
        const auto directory = DataDirectory::open(path);
        ::_exit(directory ? 0 : 1); // leaves the lock file behind
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(std::filesystem::exists(path / "lock"));
    EXPECT_TRUE(DataDirectory::open(path).has_value());
}

TEST(DataDirectoryTest, IsClosedToOthersWithItsFiles) {
    const TemporaryDirectory parent;
    const auto path = parent.path() / "data";
    std::filesystem::create_directory(path);
    open_store(path).reset();
    write_file(path / "master.key", "key");
    std::filesystem::create_symlink(parent.path() / "elsewhere", path / "link");
    write_file(parent.path() / "elsewhere", "text");
    set_mode(path, 0755);
    set_mode(path / "claviger.db", 0644);
    set_mode(path / "master.key", 0440);
    set_mode(parent.path() / "elsewhere", 0644);
    {
        const auto directory = DataDirectory::open(path);
        ASSERT_TRUE(directory.has_value()) << directory.error().detail();
        EXPECT_THAT(directory->closed_to_others(),
                    UnorderedElementsAre(path, path / "claviger.db", path / "master.key"));
    }
    EXPECT_EQ(mode_of(path), 0700);
    EXPECT_EQ(mode_of(path / "claviger.db"), 0600);
    EXPECT_EQ(mode_of(path / "master.key"), 0400);
    EXPECT_EQ(mode_of(parent.path() / "elsewhere"), 0644);
    const auto again = DataDirectory::open(path);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->closed_to_others().empty());
}

TEST(DataDirectoryTest, IsRefusedWhenOthersCanReadItAndItIsNotOurs) {
    const TemporaryDirectory parent;
    const auto path = parent.path() / "data";
    std::filesystem::create_directory(path);
    set_mode(path, 0755);
    write_file(path / "somebody's", "text");
    const auto refused = DataDirectory::open(path);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail(), HasSubstr("chmod 700"));
    EXPECT_EQ(mode_of(path), 0755);
}

TEST(DataDirectoryTest, IsRefusedWhenItIsNoDirectory) {
    const TemporaryDirectory parent;
    write_file(parent.path() / "data", "text");
    const auto refused = DataDirectory::open(parent.path() / "data");
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail(), HasSubstr("is not a directory"));
}

} // namespace
} // namespace claviger
