# SPDX-License-Identifier: Apache-2.0
"""What a change of rules and roles would do, by the API and by `claviger what-if`."""
from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenario.api import Api, describe

from .test_command_line import ADMINISTRATOR, FAILED, OK, USAGE, assert_refused, run
from .world import World

WHAT_IF = "/api/v1/authorization/what-if"
RULES = "/api/v1/authorization/access-rules"
PROJECTS = "/api/v1/org-unit/projects"


class Place:
    """A project in a department, and a viewer of the department who has read the project."""

    def __init__(self, admin: Api):
        self.cluster = admin.create_cluster()
        self.department = admin.create_department(self.cluster)
        self.project = admin.create_project(self.cluster, self.department)
        self.reader, self.as_reader = admin.member("Viewer", "department", self.department)
        self.as_reader.call("GET", f"{PROJECTS}/{self.project}")
        rules = self.as_reader.call("GET", "/api/v1/authorization/me/access-rules")
        self.rule = rules["accessRules"]["accessRules"][0]["id"]


@pytest.fixture
def place(admin: Api) -> Place:
    return Place(admin)


def test_a_removed_rule_takes_what_it_gave_and_breaks_who_used_it(admin: Api, place: Place):
    before = admin.call("GET", f"{RULES}/count")
    told = admin.call("POST", WHAT_IF, {"removeRules": [place.rule]})
    subject, = told["subjects"]
    assert (subject["type"], subject["id"]) == ("service-account", place.reader.name)
    scope, = subject["scopes"]
    assert (scope["scope"]["scopeType"], scope["scope"]["scopeId"]) == (
        "department", place.department)
    assert "project:read" in scope["lost"] and scope["gained"] == []
    assert (told["gaining"], told["losing"], told["totalSubjects"]) == (0, 1, 1)
    key, = told["brokenKeys"]
    assert (key["type"], key["name"]) == ("service-account", place.reader.name)
    use, = key["uses"]
    assert (use["scope"]["scopeId"], use["permissions"]) == (place.project, ["project:read"])
    assert told["leavesAdministrator"] is True
    assert admin.call("GET", f"{RULES}/count") == before
    place.as_reader.call("GET", f"{PROJECTS}/{place.project}")


def test_another_rule_below_keeps_the_key_going(admin: Api, place: Place):
    told = admin.call("POST", WHAT_IF, {
        "removeRules": [place.rule],
        "addRules": [admin.rule_fields(place.reader.name, "Viewer", "project", place.project)]})
    at = {scope["scope"]["scopeType"]: scope for scope in told["subjects"][0]["scopes"]}
    assert "project:read" in at["department"]["lost"]
    assert "project:read" in at["project"]["unchanged"]
    assert told["brokenKeys"] == []


def test_who_is_in_a_group_gains_by_its_rule(admin: Api, place: Place):
    group = Api.fresh_name("group")
    told = admin.call("POST", WHAT_IF, {
        "addRules": [admin.rule_fields(group, "Editor", "project", place.project, "group")]})
    assert [(one["type"], one["id"]) for one in told["subjects"]] == [("group", group)]
    assert told["gaining"] == 1
    assert "workspaces:create" in told["subjects"][0]["scopes"][0]["gained"]


def test_a_changed_role_touches_all_who_hold_it(admin: Api, place: Place):
    role = admin.create_role("View project", "View roles")
    accounts = [admin.create_account() for _ in range(3)]
    for account in accounts:
        admin.call("POST", RULES, {
            "subjectId": account.name, "subjectType": "service-account", "roleId": role["id"],
            "scopeId": place.project, "scopeType": "project"}, status=201)
    change = {"roleId": role["id"],
              "permissionSets": [{"id": admin.permission_set_id("View project")}]}
    told = admin.call("POST", WHAT_IF, {"changeRoles": [change]})
    assert sorted(one["id"] for one in told["subjects"]) == sorted(a.name for a in accounts)
    assert all(one["scopes"][0]["lost"] == ["roles:read"] for one in told["subjects"])
    # A page of them.
    page = admin.call("POST", WHAT_IF, {"changeRoles": [change], "limit": 1, "offset": 1})
    assert page["subjects"] == told["subjects"][1:2] and page["totalSubjects"] == 3
    off = admin.call("POST", WHAT_IF, {"changeRoles": [{"roleId": role["id"], "enabled": False}]})
    assert all(set(one["scopes"][0]["lost"]) == {"project:read", "roles:read"}
               for one in off["subjects"])


def test_a_key_within_its_ceiling_breaks_only_by_what_it_used(world: World, admin: Api):
    person = admin.person("System administrator")
    key = person.create_access_key()
    admin.as_caller(world.anonymous.account_token(key)).call("GET", "/api/v1/users/count")
    rules = person.call("GET", "/api/v1/authorization/me/access-rules")
    rule = rules["accessRules"]["accessRules"][0]["id"]
    told = admin.call("POST", WHAT_IF, {"removeRules": [rule]})
    broken = [one for one in told["brokenKeys"] if one["type"] == "access-key"]
    assert [(one["clientId"], one["uses"][0]["permissions"]) for one in broken] == [
        (key.client_id, ["users:read"])]
    assert broken[0]["owner"].count("@") == 1


def test_the_last_administrator_s_rule_is_told(new_world):
    admin = new_world().admin
    rules = admin.call("GET", "/api/v1/authorization/me/access-rules")["accessRules"]["accessRules"]
    told = admin.call("POST", WHAT_IF, {"removeRules": [rule["id"] for rule in rules]})
    assert told["leavesAdministrator"] is False


@pytest.mark.parametrize(("change", "told"), [
    ({"removeRules": [999_999_999]}, "removeRules[0]: no access rule"),
    ({"changeRoles": [{"roleId": 7, "enabled": False}]}, "changeRoles[0]: predefined roles"),
    ({"changeRoles": [{"roleId": 99_999}]}, "changeRoles[0]: no role"),
    ({"addRules": [{"subjectId": "nobody-here", "subjectType": "service-account", "roleId": 7,
                    "scopeId": "1", "scopeType": "tenant"}]}, "addRules[0]: "),
    ({"addRules": [{"subjectId": "g", "subjectType": "group", "roleId": 4711, "scopeId": "1",
                    "scopeType": "tenant"}]}, "addRules[0]: no role"),
    ({"addRules": [{"subjectId": "g", "subjectType": "group", "roleId": 7, "scopeId": "1",
                    "scopeType": "system"}]}, "addRules[0]: "),
    ({"removeRules": [1] * 1001}, "removeRules: at most 1000"),
    ({"limit": 0}, "limit must be"), ({"offset": -1}, "offset not negative"),
    ({"days": 0}, "days must be"), ({"removeRules": 1}, "removeRules")])
def test_what_is_wrong_is_named(admin: Api, change: dict, told: str):
    answer = admin.send("POST", WHAT_IF, json=change)
    assert answer.status_code == 400 and told in answer.text, describe(answer)


def test_a_role_that_is_not_changed_is_no_change(admin: Api):
    role = admin.create_role("View roles")
    answer = admin.send("POST", WHAT_IF, json={"changeRoles": [{"roleId": role["id"],
                                                                "enable": False}]})
    assert answer.status_code == 400 and "say enabled" in answer.text, describe(answer)


def test_only_who_may_read_rules_at_the_tenant_may_ask(place: Place):
    assert place.as_reader.send("POST", WHAT_IF, json={}).status_code == 403


def test_keys_that_would_break_are_told_of_to_who_may_list_them(admin: Api, place: Place):
    account = admin.create_account()
    admin.call("POST", RULES, {
        "subjectId": account.name, "subjectType": "service-account", "scopeType": "tenant",
        "roleId": admin.create_role("View access_rules")["id"], "scopeId": "1"}, status=201)
    told = admin.as_caller(admin.account_token(account)).call(
        "POST", WHAT_IF, {"removeRules": [place.rule]})
    assert told["losing"] == 1
    assert (told["totalBrokenKeys"], told["brokenKeys"]) == (0, [])


def test_the_command_prints_both_tables(world: World, place: Place, tmp_path: Path):
    done = run(world, "what-if", "--remove", str(place.rule), **ADMINISTRATOR)
    assert done.returncode == FAILED and not done.stderr, done
    assert "0 would gain, 1 would lose; 1 keys in use" in done.stdout
    assert f"service-account:{place.reader.name}" in done.stdout and " more" in done.stdout
    assert "project:read" in done.stdout and "USED, WOULD BE REFUSED" in done.stdout
    added = run(world, "what-if", "--remove", str(place.rule), "--add",
                f"{place.reader.name} 7 department/{place.department}", **ADMINISTRATOR)
    assert added.returncode == OK and "0 would gain, 0 would lose" in added.stdout, added
    file = tmp_path / "change.json"
    file.write_text(json.dumps({"removeRules": [place.rule]}))
    filed = run(world, "what-if", "--file", str(file), "--json", **ADMINISTRATOR)
    assert json.loads(filed.stdout)["losing"] == 1, filed


@pytest.mark.parametrize(("words", "told"), [
    ((), "no change is named"), (("--add", "ci 7"), "SUBJECT ROLE-ID SCOPE"),
    (("--add", "ci seven project/1"), "SUBJECT ROLE-ID SCOPE"),
    (("--add", "ci 7 project"), "SUBJECT ROLE-ID SCOPE"), (("--remove", "x"), "--remove takes"),
    (("--disable-role", "x"), "--disable-role takes"), (("--file", "/nowhere"), "cannot be read")])
def test_wrong_words_are_told_before_a_call(words: tuple[str, ...], told: str):
    assert_refused(run("http://127.0.0.1:9", "what-if", *words, **ADMINISTRATOR), USAGE, told)


def test_a_file_without_a_change_is_told(tmp_path: Path):
    for text in ("{}", '{"addRules": [], "removeRules": []}'):
        (tmp_path / "change.json").write_text(text)
        done = run("http://127.0.0.1:9", "what-if", "--file", str(tmp_path / "change.json"),
                   **ADMINISTRATOR)
        assert_refused(done, USAGE, "no change is named")


def test_a_file_that_is_no_change_is_told(tmp_path: Path):
    for text in ("[]", "{", '{"addRules": 1}', '{"addRule": []}'):
        (tmp_path / "change.json").write_text(text)
        done = run("http://127.0.0.1:9", "what-if", "--file", str(tmp_path / "change.json"),
                   "--add", "ci 7 project/12", **ADMINISTRATOR)
        assert_refused(done, USAGE, "--file")
