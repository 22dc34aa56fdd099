# SPDX-License-Identifier: Apache-2.0
"""Contract checks 51 and 52: the audit log."""
from __future__ import annotations

import csv
import io
import ipaddress
import json
import signal
import sqlite3
import subprocess
import time
import uuid

from scenario.api import Account, Api, describe
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

from .world import World

PATH = "/api/v1/audit/log"
ALWAYS = {"start": "2026-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
REQUIRED = {"tenant_id", "subject", "subject_type", "action", "result"}
PATIENCE_SECONDS = 60
ACTIONS = {"create", "update", "delete", "sign-in", "sign-out", "reset-password"}


def about(api: Api, **filters: str) -> list[dict]:
    """The last 1,000 events with these fields, oldest first."""
    terms = ",".join(f"{name}=={value}" for name, value in filters.items())
    answer = api.call("GET", PATH, params={**ALWAYS, "filterBy": terms, "numberOfSamples": "1000",
                                           "sortOrder": "desc"})
    assert answer["total"] >= len(answer["audit_logs"])  # the server is that of all tests
    return answer["audit_logs"][::-1]


def story_of(events: list[dict]) -> list[tuple]:
    return [(event["action"], event.get("entity_type"), event["result"],
             event["http_status_code"]) for event in events]


def check_form(events: list[dict]) -> None:
    for event in events:
        assert REQUIRED <= set(event), event
        assert event["action"] in ACTIONS and event["subject_type"] in ("User", "App")
        assert isinstance(event["tenant_id"], str)
        assert uuid.UUID(event["id"]).version == 8
        if "source_ip" in event:
            ipaddress.IPv4Address(event["source_ip"])
        assert all(isinstance(value, str) for value in event.get("metadata", {}).values())


def live_through(world: World) -> tuple[Account, str]:
    """Checks 7 to 13 and 25 in short, and sign-ins of both outcomes; gives the deleted account."""
    admin = world.admin
    account = admin.create_account()
    item = f"/api/v1/service-accounts/{account.id}"
    cluster = admin.create_cluster()
    rule = admin.give_role(account.name, "Viewer", "cluster", cluster)
    fields = admin.rule_fields(account.name, "Viewer", "cluster", cluster)
    assert admin.send("POST", "/api/v1/authorization/access-rules", json=fields).status_code == 409
    world.anonymous.account_token(account)
    assert world.anonymous.try_account(account.client_id, "clvs_wrong").status_code == 400
    assert world.anonymous.send("POST", "/api/v2/token", data={
        "grant_type": "client_credentials", "client_id": account.client_id,
        "client_secret": "clvs_wrong"}).status_code == 401
    admin.call("PATCH", item, {"enabled": False})
    secret = admin.call("POST", f"{item}/secret", headers={"Content-Type": "application/json"})
    world.secrets.add(secret["clientSecret"])
    admin.call("DELETE", f"/api/v1/authorization/access-rules/{rule}")
    admin.call("DELETE", item)
    return account, cluster


def test_check_51_what_happened_is_in_the_log(world: World, administrator, runapy_1):
    account, cluster = live_through(world)
    admin = world.admin
    of_account = about(admin, entity_name=account.name)
    assert story_of(of_account) == [
        ("create", "service-account", "Succeeded", 201),
        ("update", "service-account", "Succeeded", 200),
        ("update", "service-account", "Succeeded", 200),
        ("delete", "service-account", "Succeeded", 204)]
    assert {event["entity_id"] for event in of_account} == {account.id}
    sign_ins = about(admin, subject=account.client_id, action="sign-in")
    assert story_of(sign_ins) == [("sign-in", None, "Succeeded", 200),
                                  ("sign-in", None, "Failed", 400),
                                  ("sign-in", None, "Failed", 401)]
    rules = [event for event in about(admin, entity_type="access_rules")
             if event.get("cluster_id") == cluster]
    assert [event["action"] for event in rules] == ["create", "delete"]
    check_form(of_account + sign_ins + rules)
    everything = json.dumps(admin.call("GET", PATH, params={**ALWAYS, "numberOfSamples": "1000"}))
    assert not [secret for secret in world.secrets if secret in everything]

    outcome, = runapy_1("calls", administrator, calls=[["audit_logs.get_audit_logs", {
        **ALWAYS, "number_of_samples": 3, "sort_order": "desc", "sort_by": "timestamp",
        "filter_by": ["action==delete", f"entity_name=={account.name}"]}]])
    assert outcome["status"] == 200, outcome
    assert outcome["data"]["total"] == 1
    assert outcome["data"]["audit_logs"] == of_account[-1:]
    runapy_1("read_strictly", model="AuditLog", values=of_account + sign_ins)


def test_check_51_start_and_end_are_required(admin: Api):
    for missing in ("start", "end"):
        query = {name: value for name, value in ALWAYS.items() if name != missing}
        for path in (PATH, f"{PATH}/file"):
            answer = admin.send("GET", path, params=query)
            assert answer.status_code == 400, describe(answer)
            assert missing in answer.json()["message"]


def test_events_below_a_cluster_name_it(admin: Api):
    cluster = admin.create_cluster()
    name = next(one["name"] for one in admin.call("GET", "/api/v1/clusters")
                if one["uuid"] == cluster)
    department = admin.create_department(cluster)
    project = admin.create_project(cluster, department)
    admin.give_role("below@first.example", "Viewer", "project", project, "user")
    events = about(admin, cluster_name=name)
    assert [event["entity_type"] for event in events] == [
        "cluster", "department", "department", "project", "access_rules"]
    assert {event["cluster_id"] for event in events} == {cluster}


def test_pages_lead_through_the_whole_log(admin: Api):
    for _ in range(5):
        admin.create_account()
    newest = admin.call("GET", PATH, params={**ALWAYS, "numberOfSamples": "1",
                                             "sortOrder": "desc"})["audit_logs"][0]
    end = {**ALWAYS, "end": newest["timestamp"]}
    whole = admin.call("GET", PATH, params={**end, "numberOfSamples": "1000"})
    seen, offset = [], 0
    while offset is not None:
        page = admin.call("GET", PATH, params={**end, "numberOfSamples": "90", "offset": offset})
        assert page["total"] == whole["total"]
        seen += page["audit_logs"]
        offset = page.get("next")
    assert [event["id"] for event in seen[:1000]] == [event["id"] for event in whole["audit_logs"]]
    assert len(seen) == whole["total"]


def test_a_reader_of_one_cluster_may_not_see_it(admin: Api):
    cluster = admin.create_cluster()
    _, api = admin.member("System administrator", "cluster", cluster)
    for path in (PATH, f"{PATH}/file"):
        assert api.send("GET", path, params=ALWAYS).status_code == 403


def test_check_52_files(world: World, administrator, runapy_1):
    for name in ("=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1"):
        world.admin.call("POST", "/api/v1/clusters", {"name": name}, status=201)
    outcome, = runapy_1("calls", administrator, calls=[["audit_logs.download_audit_logs", {
        **ALWAYS, "file_type": "JSON"}]])
    assert outcome["status"] == 200, outcome
    check_form(outcome["data"])
    exchange = world.exchanges()[-1]
    assert "fileType=JSON" in exchange.target

    url = f"{world.url}{PATH}/file?start={ALWAYS['start']}&end={ALWAYS['end']}&file_type=CSV"
    done = subprocess.run(
        ["curl", "--silent", "--fail", "--noproxy", "*", "--header",
         f"Authorization: Bearer {world.admin.token}", url], capture_output=True, check=True)
    exchange = world.exchanges()[-1]
    assert exchange.header("Content-Type") == "application/octet-stream"
    assert exchange.header("Content-Disposition") == 'attachment; filename="audit-log.csv"'
    assert exchange.header("X-Content-Type-Options") == "nosniff"
    head, *lines = csv.reader(io.StringIO(done.stdout.decode(), newline=""))
    assert REQUIRED | {"id", "timestamp", "metadata"} <= set(head)
    # The log grows meanwhile, by the second call's own token.
    by_id = {event["id"]: event for event in outcome["data"]}
    same = [dict(zip(head, line)) for line in lines if line[0] in by_id]
    assert len(same) == len(by_id)
    for line in same:
        event = by_id[line["id"]]
        assert line["subject"] == event["subject"] and line["action"] == event["action"]
        assert json.loads(line["metadata"] or "{}") == event.get("metadata", {})
    cells = [cell for line in lines for cell in line]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r")]
    assert {"'=cmd|' /C calc'!A0", "'@SUM(1)", "'+1", "'-1"} <= set(cells)


def make_older(server: Server, days: int) -> None:
    """What is recorded, while the server is stopped, seems to be of some days ago."""
    for file, table in (("claviger.db", "change_event"), ("audit.db", "access_event")):
        with sqlite3.connect(server.data / file) as database:
            database.execute(f"UPDATE {table} SET at = at - ?", (days * 86_400 * 1_000_000,))
        database.close()


def test_old_events_are_removed_and_the_chains_verify():
    with Server("--audit-retention-days", "30") as server:
        api = Api(server.url)
        api.token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        api.create_account()
        server.stop()
        make_older(server, 31)
        server.start()
        api = Api(server.url)
        api.token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        server.process.send_signal(signal.SIGHUP)  # makes it look after itself at once
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := about(api))[1:] and time.monotonic() < deadline:
            pass  # first one chain goes, then the other
        assert [event["action"] for event in left] == ["sign-in"]
        report = server.run("audit", "verify")
        assert "access events: 1 entry after 1 that were removed, intact" in report
        assert "change events: 0 entries after" in report
