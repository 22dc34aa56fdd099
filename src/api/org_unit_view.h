// SPDX-License-Identifier: Apache-2.0
// Departments and projects in the contract's words (contract 3.2, 3.3): what a request may set is
// kept as JSON beside the unit, checked and spelled out by these types.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/context.h"
#include "api/filter.h"

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
};

struct MemoryQuota {
    std::optional<double> deserved, limit, over_quota_weight;
    MemoryUnits units;
};
BOOST_DESCRIBE_STRUCT(MemoryQuota, (), (deserved, limit, over_quota_weight, units))

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
};
BOOST_DESCRIBE_STRUCT(NodeTypes, (), (training, workspace))

/// What is kept of a department or project besides its name and place.
struct UnitAttributes {
    std::optional<SchedulingRules> scheduling_rules;
    std::optional<std::vector<std::string>> default_node_pools;
    std::optional<NodeTypes> node_types;
    std::optional<bool> enforce_runai_scheduler;    // projects
    std::optional<std::string> requested_namespace; // projects
    std::optional<std::vector<Resources>> resources;
};
BOOST_DESCRIBE_STRUCT(UnitAttributes, (),
                      (scheduling_rules, default_node_pools, node_types, enforce_runai_scheduler,
                       requested_namespace, resources))

std::string attributes_text(const UnitAttributes& attributes);
UnitAttributes attributes_of(const OrgUnit& unit);

struct TotalResources {
    Nullable<double> gpu_quota, cpu_quota, memory_quota;
};
BOOST_DESCRIBE_STRUCT(TotalResources, (), (gpu_quota, cpu_quota, memory_quota))

TotalResources total_of(const std::vector<Resources>& resources);
/// The whole GPUs of all entries, by which lists are filtered and sorted.
std::int64_t total_gpu_quota(const OrgUnit& unit);
/// As answers must show them: every entry has a gpu quota.
std::vector<Resources> shown_resources(const UnitAttributes& attributes);

/// The units of one type that the caller may read, in the order of creation.
std::vector<NodeIndex> readable_units(const Context& context, ScopeType type,
                                      std::string_view resource_type);

/// Refuses limits below 1 and lists that are too long.
Result<void> check_attributes(const UnitAttributes& attributes);

} // namespace claviger
