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
    std::string state = "WaitingToConnect"; // no cluster reports to Claviger
    std::vector<std::string> conditions;
};
BOOST_DESCRIBE_STRUCT(ClusterStatus, (), (state, conditions))

struct ClusterView {
    std::string uuid;
    std::int32_t tenant_id = 0;
    std::string name;
    Timestamp created_at;
    Nullable<Timestamp> updated_at, deleted_at, last_liveness, delete_requested_at;
    Nullable<std::string> domain, version;
    std::optional<ClusterStatus> status;
};
BOOST_DESCRIBE_STRUCT(ClusterView, (),
                      (uuid, tenant_id, name, created_at, updated_at, deleted_at, last_liveness,
                       delete_requested_at, domain, version, status))

/// `full` or `metadata`, which leaves out the status.
struct Verbosity {
    bool full = true;
    static Result<Verbosity> decode(std::string_view text) {
        if (text != "full" && text != "metadata") {
            return fail(ErrorCode::invalid_request, "must be full or metadata");
        }
        return Verbosity{text == "full"};
    }
    std::string wire() const { return full ? "full" : "metadata"; }
    static json::object schema() {
        return {{"type", "string"}, {"enum", json::array{"full", "metadata"}}};
    }
};

ClusterView view_of(const OrgUnit& unit, const std::optional<Verbosity>& verbosity = {}) {
    json::error_code ec;
    const json::value value = json::parse(unit.attributes, ec);
    ClusterAttributes attributes;
    if (!ec && value.is_object()) {
        attributes =
            decode_object<ClusterAttributes>(value.as_object()).value_or(ClusterAttributes{});
    }
    ClusterView view;
    view.uuid = unit.id.value;
    view.tenant_id = number_of(unit.id.tenant);
    view.name = unit.name;
    view.created_at = unit.created_at;
    view.updated_at = {unit.updated_at};
    view.domain = {attributes.domain};
    view.version = {attributes.version};
    if (verbosity.value_or(Verbosity{}).full) {
        view.status.emplace();
    }
    return view;
}

struct ClusterListRequest {
    std::optional<Verbosity> verbosity;
    std::optional<bool> include_requested_for_delete; // changes nothing: deletion is immediate
};
BOOST_DESCRIBE_STRUCT(ClusterListRequest, (), (verbosity, include_requested_for_delete))

Result<std::vector<ClusterView>> list_clusters(Context& context,
                                               const ClusterListRequest& request) {
    std::vector<ClusterView> views;
    for (const NodeIndex node : readable_units(context, ScopeType::cluster, "cluster")) {
        views.push_back(view_of(*context.access().org_unit(node), request.verbosity));
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
    return view_of(*context.access().org_unit(node), request.verbosity);
}

struct ClusterUpdateRequest : ClusterRequest {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(ClusterUpdateRequest, (), (cluster_uuid, name))

Result<Empty> update_cluster(Context& context, const ClusterUpdateRequest& request) {
    OrgUnitChange change;
    change.name = request.name;
    TRY(context.services.org_units.update(context.caller, request.id(context), change));
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

/// One set of operations at each of two addresses; `deprecated` says which.
struct Place {
    std::string_view collection, item;
    std::array<std::string_view, 5> ids; // list, create, read, update, delete
    bool deprecated;
};

Routes routes_at(const Place& place) {
    const auto operation = [&](HttpMethod method, std::size_t id, std::string_view summary,
                               Access access, int success) {
        const bool of_all = id < 2;
        return Operation{.method = method,
                         .path = of_all ? place.collection : place.item,
                         .id = place.ids[id],
                         .tag = "clusters",
                         .summary = summary,
                         .access = access,
                         .success = success,
                         .deprecated = place.deprecated};
    };
    Operation read = operation(HttpMethod::get, 2, "Read one cluster",
                               may(Action::read, EvaluatedAt::request), 200);
    read.runs_on = RunsOn::inline_thread;
    return {
        route<list_clusters>(operation(HttpMethod::get, 0, "List the clusters within reach",
                                       may(Action::read, EvaluatedAt::anywhere), 200)),
        route<create_cluster>(operation(HttpMethod::post, 1,
                                        "Create a cluster with its default department",
                                        may(Action::create, EvaluatedAt::tenant), 201)),
        route<read_cluster>(read),
        route<update_cluster>(operation(HttpMethod::put, 3, "Rename a cluster",
                                        may(Action::update, EvaluatedAt::request), 204)),
        route<delete_cluster>(operation(HttpMethod::remove, 4,
                                        "Delete a cluster; with force, with all below it",
                                        may(Action::remove, EvaluatedAt::request), 204)),
    };
}

} // namespace

Routes cluster_routes() {
    return routes_at(
        {"/api/v1/clusters",
         "/api/v1/clusters/{clusterUuid}",
         {"listClusters", "createCluster", "getCluster", "updateCluster", "deleteCluster"},
         false});
}

Routes legacy_cluster_routes() {
    return routes_at({"/v1/k8s/clusters",
                      "/v1/k8s/clusters/{clusterUuid}",
                      {"listLegacyClusters", "createLegacyCluster", "getLegacyCluster",
                       "updateLegacyCluster", "deleteLegacyCluster"},
                      true});
}

} // namespace claviger
