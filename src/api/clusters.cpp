// SPDX-License-Identifier: Apache-2.0
// Clusters (contract 3.1).
#include "api/org_unit_view.h"
#include "api/resources.h"

namespace claviger {
namespace {

struct ClusterAttributes {
    std::optional<std::string> domain, version;
};
BOOST_DESCRIBE_STRUCT(ClusterAttributes, (), (domain, version))

struct ClusterStatus {
    std::string state = "WaitingToConnect";
    std::vector<std::string> conditions;
};
BOOST_DESCRIBE_STRUCT(ClusterStatus, (), (state, conditions))

struct ClusterView {
    std::string uuid;
    std::int32_t tenant_id = 0;
    std::string name;
    Timestamp created_at;
    Nullable<Timestamp> updated_at;
    Nullable<std::string> domain, version;
    ClusterStatus status;
};
BOOST_DESCRIBE_STRUCT(ClusterView, (),
                      (uuid, tenant_id, name, created_at, updated_at, domain, version, status))

ClusterView view_of(const OrgUnit& unit) {
    json::error_code ec;
    const json::value value = json::parse(unit.attributes, ec);
    ClusterAttributes attributes;
    if (!ec && value.is_object()) {
        attributes =
            decode_object<ClusterAttributes>(value.as_object()).value_or(ClusterAttributes{});
    }
    return {unit.id.value,
            number_of(unit.id.tenant),
            unit.name,
            unit.created_at,
            {unit.updated_at},
            {attributes.domain},
            {attributes.version},
            {}};
}

/// `full` or `metadata`; the answer is small enough to be full always.
struct Verbosity {
    static Result<Verbosity> decode(std::string_view text) {
        if (text != "full" && text != "metadata") {
            return fail(ErrorCode::invalid_request, "must be full or metadata");
        }
        return Verbosity{};
    }
    std::string wire() const { return "full"; }
    static json::object schema() {
        return {{"type", "string"}, {"enum", json::array{"full", "metadata"}}};
    }
};

struct ClusterListRequest {
    std::optional<Verbosity> verbosity;
    std::optional<bool> include_requested_for_delete; // changes nothing: deletion is immediate
};
BOOST_DESCRIBE_STRUCT(ClusterListRequest, (), (verbosity, include_requested_for_delete))

Result<std::vector<ClusterView>> list_clusters(Context& context, const ClusterListRequest&) {
    std::vector<ClusterView> views;
    for (const NodeIndex node : readable_units(context, ScopeType::cluster, "cluster")) {
        views.push_back(view_of(*context.access().org_unit(node)));
    }
    return views;
}

struct ClusterCreationRequest {
    std::string name;
    std::optional<std::string> domain, version;
};
BOOST_DESCRIBE_STRUCT(ClusterCreationRequest, (), (name, domain, version))

Result<ClusterView> create_cluster(Context& context, const ClusterCreationRequest& request) {
    OrgUnitDraft draft;
    draft.type = ScopeType::cluster;
    draft.parent = tenant_scope(context.caller.tenant());
    draft.name = request.name;
    draft.attributes.clear();
    JsonWriter writer(draft.attributes);
    encode(writer, ClusterAttributes{request.domain, request.version});
    const OrgUnit unit = TRY(context.services.org_units.create(context.caller, draft));
    return view_of(unit);
}

struct ClusterRequest {
    Uuid cluster_uuid;
    std::optional<Verbosity> verbosity;

    ScopeId id(const Context& context) const {
        return {context.caller.tenant(), ScopeType::cluster, cluster_uuid.text()};
    }
    Result<NodeIndex> scope(const Context& context) const {
        return context.find_scope(ScopeType::cluster, cluster_uuid.text(), "clusterUuid");
    }
};
BOOST_DESCRIBE_STRUCT(ClusterRequest, (), (cluster_uuid, verbosity))

Result<ClusterView> read_cluster(Context& context, const ClusterRequest& request) {
    const NodeIndex node = TRY(request.scope(context));
    return view_of(*context.access().org_unit(node));
}

struct ClusterUpdateRequest : ClusterRequest {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(ClusterUpdateRequest, (), (cluster_uuid, name))

Result<Empty> update_cluster(Context& context, const ClusterUpdateRequest& request) {
    TRY(context.services.org_units.update(context.caller, request.id(context),
                                          {request.name, std::nullopt, std::nullopt}));
    return Empty{};
}

struct ClusterDeleteRequest : ClusterRequest {
    std::optional<bool> force;
};
BOOST_DESCRIBE_STRUCT(ClusterDeleteRequest, (), (cluster_uuid, force))

Result<Empty> delete_cluster(Context& context, const ClusterDeleteRequest& request) {
    TRY(context.services.org_units.remove(context.caller, request.id(context),
                                          request.force.value_or(false)));
    return Empty{};
}

constexpr Access may(Action action, EvaluatedAt at) {
    return Access::permission("cluster", action, at);
}

} // namespace

Routes cluster_routes() {
    constexpr std::string_view collection = "/api/v1/clusters";
    constexpr std::string_view item = "/api/v1/clusters/{clusterUuid}";
    constexpr std::string_view tag = "clusters";
    return {
        route<list_clusters>({.method = HttpMethod::get,
                              .path = collection,
                              .id = "listClusters",
                              .tag = tag,
                              .summary = "List the clusters within reach",
                              .access = may(Action::read, EvaluatedAt::anywhere)}),
        route<create_cluster>({.method = HttpMethod::post,
                               .path = collection,
                               .id = "createCluster",
                               .tag = tag,
                               .summary = "Create a cluster with its default department",
                               .access = may(Action::create, EvaluatedAt::tenant),
                               .success = 201}),
        route<read_cluster>({.method = HttpMethod::get,
                             .path = item,
                             .id = "getCluster",
                             .tag = tag,
                             .summary = "Read one cluster",
                             .access = may(Action::read, EvaluatedAt::request),
                             .runs_on = RunsOn::inline_thread}),
        route<update_cluster>({.method = HttpMethod::put,
                               .path = item,
                               .id = "updateCluster",
                               .tag = tag,
                               .summary = "Rename a cluster",
                               .access = may(Action::update, EvaluatedAt::request),
                               .success = 204}),
        route<delete_cluster>({.method = HttpMethod::remove,
                               .path = item,
                               .id = "deleteCluster",
                               .tag = tag,
                               .summary = "Delete a cluster; with force, with all below it",
                               .access = may(Action::remove, EvaluatedAt::request),
                               .success = 204}),
    };
}

} // namespace claviger
