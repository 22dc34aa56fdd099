// SPDX-License-Identifier: Apache-2.0
// Figures for Prometheus. Each I/O thread counts for itself; they are added up when asked for.
// Labels come from closed sets only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "api/http.h"

namespace claviger {

/// Upper bounds of the request duration histogram, in seconds.
inline constexpr std::array<double, 10> duration_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                        0.005,  0.01,    0.05,   0.25,  1.0};

/// What one I/O thread has seen.
class ThreadMetrics {
public:
    /// `route` must live as long as the process.
    void record(std::string_view route, HttpMethod method, int status, double seconds);

    struct Figures {
        std::uint64_t count = 0;
        double seconds = 0;
        std::array<std::uint64_t, duration_bounds.size() + 1> buckets{};
    };
    using Key = std::tuple<std::string_view, HttpMethod, int>;
    void add_to(std::map<Key, Figures>& sums) const;

    std::atomic<std::int64_t> connections{0};
    std::atomic<std::int64_t> followers{0}; // of the connections
    std::atomic<std::uint64_t> rejected_connections{0};

private:
    struct HashOfKey {
        std::size_t operator()(const Key& key) const;
    };
    mutable std::mutex mutex_; // held by the owner, and by a scrape
    std::unordered_map<Key, Figures, HashOfKey> figures_;
};

/// A figure from elsewhere in the process.
struct Metric {
    std::string_view name; // "claviger_tokens_issued_total"
    std::string_view help;
    bool is_counter = true;
    std::vector<std::pair<std::string_view, std::string>> labels;
    double value = 0;
};
using MetricSource = std::function<std::vector<Metric>()>;

/// The exposition text of everything.
std::string render_metrics(const std::vector<const ThreadMetrics*>& threads,
                           const MetricSource& source, std::string_view version);

} // namespace claviger
