// SPDX-License-Identifier: Apache-2.0
// What was used: which permissions each credential was granted, at which scopes, on which days.
// Recorded where a route authorises its caller, and written to the store in batches, so that a
// request costs no database row. Decisions that are only asked for are no use.
//
// A use that this thread has recorded before on that day costs a look into a table of its own:
// no lock, no allocation. What has not been written yet is lost with the process.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "auth/directory.h"
#include "auth/origin.h"
#include "base/clock.h"
#include "store/store.h"

namespace claviger {

/// What the principal called with.
Credential credential_of(const Principal& principal);

/// The bits of a database as permissions of this program, and the other way round.
class PermissionNumbers {
public:
    explicit PermissionNumbers(UsageNumbers numbers);
    Bytes bits_of(const PermissionSet& permissions) const;
    /// Without those that this program does not know.
    PermissionSet permissions_of(const Bytes& bits) const;
    /// Their texts in order, with those that this program does not know.
    std::vector<std::string> texts_of(const Bytes& bits) const;
    Day since() const { return numbers_.since; }

private:
    UsageNumbers numbers_;
    std::vector<std::optional<Permission>> by_number_;
    std::vector<std::size_t> by_permission_; // by index_of()
};

struct UsageOptions {
    std::int64_t retention_days = 400; // 0: for ever
    std::size_t most_pending = 65'536; // rows
};

class Usage {
public:
    Usage(Store& store, const Clock& clock, const UsageOptions& options = {});

    /// Begins to record: the days before are unknown. Others begin it when they need it.
    Result<void> begin();

    /// A permission that was granted at a scope.
    void record(const TenantState& state, const Principal& principal, Permission permission,
                NodeIndex scope);
    /// One that was granted for all that is within reach: used at the topmost scopes of it.
    void record_anywhere(const TenantState& state, const Principal& principal,
                         Permission permission);

    /// Writes what has been recorded. What a failing store does not take is kept for the next call.
    Result<void> flush();
    /// Waits for so long, or less when much has been recorded or a stop is asked for.
    void wait(const std::stop_token& stop, std::chrono::milliseconds most);
    /// Removes what is older than it is to be kept: once an hour, for so long a time at most.
    Result<void> remove_old(std::span<const TenantId> tenants, std::int64_t most_milliseconds);

    // Reading, with what has not been written yet. A use may be visited twice.
    Result<void> for_each_of(TenantId tenant, const Credential& credential, Day from, Day to,
                             const UsageRows::Visit& visit);
    Result<void> for_each_since(TenantId tenant, Day from, const UsageRows::Visit& visit);
    Result<std::vector<LastUse>> last_uses(TenantId tenant);
    /// Shared with later calls.
    Result<std::shared_ptr<const PermissionNumbers>> numbers();

    Day today() const { return day_of(clock_.now()); }
    std::int64_t retention_days() const { return options_.retention_days; }
    std::size_t pending_count() const { return count_.load(std::memory_order_relaxed); }
    /// Uses that were not recorded, because the store does not take what is pending.
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

private:
    struct Key {
        TenantId tenant{};
        Credential credential;
        Day day;
        NodeIndex scope{};
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct HashOfKey {
        std::size_t operator()(const Key& key) const;
    };
    struct Pending {
        Uuid owner;
        ScopeId scope;
        PermissionSet permissions;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<Key, Pending, HashOfKey> rows;
    };

    /// False when there is no room.
    bool add(const TenantState& state, const Principal& principal, Permission permission,
             NodeIndex scope, Day day);
    bool take_room();
    void move_to_batch(const PermissionNumbers& numbers);
    std::vector<UsageRow> unwritten(const PermissionNumbers& numbers, TenantId tenant);
    Result<std::uint64_t> remove_old_of(TenantId tenant);

    Store& store_;
    const Clock& clock_;
    UsageOptions options_;
    std::uint64_t serial_; // identifies this object in the tables of the threads
    std::array<Shard, 16> shards_;
    std::atomic<std::size_t> count_{0};
    std::atomic<std::uint64_t> dropped_{0};

    std::mutex flush_mutex_;      // one flush at a time
    std::mutex batch_mutex_;      // of batch_, before those of the shards
    std::vector<UsageRow> batch_; // on its way to the store

    std::mutex numbers_mutex_;
    std::shared_ptr<const PermissionNumbers> numbers_; // shared with readers

    std::mutex wait_mutex_;
    std::condition_variable_any filling_;
    bool is_filling_ = false;
    std::int64_t next_removal_milliseconds_ = 0; // monotonic
};

} // namespace claviger
