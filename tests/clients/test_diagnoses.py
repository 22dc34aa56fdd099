# SPDX-License-Identifier: Apache-2.0
"""Why a request was refused: what the owner and an administrator learn, and nobody else."""
from __future__ import annotations

import json
from base64 import b64encode

import pytest
import requests
from scenario.api import Api, describe

from .test_command_line import ADMINISTRATOR, NOT_FOUND, OK, assert_refused, pair, run
from .world import World

TOKEN = "/api/v1/token"


def id_of(answer: requests.Response) -> str:
    return answer.headers["X-Request-Id"]


def path_of(answer: requests.Response) -> str:
    return f"/api/v1/diagnoses/{id_of(answer)}"


def refused_secret(world: World, client: str, secret: str) -> requests.Response:
    answer = world.anonymous.send("POST", TOKEN, json={
        "grantType": "client_credentials", "clientId": client, "clientSecret": secret})
    assert answer.status_code == 400, describe(answer)
    return answer


def test_what_copying_adds_to_a_secret_is_told_to_an_administrator(world: World, admin: Api):
    account = admin.create_account()
    answer = refused_secret(world, account.client_id, f'"{account.secret}"')
    assert "quotation" not in answer.text
    told = admin.call("GET", path_of(answer))
    assert (told["reason"], told["secretProblem"]) == ("wrong-secret", "quotation-marks")
    assert told["subject"] == {"type": "service-account", "id": account.id, "name": account.name}
    assert (told["operation"], told["grantType"]) == (f"POST {TOKEN}", "client_credentials")
    assert (told["sourceIp"], told["isBehindTrustedProxy"]) == ("127.0.0.1", False)
    assert account.secret not in json.dumps(told)


def test_the_line_break_of_a_secret_is_told(world: World, admin: Api):
    account = admin.create_account()
    secret = account.secret + "\n"
    told = admin.call("GET", path_of(refused_secret(world, account.client_id, secret)))
    assert told["reason"] == "control-characters" and "line break" in told["hint"]
    basic = b64encode(f"{account.client_id}:{secret}".encode()).decode()
    answer = world.anonymous.send("POST", "/oauth2/token", headers={
        "Authorization": f"Basic {basic}"}, data={"grant_type": "client_credentials"})
    assert answer.status_code == 401, describe(answer)
    told = admin.call("GET", path_of(answer))
    assert (told["reason"], told["secretProblem"]) == ("control-characters", "line-break")
    assert told["subject"] == {"name": account.name}
    assert account.secret not in json.dumps(told)


def test_the_account_itself_may_ask_and_a_stranger_may_not(world: World, admin: Api):
    account, other = admin.create_account(), admin.create_account()
    answer = refused_secret(world, account.client_id, "wrong")
    own = admin.as_caller(admin.account_token(account))
    assert own.call("GET", path_of(answer))["reason"] == "wrong-secret"
    stranger = admin.as_caller(admin.account_token(other))
    hidden = stranger.send("GET", path_of(answer))
    unknown = stranger.send("GET", "/api/v1/diagnoses/7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["message"] == unknown.json()["message"]
    assert world.anonymous.send("GET", path_of(answer)).status_code == 401


def test_an_unknown_client_is_told_to_an_administrator_only(world: World, admin: Api):
    answer = refused_secret(world, "no-such-client", "wrong")
    told = admin.call("GET", path_of(answer))
    assert told["reason"] == "unknown-client"
    assert told["subject"] == {"name": "no-such-client"}
    _, viewer = admin.member("Viewer", "tenant", "1")
    assert viewer.send("GET", path_of(answer)).status_code == 404


def test_the_smallest_rule_makes_the_call_work(world: World, admin: Api):
    cluster = admin.create_cluster()
    account = admin.create_account()
    api = admin.as_caller(admin.account_token(account))
    refused = api.send("GET", f"/api/v1/clusters/{cluster}")
    assert refused.status_code == 403
    told = admin.call("GET", path_of(refused))
    assert (told["reason"], told["missingPermission"]) == ("permission-missing", "cluster:read")
    assert told["scope"]["scopeId"] == cluster and told["scope"]["path"]
    own = api.call("GET", path_of(refused))
    assert "smallestGrants" not in own and "path" not in own["scope"]
    smallest = told["smallestGrants"][0]
    assert smallest["alsoAllowsCount"] == len(smallest["alsoAllows"])
    admin.call("POST", "/api/v1/authorization/access-rules", {
        "subjectId": account.name, "subjectType": "service-account",
        "roleId": smallest["roleId"], "scopeId": smallest["scopeId"],
        "scopeType": smallest["scopeType"]})
    api.call("GET", f"/api/v1/clusters/{cluster}")
    assert admin.call("GET", path_of(refused))["isPermittedNow"]


def test_a_token_says_why_it_is_not_good(world: World, admin: Api):
    for token, reason in (("garbage", "token-malformed"), (None, "token-missing")):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = world.anonymous.send("GET", "/api/v1/clusters", headers=headers)
        assert answer.status_code == 401
        assert admin.call("GET", path_of(answer))["reason"] == reason


# --- claviger why ---------------------------------------------------------------------------------


def test_why_prints_reason_help_and_the_smallest_rules(world: World, admin: Api):
    cluster = admin.create_cluster()
    account = admin.create_account()
    api = admin.as_caller(admin.account_token(account))
    refused = api.send("GET", f"/api/v1/clusters/{cluster}")
    done = run(world, "why", id_of(refused), **ADMINISTRATOR)
    assert (done.returncode, done.stderr) == (OK, ""), done
    for part in ("GET /api/v1/clusters/{clusterUuid}, answered with 403", account.name,
                 "does not hold cluster:read", cluster, "smallest access rules", "also allows"):
        assert part in done.stdout, done.stdout
    as_json = run(world, "why", id_of(refused), "--json", **ADMINISTRATOR)
    assert json.loads(as_json.stdout) == admin.call("GET", path_of(refused))
    own = run(world, "why", id_of(refused), **pair(account))
    assert "permission-missing" in own.stdout and "smallest" not in own.stdout


@pytest.mark.parametrize("request_id", ["7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10", "x"])
def test_why_of_what_is_not_known_ends_with_not_found(world: World, request_id: str):
    assert_refused(run(world, "why", request_id, **ADMINISTRATOR), NOT_FOUND, "requestId")
