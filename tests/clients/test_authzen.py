# SPDX-License-Identifier: Apache-2.0
"""Decisions for other programs, by the AuthZEN Authorization API 1.0."""
from __future__ import annotations

import pytest
from scenario.api import Account, Api, describe

from .world import World

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH = "/access/v1/search/"
CONFIGURATION = "/.well-known/authzen-configuration"


class Place:
    """A cluster with a department and a project, and accounts with one rule."""

    def __init__(self, admin: Api):
        self.admin = admin
        self.cluster = admin.create_cluster()
        self.department = admin.create_department(self.cluster)
        self.project = admin.create_project(self.cluster, self.department)
        self.reader, self.as_reader = admin.member("Viewer", "department", self.department)
        self.stranger = admin.create_account()

    def ask(self, api: Api, subject: str, action: str, resource: str, id: str,
            subject_type: str = "service-account", **properties: str) -> dict:
        about = {"type": resource, "id": id}
        if properties:
            about["properties"] = properties
        return api.call("POST", EVALUATION, {
            "subject": {"type": subject_type, "id": subject}, "action": {"name": action},
            "resource": about})


@pytest.fixture(scope="module")
def place(shared_world: World) -> Place:
    return Place(shared_world.admin)


def subject_of(account: Account) -> dict:
    return {"type": "service-account", "id": account.name}


@pytest.mark.parametrize("spelled", ["name", "id", "client_id"])
def test_a_rule_at_the_department_reaches_the_project(world: World, place: Place, spelled):
    given = place.ask(world.admin, getattr(place.reader, spelled), "read", "project",
                      place.project)
    rules = place.as_reader.call("GET", "/api/v1/authorization/me/access-rules")["accessRules"]
    assert given == {"decision": True, "context": {"rule": rules["accessRules"][0]["id"]}}


@pytest.mark.parametrize(("action", "resource", "reason"), [
    ("delete", "project", "not permitted here"),
    ("read", "account", "unknown resource type or action"),
    ("can_read", "project", "unknown resource type or action"),
])
def test_a_denial_says_why(world: World, place: Place, action, resource, reason):
    given = place.ask(world.admin, place.reader.name, action, resource, place.project)
    assert given == {"decision": False, "context": {"reason": reason}}


def test_what_is_not_known_is_denied(world: World, place: Place):
    for subject, subject_type, reason in (
            (place.stranger.name, "service-account", "no rule"),
            ("nobody-of-that-name", "service-account", "unknown subject"),
            ("alice@elsewhere.example", "user", "no rule"),  # may yet come from elsewhere
            ("alice@elsewhere.example", "robot", "unknown subject")):
        given = place.ask(world.admin, subject, "read", "project", place.project, subject_type)
        assert given == {"decision": False, "context": {"reason": reason}}
    given = place.ask(world.admin, place.reader.name, "read", "project", "999999999")
    assert given["context"] == {"reason": "unknown resource"}


def test_the_node_may_be_named_by_its_kind(world: World, place: Place):
    ask = {"cluster": place.cluster, "department": place.department, "project": place.project}
    for kind, id in ask.items():
        given = place.ask(world.admin, place.reader.name, "read", "workspaces", id,
                          scopeType=kind)
        assert given["decision"] == (kind != "cluster"), kind
    given = place.ask(world.admin, place.reader.name, "read", "workspaces", place.department,
                      scopeType="project")
    assert given["context"] == {"reason": "unknown resource"}


def test_a_group_has_rights_of_its_own(world: World, place: Place):
    group = Api.fresh_name("group")
    assert not place.ask(world.admin, group, "read", "project", place.project, "group")["decision"]
    world.admin.give_role(group, "Viewer", "project", place.project, "group")
    assert place.ask(world.admin, group, "read", "project", place.project, "group")["decision"]
    found = search(world.admin, "subject", {"type": "group"}, "read", "project", place.project)
    assert group in [one["id"] for one in found["results"]]


def test_a_ceiling_bounds_what_rules_permit(world: World, place: Place):
    account = world.admin.create_account()
    world.admin.give_role(account.name, "Viewer", "project", place.project)
    world.admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits",
                     {"ceiling": {"permissions": ["department:read"]}})
    given = place.ask(world.admin, account.name, "read", "project", place.project)
    assert given == {"decision": False, "context": {"reason": "beyond the key's ceiling"}}
    found = search(world.admin, "subject", {"type": "service-account"}, "read", "project",
                   place.project, limit=1000)
    assert account.name not in [one["id"] for one in found["results"]]
    assert search(world.admin, "resource", subject_of(account), "read", "project")["results"] == []
    assert search(world.admin, "action", subject_of(account), "", "project",
                  place.project)["results"] == []


def test_the_decision_follows_rules_and_accounts_at_once(world: World, place: Place):
    account = world.admin.create_account()
    rule = world.admin.give_role(account.name, "Viewer", "project", place.project)

    def decision() -> bool:
        return place.ask(world.admin, account.name, "read", "project", place.project)["decision"]

    assert decision()
    world.admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": False})
    assert not decision()
    world.admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": True})
    assert decision()
    world.admin.call("DELETE", f"/api/v1/authorization/access-rules/{rule}")
    assert not decision()


def test_about_others_may_ask_who_reads_rules(place: Place):
    own = place.ask(place.as_reader, place.reader.name, "read", "project", place.project)
    assert own["decision"]
    other = place.ask(place.as_reader, place.stranger.name, "read", "project", place.project)
    assert other["decision"] is False and other["context"]["error"]["status"] == 403
    # Nor does the answer tell who is there.
    assert other == place.ask(place.as_reader, "nobody-of-that-name", "read", "project",
                              place.project)
    for what in ("subject", "resource", "action"):
        answer = place.as_reader.send("POST", SEARCH + what, json={
            "subject": subject_of(place.reader), "action": {"name": "read"},
            "resource": {"type": "project", "id": place.project}})
        assert answer.status_code == 403, describe(answer)


def test_malformed_requests_are_refused(world: World, place: Place):
    whole = {"subject": subject_of(place.reader), "action": {"name": "read"},
             "resource": {"type": "project", "id": place.project}}
    for member in whole:
        answer = world.admin.send("POST", EVALUATION,
                                  json={name: value for name, value in whole.items()
                                        if name != member})
        assert answer.status_code == 400 and member in answer.json()["message"] + answer.text
    assert world.anonymous.send("POST", EVALUATION, json=whole).status_code == 401
    # What the specification allows besides is no error.
    more = {**whole, "context": {"time": "2026-01-01T00:00:00Z"}}
    more["subject"] = {**whole["subject"], "properties": {"department": "Sales"}}
    assert world.admin.call("POST", EVALUATION, more)["decision"]


# --- several at once ------------------------------------------------------------------------------


def evaluations(place: Place, *actions: str, **more) -> dict:
    return {"subject": subject_of(place.reader),
            "resource": {"type": "project", "id": place.project},
            "evaluations": [{"action": {"name": action}} for action in actions], **more}


@pytest.mark.parametrize(("semantic", "expected"), [
    (None, [True, False, True]),
    ("execute_all", [True, False, True]),
    ("deny_on_first_deny", [True, False]),
    ("permit_on_first_permit", [True]),
])
def test_evaluations_end_as_they_are_told(world: World, place: Place, semantic, expected):
    options = {"options": {"evaluations_semantic": semantic}} if semantic else {}
    given = world.admin.call("POST", EVALUATIONS,
                             evaluations(place, "read", "delete", "read", **options))
    assert [one["decision"] for one in given["evaluations"]] == expected
    assert set(given) == {"evaluations"}


def test_evaluations_have_defaults_that_each_may_change(world: World, place: Place):
    body = evaluations(place, "read", action={"name": "delete"})
    body["evaluations"] += [{}, {"resource": {"type": "project", "id": "999999999"}}]
    given = world.admin.call("POST", EVALUATIONS, body)["evaluations"]
    assert [one["decision"] for one in given] == [True, False, False]
    assert given[2]["context"]["reason"] == "unknown resource"


def test_one_bad_evaluation_leaves_the_others(world: World, place: Place):
    body = evaluations(place, "read")
    del body["resource"]
    body["evaluations"].append({"action": {"name": "read"},
                                "resource": {"type": "project", "id": place.project}})
    given = world.admin.call("POST", EVALUATIONS, body)["evaluations"]
    assert [one["decision"] for one in given] == [False, True]
    assert given[0]["context"]["error"]["status"] == 400


def test_without_evaluations_it_is_a_single_one(world: World, place: Place):
    body = {**evaluations(place), "action": {"name": "read"}}
    assert world.admin.call("POST", EVALUATIONS, body)["decision"] is True
    del body["action"]
    assert world.admin.send("POST", EVALUATIONS, json=body).status_code == 400


def test_evaluations_are_bounded(world: World, place: Place):
    most = evaluations(place, *["read"] * 1000)
    assert len(world.admin.call("POST", EVALUATIONS, most)["evaluations"]) == 1000
    answer = world.admin.send("POST", EVALUATIONS, json=evaluations(place, *["read"] * 1001))
    assert answer.status_code == 400
    unheard = evaluations(place, "read", options={"evaluations_semantic": "whatever"})
    assert world.admin.send("POST", EVALUATIONS, json=unheard).status_code == 400


# --- searches -------------------------------------------------------------------------------------


def search(api: Api, what: str, subject: dict, action: str, resource: str, id: str = "",
           **page: object) -> dict:
    body: dict = {"subject": subject, "resource": {"type": resource}}
    if what != "action":
        body["action"] = {"name": action}
    if id:
        body["resource"]["id"] = id
    if page:
        body["page"] = page
    return api.call("POST", SEARCH + what, body)


def test_search_finds_who(world: World, place: Place):
    found = search(world.admin, "subject", {"type": "service-account"}, "read", "project",
                   place.project, limit=1000)
    names = [one["id"] for one in found["results"]]
    assert place.reader.name in names and place.stranger.name not in names
    for one in found["results"]:
        assert place.ask(world.admin, one["id"], "read", "project", place.project)["decision"]
    nobody = search(world.admin, "subject", {"type": "robot"}, "read", "project", place.project)
    assert nobody == {"results": [], "page": {"next_token": "", "count": 0, "total": 0}}


def test_search_finds_where(world: World, place: Place):
    more = [world.admin.create_project(place.cluster, place.department) for _ in range(4)]
    expected = sorted([place.project, *more], key=int)
    found = search(world.admin, "resource", subject_of(place.reader), "read", "project")
    assert [one["id"] for one in found["results"]] == expected
    assert {one["type"] for one in found["results"]} == {"project"}
    assert found["page"] == {"next_token": "", "count": 5, "total": 5}
    seen, token = [], None
    while token != "":
        page = {"limit": 2, **({"token": token} if token else {})}
        part = search(world.admin, "resource", subject_of(place.reader), "read", "project", **page)
        assert part["page"]["total"] == 5 and part["page"]["count"] == len(part["results"]) <= 2
        seen += [one["id"] for one in part["results"]]
        token = part["page"]["next_token"]
    assert seen == expected
    workspaces = search(world.admin, "resource", subject_of(place.reader), "read", "workspaces")
    assert {one["id"] for one in workspaces["results"]} == {place.department, *expected}


def test_search_finds_what(world: World, place: Place):
    def actions(account: Account) -> list[str]:
        found = search(world.admin, "action", subject_of(account), "", "project", place.project)
        return [one["name"] for one in found["results"]]

    assert actions(place.reader) == ["read"]
    assert actions(place.stranger) == []
    everything, _ = world.admin.member("System administrator", "tenant", "1")
    assert {"read", "create", "update", "delete"} <= set(actions(everything))


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 1001}, {"token": "&"}])
def test_search_refuses_bad_pages(world: World, place: Place, page):
    answer = world.admin.send("POST", SEARCH + "resource", json={
        "subject": subject_of(place.reader), "action": {"name": "read"},
        "resource": {"type": "project"}, "page": page})
    assert answer.status_code == 400, describe(answer)


def test_configuration_names_the_endpoints(world: World):
    given = world.anonymous.call("GET", CONFIGURATION)
    assert given["policy_decision_point"] == world.url
    assert given["access_evaluation_endpoint"] == world.url + EVALUATION
    assert given["access_evaluations_endpoint"] == world.url + EVALUATIONS
    for what in ("subject", "resource", "action"):
        assert given[f"search_{what}_endpoint"] == world.url + SEARCH + what
