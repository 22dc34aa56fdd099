// SPDX-License-Identifier: Apache-2.0
#include "store/backup.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/restore.h"
#include "store/samples.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::HasSubstr;

struct Stores {
    std::unique_ptr<SqliteStore> store;
    std::unique_ptr<SqliteAccessEventLog> log;
};

class BackupTest : public ::testing::Test {
protected:
    Stores open() {
        auto store = SqliteStore::open(data());
        auto log = SqliteAccessEventLog::open(data(), test_chain);
        EXPECT_TRUE(store.has_value());
        EXPECT_TRUE(log.has_value());
        return {*std::move(store), *std::move(log)};
    }

    /// One tenant, `accounts` accounts, as many access events.
    void fill(Stores& stores, std::uint32_t accounts) {
        ASSERT_TRUE(put(*stores.store, tenant(first)));
        for (std::uint32_t i = 0; i < accounts; ++i) {
            ASSERT_TRUE(put(*stores.store, account(first, i, "robot-" + std::to_string(i))));
            const auto ticket = stores.log->append(first, at(1), std::to_string(i));
            ASSERT_TRUE(ticket.has_value());
            ASSERT_EQ(stores.log->wait(*ticket), Durability::durable);
        }
    }

    const std::filesystem::path& data() const { return directory_->path(); }
    std::filesystem::path file() const { return scratch_.path() / "backup"; }

    /// Names in the data directory.
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(data())) {
            found.push_back(entry.path().filename());
        }
        std::ranges::sort(found);
        return found;
    }

    /// The data directory holds exactly these, and others may do nothing with them.
    void expect_for_owner_only(const std::vector<std::string>& expected) const {
        EXPECT_EQ(names(), expected);
        EXPECT_EQ(std::filesystem::status(data()).permissions(), std::filesystem::perms(0700));
        for (const auto& entry : std::filesystem::recursive_directory_iterator(data())) {
            const auto mode = entry.is_directory() ? 0700 : 0600;
            EXPECT_EQ(entry.status().permissions(), std::filesystem::perms(mode)) << entry.path();
        }
    }

    void unlock() { directory_.reset(); }
    Result<void> lock() {
        auto opened = DataDirectory::open(scratch_.path() / "data");
        if (!opened) {
            return std::unexpected(opened.error());
        }
        directory_.emplace(*std::move(opened));
        return {};
    }

    TemporaryDirectory scratch_;
    std::optional<DataDirectory> directory_ =
        std::optional(*DataDirectory::open(scratch_.path() / "data"));
};

TEST_F(BackupTest, OfAStoppedDirectoryIsRestoredAsItWas) {
    auto stores = open();
    fill(stores, 5);
    const auto expected = loaded(*stores.store);
    const AuditHead head = audit_head(*stores.log, first);
    stores = {};
    const auto made = back_up(data(), file(), at(99), test_hash);
    ASSERT_TRUE(made.has_value()) << made.error().detail();
    EXPECT_EQ(made->created_at, at(99));
    EXPECT_EQ(made->bytes, std::filesystem::file_size(file()));
    ASSERT_EQ(made->parts.size(), 2U);
    EXPECT_EQ(made->parts[0].name, "claviger.db");
    EXPECT_EQ(made->parts[0].schema_version, store_migrations().size());
    EXPECT_EQ(made->parts[1].name, "audit.db");

    stores = open();
    ASSERT_TRUE(put(*stores.store, account(first, 100, "later")));
    stores = {};
    const auto restored = restore(file(), *directory_, at(100), test_hash);
    ASSERT_TRUE(restored.has_value()) << restored.error().detail();
    EXPECT_EQ(restored->created_at, at(99));
    const std::filesystem::path kept = data() / "before-restore-2027-01-15T080140.000000Z";
    EXPECT_TRUE(std::filesystem::exists(kept / "claviger.db"));
    EXPECT_TRUE(std::filesystem::exists(kept / "audit.db"));
    EXPECT_TRUE(std::filesystem::exists(kept / "audit.spool"));
    EXPECT_FALSE(std::filesystem::exists(data() / "restoring"));

    stores = open();
    EXPECT_EQ(loaded(*stores.store), expected);
    EXPECT_EQ(audit_head(*stores.log, first).hash, head.hash);
    EXPECT_TRUE(put(*stores.store, account(first, 101, "new")).has_value());
}

TEST_F(BackupTest, NothingIsForOthersWhateverTheUmask) {
    const mode_t umask_before = ::umask(0);
    unlock();
    std::filesystem::remove_all(scratch_.path() / "data");
    ASSERT_TRUE(lock());
    auto stores = open();
    fill(stores, 1);
    expect_for_owner_only({"audit.db", "audit.db-shm", "audit.db-wal", "audit.spool", "claviger.db",
                           "claviger.db-shm", "claviger.db-wal", "lock"});
    ASSERT_TRUE(back_up(data(), file(), at(99), test_hash));
    stores = {};
    ASSERT_TRUE(restore(file(), *directory_, at(100), test_hash));
    ::umask(umask_before);
    expect_for_owner_only(
        {"audit.db", "before-restore-2027-01-15T080140.000000Z", "claviger.db", "lock"});
    EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0600));
}

TEST_F(BackupTest, WhatRootRestoresBelongsToTheOwnerOfTheDirectory) {
    if (::geteuid() != 0) {
        return; // others own what they make
    }
    auto stores = open();
    fill(stores, 1);
    ASSERT_TRUE(back_up(data(), file(), at(99), test_hash));
    stores = {};
    constexpr uid_t owner = 65534;
    ASSERT_EQ(::chown(data().c_str(), owner, owner), 0);
    std::filesystem::remove(data() / "lock");
    unlock();
    ASSERT_TRUE(lock());
    ASSERT_TRUE(restore(file(), *directory_, at(100), test_hash));
    stores = open();
    const auto owner_of = [](const std::filesystem::path& path) {
        struct stat status{};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0);
        return status.st_uid;
    };
    EXPECT_EQ(names().size(), 9U);
    for (const std::string& name : names()) {
        EXPECT_EQ(owner_of(data() / name), owner) << name;
    }
}

TEST_F(BackupTest, UnderLoadHoldsWhatWasAcknowledgedBefore) {
    auto stores = open();
    fill(stores, 1);
    std::atomic<std::uint32_t> acknowledged = 0;
    std::atomic<bool> stop = false;
    std::uint32_t before = 0;
    Result<BackupSummary> made = fail(ErrorCode::internal, "not made");
    {
        std::jthread writing([&] {
            for (std::uint32_t i = 1; !stop; ++i) {
                ASSERT_TRUE(put(*stores.store, account(first, i, "robot-" + std::to_string(i))));
                ASSERT_TRUE(stores.log->append(first, at(1), std::to_string(i)));
                acknowledged = i;
                acknowledged.notify_one();
            }
        });
        acknowledged.wait(0);
        before = acknowledged;
        made = back_up(data(), file(), at(99), test_hash);
        stop = true;
    }
    ASSERT_TRUE(made.has_value()) << made.error().detail();
    stores = {};
    ASSERT_TRUE(restore(file(), *directory_, at(100), test_hash));
    stores = open();
    const auto rows = loaded(*stores.store);
    EXPECT_GE(rows.size(), 2 + before);
    AuditHead expected;
    ASSERT_TRUE(for_each_entry(*stores.log, first, 1, [&](const AuditEntry& entry) -> Result<void> {
        EXPECT_EQ(entry.hash, test_chain(expected.hash, entry.payload));
        expected = {entry.number, entry.hash};
        return {};
    }));
    EXPECT_EQ(expected.number, audit_head(*stores.log, first).number);
}

TEST_F(BackupTest, LeavesNothingBehindWhenItFails) {
    auto stores = open();
    fill(stores, 1);
    stores = {};
    std::filesystem::remove(data() / "audit.db");
    const auto refused = back_up(data(), file(), at(99), test_hash);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail(), HasSubstr("audit.db"));
    EXPECT_FALSE(std::filesystem::exists(file()));
    EXPECT_FALSE(std::filesystem::exists(file().string() + ".unfinished"));
    EXPECT_FALSE(back_up(data(), scratch_.path() / "missing" / "file", at(99), test_hash));
}

TEST_F(BackupTest, AnyChangedByteIsNoticedAndNothingIsTouched) {
    auto stores = open();
    fill(stores, 2);
    stores = {};
    ASSERT_TRUE(back_up(data(), file(), at(99), test_hash));
    const auto before = names();
    std::ifstream in(file(), std::ios::binary);
    const std::string good{std::istreambuf_iterator<char>(in), {}};
    const std::vector<std::size_t> places{
        0, 20, 60, 130, 250, 330, good.size() / 2, good.size() - 1};
    for (const std::size_t place : places) {
        std::string bad = good;
        bad[place] = static_cast<char>(bad[place] ^ 1);
        std::ofstream(file(), std::ios::binary) << bad;
        EXPECT_FALSE(verify_backup(file(), test_hash)) << place;
        EXPECT_FALSE(restore(file(), *directory_, at(100), test_hash)) << place;
    }
    for (const std::string& bad : {good.substr(0, good.size() - 1), good + "x", std::string()}) {
        std::ofstream(file(), std::ios::binary) << bad;
        const auto refused = restore(file(), *directory_, at(100), test_hash);
        ASSERT_FALSE(refused.has_value());
        EXPECT_THAT(refused.error().detail(), HasSubstr("damaged"));
    }
    EXPECT_EQ(names(), before);
}

TEST_F(BackupTest, OfAnUnknownSchemaIsRefused) {
    auto stores = open();
    fill(stores, 1);
    ASSERT_TRUE(back_up(data(), file(), at(99), test_hash));
    stores = {};
    {
        const auto connection =
            Connection::open(data() / "claviger.db", Connection::Mode::read_write);
        ASSERT_TRUE((*connection)->execute("UPDATE schema_version SET version = 99"));
    }
    const auto refused = back_up(data(), file(), at(99), test_hash);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail(), HasSubstr("schema 99"));
    EXPECT_TRUE(verify_backup(file(), test_hash)) << "the old backup is still there";
}

TEST_F(BackupTest, AnInterruptedRestoreIsFinishedOrDropped) {
    auto stores = open();
    fill(stores, 3);
    const auto expected = loaded(*stores.store);
    stores = {};
    ASSERT_TRUE(back_up(data(), file(), at(99), test_hash));
    const auto folder = data() / "restoring";

    // Without the marker nothing has happened.
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "claviger.db") << "half";
    unlock();
    ASSERT_TRUE(lock());
    EXPECT_FALSE(std::filesystem::exists(folder));
    stores = open();
    EXPECT_EQ(loaded(*stores.store), expected);
    ASSERT_TRUE(put(*stores.store, account(first, 100, "later")));
    stores = {};

    // With it the restore ends, here after its first database.
    ASSERT_TRUE(restore(file(), *directory_, at(100), test_hash));
    std::filesystem::create_directory(folder);
    std::filesystem::copy_file(data() / "audit.db", folder / "audit.db");
    std::ofstream(folder / "ready") << "before-restore-again";
    std::ofstream(data() / "audit.db") << "old";
    unlock();
    ASSERT_TRUE(lock());
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_EQ(std::filesystem::file_size(data() / "before-restore-again" / "audit.db"), 3U);
    stores = open();
    EXPECT_EQ(loaded(*stores.store), expected);
    EXPECT_EQ(audit_head(*stores.log, first).number, 3U);
}

} // namespace
} // namespace claviger
