// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_access_event_log.h"

#include <utility>

#include "store/sqlite_audit.h"

namespace claviger {

namespace {

constexpr std::uint64_t most_removed_events = 1024; // at once: tokens wait meanwhile

/// From here on access_event_id() would wrap round.
constexpr std::int32_t tenants_end = 1 << 23;

} // namespace

Result<std::unique_ptr<SqliteAccessEventLog>>
SqliteAccessEventLog::open(const std::filesystem::path& directory, Chain chain,
                           const SqliteOptions& options) {
    const auto file = directory / audit_file_name;
    auto writer = TRY(SqliteWriter::open(file, audit_migrations(), options));
    auto spool = TRY(Spool::open(directory / spool_file_name));
    std::unique_ptr<SqliteAccessEventLog> log(
        new SqliteAccessEventLog(file, std::move(chain), std::move(writer), std::move(spool)));
    TRY(log->read_heads());
    TRY(log->add_missing_blocks());
    TRY(log->continue_from_spool());
    log->thread_ = std::thread([raw = log.get()] { raw->run(); });
    return log;
}

SqliteAccessEventLog::~SqliteAccessEventLog() {
    {
        const std::scoped_lock lock(queue_mutex_);
        stopping_ = true;
    }
    queued_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

Result<AuditTicket> SqliteAccessEventLog::append(TenantId tenant, Timestamp at,
                                                 std::string payload) {
    if (number_of(tenant) < 0 || number_of(tenant) >= tenants_end) {
        return fail(ErrorCode::internal, "an access event names an impossible tenant");
    }
    bool wake = false;
    AuditTicket ticket = 0;
    {
        const std::scoped_lock lock(queue_mutex_);
        wake = std::exchange(sleeping_, false);
        if (full_) {
            retry_ = true;
        } else if (queue_.size() < most_queued_events && queued_bytes_ < most_queued_bytes) {
            queued_bytes_ += payload.size();
            queue_.push_back({tenant, 0, at, std::move(payload), {}});
            ticket = ++last_ticket_;
            wake = wake || (gathering_ && queue_.size() == enough_events);
        }
    }
    if (wake) {
        queued_.notify_one();
    }
    if (ticket == 0) {
        return fail(ErrorCode::unavailable, "access events cannot be recorded at the moment");
    }
    return ticket;
}

bool SqliteAccessEventLog::can_record() {
    bool wake = false;
    bool refuses = false;
    {
        const std::scoped_lock lock(queue_mutex_);
        refuses = full_;
        retry_ = retry_ || refuses;
        wake = refuses && std::exchange(sleeping_, false);
    }
    if (wake) {
        queued_.notify_one();
    }
    return !refuses;
}

Durability SqliteAccessEventLog::durability(AuditTicket ticket) const {
    return tickets_.durability(ticket);
}

Durability SqliteAccessEventLog::wait(AuditTicket ticket) {
    return tickets_.wait(ticket);
}

void SqliteAccessEventLog::add_batch_listener(std::function<void()> listener) {
    listeners_.push_back(std::move(listener));
}

Result<std::unique_ptr<AuditReader>> SqliteAccessEventLog::open_audit_reader() {
    std::vector<AuditEntry> spooled;
    {
        const std::scoped_lock lock(state_mutex_); // before the database: it may move there
        spooled = spool_.entries();
    }
    return SqliteAuditReader::open(file_, access_event_table(), std::move(spooled));
}

Result<std::uint64_t> SqliteAccessEventLog::remove_oldest(TenantId tenant, Timestamp before) {
    std::uint64_t removed = 0;
    Errand errand{[&](Connection& connection) -> Result<void> {
        removed = TRY(remove_oldest_entries(connection, access_event_table(), tenant, before,
                                            most_removed_events));
        return {};
    }};
    std::unique_lock lock(queue_mutex_);
    errand_done_.wait(lock, [&] { return errand_ == nullptr; });
    errand_ = &errand;
    sleeping_ = false;
    queued_.notify_one();
    errand_done_.wait(lock, [&] { return errand.done; });
    TRY(std::move(errand.outcome));
    return removed;
}

std::uint64_t SqliteAccessEventLog::queue_depth() const {
    const std::scoped_lock lock(queue_mutex_);
    return last_ticket_ - tickets_.decided();
}

std::uint64_t SqliteAccessEventLog::durable_count() const {
    return tickets_.durable_count();
}

/// Steps from tenant to tenant by the primary key, so that a long log opens as fast as a short one.
Result<void> SqliteAccessEventLog::read_heads() {
    Connection& connection = writer_->connection();
    std::int64_t from = 0;
    while (true) {
        Statement next = TRY(connection.query("SELECT tenant FROM "
                                              "(SELECT min(id) >> 40 AS tenant FROM access_event "
                                              "WHERE id >= ?1 << 40 UNION ALL "
                                              "SELECT min(tenant) FROM event_anchor "
                                              "WHERE tenant >= ?1) "
                                              "WHERE tenant IS NOT NULL ORDER BY tenant LIMIT 1",
                                              from));
        const bool any = TRY(next.step());
        if (!any) {
            return {};
        }
        const auto tenant = TenantId{static_cast<std::int32_t>(next.integer(0))};
        heads_[tenant] = TRY(find_audit_head(connection, access_event_table(), tenant));
        from = std::int64_t{number_of(tenant)} + 1;
    }
}

Result<void> SqliteAccessEventLog::add_missing_blocks() {
    TRY(writer_->begin());
    for (const auto& [tenant, head] : heads_) {
        auto added =
            claviger::add_missing_blocks(writer_->connection(), access_event_table(), tenant);
        if (!added) {
            writer_->roll_back();
            return added;
        }
    }
    return writer_->commit();
}

/// Takes up the spool of the former process, and copies it if the database can be written.
Result<void> SqliteAccessEventLog::continue_from_spool() {
    for (const AuditEntry& entry : spool_.entries()) {
        AuditHead& head = heads_[entry.tenant];
        if (entry.number > head.number + 1) {
            return fail(ErrorCode::internal,
                        std::string(spool_file_name) + " does not continue " + file_.string());
        }
        if (entry.number == head.number + 1) {
            head = {entry.number, entry.hash};
        }
    }
    if (!spool_.entries().empty()) {
        static_cast<void>(write_database({})); // the spool goes on when it fails
    }
    return {};
}

void SqliteAccessEventLog::run() {
    std::vector<AuditEntry> batch; // takes turns with the queue, so that both keep their memory
    std::unique_lock lock(queue_mutex_);
    while (true) {
        sleeping_ = true;
        queued_.wait(lock, [&] { return !queue_.empty() || retry_ || errand_ || stopping_; });
        sleeping_ = false;
        if (errand_ != nullptr) {
            Errand& errand = *errand_;
            lock.unlock();
            run_errand(errand);
            lock.lock();
        }
        if (queue_.empty() && !retry_) {
            if (stopping_) {
                return;
            }
            continue;
        }
        retry_ = false;
        batch.swap(queue_);
        queued_bytes_ = 0;
        lock.unlock();
        const bool has_gathered = write_batch(batch);
        batch.clear();
        lock.lock();
        if (!queue_.empty() && !has_gathered) {
            gather(lock);
        }
    }
}

void SqliteAccessEventLog::gather(std::unique_lock<std::mutex>& lock) {
    gathering_ = true;
    const auto is_enough = [&] { return stopping_ || queue_.size() >= enough_events; };
    if (!queued_.wait_for(lock, gathering_time, is_enough) && queue_.size() >= many_events) {
        queued_.wait_for(lock, longer_gathering_time, is_enough);
    }
    gathering_ = false;
}

bool SqliteAccessEventLog::write_batch(std::vector<AuditEntry>& batch) {
    link(batch);
    std::size_t durable = batch.size();
    const bool written = write_database(batch).has_value();
    if (!written) {
        const std::scoped_lock lock(state_mutex_);
        durable = spool_.append(batch);
    }
    publish_heads({batch.data(), durable});
    {
        const std::scoped_lock lock(queue_mutex_);
        // A retry without events proves nothing about the spool, only about the database.
        full_ = !written && (durable < batch.size() || full_);
    }
    tickets_.decide(durable, batch.size() - durable);
    for (const auto& listener : listeners_) {
        listener();
    }
    return writer_->checkpoint_if_due();
}

/// Numbers the events and chains their hashes.
void SqliteAccessEventLog::link(std::vector<AuditEntry>& batch) const {
    Heads moved; // heads_ itself moves when the batch is durable
    for (AuditEntry& entry : batch) {
        const auto [at, first] = moved.try_emplace(entry.tenant);
        AuditHead& head = at->second;
        if (const auto durable = heads_.find(entry.tenant); first && durable != heads_.end()) {
            head = durable->second;
        }
        entry.number = head.number + 1;
        entry.hash = chain_(head.hash, entry.payload);
        head = {entry.number, entry.hash};
    }
}

/// Commits the spool, if there is one, and the batch after it.
Result<void> SqliteAccessEventLog::write_database(std::span<const AuditEntry> batch) {
    TRY(writer_->begin());
    auto inserted = insert(spool_.entries());
    if (inserted) {
        inserted = insert(batch);
    }
    if (!inserted) {
        writer_->roll_back();
        return inserted;
    }
    TRY(writer_->commit());
    if (!spool_.entries().empty()) {
        const std::scoped_lock lock(state_mutex_);
        static_cast<void>(spool_.clear()); // what stays is inserted again, which changes nothing
    }
    return {};
}

Result<void> SqliteAccessEventLog::insert(std::span<const AuditEntry> entries) {
    for (const AuditEntry& entry : entries) {
        // An entry of the spool may be there: the commit that seemed to fail, or a lost clear().
        TRY(writer_->connection().run(
            "INSERT INTO access_event (id, at, payload, hash) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            access_event_id(entry.tenant, entry.number), entry.at, entry.payload, entry.hash));
        TRY(end_block(writer_->connection(), access_event_table(), entry.tenant, entry.number));
    }
    return {};
}

void SqliteAccessEventLog::run_errand(Errand& errand) {
    errand.outcome = writer_->begin();
    if (errand.outcome) {
        errand.outcome = errand.work(writer_->connection());
        if (errand.outcome) {
            errand.outcome = writer_->commit();
        } else {
            writer_->roll_back();
        }
    }
    writer_->checkpoint_if_due();
    const std::scoped_lock lock(queue_mutex_);
    errand.done = true;
    errand_ = nullptr;
    errand_done_.notify_all();
}

void SqliteAccessEventLog::publish_heads(std::span<const AuditEntry> durable) {
    for (const AuditEntry& entry : durable) {
        heads_[entry.tenant] = {entry.number, entry.hash};
    }
}

} // namespace claviger
