// SPDX-License-Identifier: Apache-2.0
// Workloads (contract 3.4). Claviger keeps none: what it would show is an upstream's, and there is
// no upstream. Requests are read and judged all the same, so that clients of the list run and
// learn what they have spelled wrong.
#include "api/count.h"
#include "api/filter.h"
#include "api/resources.h"

namespace claviger {
namespace {

/// One workload as an upstream spells it.
using Workload = RawJson;

const std::vector<ListField<Workload>>& fields() {
    using enum FieldKind;
    static const std::vector<ListField<Workload>> list = [] {
        std::vector<ListField<Workload>> made;
        for (const std::string_view name :
             {"type", "name", "clusterId", "projectId", "projectName", "departmentId",
              "departmentName", "submittedBy", "phase", "nodepool", "distributedFramework",
              "category", "priorityClassName", "aiApplicationId", "aiApplicationName"}) {
            made.push_back({name, text});
        }
        for (const std::string_view name :
             {"allocatedGPU", "idleGpus", "idleAllocatedGpus", "totalPendingTimeSeconds",
              "totalRunningTimeSeconds", "priority"}) {
            made.push_back({name, decimal});
        }
        for (const std::string_view name : {"createdAt", "deletedAt", "completedAt",
                                            "phaseUpdatedAt", "guaranteedRuntimeEndsAt"}) {
            made.push_back({name, time});
        }
        return made;
    }();
    return list;
}

/// The workloads that fit and that the caller may read. Nothing is offered to the walk.
Result<PageWalk<Workload>> walk_workloads(const ListRequest& request, const Page& page) {
    return PageWalk<Workload>::begin(request, page, fields(), nullptr);
}

struct WorkloadsRequest : ListRequest {
    std::optional<bool> deleted;
};
BOOST_DESCRIBE_STRUCT(WorkloadsRequest, (),
                      (deleted, offset, limit, sort_order, sort_by, filter_by, search))

struct WorkloadsResponse {
    std::vector<Workload> workloads;
    std::optional<std::int64_t> next;
};
BOOST_DESCRIBE_STRUCT(WorkloadsResponse, (), (workloads, next))

Result<WorkloadsResponse> list_workloads(Context&, const WorkloadsRequest& request) {
    const Page page = TRY(page_of(request));
    auto walk = TRY(walk_workloads(request, page));
    return WorkloadsResponse{walk.rows(), next_offset(page, walk.total())};
}

struct WorkloadCountRequest {
    std::optional<bool> deleted;
    std::optional<FilterText> filter_by;
    std::optional<std::string> search;
};
BOOST_DESCRIBE_STRUCT(WorkloadCountRequest, (), (deleted, filter_by, search))

Result<CountResponse> count_workloads(Context&, const WorkloadCountRequest& request) {
    ListRequest list;
    list.filter_by = request.filter_by;
    list.search = request.search;
    const auto walk = TRY(walk_workloads(list, no_page));
    return CountResponse{static_cast<std::int64_t>(walk.total())};
}

struct WorkloadRequest {
    Uuid workload_id;
};
BOOST_DESCRIBE_STRUCT(WorkloadRequest, (), (workload_id))

Result<Workload> read_workload(Context&, const WorkloadRequest&) {
    return fail(ErrorCode::not_found, "no workload has this workloadId");
}

constexpr Operation read_operation(std::string_view path, std::string_view id,
                                   std::string_view summary) {
    return {.method = HttpMethod::get,
            .path = path,
            .id = id,
            .tag = "workloads",
            .summary = summary,
            .access = Access::permission("workloads", Action::read, EvaluatedAt::anywhere)};
}

} // namespace

Routes workload_routes() {
    return {
        route<list_workloads>(read_operation("/api/v1/workloads", "listWorkloads",
                                             "List the workloads within reach")),
        route<count_workloads>(read_operation("/api/v1/workloads/count", "countWorkloads",
                                              "Count the workloads within reach")),
        route<read_workload>(
            read_operation("/api/v1/workloads/{workloadId}", "getWorkload", "Read one workload")),
    };
}

} // namespace claviger
