// SPDX-License-Identifier: Apache-2.0
// Loses power at many moments of a run of the real store and the real access event log, and checks
// that both open, are whole, and hold everything that was acknowledged before. The second test runs
// the same with weaker syncs and must find losses: otherwise the first one would prove nothing.
#include <iostream>
#include <thread>

#include <gtest/gtest.h>

#include "disk_recording.h"
#include "store/samples.h"
#include "store/sqlite_access_event_log.h"
#include "store/sqlite_store.h"

namespace claviger::testing {
namespace {

using Unsynced = DiskRecording::Unsynced;

constexpr std::uint64_t seed = 20'270'115;
constexpr std::uint32_t rounds = 40; // of each of the two writing threads
constexpr std::uint32_t accounts_per_thread = 7;

/// What a caller was told: this account has at least this epoch, or this tenant this many events.
struct Acknowledgement {
    std::size_t moment = 0;
    TenantId tenant{};
    std::optional<Uuid> account;
    std::uint64_t at_least = 0;
};

/// A run, as recorded.
struct Recording {
    DiskRecording disk;
    std::mutex mutex;
    std::vector<Acknowledgement> acknowledgements;
    std::size_t first_moment = 0; // the stores were open from here on

    void acknowledge(TenantId tenant, std::optional<Uuid> account, std::uint64_t at_least) {
        const std::scoped_lock lock(mutex);
        acknowledgements.push_back({disk.now(), tenant, account, at_least});
    }
};

Result<void> put_with_event(Store& store, const ServiceAccount& account) {
    return store.write([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.service_accounts().put(account));
        const AuditHead head = TRY(transaction.change_events().head(account.id.tenant));
        AuditEntry entry{account.id.tenant, head.number + 1, at(1), account.name, {}};
        entry.hash = test_chain(head.hash, entry.payload);
        return transaction.change_events().append(entry);
    });
}

/// Changes a few accounts of one tenant again and again, with an access event beside each change.
void change_accounts(Recording& run, Store& store, AccessEventLog& log, TenantId tenant) {
    for (std::uint32_t round = 1; round <= rounds; ++round) {
        const auto ticket =
            log.append(tenant, at(1), std::string(round * 37 % 900, 'e') + std::to_string(round));
        const std::uint32_t number = round % accounts_per_thread;
        auto row = account(tenant, number, "robot-" + std::to_string(number));
        row.epoch = round;
        row.created_by = std::string(round * 53 % 700, 'c');
        if (put_with_event(store, row)) {
            run.acknowledge(tenant, row.id.value, round);
        }
        if (ticket && log.wait(*ticket) == Durability::durable) {
            run.acknowledge(tenant, std::nullopt, round);
        }
    }
}

void record(Recording& run, const SqliteOptions& options) {
    const TemporaryDirectory directory;
    const ShimVfs vfs(run.disk);
    const auto store = SqliteStore::open(directory.path(), options);
    const auto log = SqliteAccessEventLog::open(directory.path(), test_chain, options);
    ASSERT_TRUE(store.has_value());
    ASSERT_TRUE(log.has_value());
    ASSERT_TRUE(put(**store, tenant(first)));
    ASSERT_TRUE(put(**store, tenant(second)));
    run.first_moment = run.disk.now();
    {
        std::jthread one([&] { change_accounts(run, **store, **log, first); });
        std::jthread two([&] { change_accounts(run, **store, **log, second); });
    }
    ASSERT_EQ(run.acknowledgements.size(), std::size_t{2} * 2 * rounds);
}

/// What is wrong with a disk.
struct Findings {
    bool corrupt = false;
    std::size_t lost = 0;
};

bool is_whole(const std::filesystem::path& file) {
    const auto connection = Connection::open(file, Connection::Mode::read_only);
    return connection && (*connection)->ask("PRAGMA integrity_check").value_or("") == "ok";
}

/// Follows one chain; gives the number of its last entry, or nothing where it breaks.
class ChainWalk {
public:
    Result<void> operator()(const AuditEntry& entry) {
        intact_ = intact_ && entry.number == head_.number + 1 &&
                  entry.hash == test_chain(head_.hash, entry.payload);
        head_ = {entry.number, entry.hash};
        return {};
    }
    bool intact() const { return intact_; }
    std::uint64_t length() const { return head_.number; }

private:
    AuditHead head_;
    bool intact_ = true;
};

/// Opens the stores on a disk after a power loss at `moment` and compares.
Findings examine(const Recording& run, std::size_t moment, const std::filesystem::path& directory) {
    auto store = SqliteStore::open(directory);
    auto log = SqliteAccessEventLog::open(directory, test_chain);
    if (!store || !log || !is_whole(directory / store_file_name) ||
        !is_whole(directory / audit_file_name)) {
        return {.corrupt = true};
    }
    std::map<ServiceAccountId, std::uint64_t> epochs;
    const auto loaded = (*store)->load([&](const Row& row) {
        if (const auto* found = std::get_if<ServiceAccount>(&row)) {
            epochs[found->id] = found->epoch;
        }
    });
    std::map<TenantId, std::uint64_t> events;
    bool intact = loaded.has_value();
    for (const TenantId tenant : {first, second}) {
        ChainWalk changes;
        ChainWalk accesses;
        intact = intact && for_each_entry(**store, tenant, 1, std::ref(changes)) &&
                 for_each_entry(**log, tenant, 1, std::ref(accesses)) && changes.intact() &&
                 accesses.intact();
        events[tenant] = accesses.length();
        // A change and its event are one: the chain is as long as the last change says.
        for (const auto& [id, epoch] : epochs) {
            intact = intact && (id.tenant != tenant || epoch <= changes.length());
        }
    }
    Findings findings{.corrupt = !intact};
    for (const Acknowledgement& told : run.acknowledgements) {
        const std::uint64_t kept =
            told.account ? epochs[{told.tenant, *told.account}] : events[told.tenant];
        findings.lost += told.moment <= moment && kept < told.at_least ? 1 : 0;
    }
    return findings;
}

struct Total {
    std::size_t disks = 0;
    std::size_t corrupt = 0;
    std::size_t with_losses = 0;
};

/// Each moment in three variants.
Total lose_power_often(const Recording& run, std::size_t moments) {
    std::mt19937_64 random(seed);
    // Syncs cost nothing here: the disks are examined, not kept.
    DiskRecording ignored;
    const ShimVfs vfs(ignored);
    Total total;
    const std::size_t length = run.disk.now() - run.first_moment;
    for (std::size_t i = 1; i <= moments; ++i) {
        const std::size_t moment = run.first_moment + length * i / moments;
        for (const Unsynced unsynced :
             {Unsynced::nothing, Unsynced::some_torn, Unsynced::everything}) {
            const TemporaryDirectory directory;
            run.disk.rebuild(moment, unsynced, random, directory.path());
            const Findings findings = examine(run, moment, directory.path());
            ++total.disks;
            total.corrupt += findings.corrupt ? 1 : 0;
            total.with_losses += findings.lost > 0 ? 1 : 0;
        }
    }
    std::cout << "seed " << seed << ", " << run.disk.now() << " operations, " << total.disks
              << " disks, " << total.corrupt << " corrupt, " << total.with_losses
              << " with losses\n";
    return total;
}

TEST(CrashVfsTest, NothingAcknowledgedIsLostAtPowerLoss) {
    Recording run;
    record(run, {.checkpoint_above_pages = 40});
    const Total total = lose_power_often(run, 200);
    EXPECT_EQ(total.corrupt, 0U);
    EXPECT_EQ(total.with_losses, 0U);
}

TEST(CrashVfsTest, FindsTheLossesOfWeakerSyncs) {
    Recording run;
    record(run, {.checkpoint_above_pages = 40, .lose_acknowledged_writes_at_power_loss = true});
    const Total total = lose_power_often(run, 30);
    EXPECT_EQ(total.corrupt, 0U);
    EXPECT_GT(total.with_losses, 0U);
}

} // namespace
} // namespace claviger::testing
