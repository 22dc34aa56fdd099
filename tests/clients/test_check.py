# SPDX-License-Identifier: Apache-2.0
"""Decisions with their grounds, by the API and by `claviger can` and `claviger who-can`."""
from __future__ import annotations

import json

import pytest
from scenario.api import Account, Api, describe

from .test_command_line import (ADMINISTRATOR, DENIED, FAILED, NOT_FOUND, OK, USAGE,
                                assert_refused, pair, run)
from .world import World

CHECK = "/api/v1/authorization/check"
WHO_CAN = "/api/v1/authorization/who-can"
RULES = "/api/v1/authorization/access-rules"


class Place:
    """A cluster with two departments, a project in one of them, and who has to do with it."""

    def __init__(self, admin: Api):
        self.admin = admin
        self.cluster = admin.create_cluster()
        self.department = admin.create_department(self.cluster)
        self.elsewhere = admin.create_department(self.cluster)
        self.project = admin.create_project(self.cluster, self.department)
        self.reader, self.as_reader = admin.member("Viewer", "department", self.department)
        self.head, self.as_head = admin.member("Department administrator", "department",
                                               self.department)

    def question(self, subject: str, action: str, resource: str = "project",
                 id: str | None = None, kind: str = "service-account") -> dict:
        return {"subject": {"type": kind, "id": subject}, "action": {"name": action},
                "resource": {"type": resource, "id": id or self.project}}

    def check(self, api: Api, *question: str, **more: str) -> dict:
        return api.call("POST", CHECK, self.question(*question, **more))


@pytest.fixture(scope="module")
def place(shared_world: World) -> Place:
    return Place(shared_world.admin)


def rule_of(api: Api) -> int:
    rules = api.call("GET", "/api/v1/authorization/me/access-rules")["accessRules"]
    return rules["accessRules"][0]["id"]


def scopes(views: list[dict]) -> list[tuple[str, str]]:
    return [(view["scopeType"], view["scopeId"]) for view in views]


def test_an_allowed_one_names_rule_role_scope_and_way(world: World, place: Place):
    told = place.check(world.admin, place.reader.name, "read")
    rule = told["explanation"]["rule"]
    assert told["decision"] and told["context"] == {"rule": rule["id"]}
    assert rule["id"] == rule_of(place.as_reader)
    assert (rule["roleName"], rule["subjectType"], rule["subjectId"]) == (
        "Viewer", "service-account", place.reader.name)
    assert scopes(told["explanation"]["inheritance"]) == [
        ("department", place.department), ("project", place.project)]
    assert all("path" in view for view in told["explanation"]["inheritance"])


def test_a_group_s_rule_names_the_group(world: World, place: Place):
    group = Api.fresh_name("group")
    world.admin.give_role(group, "Viewer", "project", place.project, "group")
    told = place.check(world.admin, group, "read", kind="group")
    assert told["explanation"]["rule"]["subjectType"] == "group"
    assert told["explanation"]["rule"]["subjectId"] == group


@pytest.mark.parametrize(("action", "resource"), [
    ("update", "project"), ("delete", "department"), ("create", "workspaces"), ("read", "roles")])
def test_the_first_suggestion_turns_the_decision(world: World, place: Place, action, resource):
    account = world.admin.create_account()
    told = place.check(world.admin, account.name, action, resource)
    assert not told["decision"]
    assert told["explanation"]["missingPermission"] == f"{resource}:{action}"
    first = told["explanation"]["smallestGrants"][0]
    assert first["alsoAllowsCount"] == len(first["alsoAllows"])
    world.admin.call("POST", RULES, {
        "subjectId": account.name, "subjectType": "service-account", "roleId": first["roleId"],
        "scopeId": first["scopeId"], "scopeType": first["scopeType"]}, status=201)
    assert place.check(world.admin, account.name, action, resource)["decision"]


def test_a_disabled_role_is_no_suggestion(world: World, place: Place):
    role = world.admin.create_role("View project")
    account = world.admin.create_account()

    def suggested() -> list[int]:
        told = place.check(world.admin, account.name, "read")
        return [one["roleId"] for one in told["explanation"]["smallestGrants"]]

    assert role["id"] in suggested()
    world.admin.send("POST", f"/api/v2/authorization/roles/{role['id']}/disable")
    assert role["id"] not in suggested()
    world.admin.send("DELETE", f"/api/v2/authorization/roles/{role['id']}")


# --- who learns what ------------------------------------------------------------------------------


def test_the_subject_learns_what_is_its_own(place: Place):
    allowed = place.check(place.as_reader, place.reader.name, "read")
    assert allowed["explanation"]["rule"]["id"] == rule_of(place.as_reader)
    denied = place.check(place.as_reader, "me", "delete", kind="caller")
    assert denied["context"] == {"reason": "not permitted here"}
    assert denied["explanation"]["missingPermission"] == "project:delete"
    assert denied["explanation"]["heldThere"] == ["project:read"]
    assert "smallestGrants" not in denied["explanation"]
    assert "path" not in json.dumps([allowed, denied])


def test_a_stranger_learns_nothing(world: World, place: Place):
    told = place.check(place.as_reader, place.head.name, "read")
    assert set(told) == {"decision", "context"} and set(told["context"]) == {"error"}
    assert told["decision"] is False and told["context"]["error"]["status"] == 403
    for subject, action, resource, id, kind in (
            ("nobody-of-that-name", "read", "project", place.project, "service-account"),
            (place.head.name, "read", "project", "999999999", "service-account"),
            (place.head.name, "read", "project", place.elsewhere, "service-account"),
            (place.head.name, "fly", "nothing", place.project, "service-account"),
            ("staff", "read", "project", place.project, "group"),
            ("x", "read", "project", place.project, "robot")):
        assert place.check(place.as_reader, subject, action, resource, id, kind=kind) == told


def test_who_reads_rules_of_a_part_is_a_stranger_elsewhere(world: World, place: Place):
    account = world.admin.create_account()
    world.admin.give_role(account.name, "Viewer", "department", place.elsewhere)
    here = place.check(place.as_head, account.name, "read")
    assert here["context"] == {"reason": "not permitted here"}
    assert here["explanation"]["heldAt"] == [] and here["explanation"]["smallestGrants"]
    there = place.check(place.as_head, account.name, "read", id=place.elsewhere)
    assert there == place.check(place.as_head, account.name, "read", id="999999999")
    assert there["context"]["error"]["status"] == 403
    # A rule that stands above is not shown; one within reach is.
    world.admin.give_role(account.name, "Viewer", "cluster", place.cluster)
    above = place.check(place.as_head, account.name, "read")
    assert above["decision"] and above["context"] == {} and "rule" not in above["explanation"]
    rule = world.admin.give_role(account.name, "Viewer", "project", place.project)
    assert place.check(place.as_head, account.name, "read")["context"] == {"rule": rule}


def test_another_tenant_is_not_there(world: World, place: Place):
    password = world.server.add_tenant("check", "Tenant of checks", "check.example",
                                       "admin@check.example")
    world.secrets.add(password)
    stranger = Api(world.url, host="check.example", secrets=world.secrets)
    stranger.token = stranger.user_token("admin@check.example", password)
    told = place.check(stranger, place.reader.name, "read")
    assert told == {"decision": False, "context": {"reason": "unknown subject"}}
    told = place.check(stranger, "me", "read", kind="caller")
    assert told == {"decision": False, "context": {"reason": "unknown resource"}}
    answer = stranger.send("POST", WHO_CAN, json={
        "action": {"name": "read"}, "resource": {"type": "project", "id": place.project}})
    assert answer.status_code == 404, describe(answer)


def test_what_a_token_was_narrowed_to_is_the_reason(world: World, place: Place):
    answer = world.anonymous.send("POST", "/api/v1/token", json={
        "grantType": "client_credentials", "clientId": place.reader.client_id,
        "clientSecret": place.reader.secret, "scopeType": "department",
        "scopeId": place.elsewhere})
    narrowed = world.admin.as_caller(answer.json()["accessToken"])
    told = place.check(narrowed, place.reader.name, "read")
    assert told["context"] == {"reason": "beyond what the token was narrowed to"}
    assert told["explanation"]["limit"] == "beyond what the token was narrowed to"
    assert place.check(place.as_reader, place.reader.name, "read")["decision"]


def test_a_ceiling_is_the_reason_and_nothing_is_suggested(world: World, place: Place):
    account = world.admin.create_account()
    world.admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits",
                     {"ceiling": {"permissions": ["department:read"]}})
    told = place.check(world.admin, account.name, "read")
    assert told["context"] == {"reason": "no rule"}
    assert told["explanation"]["limit"] == "beyond the key's ceiling"
    assert told["explanation"]["smallestGrants"] == []
    world.admin.give_role(account.name, "Viewer", "project", place.project)
    told = place.check(world.admin, account.name, "read")
    assert told["context"] == {"reason": "beyond the key's ceiling"}


# --- requests -------------------------------------------------------------------------------------


def test_what_is_not_known_is_denied_and_not_explained(world: World, place: Place):
    for question, reason in (
            (("nobody-of-that-name", "read"), "unknown subject"),
            ((place.reader.name, "fly"), "unknown resource type or action"),
            ((place.reader.name, "read", "project", "999999999"), "unknown resource")):
        assert place.check(world.admin, *question) == {"decision": False,
                                                       "context": {"reason": reason}}
    account = world.admin.create_account()
    world.admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": False})
    told = place.check(world.admin, account.name, "read")
    assert told == {"decision": False, "context": {"reason": "principal disabled"}}


def test_malformed_and_huge_requests_are_refused(world: World, place: Place):
    whole = place.question(place.reader.name, "read")
    for member in whole:
        answer = world.admin.send("POST", CHECK, json={name: value for name, value in whole.items()
                                                       if name != member})
        assert answer.status_code == 400, describe(answer)
    assert world.anonymous.send("POST", CHECK, json=whole).status_code == 401
    huge = place.question("x" * 2_000_000, "read")
    assert world.admin.send("POST", CHECK, json=huge).status_code == 413
    long = place.question("x" * 500_000, "y" * 100_000, id="z" * 100_000)
    assert world.admin.call("POST", CHECK, long)["context"] == {"reason": "unknown subject"}
    assert world.admin.call("POST", CHECK, {**whole, "context": {"time": "now"}})["decision"]


@pytest.mark.parametrize(("body", "status"), [
    ({"limit": 0}, 400), ({"limit": 1001}, 400), ({"offset": -1}, 400),
    ({"action": {"name": "fly"}}, 400), ({"resource": {"type": "nothing"}}, 400),
    ({"resource": {"type": "project", "id": "999999999"}}, 404)])
def test_who_can_refuses_what_it_cannot_answer(world: World, body: dict, status: int):
    whole = {"action": {"name": "read"}, "resource": {"type": "project"}, **body}
    answer = world.admin.send("POST", WHO_CAN, json=whole)
    assert answer.status_code == status, describe(answer)


def test_who_can_lists_whom_a_check_allows(world: World, place: Place):
    body = {"action": {"name": "update"}, "resource": {"type": "project", "id": place.project}}
    given = world.admin.call("POST", WHO_CAN, {**body, "limit": 1000})
    names = [(one["type"], one["id"]) for one in given["subjects"]]
    assert names == sorted(names, key=lambda one: (
        ["user", "group", "service-account"].index(one[0]), one[1]))
    assert ("service-account", place.head.name) in names
    assert ("service-account", place.reader.name) not in names
    for one in given["subjects"][-20:]:
        told = place.check(world.admin, one["id"], "update", kind=one["type"])
        assert told["explanation"]["rule"] == one["rule"]
    assert place.as_head.send("POST", WHO_CAN, json=body).status_code == 403


# --- the command line -----------------------------------------------------------------------------


def test_can_says_yes_and_no(world: World, place: Place):
    at = ("--at", f"project/{place.project}")
    yes = run(world, "can", place.reader.name, "read", "workspaces", *at, **ADMINISTRATOR)
    assert (yes.returncode, yes.stdout, yes.stderr) == (OK, "allowed\n", ""), yes
    no = run(world, "can", place.reader.name, "delete", f"project/{place.project}",
             **ADMINISTRATOR)
    assert (no.returncode, no.stdout, no.stderr) == (FAILED, "denied: not permitted here\n", "")
    own = run(world, "can", "me", "read", "project", *at, **pair(place.reader))
    assert (own.returncode, own.stdout) == (OK, "allowed\n"), own
    tenant = run(world, "can", "me", "read", "roles", **ADMINISTRATOR)
    assert (tenant.returncode, tenant.stdout) == (OK, "allowed\n"), tenant


def test_can_explains(world: World, place: Place):
    words = ("can", place.reader.name, "read", f"project/{place.project}", "--explain")
    done = run(world, *words, **ADMINISTRATOR)
    assert done.returncode == OK, done
    for part in ("allowed", "Viewer", f"department {place.department}", "inherited"):
        assert part in done.stdout, done.stdout
    as_json = run(world, *words, "--json", **ADMINISTRATOR)
    assert json.loads(as_json.stdout) == place.check(world.admin, place.reader.name, "read")
    words = ("can", place.reader.name, "delete", f"project/{place.project}", "--explain")
    denied = run(world, *words, **ADMINISTRATOR)
    assert denied.returncode == FAILED and "smallest access rules" in denied.stdout, denied
    own = run(world, *words, **pair(place.reader))
    assert own.returncode == FAILED and "project:delete" in own.stdout
    assert "smallest" not in own.stdout


def test_can_refuses_strangers_and_nonsense(world: World, place: Place):
    stranger: Account = world.admin.create_account()
    words = ("can", place.reader.name, "read", "project")
    assert_refused(run(world, *words, "--at", place.project, **pair(stranger)), DENIED,
                   "about yourself only")
    assert_refused(run(world, *words[:-1], "project/3", "--at", "3", **ADMINISTRATOR), USAGE)
    assert_refused(run(world, *words, "--at", "planet/3", **ADMINISTRATOR), USAGE, "scopeType")


def test_who_can_is_a_table(world: World, place: Place):
    words = ("who-can", "update", "project", "--at", f"project/{place.project}")
    done = run(world, *words, "--limit", "1000", **ADMINISTRATOR)
    assert done.returncode == OK and place.head.name in done.stdout, done
    assert done.stdout.splitlines()[0].split() == ["KIND", "NAME", "RULE", "ROLE", "AT"]
    page = run(world, *words, "--limit", "1", **ADMINISTRATOR)
    assert "--offset" in page.stdout
    assert_refused(run(world, *words, **pair(place.reader)), DENIED)
    assert_refused(run(world, *words[:-1], "project/999999999", **ADMINISTRATOR), NOT_FOUND)
