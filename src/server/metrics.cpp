// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.h"

#include <algorithm>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace claviger {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily make_family(std::string_view name, std::string_view help, MetricType type) {
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    return family;
}

ClientMetric make_metric(MetricType type, double value) {
    ClientMetric metric;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return metric;
}

void add_requests(std::vector<MetricFamily>& families,
                  const std::vector<const ThreadMetrics*>& threads) {
    std::map<ThreadMetrics::Key, ThreadMetrics::Figures> sums;
    for (const ThreadMetrics* thread : threads) {
        thread->add_to(sums);
    }
    MetricFamily total =
        make_family("claviger_http_requests_total", "Requests answered", MetricType::Counter);
    MetricFamily duration =
        make_family("claviger_http_request_duration_seconds",
                    "Time from the last byte of a request to its answer", MetricType::Histogram);
    std::map<std::string_view, ThreadMetrics::Figures> by_route;
    for (const auto& [key, figures] : sums) {
        const auto& [route, method, status] = key;
        ClientMetric metric = make_metric(MetricType::Counter, static_cast<double>(figures.count));
        metric.label = {{"route", std::string(route)},
                        {"method", std::string(name_of(method))},
                        {"code", std::to_string(status)}};
        total.metric.push_back(std::move(metric));
        ThreadMetrics::Figures& sum = by_route[route];
        sum.count += figures.count;
        sum.seconds += figures.seconds;
        for (std::size_t i = 0; i < sum.buckets.size(); ++i) {
            sum.buckets[i] += figures.buckets[i];
        }
    }
    for (const auto& [route, figures] : by_route) {
        ClientMetric metric;
        metric.label = {{"route", std::string(route)}};
        metric.histogram.sample_count = figures.count;
        metric.histogram.sample_sum = figures.seconds;
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < duration_bounds.size(); ++i) {
            cumulative += figures.buckets[i];
            metric.histogram.bucket.push_back({cumulative, duration_bounds[i]});
        }
        duration.metric.push_back(std::move(metric));
    }
    families.push_back(std::move(total));
    families.push_back(std::move(duration));
}

void add_connections(std::vector<MetricFamily>& families,
                     const std::vector<const ThreadMetrics*>& threads) {
    double open = 0;
    double following = 0;
    double rejected = 0;
    for (const ThreadMetrics* thread : threads) {
        open += static_cast<double>(thread->connections.load(std::memory_order_relaxed));
        following += static_cast<double>(thread->followers.load(std::memory_order_relaxed));
        rejected +=
            static_cast<double>(thread->rejected_connections.load(std::memory_order_relaxed));
    }
    MetricFamily connections =
        make_family("claviger_http_connections", "Open connections", MetricType::Gauge);
    connections.metric.push_back(make_metric(MetricType::Gauge, open));
    MetricFamily refused = make_family("claviger_http_connections_rejected_total",
                                       "Connections refused for a limit", MetricType::Counter);
    refused.metric.push_back(make_metric(MetricType::Counter, rejected));
    MetricFamily readers = make_family("claviger_revocation_feed_readers",
                                       "Connections that wait for revocations", MetricType::Gauge);
    readers.metric.push_back(make_metric(MetricType::Gauge, following));
    families.push_back(std::move(connections));
    families.push_back(std::move(readers));
    families.push_back(std::move(refused));
}

} // namespace

std::size_t ThreadMetrics::HashOfKey::operator()(const Key& key) const {
    const auto& [route, method, status] = key;
    return std::hash<std::string_view>{}(route) + static_cast<std::size_t>(method) * 1024 +
           static_cast<std::size_t>(status);
}

void ThreadMetrics::record(std::string_view route, HttpMethod method, int status, double seconds) {
    const std::scoped_lock lock(mutex_);
    Figures& figures = figures_[{route, method, status}];
    ++figures.count;
    figures.seconds += seconds;
    const auto bucket = std::ranges::lower_bound(duration_bounds, seconds);
    ++figures.buckets[static_cast<std::size_t>(bucket - duration_bounds.begin())];
}

void ThreadMetrics::add_to(std::map<Key, Figures>& sums) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, figures] : figures_) {
        Figures& sum = sums[key];
        sum.count += figures.count;
        sum.seconds += figures.seconds;
        for (std::size_t i = 0; i < sum.buckets.size(); ++i) {
            sum.buckets[i] += figures.buckets[i];
        }
    }
}

std::string render_metrics(const std::vector<const ThreadMetrics*>& threads,
                           const MetricSource& source, std::string_view version) {
    std::vector<MetricFamily> families;
    MetricFamily build = make_family("claviger_build_info", "The program", MetricType::Gauge);
    build.metric.push_back(make_metric(MetricType::Gauge, 1));
    build.metric.back().label = {{"version", std::string(version)}};
    families.push_back(std::move(build));
    add_requests(families, threads);
    add_connections(families, threads);
    for (const Metric& figure : source()) {
        const MetricType type = figure.is_counter ? MetricType::Counter : MetricType::Gauge;
        if (families.back().name != figure.name) {
            families.push_back(make_family(figure.name, figure.help, type));
        }
        ClientMetric metric = make_metric(type, figure.value);
        for (const auto& [name, value] : figure.labels) {
            metric.label.push_back({std::string(name), value});
        }
        families.back().metric.push_back(std::move(metric));
    }
    return prometheus::TextSerializer().Serialize(families);
}

} // namespace claviger
