// SPDX-License-Identifier: Apache-2.0
// What the projects of departments add to answers about them: their names, and the sums of their
// quotas.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/unit_attributes.h"

namespace claviger {

struct DepartmentChild {
    std::string id, name;
};
BOOST_DESCRIBE_STRUCT(DepartmentChild, (), (id, name))

struct NamedNodePool {
    std::string id, name;
};
BOOST_DESCRIBE_STRUCT(NamedNodePool, (), (id, name))

struct DeservedResource {
    std::optional<double> deserved;
};
BOOST_DESCRIBE_STRUCT(DeservedResource, (), (deserved))

struct DeservedMemory {
    std::optional<double> deserved;
    MemoryUnits units;
};
BOOST_DESCRIBE_STRUCT(DeservedMemory, (), (deserved, units))

/// The quotas of all projects in one node pool.
struct AggregatedResources {
    NamedNodePool node_pool;
    std::optional<DeservedResource> gpu, cpu;
    std::optional<DeservedMemory> memory; // in MB
};
BOOST_DESCRIBE_STRUCT(AggregatedResources, (), (node_pool, gpu, cpu, memory))

struct DepartmentProjects {
    std::vector<DepartmentChild> children;      // that the caller may read
    std::vector<AggregatedResources> resources; // of all
};
DepartmentProjects projects_of(const Context& context, const OrgUnit& department);

using Children = std::map<std::string, std::vector<DepartmentChild>>;
/// The projects that the caller may read, by the ids of their departments.
Children children_by_department(const Context& context);

} // namespace claviger
