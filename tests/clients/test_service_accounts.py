# SPDX-License-Identifier: Apache-2.0
"""Contract checks 7 to 14: service accounts."""
from __future__ import annotations

import json
import random
import re

import pytest
from scenario.api import Api, describe
from scenario.server import has_sanitizer

from .world import World, token_requests

PATH = "/api/v1/service-accounts"
ID = re.compile(r"[A-Za-z0-9-]+")


def creation(name: str) -> list:
    return ["service_accounts.create_service_account", {"service_account_creation_request": {
        "model": "ServiceAccountCreationRequest", "name": name}}]


def change(id: str, enabled: bool) -> list:
    return ["service_accounts.update_service_account_by_id", {
        "service_account_id": id, "service_account_patch_request": {
            "model": "ServiceAccountPatchRequest", "enabled": enabled}}]


def by_id(method: str, id: str) -> list:
    return [f"service_accounts.{method}", {"service_account_id": id}]


def form_grant(api: Api, client_id: str, secret: str):
    return api.send("POST", "/api/v2/token", data={
        "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret})


def test_check_07_and_08_create_twice(world: World, administrator, runapy_1):
    first, second = runapy_1("calls", administrator, calls=[creation("ci-1"), creation("ci-1")])
    assert first["status"] == 201
    assert set(first["data"]) == {"id", "name", "clientId", "clientSecret"}
    assert first["data"]["name"] == first["data"]["clientId"] == "ci-1"
    world.secrets.add(first["data"]["clientSecret"])
    assert (second["error"], second["status"]) == ("ConflictException", 409)


@pytest.mark.parametrize("name", ["A1", "a", "1a", "a-", "a b", "a_", "-a", "\u00e91", "a\n", "",
                                  "ak-1"])
def test_check_09_bad_names(admin: Api, name):
    answer = admin.send("POST", PATH, json={"name": name})
    assert answer.status_code == 400, describe(answer)
    assert answer.json()["code"] == 400


@pytest.mark.parametrize("name", ["a1", "a_b-c9"])
def test_check_09_good_names(admin: Api, name):
    assert admin.create_account(name).name == name


def test_check_10_list_and_get(world: World):
    account = world.admin.create_account()
    listed = world.admin.call("GET", PATH)
    assert isinstance(listed, list)
    one = world.admin.call("GET", f"{PATH}/{account.id}")
    assert one in listed
    assert not [name for name in one if "secret" in name.lower()]
    assert one["lastLogin"] is None and one["enabled"] is True
    world.anonymous.account_token(account)
    after = world.admin.call("GET", f"{PATH}/{account.id}")["lastLogin"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", after)


def test_check_11_disable(world: World, administrator, runapy_1):
    account, api = world.admin.member("System administrator", "tenant", "1")
    api.call("GET", PATH)
    outcome, = runapy_1("calls", administrator, calls=[change(account.id, False)])
    exchange = world.exchanges()[-1]
    assert (exchange.method, exchange.status, exchange.body) == ("PATCH", 200, b"")
    assert exchange.header("Content-Type")  # older clients read it
    assert outcome == {"status": 200, "data": None}
    assert world.anonymous.try_account(account.client_id, account.secret).status_code == 400
    refused = form_grant(world.anonymous, account.client_id, account.secret)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert api.send("GET", PATH).status_code == 401
    outcome, = runapy_1("calls", administrator, calls=[change(account.id, True)])
    assert outcome["status"] == 200
    world.anonymous.account_token(account)


def test_check_12_regenerate(world: World, administrator, runapy_1):
    account, api = world.admin.member("System administrator", "tenant", "1")
    world.exchanges()
    outcome, = runapy_1("calls", administrator, calls=[
        by_id("regenerate_service_account_secret", account.id)])
    exchange = world.exchanges()[-1]
    assert exchange.request_body == b""
    assert exchange.request_header("Content-Type") == "application/json"
    assert outcome["status"] == 200 and set(outcome["data"]) == {"clientSecret"}
    secret = outcome["data"]["clientSecret"]
    world.secrets.add(secret)
    assert world.anonymous.try_account(account.client_id, account.secret).status_code == 400
    assert world.anonymous.try_account(account.client_id, secret).status_code == 200
    # A token of the old secret is cut at once.
    assert api.send("GET", PATH).status_code == 401


def test_check_13_delete(world: World):
    account, api = world.admin.member("Viewer", "tenant", "1")
    rules = "/api/v1/authorization/access-rules"
    query = {"subjectIds": account.name}
    assert world.admin.call("GET", rules, params=query)["totalRecords"] == 1
    answer = world.admin.send("DELETE", f"{PATH}/{account.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert world.admin.send("DELETE", f"{PATH}/{account.id}").status_code == 404
    assert world.admin.send("GET", f"{PATH}/{account.id}").status_code == 404
    assert world.admin.call("GET", rules, params=query)["accessRules"] == []
    assert api.send("GET", "/api/v1/clusters").status_code == 401
    assert world.anonymous.try_account(account.client_id, account.secret).status_code == 400
    # Its name is free again, for another account.
    assert world.admin.create_account(account.name).id != account.id


def test_check_14_random_objects(world: World, administrator, runapy_1):
    """Names with and without what runapy turns around in paths."""
    count = 100 if has_sanitizer() else 1000
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    source = random.Random(seed)
    middle = "abcdefghijklmnopqrstuvwxyz0123456789-_"
    names = [f"r{''.join(source.choices(middle, k=source.randrange(20)))}x{number}"
             for number in range(count)]
    made = runapy_1("calls", administrator, calls=[creation(name) for name in names])
    assert {outcome["status"] for outcome in made} == {201}
    world.secrets.update(outcome["data"]["clientSecret"] for outcome in made)
    ids = [outcome["data"]["id"] for outcome in made]
    assert len(set(ids)) == count
    assert not [id for id in ids if not ID.fullmatch(id)]
    outcomes = runapy_1("calls", administrator, calls=[call for id in ids for call in (
        by_id("get_service_account_by_id", id), change(id, False),
        by_id("delete_service_account_by_id", id))])
    assert [outcome["status"] for outcome in outcomes] == [200, 200, 204] * count
    assert [outcome["data"]["name"] for outcome in outcomes[::3]] == names
    assert len(token_requests(world.exchanges())) == 2


def test_check_14_ids_of_everything_else(admin: Api):
    cluster = admin.create_cluster()
    department = admin.create_department(cluster)
    project = admin.create_project(cluster, department)
    for id in (cluster, department, project):
        assert ID.fullmatch(id)
    assert department.isdecimal() and project.isdecimal()
    rule = admin.give_role("someone@first.example", "Viewer", "project", project, "user")
    assert type(rule) is int
    for role in admin.call("GET", "/api/v1/authorization/roles"):
        assert type(role["id"]) is int


def test_secret_is_accepted_only_whole(world: World):
    account = world.admin.create_account()
    assert re.fullmatch(r"clvs_[0-9A-Za-z]{49}", account.secret)
    for wrong in (account.secret[:-1], account.secret + "0", account.secret.lower(), "", " "):
        answer = world.anonymous.try_account(account.client_id, wrong)
        assert answer.status_code == 400
        assert account.secret not in json.dumps(answer.json())


def test_the_list_takes_a_client_id(admin: Api):
    account, other = admin.create_account("picked-one"), admin.create_account("picked-one-more")
    for path in ("/api/v1/service-accounts", "/api/v1/apps"):
        found = admin.call("GET", path, params={"clientId": account.client_id})
        assert [one["id"] for one in found] == [account.id]
        assert admin.call("GET", path, params={"clientId": "picked"}) == []
        assert {account.id, other.id} <= {one["id"] for one in admin.call("GET", path)}
