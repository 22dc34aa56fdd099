// SPDX-License-Identifier: Apache-2.0
#include "store/access_event_log.h"

#include <fstream>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/fault_vfs.h"
#include "store/memory_access_event_log.h"
#include "store/samples.h"
#include "store/sqlite_access_event_log.h"

namespace claviger {
namespace {

using namespace testing;

std::unique_ptr<SqliteAccessEventLog> open_log(const std::filesystem::path& directory,
                                               AccessEventLog::Chain chain = test_chain) {
    auto opened = SqliteAccessEventLog::open(directory, std::move(chain));
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().detail());
    return opened ? *std::move(opened) : nullptr;
}

/// Appends and waits.
Durability record(AccessEventLog& log, TenantId tenant, std::string payload) {
    const auto ticket = log.append(tenant, at(1), std::move(payload));
    return ticket ? log.wait(*ticket) : Durability::failed;
}

/// The payloads of a tenant, after a check of the whole chain up to the head.
std::vector<std::string> payloads(AccessEventLog& log, TenantId tenant) {
    std::vector<std::string> found;
    AuditHead expected;
    const auto visited =
        for_each_entry(log, tenant, 1, [&](const AuditEntry& entry) -> Result<void> {
            EXPECT_EQ(entry.number, expected.number + 1);
            EXPECT_EQ(entry.hash, test_chain(expected.hash, entry.payload));
            EXPECT_EQ(entry.tenant, tenant);
            expected = {entry.number, entry.hash};
            found.push_back(entry.payload);
            return {};
        });
    EXPECT_TRUE(visited.has_value());
    const AuditHead head = audit_head(log, tenant);
    EXPECT_EQ(head.number, expected.number);
    EXPECT_EQ(head.hash, expected.hash);
    return found;
}

using Texts = std::vector<std::string>;

/// Keeps the writer thread inside the chain function until it is let go.
class HeldChain {
public:
    AccessEventLog::Chain function() {
        return [this](const Digest& previous, std::string_view payload) {
            if (payload == "hold") {
                entered_.count_down();
                released_.wait();
            }
            return test_chain(previous, payload);
        };
    }
    void wait_until_entered() { entered_.wait(); }
    void release() { released_.count_down(); }

private:
    std::latch entered_{1};
    std::latch released_{1};
};

TEST(MemoryAccessEventLogTest, IsDurableAtOnceAndChained) {
    MemoryAccessEventLog log(test_chain);
    int batches = 0;
    log.add_batch_listener([&] { ++batches; });
    EXPECT_EQ(log.durability(1), Durability::pending);
    EXPECT_EQ(record(log, first, "a"), Durability::durable);
    EXPECT_EQ(record(log, second, "b"), Durability::durable);
    EXPECT_EQ(record(log, first, "c"), Durability::durable);
    EXPECT_EQ(payloads(log, first), (Texts{"a", "c"}));
    EXPECT_EQ(payloads(log, second), Texts{"b"});
    EXPECT_EQ(batches, 3);
    EXPECT_EQ(log.durable_count(), 3U);
    EXPECT_EQ(log.queue_depth(), 0U);
}

TEST(SqliteAccessEventLogTest, KeepsOrderAndChainsAcrossReopening) {
    const TemporaryDirectory directory;
    {
        const auto log = open_log(directory.path());
        EXPECT_EQ(record(*log, first, "a"), Durability::durable);
        EXPECT_EQ(record(*log, TenantId{700}, "z"), Durability::durable);
        ASSERT_TRUE(log->append(second, at(1), "b"));
        ASSERT_TRUE(log->append(first, at(1), "c"));
    } // what is queued is written first
    const auto log = open_log(directory.path());
    EXPECT_EQ(record(*log, first, "d"), Durability::durable);
    EXPECT_EQ(record(*log, second, std::string("e\0f", 3)), Durability::durable);
    EXPECT_EQ(payloads(*log, first), (Texts{"a", "c", "d"}));
    EXPECT_EQ(payloads(*log, second), (Texts{"b", std::string("e\0f", 3)}));
    EXPECT_EQ(payloads(*log, TenantId{700}), Texts{"z"});
    EXPECT_TRUE(payloads(*log, TenantId{3}).empty());
    EXPECT_EQ(log->durable_count(), 2U);
    Texts tail;
    ASSERT_TRUE(for_each_entry(*log, first, 3, [&](const AuditEntry& entry) -> Result<void> {
        EXPECT_EQ(entry.at, at(1));
        tail.push_back(entry.payload);
        return {};
    }));
    EXPECT_EQ(tail, Texts{"d"});
}

TEST(SqliteAccessEventLogTest, RefusesTenantsThatItCannotKeepApart) {
    const TemporaryDirectory directory;
    const auto log = open_log(directory.path());
    EXPECT_EQ(record(*log, TenantId{(1 << 23) - 1}, "a"), Durability::durable);
    EXPECT_FALSE(log->append(TenantId{1 << 23}, at(1), "a"));
    EXPECT_FALSE(log->append(TenantId{-1}, at(1), "a"));
    EXPECT_EQ(payloads(*log, TenantId{(1 << 23) - 1}), Texts{"a"});
}

TEST(SqliteAccessEventLogTest, ManyThreadsEachInTheirOrder) {
    constexpr int threads = 8;
    constexpr int events = 500;
    const TemporaryDirectory directory;
    const auto log = open_log(directory.path());
    std::atomic<int> batches = 0;
    log->add_batch_listener([&] {
        ++batches;
        batches.notify_one();
    });
    {
        std::vector<std::jthread> running;
        for (int thread = 0; thread < threads; ++thread) {
            running.emplace_back([&, thread] {
                AuditTicket last = 0;
                for (int i = 0; i < events; ++i) {
                    const auto ticket =
                        log->append(TenantId{1 + thread % 2}, at(1),
                                    std::to_string(thread) + ":" + std::to_string(i));
                    ASSERT_TRUE(ticket.has_value());
                    EXPECT_GT(*ticket, last);
                    last = *ticket;
                }
                EXPECT_EQ(log->wait(last), Durability::durable);
            });
        }
    }
    EXPECT_EQ(log->durable_count(), static_cast<std::uint64_t>(threads * events));
    EXPECT_EQ(log->queue_depth(), 0U);
    batches.wait(0); // a listener hears of a batch after those who wait for its tickets
    std::array<int, threads> next{};
    std::size_t seen = 0;
    for (const TenantId tenant : {first, second}) {
        for (const std::string& payload : payloads(*log, tenant)) {
            const auto thread = static_cast<std::size_t>(payload[0] - '0');
            EXPECT_EQ(payload.substr(2), std::to_string(next[thread]++));
            ++seen;
        }
    }
    EXPECT_EQ(seen, static_cast<std::size_t>(threads * events));
}

TEST(SqliteAccessEventLogTest, RefusesWhenTheQueueIsFull) {
    const TemporaryDirectory directory;
    HeldChain chain;
    const auto log = open_log(directory.path(), chain.function());
    ASSERT_TRUE(log->append(first, at(1), "hold"));
    chain.wait_until_entered();
    AuditTicket last = 0;
    for (std::size_t i = 0; i < SqliteAccessEventLog::most_queued_events; ++i) {
        const auto ticket = log->append(first, at(1), "x");
        ASSERT_TRUE(ticket.has_value());
        last = *ticket;
    }
    const auto refused = log->append(first, at(1), "x");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(log->durability(last), Durability::pending);
    EXPECT_EQ(log->queue_depth(), SqliteAccessEventLog::most_queued_events + 1);
    chain.release();
    EXPECT_EQ(log->wait(last), Durability::durable);
    EXPECT_EQ(record(*log, first, "after"), Durability::durable);
}

TEST(SqliteAccessEventLogTest, RefusesWhenTheQueueHoldsTooManyBytes) {
    const TemporaryDirectory directory;
    HeldChain chain;
    const auto log = open_log(directory.path(), chain.function());
    ASSERT_TRUE(log->append(first, at(1), "hold"));
    chain.wait_until_entered();
    const std::string big(1024 * 1024, 'x');
    int taken = 0;
    while (log->append(first, at(1), big)) {
        ++taken;
    }
    EXPECT_EQ(taken, 16);
    chain.release();
}

class SpoolTest : public ::testing::Test {
protected:
    void reopen() {
        log_.reset();
        log_ = open_log(directory_.path());
    }
    std::filesystem::path spool_file() const { return directory_.path() / "audit.spool"; }
    std::string database_count() const {
        const auto reader =
            Connection::open(directory_.path() / "audit.db", Connection::Mode::read_only);
        return (*reader)->ask("SELECT count(*) FROM access_event").value();
    }

    TemporaryDirectory directory_;
    DiskFaults faults_;
    ShimVfs vfs_{faults_};
    std::unique_ptr<SqliteAccessEventLog> log_ = open_log(directory_.path());
};

TEST_F(SpoolTest, TakesEventsWhileTheDiskIsFullAndGivesThemBack) {
    EXPECT_EQ(record(*log_, first, "a"), Durability::durable);
    faults_.fail_writes(SQLITE_FULL);
    EXPECT_EQ(record(*log_, first, "b"), Durability::durable);
    EXPECT_EQ(record(*log_, second, "c"), Durability::durable);
    EXPECT_TRUE(log_->can_record());
    EXPECT_EQ(database_count(), "1");
    EXPECT_EQ(payloads(*log_, first), (Texts{"a", "b"}));
    faults_.fail_writes(SQLITE_OK);
    EXPECT_EQ(record(*log_, first, "d"), Durability::durable);
    EXPECT_EQ(database_count(), "4");
    EXPECT_EQ(payloads(*log_, first), (Texts{"a", "b", "d"}));
    EXPECT_EQ(payloads(*log_, second), Texts{"c"});
    const auto spool = Spool::open(spool_file());
    ASSERT_TRUE(spool.has_value());
    EXPECT_TRUE(spool->entries().empty());
}

TEST_F(SpoolTest, IsTakenUpByTheNextProcess) {
    EXPECT_EQ(record(*log_, first, "a"), Durability::durable);
    faults_.fail_writes(SQLITE_FULL);
    EXPECT_EQ(record(*log_, first, "b"), Durability::durable);
    log_.reset();
    log_ = open_log(directory_.path()); // still full
    EXPECT_EQ(payloads(*log_, first), (Texts{"a", "b"}));
    EXPECT_EQ(record(*log_, first, "c"), Durability::durable);
    faults_.fail_writes(SQLITE_OK);
    reopen();
    EXPECT_EQ(database_count(), "3");
    EXPECT_EQ(payloads(*log_, first), (Texts{"a", "b", "c"}));
}

TEST_F(SpoolTest, RefusesWhenItIsUsedUpAndRecovers) {
    EXPECT_EQ(record(*log_, first, "a"), Durability::durable);
    faults_.fail_writes(SQLITE_FULL);
    const std::string big(512 * 1024, 'x');
    std::size_t kept = 0;
    while (record(*log_, first, big) == Durability::durable) {
        ++kept;
    }
    EXPECT_EQ(kept, 7U); // of 4 MiB, with 64 bytes more each
    EXPECT_EQ(record(*log_, first, "small"), Durability::failed)
        << "nothing may follow an event that was lost";
    EXPECT_EQ(payloads(*log_, first).size(), 1 + kept);
    EXPECT_FALSE(log_->can_record());
    faults_.fail_writes(SQLITE_OK);
    while (!log_->can_record()) {
        std::this_thread::yield(); // each question makes the writer try again
    }
    EXPECT_EQ(record(*log_, first, "again"), Durability::durable);
    EXPECT_EQ(payloads(*log_, first).size(), 2 + kept);
    EXPECT_EQ(payloads(*log_, first).back(), "again");
    reopen();
    EXPECT_EQ(payloads(*log_, first).size(), 2 + kept);
}

TEST_F(SpoolTest, TakesEventsAfterAFailedSyncUntilTheLogIsOpenedAgain) {
    EXPECT_EQ(record(*log_, first, "a"), Durability::durable);
    faults_.fail_syncs(SQLITE_IOERR_FSYNC);
    EXPECT_EQ(record(*log_, first, "b"), Durability::durable);
    faults_.fail_syncs(SQLITE_OK);
    EXPECT_EQ(record(*log_, first, "c"), Durability::durable);
    EXPECT_EQ(payloads(*log_, first), (Texts{"a", "b", "c"}));
    {
        const auto spool = Spool::open(spool_file());
        ASSERT_TRUE(spool.has_value());
        EXPECT_EQ(spool->entries().size(), 2U) << "the database must not be trusted any more";
    }
    reopen();
    EXPECT_EQ(payloads(*log_, first), (Texts{"a", "b", "c"}));
    EXPECT_EQ(database_count(), "3");
}

TEST_F(SpoolTest, ATornTailIsForgotten) {
    log_.reset();
    std::uintmax_t used = 0;
    {
        auto spool = Spool::open(spool_file());
        ASSERT_TRUE(spool.has_value());
        const std::array entries{change_event(first, 1), change_event(first, 2)};
        ASSERT_EQ(spool->append(entries), 2U);
        std::ifstream in(spool_file(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(bytes.size(), Spool::capacity_bytes);
        used = bytes.find_last_not_of('\0') + 1;
    }
    {
        std::fstream file(spool_file(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(used - 3));
        file << "???";
    }
    for (int round = 0; round < 2; ++round) {
        auto spool = Spool::open(spool_file());
        ASSERT_TRUE(spool.has_value());
        ASSERT_EQ(spool->entries().size(), 1U);
        EXPECT_EQ(spool->entries()[0].payload, change_event(first, 1).payload);
        EXPECT_EQ(spool->entries()[0].hash, change_event(first, 1).hash);
        EXPECT_EQ(spool->entries()[0].at, at(15));
    }
}

TEST_F(SpoolTest, OneThatDoesNotContinueTheChainIsRefused) {
    log_.reset();
    {
        auto spool = Spool::open(spool_file());
        ASSERT_TRUE(spool.has_value());
        const std::array entries{change_event(first, 5)};
        ASSERT_EQ(spool->append(entries), 1U);
    }
    const auto opened = SqliteAccessEventLog::open(directory_.path(), test_chain);
    ASSERT_FALSE(opened.has_value());
    EXPECT_THAT(opened.error().detail(), ::testing::HasSubstr("audit.spool does not continue"));
}

} // namespace
} // namespace claviger
