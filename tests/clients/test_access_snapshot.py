# SPDX-License-Identifier: Apache-2.0
"""The signed statement of all that decides in a tenant: against what the API lists, and who may
have it."""
from __future__ import annotations

import jwt
import pytest
from scenario.api import Api

from .test_access_rule_batches import BATCH_CREATE, creation
from .world import World

SNAPSHOT = "/api/v1/authorization/snapshot"
AUDIENCE = "urn:claviger:access-snapshot"


class Statement:
    """All parts of a snapshot, checked and put together."""

    def __init__(self, admin: Api):
        keys = {key["kid"]: jwt.PyJWK(key)
                for key in admin.call("GET", "/.well-known/jwks.json")["keys"]}
        answer = admin.call("GET", SNAPSHOT)
        self.number = answer["number"]
        self.rows: dict[str, list] = {
            name: [] for name in ("nodes", "roles", "users", "limits", "rules")}
        for place, part in enumerate(answer["parts"], 1):
            header = jwt.get_unverified_header(part)
            assert header["typ"] == "access-snapshot+jwt"
            claims = jwt.decode(part, keys[header["kid"]], algorithms=["ES256"], audience=AUDIENCE)
            assert (claims["number"], claims["part"]) == (self.number, place)
            assert claims["last"] == (place == len(answer["parts"]))
            assert "exp" not in claims and "sub" not in claims
            for name, rows in self.rows.items():
                rows += claims.get(name, [])

    def node(self, place: int) -> tuple[str, str]:
        return tuple(self.rows["nodes"][place][:2])


def test_it_says_what_the_lists_say(admin: Api):
    cluster = admin.create_cluster()
    department = admin.create_department(cluster)
    project = admin.create_project(cluster, department)
    account = admin.create_account()
    rule = admin.give_role(account.name, "Viewer", "project", project)
    user = admin.create_user()
    role = admin.create_role("View roles")
    stated = Statement(admin)
    places = {tuple(node[:2]): node[2] for node in stated.rows["nodes"]}
    assert stated.rows["nodes"][0][0] == "tenant" and stated.rows["nodes"][0][2] == -1
    assert stated.node(places["project", project]) == ("department", department)
    assert stated.node(places["department", department]) == ("cluster", cluster)
    rules = {row[0]: row[1:] for row in stated.rows["rules"]}
    assert rules[rule][:3] == ["service-account", account.id, admin.role_id("Viewer")]
    assert stated.node(rules[rule][3]) == ("project", project)
    assert len(rules) == admin.call("GET", "/api/v1/authorization/access-rules/count")["count"]
    assert [user.email, []] in [row[1:] for row in stated.rows["users"]]
    assert [role["id"], ["roles:read"]] in stated.rows["roles"]


def test_a_disabled_role_is_left_out_and_limits_are_told(admin: Api):
    role = admin.create_role("View roles")
    admin.call("PUT", f"/api/v2/authorization/roles/{role['id']}",
               {"name": role["name"], "description": "", "enabled": False,
                "permissionSets": role["permissionSets"]})
    limits = {"addresses": ["10.0.0.0/8"], "ceiling": {"permissions": ["project:read"]}}
    account = admin.create_account()
    before = Statement(admin)
    assert role["id"] not in [row[0] for row in before.rows["roles"]]
    assert account.client_id not in [row[0] for row in before.rows["limits"]]
    admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits", limits)
    after = Statement(admin)
    told = dict(after.rows["limits"])[account.client_id]
    assert told["addresses"] == ["10.0.0.0/8"]
    assert told["ceiling"]["permissions"] == ["project:read"]
    assert after.number > before.number  # who follows the feed has heard of it


def test_a_new_user_is_news_for_verifiers(admin: Api):
    before = Statement(admin).number
    admin.create_user()
    assert Statement(admin).number == before + 1


@pytest.mark.parametrize(("sets", "status"), [
    (["View security-settings"], 403), (["View access_rules"], 403),
    (["View security-settings", "View access_rules"], 200)])
def test_it_takes_two_permissions(admin: Api, sets: list[str], status: int):
    account = admin.create_account()
    admin.call("POST", "/api/v1/authorization/access-rules", {
        "subjectId": account.name, "subjectType": "service-account",
        "roleId": admin.create_role(*sets)["id"], "scopeId": "1", "scopeType": "tenant"})
    api = admin.as_caller(admin.account_token(account))
    assert api.send("GET", SNAPSHOT).status_code == status


def test_a_big_tenant_comes_in_parts(new_world):
    world: World = new_world()
    groups = [f"group-{number:05}" for number in range(3_000)]
    for begin in range(0, len(groups), 1_000):
        subjects = [("group", group) for group in groups[begin:begin + 1_000]]
        world.admin.call("POST", BATCH_CREATE, creation(world.admin, "Viewer", subjects,
                                                        [("tenant", "1")]))
    assert len(world.admin.call("GET", SNAPSHOT)["parts"]) > 2
    stated = Statement(world.admin)
    named = [row[2] for row in stated.rows["rules"] if row[1] == "group"]
    assert sorted(named) == groups
