// SPDX-License-Identifier: Apache-2.0
// What every chain of audit events must do: those of changes and those of accesses, on each
// backend.
#include "store/audit_source.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "store/memory_access_event_log.h"
#include "store/memory_store.h"
#include "store/samples.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger {
namespace {

using namespace testing;

/// A chain that can be appended to and, where that means something, opened again.
class ChainBackend {
public:
    virtual ~ChainBackend() = default;
    virtual AuditSource& source() = 0;
    virtual void append(std::span<const AuditEntry> entries) = 0; // their numbers go on
    virtual void reopen() {}
    /// Forgets the summaries, as a file has none that an earlier version wrote.
    virtual void forget_blocks() {}
};

void append_to(Store& store, std::span<const AuditEntry> entries) {
    const auto done = store.write([&](Transaction& transaction) -> Result<void> {
        for (const AuditEntry& entry : entries) {
            TRY(transaction.change_events().append(entry));
        }
        return {};
    });
    ASSERT_TRUE(done) << done.error().detail();
}

void append_to(AccessEventLog& log, std::span<const AuditEntry> entries) {
    AuditTicket last = 0;
    for (const AuditEntry& entry : entries) {
        last = log.append(entry.tenant, entry.at, entry.payload).value();
    }
    ASSERT_EQ(log.wait(last), Durability::durable);
}

class MemoryChanges final : public ChainBackend {
public:
    MemoryChanges() { put_tenants(store_); }
    static void put_tenants(Store& store) {
        for (const TenantId id : {first, second}) {
            ASSERT_TRUE(put(store, tenant(id)));
        }
    }
    AuditSource& source() override { return store_; }
    void append(std::span<const AuditEntry> entries) override { append_to(store_, entries); }

private:
    MemoryStore store_;
};

class MemoryAccesses final : public ChainBackend {
public:
    AuditSource& source() override { return log_; }
    void append(std::span<const AuditEntry> entries) override { append_to(log_, entries); }

private:
    MemoryAccessEventLog log_{test_chain};
};

void forget_blocks_in(const std::filesystem::path& file) {
    const auto connection = Connection::open(file, Connection::Mode::read_write).value();
    ASSERT_TRUE(connection->execute("DELETE FROM event_block"));
}

class SqliteChanges final : public ChainBackend {
public:
    SqliteChanges() {
        reopen();
        MemoryChanges::put_tenants(*store_);
    }
    AuditSource& source() override { return *store_; }
    void append(std::span<const AuditEntry> entries) override { append_to(*store_, entries); }
    void reopen() override {
        store_.reset();
        store_ = SqliteStore::open(directory_.path()).value();
    }
    void forget_blocks() override {
        store_.reset();
        forget_blocks_in(directory_.path() / store_file_name);
        reopen();
    }

private:
    TemporaryDirectory directory_;
    std::unique_ptr<SqliteStore> store_;
};

class SqliteAccesses final : public ChainBackend {
public:
    SqliteAccesses() { reopen(); }
    AuditSource& source() override { return *log_; }
    void append(std::span<const AuditEntry> entries) override { append_to(*log_, entries); }
    void reopen() override {
        log_.reset();
        log_ = SqliteAccessEventLog::open(directory_.path(), test_chain).value();
    }
    void forget_blocks() override {
        log_.reset();
        forget_blocks_in(directory_.path() / audit_file_name);
        reopen();
    }

private:
    TemporaryDirectory directory_;
    std::unique_ptr<SqliteAccessEventLog> log_;
};

template <class Backend>
class AuditSourceTest : public ::testing::Test {
protected:
    /// Appends entries with these times; every third is not listed.
    void append(TenantId tenant, const std::vector<Timestamp>& times) {
        std::vector<AuditEntry>& all = entries_[tenant];
        const std::size_t before = all.size();
        for (const Timestamp time : times) {
            AuditEntry entry;
            entry.tenant = tenant;
            entry.number = all.size() + 1;
            entry.at = time;
            entry.payload = R"({"n":)" + std::to_string(entry.number);
            entry.payload += entry.number % 3 == 0 ? R"(,"action":"refresh"})" : "}";
            entry.hash = test_chain(all.empty() ? Digest{} : all.back().hash, entry.payload);
            all.push_back(std::move(entry));
        }
        backend_.append(std::span(all).subspan(before));
    }
    void append_steps(TenantId tenant, std::size_t count, std::int64_t from_second = 0) {
        std::vector<Timestamp> times;
        for (std::size_t i = 0; i < count; ++i) {
            times.push_back(at(from_second + static_cast<std::int64_t>(i)));
        }
        append(tenant, times);
    }

    std::unique_ptr<AuditReader> read() { return backend_.source().open_audit_reader().value(); }

    std::vector<AuditBlock> blocks(TenantId tenant, Timestamp from, Timestamp to) {
        return read()->blocks(tenant, from, to).value();
    }

    /// The chain is as was appended, but for what was removed.
    void check(TenantId tenant, std::uint64_t removed) {
        const std::vector<AuditEntry>& all = entries_[tenant];
        const auto reader = read();
        EXPECT_EQ(reader->head(tenant)->number, all.size());
        EXPECT_EQ(reader->head(tenant)->hash, all.empty() ? Digest{} : all.back().hash);
        EXPECT_EQ(reader->anchor(tenant)->number, removed);
        EXPECT_EQ(reader->anchor(tenant)->hash, removed == 0 ? Digest{} : all[removed - 1].hash);
        std::uint64_t next = removed + 1;
        const auto visited = reader->for_each(tenant, 1, all.size(), [&](const AuditEntry& entry) {
            EXPECT_EQ(entry.number, next);
            EXPECT_EQ(entry.payload, all[entry.number - 1].payload);
            EXPECT_EQ(entry.hash, all[entry.number - 1].hash);
            EXPECT_EQ(entry.at, all[entry.number - 1].at);
            ++next;
            return Result<void>{};
        });
        ASSERT_TRUE(visited);
        EXPECT_EQ(next, all.size() + 1);
        check_blocks(tenant, removed);
    }

    /// The blocks cover the chain once, and what they say is so.
    void check_blocks(TenantId tenant, std::uint64_t removed) {
        const std::vector<AuditEntry>& all = entries_[tenant];
        std::uint64_t next = removed + 1;
        for (const AuditBlock& block : blocks(tenant, at(-1'000'000), at(1'000'000))) {
            EXPECT_EQ(block.first, next);
            ASSERT_GE(block.last, block.first);
            const std::span entries(&all[block.first - 1], &all[block.last - 1] + 1);
            if (block.summary) {
                EXPECT_EQ(entries.size(), entries_in_block);
                const auto [earliest, latest] =
                    std::ranges::minmax_element(entries, {}, &AuditEntry::at);
                EXPECT_EQ(block.summary->earliest, earliest->at);
                EXPECT_EQ(block.summary->latest, latest->at);
                const auto listed = std::ranges::count_if(
                    entries, [](const AuditEntry& entry) { return entry.number % 3 != 0; });
                EXPECT_EQ(block.summary->listed, static_cast<std::uint64_t>(listed));
            } else {
                EXPECT_LT(entries.size(), entries_in_block);
            }
            next = block.last + 1;
        }
        EXPECT_EQ(next, all.size() + 1);
    }

    std::uint64_t remove_all_older_than(TenantId tenant, Timestamp before) {
        std::uint64_t total = 0;
        for (std::uint64_t removed = 1; removed > 0; total += removed) {
            removed = backend_.source().remove_oldest(tenant, before).value();
        }
        return total;
    }

    Backend backend_;
    std::map<TenantId, std::vector<AuditEntry>> entries_;
};

using Backends = ::testing::Types<MemoryChanges, MemoryAccesses, SqliteChanges, SqliteAccesses>;
TYPED_TEST_SUITE(AuditSourceTest, Backends);

TYPED_TEST(AuditSourceTest, BlocksSayWhatLiesInThem) {
    this->check(first, 0);
    std::mt19937 random(7);
    std::uniform_int_distribution<std::int64_t> second_of(0, 5'000);
    std::vector<Timestamp> times;
    for (int i = 0; i < 5'000; ++i) {
        times.push_back(at(second_of(random)));
    }
    this->append(first, times);
    this->append_steps(second, 1'024);
    this->check(first, 0);
    this->check(second, 0);
    this->backend_.reopen();
    this->append_steps(first, 100);
    this->append_steps(second, 1'024);
    this->check(first, 0);
    this->check(second, 0);
}

TYPED_TEST(AuditSourceTest, BlocksOfOtherTimesAreLeftOut) {
    this->append_steps(first, 5 * 1'024 + 10);
    const auto in_the_middle = this->blocks(first, at(1'024), at(2 * 1'024));
    ASSERT_EQ(in_the_middle.size(), 3U); // and the end, of which nothing is known
    EXPECT_EQ(in_the_middle[0].first, 1'025U);
    EXPECT_EQ(in_the_middle[1].first, 2'049U);
    EXPECT_EQ(in_the_middle[2].first, 5'121U);
    EXPECT_FALSE(in_the_middle[2].summary);
}

TYPED_TEST(AuditSourceTest, AReaderSeesOneMoment) {
    this->append_steps(first, 10);
    const auto reader = this->read();
    this->append_steps(first, 2'000);
    EXPECT_EQ(this->remove_all_older_than(first, at(5)), 5U);
    EXPECT_EQ(reader->head(first)->number, 10U);
    EXPECT_EQ(reader->anchor(first)->number, 0U);
    EXPECT_EQ(reader->blocks(first, at(0), at(10'000))->size(), 1U);
    std::uint64_t seen = 0;
    ASSERT_TRUE(reader->for_each(first, 1, 10, [&](const AuditEntry&) {
        ++seen;
        return Result<void>{};
    }));
    EXPECT_EQ(seen, 10U);
}

TYPED_TEST(AuditSourceTest, TheOldestAreRemovedAndAnAnchorStays) {
    this->append_steps(first, 6'000);
    this->append_steps(second, 30);
    EXPECT_EQ(this->remove_all_older_than(first, at(0)), 0U);
    for (const std::uint64_t removed : {1U, 1'000U, 1'024U, 1'025U, 3'500U, 5'999U, 6'000U}) {
        this->remove_all_older_than(first, at(static_cast<std::int64_t>(removed)));
        this->check(first, removed);
    }
    this->backend_.reopen();
    this->check(first, 6'000);
    this->append_steps(first, 2'500, 6'000); // the chain goes on where it was
    this->check(first, 6'000);
    this->check(second, 0);
}

TYPED_TEST(AuditSourceTest, ABlockThatIsBegunMayLoseItsBeginning) {
    this->append_steps(first, 500);
    EXPECT_EQ(this->remove_all_older_than(first, at(200)), 200U);
    this->check(first, 200);
    this->append_steps(first, 2'000, 500);
    this->check(first, 200);
    this->backend_.reopen();
    this->check(first, 200);
}

TYPED_TEST(AuditSourceTest, RemovingStopsAtTheFirstThatIsYoungEnough) {
    this->append(first, {at(1), at(2), at(100), at(3), at(4)});
    EXPECT_EQ(this->remove_all_older_than(first, at(50)), 2U);
    this->check(first, 2);
}

TYPED_TEST(AuditSourceTest, BlocksAreAddedToFilesThatHaveNone) {
    this->append_steps(first, 3'000);
    this->append_steps(second, 1'500);
    this->remove_all_older_than(first, at(700));
    this->backend_.forget_blocks();
    this->check(first, 700);
    this->check(second, 0);
}

TYPED_TEST(AuditSourceTest, RemovingIsShort) {
    this->append_steps(first, 10'000);
    const bool is_memory =
        std::is_same_v<TypeParam, MemoryChanges> || std::is_same_v<TypeParam, MemoryAccesses>;
    const auto removed = this->backend_.source().remove_oldest(first, at(1'000'000));
    ASSERT_TRUE(removed);
    EXPECT_LE(*removed, is_memory ? 10'000U : 4'096U);
    EXPECT_GT(*removed, 0U);
    this->check(first, *removed);
}

} // namespace
} // namespace claviger
