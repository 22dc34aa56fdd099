# SPDX-License-Identifier: Apache-2.0
"""Roles that a tenant makes for itself, permission sets, and what they open."""
from __future__ import annotations

import pytest
from scenario.api import Api, describe

from .world import World

ROLES = "/api/v2/authorization/roles"
RULES = "/api/v1/authorization/access-rules"
SETS = "/api/v1/authorization/permission-sets"


def fields(role: dict, **changed: object) -> dict:
    """What of a role may be sent back."""
    return {name: role[name] for name in ("name", "description", "enabled", "permissionSets",
                                          "kubernetesPermissions")} | changed


def sets_of(admin: Api, *names: str) -> list[dict]:
    return [{"id": admin.permission_set_id(name)} for name in names]


def holder(admin: Api, role: dict) -> Api:
    """An account with this role in the whole tenant."""
    account = admin.create_account()
    rule = {"subjectId": account.name, "subjectType": "service-account", "roleId": role["id"],
            "scopeId": "1", "scopeType": "tenant"}
    admin.call("POST", RULES, rule, status=201)
    return admin.as_caller(admin.account_token(account))


def test_permission_sets_are_listed(admin: Api):
    listed = admin.call("GET", SETS)["permissionSets"]
    assert all(set(one) == {"id", "name", "description", "permissions"} for one in listed)
    view, = [one for one in listed if one["name"] == "View users"]
    assert view["permissions"] == [{"resourceType": "users", "actions": ["read"]}]
    assert admin.call("GET", f"{SETS}/{view['id']}") == view
    for unknown in ("7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10", "x"):
        assert admin.send("GET", f"{SETS}/{unknown}").status_code == 404


def test_life_of_an_own_role(admin: Api):
    name = Api.fresh_name("Auditor")
    made = admin.call("POST", ROLES, {
        "name": name, "description": "reads", "scopeType": "tenant", "scopeId": "1",
        "kubernetesPermissions": {"predefinedRole": "7"},
        "permissionSets": sets_of(admin, "View users", "View project")}, status=201)
    assert made["id"] > 10_000 and made["custom"] and made["enabled"] and not made["deprecated"]
    assert [one["name"] for one in made["permissionSets"]] == ["View users", "View project"]
    assert made["kubernetesPermissions"] == {"predefinedRole": "7"}
    assert {one["resourceType"]: one["actions"] for one in made["permissions"]} == {
        "users": ["read"], "project": ["read"]}
    assert admin.call("GET", f"{ROLES}/{made['id']}") == made
    old = admin.call("GET", f"/api/v1/authorization/roles/{made['id']}")
    assert (old["name"], old["custom"], old["effectiveEnabled"]) == (name, True, True)

    api = holder(admin, made)
    permissions = "/api/v1/authorization/permissions"
    held = {one["resourceType"] for one in api.call("GET", permissions)}
    assert held == {"users", "project"}

    changed = admin.call("PUT", f"{ROLES}/{made['id']}",
                         fields(made, permissionSets=sets_of(admin, "Manage registries")))
    assert changed["createdAt"] == made["createdAt"] and changed["createdBy"] == made["createdBy"]
    assert [one["resourceType"] for one in api.call("GET", permissions)] == ["registries"]

    for switch, held in (("disable", []), ("enable", ["registries"])):
        answer = admin.send("POST", f"{ROLES}/{made['id']}/{switch}", json={})
        assert (answer.status_code, answer.content) == (204, b"")
        assert [one["resourceType"] for one in api.call("GET", permissions)] == held
    assert admin.send("DELETE", f"{ROLES}/{made['id']}").status_code == 409
    for rule in admin.call("GET", RULES, params={"roleId": made["id"]})["accessRules"]:
        admin.call("DELETE", f"{RULES}/{rule['id']}")
    answer = admin.send("DELETE", f"{ROLES}/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert admin.send(method, f"{ROLES}/{made['id']}").status_code == 404


def test_lists_are_filtered_and_paged(admin: Api):
    names = [Api.fresh_name("listed") for _ in range(3)]
    for name in names:
        admin.create_role("View project", name=name)
    page = admin.call("GET", ROLES, params={"filterBy": "custom==true,name=^listed",
                                            "sortBy": "name", "sortOrder": "desc", "limit": 2})
    assert [one["name"] for one in page["roles"]] == sorted(names, reverse=True)[:2]
    assert page["next"] == 2
    rest = admin.call("GET", ROLES, params={"filterBy": ["custom==true", "name=^listed"],
                                            "sortBy": "name", "sortOrder": "desc", "offset": 2})
    assert len(rest["roles"]) == 1 and "next" not in rest
    found = admin.call("GET", ROLES, params={"search": "NEARLY everything"})["roles"]
    assert [one["name"] for one in found] == ["Cloud support"]
    system = admin.call("GET", ROLES, params={"filterBy": "scopeType==system", "limit": 500})
    assert len(system["roles"]) == 21
    assert [one["id"] for one in system["roles"]] == sorted(one["id"] for one in system["roles"])
    assert {one["name"] for one in system["roles"] if one["deprecated"]} == {
        "Research manager", "L1 researcher", "L2 researcher", "ML engineer"}
    for wrong in ({"filterBy": "bogus==1"}, {"sortBy": "bogus"}, {"limit": 501}):
        assert admin.send("GET", ROLES, params=wrong).status_code == 400


@pytest.mark.parametrize("changed", [
    {"permissions": [{"resourceType": "users", "actions": ["read"]}]},
    {"permissionSets": [{"id": "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10"}]},
    {"permissionSets": [{"name": "View users"}]}, {"scopeType": "system"}, {"scopeId": "2"},
    {"name": ""}, {"description": "x" * 1025},
    {"kubernetesPermissions": {"predefinedRole": "no role"}}], ids=str)
def test_what_cannot_be_is_refused(admin: Api, changed):
    role = admin.create_role()
    for method, path in (("POST", ROLES), ("PUT", f"{ROLES}/{role['id']}")):
        body = fields(role, name=Api.fresh_name("refused")) | changed
        answer = admin.send(method, path, json=body)
        assert answer.status_code == 400, describe(answer)
    assert admin.call("GET", f"{ROLES}/{role['id']}") == role


def test_names_are_taken_in_any_spelling(admin: Api):
    role = admin.create_role()
    for name in (role["name"].upper(), "SYSTEM administrator"):
        answer = admin.send("POST", ROLES, json=fields(role, name=name))
        assert answer.status_code == 409, describe(answer)


def test_predefined_roles_stay_as_they_are(admin: Api):
    """ADM-020, ADM-023."""
    body = {"name": "System administrator", "description": "", "permissionSets": []}
    before = admin.call("GET", f"{ROLES}/1")
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/disable"), ("POST", "/enable")):
        answer = admin.send(method, f"{ROLES}/1{path}", json=body)
        assert answer.status_code == 403, describe(answer)
        assert "predefined" in answer.json()["details"]
    assert admin.call("GET", f"{ROLES}/1") == before


def test_nobody_widens_a_role_that_they_hold(admin: Api):
    """ADM-019: neither one's own role nor another's, by whatever way."""
    own = admin.create_role("Manage roles", "Manage access_rules", "View project")
    strong = admin.create_role("System administrator")
    api = holder(admin, own)
    everything = sets_of(admin, "System administrator")
    refused = (("PUT", f"{ROLES}/{own['id']}", fields(own, permissionSets=everything)),
               ("POST", ROLES, fields(own, name="c", permissionSets=everything)),
               ("PUT", f"{ROLES}/{strong['id']}", fields(strong, permissionSets=[])),
               ("POST", f"{ROLES}/{strong['id']}/disable", {}),
               ("POST", f"{ROLES}/{strong['id']}/enable", {}),
               ("DELETE", f"{ROLES}/{strong['id']}", None),
               ("POST", RULES, {"subjectId": "me@first.example", "subjectType": "user",
                                "roleId": strong["id"], "scopeId": "1", "scopeType": "tenant"}))
    for method, path, body in refused:
        answer = api.send(method, path, json=body)
        assert answer.status_code == 403, f"{method} {path}: {describe(answer)}"
        assert "holds more than you do" in answer.json()["details"]
    assert admin.call("GET", f"{ROLES}/{own['id']}") == own
    assert admin.call("GET", f"{ROLES}/{strong['id']}") == strong
    weaker = api.call("POST", ROLES, fields(own, name=Api.fresh_name("weaker"),
                                            permissionSets=sets_of(admin, "View project")))
    api.call("DELETE", f"{ROLES}/{weaker['id']}", status=204)


def test_a_role_needs_its_permission_at_the_tenant(admin: Api):
    department = admin.create_department(admin.create_cluster())
    _, api = admin.member("System administrator", "department", department)
    role = admin.create_role()
    assert api.send("GET", f"{ROLES}/{role['id']}").status_code == 200
    for method, path in (("POST", ""), ("PUT", f"/{role['id']}"), ("DELETE", f"/{role['id']}"),
                         ("POST", f"/{role['id']}/disable")):
        answer = api.send(method, ROLES + path, json=fields(role))
        assert answer.status_code == 403, describe(answer)
        assert "roles:" in answer.json()["details"]


def test_check_33_roles_through_runapy(world: World, administrator, runapy_1):
    own = world.admin.create_role("View project")
    listed, one = runapy_1("calls", administrator, calls=[
        ["roles.get_roles_v1", {}], ["roles.get_role_v1", {"role_id_path": own["id"]}]])
    assert {"System administrator", "AI practitioner", "Data and storage administrator",
            "Project administrator", own["name"]} <= {role["name"] for role in listed["data"]}
    assert one["data"] in listed["data"]
    # Its model knows neither `groups` nor `datavolumes/sharedscopes`, of which predefined roles
    # speak: it reads what it gets without its models.
    assert runapy_1("read_strictly", model="RoleV1", values=[one["data"]])


def test_check_32_scopes_through_runapy(world: World, runapy_1):
    account, _ = world.admin.member("Viewer", "tenant", "1")
    scopes, permissions = runapy_1("calls", account, calls=[
        ["permissions.get_permitted_scopes",
         {"get_permitted_scopes_request": {"resourceType": "project"}}],
        ["permissions.get_permissions", {}]])
    assert scopes["data"]["read"]["tenants"] == ["1"]
    assert scopes["data"]["read"]["tenant"] == "1", "the older member"
    assert scopes["data"]["create"] == {"system": False, "tenants": [], "clusters": [],
                                        "departments": [], "projects": []}
    assert {"resourceType": "project", "displayName": "Projects", "groupId": "organization",
            "actions": ["read"]} in permissions["data"]
