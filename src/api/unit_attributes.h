// SPDX-License-Identifier: Apache-2.0
// What departments and projects have besides a name and a place (contract Appendix F): quotas a
// node pool, rules for schedulers, node types. Claviger acts on none of it; it is checked, kept as
// JSON beside the unit, and shown.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/context.h"

namespace claviger {

struct NodePool {
    std::string id;
    std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(NodePool, (), (id, name))

struct ResourceQuota {
    std::optional<double> deserved, limit, over_quota_weight;
};
BOOST_DESCRIBE_STRUCT(ResourceQuota, (), (deserved, limit, over_quota_weight))

/// Mib, MB or GB.
struct MemoryUnits {
    std::string value = "MB";
    static Result<MemoryUnits> decode(std::string_view text);
    std::string wire() const { return value; }
    static json::object schema();
    double megabytes() const; // in one unit
};

struct MemoryQuota {
    std::optional<double> deserved, limit, over_quota_weight;
    MemoryUnits units;
};
BOOST_DESCRIBE_STRUCT(MemoryQuota, (), (deserved, limit, over_quota_weight, units))

/// The quotas in one node pool, or in all of them.
struct Resources {
    std::optional<NodePool> node_pool;
    std::optional<ResourceQuota> gpu, cpu;
    std::optional<MemoryQuota> memory;
    std::optional<std::string> priority;
};
BOOST_DESCRIBE_STRUCT(Resources, (), (node_pool, gpu, cpu, memory, priority))

struct SchedulingRules {
    std::optional<std::int64_t> interactive_job_time_limit_seconds,
        interactive_job_max_idle_duration_seconds, interactive_job_preempt_idle_duration_seconds,
        training_job_max_idle_duration_seconds, training_job_time_limit_seconds;
};
BOOST_DESCRIBE_STRUCT(SchedulingRules, (),
                      (interactive_job_time_limit_seconds,
                       interactive_job_max_idle_duration_seconds,
                       interactive_job_preempt_idle_duration_seconds,
                       training_job_max_idle_duration_seconds, training_job_time_limit_seconds))

struct NodeTypes {
    std::optional<std::vector<std::string>> training, workspace;
    std::optional<std::map<std::string, std::string>> names;
};
BOOST_DESCRIBE_STRUCT(NodeTypes, (), (training, workspace, names))

struct OvertimeRange {
    std::optional<double> average_gpu_allocation, average_gpu_utilization,
        average_gpu_memory_utilization;
    std::optional<Timestamp> updated_at;
};
BOOST_DESCRIBE_STRUCT(OvertimeRange, (),
                      (average_gpu_allocation, average_gpu_utilization,
                       average_gpu_memory_utilization, updated_at))

/// What a creator says was measured; nothing is measured here.
struct OvertimeAverages {
    std::optional<OvertimeRange> range24h_data, range7d_data, range30d_data;
};
BOOST_DESCRIBE_STRUCT(OvertimeAverages, (), (range24h_data, range7d_data, range30d_data))

struct UnitAttributes {
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<OvertimeAverages> overtime_data;  // departments
    std::optional<bool> enforce_runai_scheduler;    // projects
    std::optional<std::string> requested_namespace; // projects; auth/org_units.h reads it as well
    std::optional<std::vector<Resources>> resources;
};
BOOST_DESCRIBE_STRUCT(UnitAttributes, (),
                      (scheduling_rules, default_node_pools, node_types, overtime_data,
                       enforce_runai_scheduler, requested_namespace, resources))

/// As they are kept. `invalid_request` for quantities that are none, the same node pool twice, and
/// what is too long.
Result<std::string> attributes_text(const UnitAttributes& attributes);
UnitAttributes attributes_of(std::string_view text);
/// As answers must show them: every entry has a gpu quota.
std::vector<Resources> shown_resources(const UnitAttributes& attributes);

struct TotalResources {
    Nullable<double> gpu_quota, cpu_quota, memory_quota; // memory in MB
};
BOOST_DESCRIBE_STRUCT(TotalResources, (), (gpu_quota, cpu_quota, memory_quota))

TotalResources total_of(const std::vector<Resources>& resources);
/// The GPUs of all entries in millionths, by which lists are filtered and sorted.
std::int64_t total_gpu_quota(const OrgUnit& unit);

/// PUT of a unit's resources; answers what is kept then.
Result<std::vector<Resources>> replace_resources(Context& context, const ScopeId& id,
                                                 const std::vector<Resources>& resources);
/// PATCH of them: what an entry says replaces what the entry of its node pool said; an entry for
/// another node pool is added.
Result<std::vector<Resources>> merge_resources(Context& context, const ScopeId& id,
                                               const std::vector<Resources>& resources);

} // namespace claviger
