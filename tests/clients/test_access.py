# SPDX-License-Identifier: Apache-2.0
"""Contract checks 20 to 28 and 31 to 33: roles, access rules and what they open."""
from __future__ import annotations

import pytest
from scenario.api import Api, describe

from .world import World

RULES = "/api/v1/authorization/access-rules"
PROJECTS = "/api/v1/org-unit/projects"


def test_check_20_no_rules(world: World, runapy_1):
    account = world.admin.create_account()
    world.exchanges()
    outcome, = runapy_1("calls", account, calls=[["projects.get_projects", {}]])
    assert (outcome["error"], outcome["status"]) == ("ForbiddenException", 403)
    requests = [exchange for exchange in world.exchanges() if exchange.path == PROJECTS]
    assert len(requests) == 1


def test_check_20_refusal_names_permission_and_scope(world: World):
    api = world.anonymous.as_caller(world.anonymous.account_token(world.admin.create_account()))
    for method, path, body, named in (
            ("GET", PROJECTS, None, "project:read"),
            ("POST", "/api/v1/service-accounts", {"name": "never"}, "service-account:create")):
        refused = api.send(method, path, json=body)
        assert refused.status_code == 403, describe(refused)
        problem = refused.json()
        assert problem["code"] == 403
        assert named in problem["details"], problem


def test_check_21_viewer_of_one_project(world: World, runapy_1):
    cluster = world.admin.create_cluster()
    seen, hidden = (world.admin.create_project(cluster) for _ in range(2))
    account, api = world.admin.member("Viewer", "project", seen)
    listed, = runapy_1("calls", account, calls=[["projects.get_projects", {}]])
    assert [project["id"] for project in listed["data"]["projects"]] == [seen]
    assert api.send("GET", f"{PROJECTS}/{seen}").status_code == 200
    # The same everywhere: what is in the tenant but out of reach is 403.
    for method, path in (("GET", f"{PROJECTS}/{hidden}"), ("PUT", f"{PROJECTS}/{hidden}"),
                         ("DELETE", f"{PROJECTS}/{hidden}")):
        answer = api.send(method, path, json={"resources": []} if method == "PUT" else None)
        assert answer.status_code == 403, describe(answer)
    assert api.call("GET", f"{PROJECTS}/count")["count"] == 1


def test_check_22_rule_on_a_department_covers_later_projects(admin: Api):
    cluster = admin.create_cluster()
    department = admin.create_department(cluster)
    _, api = admin.member("Viewer", "department", department)
    assert api.call("GET", PROJECTS)["projects"] == []
    project = admin.create_project(cluster, department)
    assert [one["id"] for one in api.call("GET", PROJECTS)["projects"]] == [project]


def test_check_23_deleted_rule_acts_on_the_next_request(admin: Api):
    project = admin.create_project(admin.create_cluster())
    account = admin.create_account()
    rule = admin.give_role(account.name, "Viewer", "project", project)
    api = admin.as_caller(admin.account_token(account))
    api.call("GET", f"{PROJECTS}/{project}")
    assert admin.send("DELETE", f"{RULES}/{rule}").status_code == 204
    assert api.send("GET", f"{PROJECTS}/{project}").status_code == 403
    # And a new one acts on the same token as well.
    admin.give_role(account.name, "Viewer", "project", project)
    api.call("GET", f"{PROJECTS}/{project}")


def test_check_24_granting_needs_what_is_granted(admin: Api):
    cluster = admin.create_cluster()
    own, other = admin.create_department(cluster), admin.create_department(cluster)
    _, api = admin.member("Department administrator", "department", own)
    expected = {("L1 researcher", "department", own): 201,
                ("System administrator", "department", own): 403,
                ("Editor", "department", own): 403,
                ("L1 researcher", "department", other): 403,
                ("L1 researcher", "tenant", "1"): 403,
                ("L1 researcher", "cluster", cluster): 403}
    statuses = {}
    for role, scope_type, scope in expected:
        fields = admin.rule_fields("new@first.example", role, scope_type, scope, "user")
        statuses[role, scope_type, scope] = api.send("POST", RULES, json=fields).status_code
    assert statuses == expected


def test_check_24_no_deleting_above_own_permissions(admin: Api):
    department = admin.create_department(admin.create_cluster())
    _, api = admin.member("Department administrator", "department", department)
    strong = admin.give_role("chief@first.example", "System administrator", "department",
                             department, "user")
    assert api.send("DELETE", f"{RULES}/{strong}").status_code == 403
    weak = admin.give_role("chief@first.example", "Viewer", "department", department, "user")
    assert api.send("DELETE", f"{RULES}/{weak}").status_code == 204


def test_check_25_same_rule_twice(admin: Api):
    project = admin.create_project(admin.create_cluster())
    fields = admin.rule_fields("twice@first.example", "Viewer", "project", project, "user")
    admin.call("POST", RULES, fields, status=201)
    answer = admin.send("POST", RULES, json=fields)
    assert answer.status_code == 409
    assert "already exists" in answer.json()["message"]


def test_check_25_refused_rule_leaves_nothing(admin: Api):
    """A cluster that is not the scope's is refused, and then no rule is there."""
    first, second = admin.create_cluster(), admin.create_cluster()
    project = admin.create_project(first)
    fields = admin.rule_fields("neither@first.example", "Viewer", "project", project, "user")
    answer = admin.send("POST", RULES, json={**fields, "clusterId": second})
    listed = admin.call("GET", RULES, params={"subjectIds": "neither@first.example"})
    assert len(listed["accessRules"]) == (1 if answer.status_code == 201 else 0)


def test_check_26_shape_of_a_rule(world: World, runapy_1):
    admin = world.admin
    project = admin.create_project(admin.create_cluster())
    account = admin.create_account()
    rules = [admin.rule_fields("u@first.example", "Viewer", "project", project, "user"),
             admin.rule_fields("all of them", "Viewer", "tenant", "1", "group"),
             admin.rule_fields(account.name, "L1 researcher", "project", project, "app")]
    made = [admin.call("POST", RULES, fields, status=201) for fields in rules]
    for rule in made:
        assert [type(rule[name]) for name in ("id", "roleId", "tenantId")] == [int] * 3
    assert made[2]["subjectType"] == "service-account"
    ones = [admin.call("GET", f"{RULES}/{rule['id']}") for rule in made]
    assert all(one["scopePath"] for one in ones)
    assert ones[0]["scopePath"].count("/") == 3
    assert len(runapy_1("read_strictly", model="AccessRule", values=made)) == len(made)
    assert len(runapy_1("read_strictly", model="AccessRuleById", values=ones)) == len(ones)


@pytest.mark.parametrize("subject", ["name", "id"])
def test_check_26_subject_by_name_or_id(admin: Api, subject):
    account = admin.create_account()
    given = {"name": account.name, "id": account.id}[subject]
    rule = admin.call("POST", RULES, admin.rule_fields(given, "Viewer", "tenant", "1"))
    assert rule["subjectId"] == account.name


def test_check_26_unknown_service_account_is_refused(admin: Api):
    answer = admin.send("POST", RULES,
                        json=admin.rule_fields("nobody-here", "Viewer", "tenant", "1"))
    assert answer.status_code == 404, describe(answer)
    assert "subjectId" in answer.json()["details"]


def test_check_27_filter_sort_and_page(world: World, administrator, runapy_1):
    project = world.admin.create_project(world.admin.create_cluster())
    for i in range(3):
        world.admin.give_role(f"many{i}@first.example", "Viewer", "project", project, "user")
    outcome, = runapy_1("calls", administrator, calls=[["access_rules.get_access_rules", {
        "filter_by": ["scopeType==project", "roleName=@viewer"], "limit": 1,
        "sort_by": {"member": "AccessRulesSortFilterFields.CREATEDAT"}}]])
    assert outcome["status"] == 200, outcome
    data = outcome["data"]
    assert len(data["accessRules"]) == data["displayRecords"] == 1
    assert data["totalRecords"] >= 3
    rule = data["accessRules"][0]
    assert (rule["scopeType"], rule["roleName"]) == ("project", "Viewer")


def test_check_27_pages_are_the_whole_in_order(admin: Api):
    project = admin.create_project(admin.create_cluster())
    for i in range(5):
        admin.give_role(f"page{i}@first.example", "Viewer", "project", project, "user")
    query = {"scopeId": project, "scopeType": "project", "sortBy": "subjectId",
             "sortOrder": "desc"}
    found = []
    for offset in range(0, 6, 2):
        page = admin.call("GET", RULES, params={**query, "limit": 2, "offset": offset})
        assert page["totalRecords"] == 5
        found += [rule["subjectId"] for rule in page["accessRules"]]
    assert found == [f"page{i}@first.example" for i in (4, 3, 2, 1, 0)]
    assert admin.call("GET", f"{RULES}/count",
                      params={"filterBy": f"scopeType==project,scopeId=={project}"})["count"] == 5


def test_check_28_comma_in_a_value(admin: Api):
    project = admin.create_project(admin.create_cluster())
    admin.give_role("a,b@x.io", "Viewer", "project", project, "group")
    admin.give_role("a", "Viewer", "project", project, "group")
    listed = admin.call("GET", f"{RULES}?filterBy=subjectId==a,b@x.io")
    assert [rule["subjectId"] for rule in listed["accessRules"]] == ["a,b@x.io"]
    both = admin.call("GET", f"{RULES}?filterBy=subjectId%3D%3Da%2CscopeId%3D%3D{project}")
    assert [rule["subjectId"] for rule in both["accessRules"]] == ["a"]


@pytest.mark.parametrize("filter", ["bogus==1", "subjectId", "subjectId==", "==a", "subjectId=a"])
def test_check_28_bad_filters(admin: Api, filter):
    answer = admin.send("GET", RULES, params={"filterBy": filter})
    assert answer.status_code == 400, describe(answer)


def test_check_31_own_rules(world: World, runapy_1):
    account, api = world.admin.member("Viewer", "tenant", "1")
    outcome, = runapy_1("calls", account, calls=[["me.get_me_access_rules", {}]])
    rules = outcome["data"]["accessRules"]["accessRules"]
    assert isinstance(rules, list)
    assert [(rule["subjectId"], rule["roleName"]) for rule in rules] == [(account.name, "Viewer")]
    assert api.call("GET", "/api/v1/authorization/me/access-rules/count")["count"] == 1


@pytest.mark.parametrize("action", [None, "read"])
def test_check_32_permitted_scopes(admin: Api, action):
    project = admin.create_project(admin.create_cluster())
    _, api = admin.member("Viewer", "project", project)
    body = {"resourceType": "project"} | ({"action": action} if action else {})
    answer = api.call("POST", "/api/v1/authorization/permitted-scopes", body, status=200)
    assert set(answer) == {"create", "read", "update", "delete"}
    assert answer["read"]["projects"] == [project]
    assert answer["create"]["projects"] == []


def test_check_33_roles(admin: Api):
    roles = admin.call("GET", "/api/v1/authorization/roles")
    assert isinstance(roles, list)
    assert len([role for role in roles if not role["custom"]]) == 21
    chief, = [role for role in roles if role["name"] == "System administrator"]
    assert chief["id"] == 1
    actions = {action for role in roles for permission in role["permissions"]
               for action in permission["actions"]}
    assert actions <= {"create", "read", "update", "delete", "sync"}
    assert all(type(role["id"]) is int for role in roles)
    one = admin.call("GET", f"/api/v1/authorization/roles/{chief['id']}")
    assert one == chief


def test_check_33_own_permissions(admin: Api):
    project = admin.create_project(admin.create_cluster())
    _, api = admin.member("Viewer", "project", project)
    permissions = {one["resourceType"]: one["actions"]
                   for one in api.call("GET", "/api/v1/authorization/permissions")}
    assert permissions["project"] == ["read"]
    assert "service-account" not in permissions
