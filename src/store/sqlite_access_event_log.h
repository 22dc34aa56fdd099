// SPDX-License-Identifier: Apache-2.0
// The access event log in an SQLite file of its own. One thread owns the connection: it commits
// whatever is queued with one sync. An event that comes alone is committed at once; while more come
// in than one commit takes, they are gathered for a millisecond or two between two commits. While
// the database cannot be written the events go to the spool; see spool.h.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/access_event_log.h"
#include "store/spool.h"
#include "store/sqlite_writer.h"
#include "store/ticket_book.h"

namespace claviger {

inline constexpr std::string_view audit_file_name = "audit.db";
inline constexpr std::string_view spool_file_name = "audit.spool";

class SqliteAccessEventLog final : public AccessEventLog {
public:
    static constexpr std::size_t most_queued_events = 16'384;
    static constexpr std::size_t most_queued_bytes = 16 * 1024 * 1024;
    /// Between two commits while more events come. A commit costs the processor as much as tens of
    /// events do, so it is worth to wait on when a millisecond has brought many, but not for more
    /// than a batch that is large enough.
    static constexpr std::chrono::microseconds gathering_time{1'000};
    static constexpr std::chrono::microseconds longer_gathering_time{1'500}; // besides
    static constexpr std::size_t many_events = 8;
    static constexpr std::size_t enough_events = 64;

    /// Events wait while the log is copied, and so it is copied in small pieces.
    static constexpr SqliteOptions usual_options{.checkpoint_above_pages = 128}; // 512 KiB

    /// `directory` exists and is owned by this process (DataDirectory).
    static Result<std::unique_ptr<SqliteAccessEventLog>>
    open(const std::filesystem::path& directory, Chain chain,
         const SqliteOptions& options = usual_options);

    /// Writes what is queued first.
    ~SqliteAccessEventLog() override;

    Result<AuditTicket> append(TenantId tenant, Timestamp at, std::string payload) override;
    bool can_record() override;
    Durability durability(AuditTicket ticket) const override;
    Durability wait(AuditTicket ticket) override;
    void add_batch_listener(std::function<void()> listener) override;
    Result<std::unique_ptr<AuditReader>> open_audit_reader() override;
    Result<std::uint64_t> remove_oldest(TenantId tenant, Timestamp before) override;
    std::uint64_t queue_depth() const override;
    std::uint64_t durable_count() const override;

private:
    using Heads = std::map<TenantId, AuditHead>;

    /// What somebody else wants of the writer thread between two batches.
    struct Errand {
        std::function<Result<void>(Connection&)> work;
        Result<void> outcome{};
        bool done = false;
    };

    SqliteAccessEventLog(std::filesystem::path file, Chain chain,
                         std::unique_ptr<SqliteWriter> writer, Spool spool)
        : file_(std::move(file)), chain_(std::move(chain)), writer_(std::move(writer)),
          spool_(std::move(spool)) {}

    Result<void> read_heads();
    Result<void> add_missing_blocks();
    Result<void> continue_from_spool();
    void run();
    void gather(std::unique_lock<std::mutex>& lock);
    /// True when it took longer than a commit does.
    bool write_batch(std::vector<AuditEntry>& batch);
    void link(std::vector<AuditEntry>& batch) const;
    Result<void> write_database(std::span<const AuditEntry> batch);
    Result<void> insert(std::span<const AuditEntry> entries);
    void run_errand(Errand& errand);
    void publish_heads(std::span<const AuditEntry> durable);

    const std::filesystem::path file_;
    const Chain chain_;
    std::unique_ptr<SqliteWriter> writer_; // of the writer thread, like what follows
    TicketBook tickets_;
    std::vector<std::function<void()>> listeners_;

    Heads heads_;
    std::mutex state_mutex_; // guards what readers see
    Spool spool_;

    mutable std::mutex queue_mutex_;
    std::condition_variable queued_;
    std::condition_variable errand_done_;
    Errand* errand_ = nullptr;
    std::vector<AuditEntry> queue_; // without number and hash
    std::size_t queued_bytes_ = 0;
    AuditTicket last_ticket_ = 0;
    bool sleeping_ = false;
    bool gathering_ = false;
    bool stopping_ = false;
    bool full_ = false;  // neither database nor spool took the last batch
    bool retry_ = false; // somebody asked while full

    std::thread thread_;
};

} // namespace claviger
