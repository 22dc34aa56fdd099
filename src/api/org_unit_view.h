// SPDX-License-Identifier: Apache-2.0
// What lists and answers about clusters, departments and projects have in common.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "api/codec.h"
#include "api/context.h"
#include "api/filter.h"

namespace claviger {

/// Where the caller may read objects of one type, asked for many of them.
class Reach {
public:
    Reach(const Context& context, std::string_view resource_type);
    /// `node` must be live.
    bool covers(NodeIndex node) const;

private:
    const AccessSnapshot& access_;
    std::vector<NodeIndex> scopes_; // sorted
};

/// The units of one type that the caller may read, in the order of creation.
std::vector<NodeIndex> readable_units(const Context& context, ScopeType type,
                                      std::string_view resource_type);

/// What of a quota is in use. Claviger runs nothing, so that is nothing.
struct QuotaUse {
    double gpu = 0, cpu = 0, memory = 0;
};
BOOST_DESCRIBE_STRUCT(QuotaUse, (), (gpu, cpu, memory))

struct QuotaStatus {
    QuotaUse allocated, allocated_non_preemptible, requested;
};
BOOST_DESCRIBE_STRUCT(QuotaStatus, (), (allocated, allocated_non_preemptible, requested))

inline constexpr std::array<std::string_view, 9> average_fields{
    "avgGpuAllocation24h", "avgGpuUtilization24h", "avgGpuMemoryUtilization24h",
    "avgGpuAllocation7d",  "avgGpuUtilization7d",  "avgGpuMemoryUtilization7d",
    "avgGpuAllocation30d", "avgGpuUtilization30d", "avgGpuMemoryUtilization30d"};

/// The fields by which a list of departments or projects can be sorted although nothing is measured
/// here: no GPU is allocated, and no average is known.
template <class Row>
void add_measured_fields(std::vector<ListField<Row>>& fields) {
    using Number = std::optional<std::int64_t>;
    fields.push_back(
        {"gpuAllocated", FieldKind::decimal, nullptr, [](const Row&) -> Number { return 0; }});
    for (const std::string_view name : average_fields) {
        fields.push_back({name, FieldKind::decimal, nullptr, [](const Row&) { return Number(); }});
    }
}

} // namespace claviger
