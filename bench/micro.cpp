// SPDX-License-Identifier: Apache-2.0
// What is measured in one process, without a network.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <vector>

#include "bench/bench.h"
#include "jose/key.h"
#include "store/sqlite_access_event_log.h"

namespace claviger::bench {
namespace {

/// Calls `work` until the time is over; gives calls per second of `clock`.
template <class Work>
double rate_of(clockid_t clock, double seconds, Work work) {
    constexpr int calls_between_looks = 64;
    const double begin = seconds_of(clock);
    double now = begin;
    std::int64_t calls = 0;
    while (now - begin < seconds) {
        for (int i = 0; i < calls_between_looks; ++i) {
            work();
        }
        calls += calls_between_looks;
        now = seconds_of(clock);
    }
    return static_cast<double>(calls) / (now - begin);
}

double percentile(std::vector<double>& values, double part) {
    const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
    return values[at];
}

/// The time of an fdatasync after a write of one page, in seconds.
std::vector<double> sync_times(const std::filesystem::path& directory) {
    constexpr int syncs = 500;
    const auto file = directory / "sync.tmp";
    const std::string page(4096, 'x');
    const int descriptor = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    std::vector<double> times;
    for (int i = 0; i < syncs; ++i) {
        const double begin = seconds_of(CLOCK_MONOTONIC);
        const bool is_written = ::pwrite(descriptor, page.data(), page.size(), i * 4096) == 4096;
        if (!is_written || ::fdatasync(descriptor) != 0) {
            break;
        }
        times.push_back(seconds_of(CLOCK_MONOTONIC) - begin);
    }
    ::close(descriptor);
    std::filesystem::remove(file);
    return times;
}

/// When each event was queued and when it was known to be durable.
class DurabilityTimes {
public:
    DurabilityTimes(AccessEventLog& log, std::size_t most) : log_(log), queued_(most) {
        times_.reserve(most);
        log_.add_batch_listener([this] { note_batch(); });
    }

    Result<void> append(std::string payload) {
        queued_[next_] = seconds_of(CLOCK_MONOTONIC); // before the writer can see the ticket
        const auto ticket = TRY(log_.append(TenantId{1}, Timestamp{}, std::move(payload)));
        ++next_;
        last_ = ticket;
        return {};
    }
    std::vector<double>& finish() {
        log_.wait(last_);
        for (std::uint64_t seen = seen_; seen < next_; seen = seen_) {
            seen_.wait(seen);
        }
        return times_;
    }

private:
    void note_batch() {
        const double now = seconds_of(CLOCK_MONOTONIC);
        std::uint64_t seen = seen_.load();
        const std::uint64_t durable = log_.durable_count();
        for (; seen < durable; ++seen) {
            times_.push_back(now - queued_[seen]);
        }
        seen_ = seen;
        seen_.notify_one();
    }

    AccessEventLog& log_;
    std::vector<double> queued_;
    std::vector<double> times_;
    std::atomic<std::uint64_t> seen_{0};
    std::uint64_t next_ = 0;
    AuditTicket last_ = 0;
};

} // namespace

Result<void> measure_signatures(std::string_view algorithm, double seconds) {
    auto kind = JoseAlgorithm::es256;
    for (const auto known : {JoseAlgorithm::rs256, JoseAlgorithm::ed25519}) {
        kind = algorithm == name_of(known) ? known : kind;
    }
    const PrivateKey key = TRY(PrivateKey::generate(kind, 3072));
    const PublicKey public_key = key.public_key();
    const std::string input(420, 'x'); // the size of a token's header and payload
    std::string encoded;
    const double signs = rate_of(CLOCK_THREAD_CPUTIME_ID, seconds, [&] {
        encoded.clear();
        key.sign(input, encoded);
    });
    const auto signature = decode_base64url(encoded);
    bool is_right = signature.has_value();
    const double verifies = rate_of(CLOCK_THREAD_CPUTIME_ID, seconds, [&] {
        is_right = is_right && public_key.verify(input, *signature);
    });
    if (!is_right) {
        return fail(ErrorCode::internal, "a signature did not verify");
    }
    std::printf("sign %.0f verify %.0f\n", signs, verifies);
    return {};
}

Result<void> measure_pipeline(const std::filesystem::path& directory, int threads, double seconds) {
    NullLog log;
    const auto application = TRY(open_without_audit(directory, log));
    const std::vector<Credentials> all = read_credentials(directory);
    std::atomic<int> failures{0};
    std::vector<double> rates(static_cast<std::size_t>(threads));
    {
        std::vector<std::jthread> running;
        for (std::size_t i = 0; i < rates.size(); ++i) {
            running.emplace_back([&, i] {
                std::vector<HttpRequest> requests;
                for (std::size_t j = i; j < all.size(); j += rates.size()) {
                    requests.push_back(token_request(all[j]));
                }
                std::size_t next = 0;
                rates[i] = rate_of(CLOCK_MONOTONIC, seconds, [&] {
                    const auto response =
                        application->dispatcher().serve(requests[next++ % requests.size()]);
                    failures += response.status == 200 ? 0 : 1;
                });
            });
        }
    }
    if (failures != 0) {
        return fail(ErrorCode::internal, "a token was refused");
    }
    double sum = 0;
    for (const double rate : rates) {
        sum += rate;
    }
    std::printf("tokens %.0f\n", sum);
    return {};
}

Result<void> measure_audit(const std::filesystem::path& directory, double rate, double seconds) {
    std::filesystem::create_directories(directory);
    std::vector<double> syncs = sync_times(directory);
    if (syncs.empty()) {
        return fail(ErrorCode::unavailable, "nothing can be written to " + directory.string());
    }
    const auto log = TRY(SqliteAccessEventLog::open(directory, chain_hash));
    const auto events = static_cast<std::size_t>(rate * seconds);
    DurabilityTimes times(*log, events);
    const std::string payload(400, 'x'); // about the size of a grant's event
    const double begin = seconds_of(CLOCK_MONOTONIC);
    for (std::size_t i = 0; i < events; ++i) {
        const double due = begin + static_cast<double>(i) / rate;
        while (seconds_of(CLOCK_MONOTONIC) < due) { // a timer would come late
        }
        TRY(times.append(payload));
    }
    std::vector<double>& durable = times.finish();
    constexpr double ms = 1000;
    std::printf("p50 %.3f p99 %.3f sync_p50 %.3f sync_p99 %.3f\n", percentile(durable, 0.5) * ms,
                percentile(durable, 0.99) * ms, percentile(syncs, 0.5) * ms,
                percentile(syncs, 0.99) * ms);
    return {};
}

} // namespace claviger::bench
