# SPDX-License-Identifier: Apache-2.0
"""Clusters, departments and projects: quotas, names and namespaces, what lists show."""
from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from scenario.api import Api, describe

from .world import World

PROJECTS = "/api/v1/org-unit/projects"
DEPARTMENTS = "/api/v1/org-unit/departments"


def entry(pool: str, gpus: float, **more) -> dict:
    return {"nodePool": {"id": pool, "name": f"pool-{pool}"}, "gpu": {"deserved": gpus}, **more}


def create_project(api: Api, cluster: str, **more) -> dict:
    body = {"name": api.fresh_name("unit"), "clusterId": cluster, "resources": [], **more}
    return api.call("POST", PROJECTS, body, status=201)


def refusal(api: Api, method: str, path: str, body: object) -> str:
    """What a 400 says."""
    answer = api.send(method, path, json=body)
    assert answer.status_code == 400, describe(answer)
    return answer.json()["message"]


@pytest.fixture
def unit(admin: Api, request) -> str:
    """The path of a new unit of the kind."""
    cluster = admin.create_cluster()
    if request.param == "department":
        return f"{DEPARTMENTS}/{admin.create_department(cluster)}"
    return f"{PROJECTS}/{admin.create_project(cluster)}"


both = pytest.mark.parametrize("unit", ["department", "project"], indirect=True)


# --- resources ------------------------------------------------------------------------------------


@both
def test_resources_are_replaced(admin: Api, unit: str):
    entries = [entry("1", 2.5), entry("2", 1, memory={"deserved": 3, "units": "GB"})]
    assert admin.call("PUT", f"{unit}/resources", entries) == entries
    seen = admin.call("GET", unit)
    assert seen["resources"] == entries
    assert seen["totalResources"] == {"gpuQuota": 3.5, "cpuQuota": 0, "memoryQuota": 3000}
    assert admin.call("PUT", f"{unit}/resources", []) == []
    assert admin.call("GET", unit)["resources"] == []


@both
def test_resources_are_merged_by_node_pool(admin: Api, unit: str):
    admin.call("PUT", f"{unit}/resources",
               [entry("1", 1, cpu={"deserved": 4}, priority="Low"), entry("2", 2)])
    merged = admin.call("PATCH", f"{unit}/resources",
                        [{"nodePool": {"id": "1"}, "gpu": {"deserved": 7, "limit": 9}},
                         entry("3", 3)])
    assert [(one["nodePool"]["id"], one["gpu"]) for one in merged] == [
        ("1", {"deserved": 7, "limit": 9}), ("2", {"deserved": 2}), ("3", {"deserved": 3})]
    assert merged[0]["cpu"] == {"deserved": 4} and merged[0]["priority"] == "Low"
    assert admin.call("GET", unit)["resources"] == merged


@both
def test_a_doubly_encoded_list_is_read(admin: Api, unit: str):
    text = json.dumps(json.dumps([entry("1", 1)]))
    answer = admin.send("PUT", f"{unit}/resources", data=text,
                        headers={"Content-Type": "application/json"})
    assert answer.status_code == 200 and answer.json() == [entry("1", 1)]


@both
@pytest.mark.parametrize("wrong, said", [
    ({}, "an array"), ("[]x", "JSON"), ([[]], "an object"),
    ([{"gpu": {"deserved": -1}}], "deserved must be from 0 to 1e12"),
    ([{"cpu": {"limit": -2}}], "limit must be from -1 to 1e12"),
    ([{"gpu": {"deserved": 1e300}}], "1e12"), ([{"gpu": {"overQuotaWeight": -0.5}}], "from 0"),
    ([{"memory": {"deserved": 1}}], "units"), ([{"memory": {"units": "kB"}}], "Mib, MB, GB"),
    ([entry("1", 1), entry("1", 2)], "same nodePool twice"), ([{}, {}], "same nodePool twice"),
    ([entry(str(i), 1) for i in range(101)], "100 entries"),
    ([entry("x" * 70_000, 1)], "64 KiB")],
    ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_resources_change_nothing(admin: Api, unit: str, wrong, said):
    before = admin.call("GET", unit)
    for method in ("PUT", "PATCH"):
        assert said in refusal(admin, method, f"{unit}/resources", wrong)
    assert said in refusal(admin, "PUT", unit, {"resources": wrong}) or isinstance(wrong, str)
    assert admin.call("GET", unit) == before


@both
def test_numbers_that_json_does_not_have(admin: Api, unit: str):
    for number in ("NaN", "Infinity", "1e400", "-1e400"):
        answer = admin.send("PUT", f"{unit}/resources",
                            data='[{"gpu": {"deserved": %s}}]' % number)
        assert answer.status_code == 400, number


@both
def test_patches_at_the_same_time_all_count(admin: Api, unit: str):
    pools = [str(number) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: admin.as_caller(admin.token).call(
            "PATCH", f"{unit}/resources", [entry(one, 1)]), pools))
    kept = admin.call("GET", unit)["resources"]
    assert sorted(one["nodePool"]["id"] for one in kept) == sorted(pools)


# --- projects -------------------------------------------------------------------------------------


def test_a_project_keeps_what_it_was_given(admin: Api):
    cluster = admin.create_cluster()
    department = admin.call("POST", DEPARTMENTS, {
        "name": "above", "clusterId": cluster, "resources": [], "defaultNodePools": ["a", "b"],
        "schedulingRules": {"trainingJobTimeLimitSeconds": 60,
                            "interactiveJobTimeLimitSeconds": 30}}, status=201)
    types = {"training": ["t"], "workspace": [], "names": {"t": "Tesla", "gpu": "x"}}
    made = create_project(admin, cluster, parentId=department["id"], description="for tests",
                          nodeTypes=types, enforceRunaiScheduler=False,
                          schedulingRules={"trainingJobTimeLimitSeconds": 10})
    assert made == admin.call("GET", f"{PROJECTS}/{made['id']}")
    assert made["parent"] == {"id": department["id"], "name": "above"}
    assert made["nodeTypes"] == types and made["enforceRunaiScheduler"] is False
    assert made["effective"] == {
        "schedulingRules": {"trainingJobTimeLimitSeconds": 10,
                            "interactiveJobTimeLimitSeconds": 30},
        "defaultNodePools": ["a", "b"], "nodeTypes": types}
    nothing = {"gpu": 0, "cpu": 0, "memory": 0}
    assert made["status"] == {
        "phase": "Ready", "namespace": f"runai-{made['name']}",
        "quotaStatus": dict.fromkeys(
            ("allocated", "allocatedNonPreemptible", "requested"), nothing)}
    changed = admin.call("PUT", f"{PROJECTS}/{made['id']}", {"resources": []})
    assert changed["description"] == "for tests" and changed["enforceRunaiScheduler"] is True


@pytest.mark.parametrize("name", ["Big", "a b", "a_b", "-a-", "a-", "x" * 58, "ä", "a.b"])
def test_a_name_that_makes_no_namespace(admin: Api, name: str):
    cluster = admin.create_cluster()
    body = {"name": name, "clusterId": cluster, "resources": []}
    assert "requestedNamespace" in refusal(admin, "POST", PROJECTS, body)
    made = admin.call("POST", PROJECTS, {**body, "requestedNamespace": "ns-1"}, status=201)
    assert made["name"] == name and made["status"]["namespace"] == "ns-1"
    assert made["requestedNamespace"] == "ns-1"


@pytest.mark.parametrize("namespace", ["Ns", "a_b", "-a", "a-", "x" * 64, 'a"b', "a.b", " "])
def test_a_namespace_is_a_label(admin: Api, namespace: str):
    body = {"name": "p", "clusterId": admin.create_cluster(), "resources": [],
            "requestedNamespace": namespace}
    assert "requestedNamespace must be" in refusal(admin, "POST", PROJECTS, body)


def test_the_longest_namespace(admin: Api):
    cluster = admin.create_cluster()
    made = create_project(admin, cluster, name="n" * 57)
    assert len(made["status"]["namespace"]) == 63
    create_project(admin, cluster, requestedNamespace="n" * 63)
    assert create_project(admin, cluster, requestedNamespace="")["requestedNamespace"] is None


def test_names_and_namespaces_are_unique_in_the_cluster(admin: Api):
    cluster, other = admin.create_cluster(), admin.create_cluster()
    department = admin.create_department(cluster)
    create_project(admin, cluster, name="one", requestedNamespace="ns-of-one")
    create_project(admin, cluster, name="two")
    for taken in ({"name": "one", "requestedNamespace": "free"},
                  {"name": "three", "requestedNamespace": "ns-of-one"},
                  {"name": "three", "requestedNamespace": "runai-two"},
                  {"name": "two", "parentId": department}):
        answer = admin.send("POST", PROJECTS,
                            json={"clusterId": cluster, "resources": [], **taken})
        assert answer.status_code == 409, (taken, describe(answer))
    create_project(admin, cluster, name="three", requestedNamespace="runai-one")
    create_project(admin, other, name="one", requestedNamespace="ns-of-one")


def test_one_of_many_takes_a_namespace(admin: Api):
    cluster = admin.create_cluster()
    departments = [admin.create_department(cluster) for _ in range(4)]

    def attempt(number: int) -> int:
        body = {"name": f"racer-{number}", "clusterId": cluster, "resources": [],
                "parentId": departments[number % 4], "requestedNamespace": "the-one"}
        return admin.as_caller(admin.token).send("POST", PROJECTS, json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(attempt, range(16)))
    assert sorted(statuses) == [201] + [409] * 15
    listed = admin.call("GET", PROJECTS, params={"filterBy": f"clusterId=={cluster}"})
    assert len(listed["projects"]) == 1
    admin.call("DELETE", f"{PROJECTS}/{listed['projects'][0]['id']}", status=204)
    assert attempt(99) == 201  # what is gone takes no name


def test_texts_are_bounded(admin: Api):
    cluster = admin.create_cluster()
    create_project(admin, cluster, description="d" * 4096)
    for path in (PROJECTS, DEPARTMENTS):
        body = {"name": "p", "clusterId": cluster, "resources": [], "description": "d" * 4097}
        assert "4096" in refusal(admin, "POST", path, body)


# --- departments ----------------------------------------------------------------------------------


def test_a_department_shows_its_projects(admin: Api):
    cluster = admin.create_cluster()
    department = admin.create_department(cluster)
    path = f"{DEPARTMENTS}/{department}"
    assert admin.call("GET", path)["children"] == []
    seen, hidden = (create_project(admin, cluster, parentId=department, resources=resources)
                    for resources in ([entry("1", 1.5, memory={"deserved": 2, "units": "GB"})],
                                      [entry("1", 2), entry("2", 4)]))
    whole = admin.call("GET", path)
    assert [one["id"] for one in whole["children"]] == [seen["id"], hidden["id"]]
    assert [(one["nodePool"], one["gpu"], one["memory"])
            for one in whole["projectsAggregatedResources"]] == [
        ({"id": "1", "name": "pool-1"}, {"deserved": 3.5}, {"deserved": 2000, "units": "MB"}),
        ({"id": "2", "name": "pool-2"}, {"deserved": 4}, {"units": "MB"})]
    account, reader = admin.member("Department viewer", "department", department)
    children = reader.call("GET", path)["children"]
    assert children in ([], whole["children"])  # as the role may read projects or not
    admin.give_role(account.name, "Viewer", "project", seen["id"])
    assert {"id": seen["id"], "name": seen["name"]} in reader.call("GET", path)["children"]


def test_what_departments_show_in_lists(admin: Api):
    cluster = admin.create_cluster()
    project = admin.create_project(cluster)
    for verbosity, has_status, has_children in ((None, True, False), ("meta", False, False),
                                                ("brief", True, False), ("verbose", True, True)):
        one, = admin.call("GET", DEPARTMENTS, params={
            "filterBy": f"clusterId=={cluster}", "verbosity": verbosity})["departments"]
        assert ("status" in one, "children" in one) == (has_status, has_children), verbosity
        if has_children:
            assert [child["id"] for child in one["children"]] == [project]
    assert admin.send("GET", f"{DEPARTMENTS}?verbosity=loud").status_code == 400


def test_averages_that_a_creator_gives_come_back(admin: Api):
    given = {"range24hData": {"averageGpuAllocation": 1.5, "updatedAt": "2026-01-02T03:04:05Z"}}
    body = {"name": "measured", "clusterId": admin.create_cluster(), "resources": []}
    made = admin.call("POST", DEPARTMENTS, {**body, "overtimeData": given}, status=201)
    path = f"{DEPARTMENTS}/{made['id']}"
    admin.call("PUT", path, {"resources": []})
    kept = admin.call("GET", path)["overtimeData"]["range24hData"]
    assert kept["averageGpuAllocation"] == 1.5
    assert kept["updatedAt"].startswith("2026-01-02T03:04:05")
    for wrong in ({"range24hData": {"updatedAt": "yesterday"}}, {"range7dData": 1}, 5):
        refusal(admin, "POST", DEPARTMENTS, {**body, "name": "other", "overtimeData": wrong})


# --- lists ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def four(shared_world: World) -> tuple[Api, str]:
    """A cluster with four projects, of 0.5, 2, 0 and 10 GPUs."""
    api = Api(shared_world.server.url, token=shared_world.admin.token)
    cluster = api.create_cluster()
    for number, gpus in enumerate((0.5, 2, None, 10)):
        resources = [] if gpus is None else [entry("1", gpus / 2), entry("2", gpus / 2)]
        create_project(api, cluster, name=f"p{number}", resources=resources)
    return api, cluster


@pytest.mark.parametrize("filters, found", [
    ("totalGpuQuota>=0.5", "p0 p1 p3"), ("totalGpuQuota==0.5", "p0"),
    ("totalGpuQuota<=0.5", "p0 p2"),
    ("totalGpuQuota!=10", "p0 p1 p2"), ("totalGpuQuota=^0", "p0 p2"), ("totalGpuQuota=@.5", "p0"),
    ("gpuAllocated==0", "p0 p1 p2 p3"), ("gpuAllocated>=1", ""), ("avgGpuAllocation24h>=0", ""),
    ("avgGpuUtilization30d!=1", "p0 p1 p2 p3"), ("phase==Ready", "p0 p1 p2 p3"),
    ("phase!=Ready", ""), ("parentName==default,name=$1", "p1")])
def test_filters(world: World, four, filters: str, found: str):
    api, cluster = four
    query = {"filterBy": f"clusterId=={cluster},{filters}"}
    listed = world.admin.call("GET", PROJECTS, params=query)
    assert " ".join(one["name"] for one in listed["projects"]) == found
    assert world.admin.call("GET", f"{PROJECTS}/count", params=query) == {
        "count": len(found.split())}


@pytest.mark.parametrize("sort, order", [
    ("totalGpuQuota", "p2 p0 p1 p3"), ("avgGpuUtilization7d", "p0 p1 p2 p3"),
    ("gpuAllocated", "p0 p1 p2 p3"), ("parentId", "p0 p1 p2 p3")])
def test_sorting(world: World, four, sort: str, order: str):
    query = {"filterBy": f"clusterId=={four[1]}", "sortBy": sort}
    listed = world.admin.call("GET", PROJECTS, params=query)
    assert " ".join(one["name"] for one in listed["projects"]) == order


@pytest.mark.parametrize("path", [PROJECTS, DEPARTMENTS, f"{PROJECTS}/count"])
@pytest.mark.parametrize("query", [
    "filterBy=totalGpuQuota==x", "filterBy=totalGpuQuota==", "filterBy=totalGpuQuota<=1e99",
    "filterBy=totalGpuQuota==nan", "filterBy=avgGpuAllocation1d==1", "filterBy=name"])
def test_wrong_filters(admin: Api, path: str, query: str):
    assert admin.send("GET", f"{path}?{query}").status_code == 400


def test_clusters_show_more_or_less(admin: Api):
    cluster = admin.create_cluster()
    for path in ("/api/v1/clusters/" + cluster, "/v1/k8s/clusters/" + cluster):
        full, short = (admin.call("GET", path, params={"verbosity": verbosity})
                       for verbosity in ("full", "metadata"))
        status = full.pop("status")
        assert status == {"state": "WaitingToConnect", "conditions": []}
        assert full == short and short["deleteRequestedAt"] is None
    listed = admin.call("GET", "/api/v1/clusters", params={"verbosity": "metadata",
                                                           "includeRequestedForDelete": "true"})
    assert not any("status" in one for one in listed)
