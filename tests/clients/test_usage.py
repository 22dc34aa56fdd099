# SPDX-License-Identifier: Apache-2.0
"""What keys used: recorded with the call, kept over a restart, told as unused when it is not."""
from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

from scenario.api import Account, Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

from .test_command_line import ADMINISTRATOR, OK, run
from .world import World

PROJECTS = "/api/v1/org-unit/projects"
UNUSED_KEYS = "/api/v1/usage/unused-keys"
UNUSED_RULES = "/api/v1/usage/unused-rules"
DAY_MICROSECONDS = 86_400 * 1_000_000


def usage_path(account: Account) -> str:
    return f"/api/v1/service-accounts/{account.id}/usage"


def days_of(usage: dict) -> set[str]:
    return {day for scope in usage["scopes"] for day in (scope["firstUsed"], scope["lastUsed"])}


def test_a_use_is_told_with_its_scope(admin: Api):
    cluster = admin.create_cluster()
    project = admin.create_project(cluster)
    account, api = admin.member("Viewer", "project", project)
    assert admin.call("GET", usage_path(account))["scopes"] == []
    days = {datetime.now(UTC).date().isoformat()}
    api.call("GET", f"{PROJECTS}/{project}")
    assert api.send("DELETE", f"{PROJECTS}/{project}").status_code == 403
    days.add(datetime.now(UTC).date().isoformat())
    usage = admin.call("GET", usage_path(account))
    assert len(usage["scopes"]) == 1, usage
    scope = usage["scopes"][0]
    assert (scope["scopeType"], scope["scopeId"]) == ("project", project)
    assert scope["permissions"] == ["project:read"] and scope["days"] == 1
    assert days_of(usage) <= days
    # Nobody learns it who may not read the account.
    assert api.send("GET", usage_path(account)).status_code == 403


def test_an_access_key_and_its_owner_are_different_credentials(world: World, admin: Api):
    person = admin.person("System administrator")
    key = person.create_access_key()
    path = f"/api/v1/access-keys/{key.id}/usage"
    person.call("GET", "/api/v1/users/count")
    assert person.call("GET", path)["scopes"] == []
    admin.as_caller(world.anonymous.account_token(key)).call("GET", "/api/v1/users/count")
    usage = person.call("GET", path)
    assert [scope["permissions"] for scope in usage["scopes"]] == [["users:read"]]
    assert admin.send("GET", path).status_code == 404  # another's is as if absent
    assert admin.call("GET", path.replace("/v1/", "/v1/administration/")) == usage


def test_the_command_line_tells_it(world: World, admin: Api):
    project = admin.create_project(admin.create_cluster())
    account, api = admin.member("Viewer", "project", project)
    api.call("GET", PROJECTS)
    told = run(world, "usage", account.client_id, **ADMINISTRATOR)
    assert told.returncode == OK, told
    titles, line = told.stdout.splitlines()
    assert titles.split() == ["SCOPE", "ID", "NAME", "FIRST", "USED", "LAST", "USED", "DAYS",
                              "PERMISSIONS"]
    assert line.split()[:2] == ["project", project] and line.endswith("  project:read")
    as_json = run(world, "usage", account.name, "--json", **ADMINISTRATOR)
    assert json.loads(as_json.stdout) == admin.call("GET", usage_path(account))
    nothing = run(world, "usage", account.id, "--to", "2026-01-01", **ADMINISTRATOR)
    assert nothing.stdout.startswith("No use from 2025-10-04 to 2026-01-01."), nothing
    rules = run(world, "unused", "rules", **ADMINISTRATOR)
    assert "nothing can be said of 90 days yet" in rules.stdout, rules
    keys = run(world, "unused", "keys", "--days", "30", **ADMINISTRATOR)
    assert keys.returncode == OK and "within 30 days" in keys.stdout, keys


def make_older(server: Server, days: int) -> None:
    """What is there, while the server is stopped, seems to have been made some days ago, and
    uses to have been recorded since then."""
    with sqlite3.connect(server.data / "claviger.db") as database:
        for table in ("access_rule", "service_account"):
            database.execute(f"UPDATE {table} SET created_at = created_at - ?",
                             (days * DAY_MICROSECONDS,))
        database.execute("UPDATE usage_start SET day = day - ?", (days,))
    database.close()


def sign_in(server: Server) -> Api:
    api = Api(server.url)
    api.token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
    return api


def test_uses_outlive_the_process_and_what_is_unused_is_listed():
    with Server() as server:
        admin = sign_in(server)
        project = admin.create_project(admin.create_cluster())
        busy, api = admin.member("Viewer", "project", project)
        idle = admin.create_account()
        idle_rule = admin.give_role(idle.name, "Viewer", "project", project)
        api.call("GET", f"{PROJECTS}/{project}")
        before = admin.call("GET", usage_path(busy))["scopes"]
        assert len(before) == 1
        server.stop()
        make_older(server, 20)
        server.start()
        admin = sign_in(server)
        assert admin.call("GET", usage_path(busy))["scopes"] == before
        rules = admin.call("GET", UNUSED_RULES, params={"days": "10"})
        assert rules["isComplete"] and [rule["id"] for rule in rules["accessRules"]] == [idle_rule]
        keys = admin.call("GET", UNUSED_KEYS, params={"days": "10"})
        assert [key["clientId"] for key in keys["keys"]] == [idle.client_id], keys
        # Longer than it has been recorded, or is kept, nothing is said.
        assert not admin.call("GET", UNUSED_RULES, params={"days": "30"})["isComplete"]
        assert admin.send("GET", UNUSED_RULES, params={"days": "401"}).status_code == 400
        admin.as_caller(admin.account_token(idle)).call("GET", f"{PROJECTS}/{project}")
        assert admin.call("GET", UNUSED_RULES, params={"days": "10"})["accessRules"] == []
        assert admin.call("GET", UNUSED_KEYS, params={"days": "10"})["keys"] == []
