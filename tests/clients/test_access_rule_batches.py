# SPDX-License-Identifier: Apache-2.0
"""Contract checks 29 and 30: many access rules at once."""
from __future__ import annotations

import re

import pytest
from scenario.api import Api, describe

from .world import World

RULES = "/api/v1/authorization/access-rules"
BATCH = f"{RULES}/batch"
BATCH_CREATE = f"{RULES}/batch-create"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def project(admin: Api) -> str:
    return admin.create_project(admin.create_cluster())


def make_rules(admin: Api, project: str, count: int) -> list[int]:
    return [admin.give_role(f"batch{i}@first.example", "Viewer", "project", project, "user")
            for i in range(count)]


def is_there(admin: Api, rule: int) -> bool:
    return admin.send("GET", f"{RULES}/{rule}").status_code == 200


def delete(api: Api, ids: list, action: str = "delete") -> dict:
    return api.call("POST", BATCH, {"ids": ids, "action": action}, status=200)


def creation(admin: Api, role: str, subjects: list[tuple[str, str]],
             scopes: list[tuple[str, str]], **more) -> dict:
    return {"payload": {
        "roleId": admin.role_id(role),
        "subjects": [{"subjectType": kind, "subjectId": id} for kind, id in subjects],
        "scopes": [{"scopeType": kind, "scopeId": id} for kind, id in scopes], **more}}


# --- delete ---------------------------------------------------------------------------------------


def test_check_29_with_runapy(world: World, project, administrator, runapy_1):
    rules = make_rules(world.admin, project, 2)
    ids = [str(rule) for rule in rules] + ["999999"]

    def run(action):
        outcome, = runapy_1("calls", administrator, calls=[["access_rules.access_rules_batch", {
            "access_rules_batch_fields": {"model": "AccessRulesBatchFields", "ids": ids,
                                          "action": action}}]])
        assert outcome["status"] == 200
        return outcome["data"]

    rehearsed = run("validate_delete")
    assert all(is_there(world.admin, rule) for rule in rules)
    done = run("delete")
    for data in (rehearsed, done):
        assert UUID.fullmatch(data["id"])
        assert data["succeeded"] == ids[:2]
        failure, = data["failed"]
        assert (failure["id"], failure["code"]) == ("999999", 404) and failure["message"]
    assert rehearsed["id"] != done["id"]
    assert not any(is_there(world.admin, rule) for rule in rules)
    assert len(runapy_1("read_strictly", model="AccessRuleDeletionBatchResponse",
                        values=[rehearsed, done])) == 2


def test_check_29_integers_and_text(admin: Api, project):
    first, second = make_rules(admin, project, 2)
    data = delete(admin, [first, str(first), str(second), "x", "", -1, 0, 2**40,
                          "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10"])
    assert data["succeeded"] == [str(first), str(second)]
    assert {failure["code"] for failure in data["failed"]} == {404}
    assert [failure["id"] for failure in data["failed"]] == [
        "x", "", "-1", "0", str(2**40), "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10"]


def test_check_29_each_entry_as_a_single_deletion(admin: Api):
    own, other = (admin.create_department(admin.create_cluster()) for _ in range(2))
    _, api = admin.member("Department administrator", "department", own)
    weak = admin.give_role("w@first.example", "Viewer", "department", own, "user")
    strong = admin.give_role("s@first.example", "System administrator", "department", own, "user")
    away = admin.give_role("w@first.example", "Viewer", "department", other, "user")
    data = delete(api, [weak, strong, away])
    assert data["succeeded"] == [str(weak)]
    assert {failure["id"]: failure["code"] for failure in data["failed"]} == {
        str(strong): 403, str(away): 403}
    for failure in data["failed"]:
        single = api.send("DELETE", f"{RULES}/{failure['id']}")
        assert (single.status_code, failure["message"] in single.text) == (403, True)
    assert is_there(admin, strong) and is_there(admin, away)


@pytest.mark.parametrize("body", [
    {"ids": [str(number) for number in range(1001)], "action": "delete"},
    {"ids": ["1"], "action": "remove"}, {"ids": ["1"]}, {"action": "delete"},
    {"ids": "1", "action": "delete"}, {"ids": [True], "action": "delete"},
    {"ids": [1.5], "action": "delete"}, {"ids": [{}], "action": "delete"},
    {"ids": [None], "action": "delete"}, {"ids": [2**64], "action": "delete"}])
def test_check_29_refused_as_a_whole(admin: Api, body):
    answer = admin.send("POST", BATCH, json=body)
    assert answer.status_code == 400, describe(answer)


def test_nothing_to_delete(admin: Api):
    data = delete(admin, [])
    assert (data["succeeded"], data["failed"]) == ([], [])


# --- create ---------------------------------------------------------------------------------------


def test_check_30_with_runapy(world: World, project, administrator, runapy_1):
    admin = world.admin
    cluster = admin.create_cluster()
    subjects = [{"model": "AccessRuleSubjectsInner", "subjectId": f"b{i}@first.example",
                 "subjectType": "user"} for i in range(2)]
    scopes = [{"model": "AccessRuleScopesInner", "scopeId": id, "scopeType": kind}
              for kind, id in (("project", project), ("cluster", cluster), ("tenant", "1"))]
    outcome, = runapy_1("calls", administrator, calls=[["access_rules.access_rules_batch_create", {
        "access_rules_batch_create_fields": {
            "model": "AccessRulesBatchCreateFields", "payload": {
                "model": "AccessRulesBatchCreateFieldsPayload", "subjects": subjects,
                "scopes": scopes, "roleId": admin.role_id("Viewer")}}}]])
    assert outcome["status"] == 200, outcome
    data = outcome["data"]
    assert data["failed"] == []
    assert [(rule["subjectId"], rule["scopeId"]) for rule in data["succeeded"]] == [
        (subject["subjectId"], scope["scopeId"]) for subject in subjects for scope in scopes]
    assert all(is_there(admin, rule["id"]) for rule in data["succeeded"])
    assert len(runapy_1("read_strictly", model="AccessRule", values=data["succeeded"])) == 6


def test_check_30_one_scope_out_of_reach(admin: Api):
    cluster = admin.create_cluster()
    own, other = admin.create_department(cluster), admin.create_department(cluster)
    project = admin.create_project(cluster, own)
    _, api = admin.member("Department administrator", "department", own)
    data = api.call("POST", BATCH_CREATE, creation(
        admin, "Viewer", [("user", "x@first.example"), ("group", "crew")],
        [("department", own), ("project", project), ("department", other)]), status=200)
    assert [(rule["subjectType"], rule["scopeId"]) for rule in data["succeeded"]] == [
        ("user", own), ("user", project), ("group", own), ("group", project)]
    failed = [(one["code"], one["payload"]["scopeId"]) for one in data["failed"]]
    assert failed == [(403, other)] * 2
    assert data["failed"][0]["payload"] == admin.rule_fields(
        "x@first.example", "Viewer", "department", other, "user")


def test_check_30_each_entry_as_a_single_creation(admin: Api, project):
    account = admin.create_account()
    admin.give_role(account.name, "Viewer", "project", project)
    data = admin.call("POST", BATCH_CREATE, creation(
        admin, "Viewer", [("app", account.name), ("service-account", "nobody-here"),
                          ("user", "no address"), ("group", "crew"), ("group", "crew")],
        [("project", project), ("project", "987654"), ("system", "1")]), status=200)
    assert [(rule["subjectId"], rule["scopeId"]) for rule in data["succeeded"]] == [
        ("crew", project)]
    codes = {}
    for one in data["failed"]:
        payload = one["payload"]
        codes.setdefault((payload["subjectId"], payload["scopeType"], payload["scopeId"]),
                         []).append(one["code"])
    assert codes[account.name, "project", project] == [409]
    assert codes["nobody-here", "project", project] == [404]
    assert codes["no address", "project", project] == [400]
    assert codes["crew", "project", project] == [409]
    assert {tuple(codes[key]) for key in codes if key[2] == "987654"} == {(404,), (404, 404)}
    assert {tuple(codes[key]) for key in codes if key[1] == "system"} == {(400,), (400, 400)}


def test_check_30_a_role_that_is_too_strong(admin: Api):
    department = admin.create_department(admin.create_cluster())
    _, api = admin.member("Department administrator", "department", department)
    for role in ("System administrator", "Editor"):
        data = api.call("POST", BATCH_CREATE, creation(
            admin, role, [("user", "x@first.example")], [("department", department)]))
        assert (data["succeeded"], data["failed"][0]["code"]) == ([], 403)


def test_check_30_cluster_id(admin: Api):
    first, second = admin.create_cluster(), admin.create_cluster()
    data = admin.call("POST", BATCH_CREATE, creation(
        admin, "Viewer", [("user", "x@first.example")], [("cluster", first), ("cluster", second)],
        clusterId=first))
    assert [rule["scopeId"] for rule in data["succeeded"]] == [first]
    assert [one["code"] for one in data["failed"]] == [400]
    assert data["failed"][0]["payload"]["clusterId"] == first


def test_check_30_limits(admin: Api, project):
    def create(subjects: int, scopes: int):
        return admin.send("POST", BATCH_CREATE, json=creation(
            admin, "Viewer", [("user", f"many{i}@first.example") for i in range(subjects)],
            [("project", project)] * scopes))

    answer = create(1000, 1)
    assert answer.status_code == 200, describe(answer)
    rules = [rule["id"] for rule in answer.json()["succeeded"]]
    assert len(set(rules)) == 1000 and answer.json()["failed"] == []
    assert len(delete(admin, rules)["succeeded"]) == 1000
    assert create(0, 3).json() == {"succeeded": [], "failed": []}
    for subjects, scopes in ((1001, 1), (34, 30)):
        assert create(subjects, scopes).status_code == 400
    assert admin.call("GET", f"{RULES}/count", params={
        "filterBy": f"scopeId=={project}"})["count"] == 0


def test_the_scope_system_is_refused(admin: Api):
    answer = admin.send("POST", RULES, json=admin.rule_fields(
        "x@first.example", "Viewer", "system", "1", "user"))
    assert answer.status_code == 400, describe(answer)
    assert "system" in answer.json()["message"]
