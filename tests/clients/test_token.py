# SPDX-License-Identifier: Apache-2.0
"""Contract checks 1 to 6, 38 to 41 and 45: how a key becomes a token."""
from __future__ import annotations

import base64
import json
import re
import statistics
import subprocess
import threading
import time

import pytest
from scenario import tokens
from scenario.api import Account, Api, describe
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, binary, has_sanitizer

from .world import World, token_requests

OAUTH_ENDPOINTS = ("/api/v2/token", "/oauth2/token",
                   "/auth/realms/runai/protocol/openid-connect/token")


def curl(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}",
                           *arguments], capture_output=True, text=True, timeout=60, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def curl_token(url: str, **members: str) -> tuple[int, dict]:
    status, body = curl(f"{url}/api/v1/token", "-X", "POST", "-H",
                        "Content-Type: application/json", "-d", json.dumps(members))
    return status, json.loads(body)


# --- POST /api/v1/token ---------------------------------------------------------------------------


def test_check_01_client_credentials_with_curl(world: World, administrator: Account):
    status, answer = curl_token(world.url, grantType="client_credentials",
                                clientId=administrator.client_id,
                                clientSecret=administrator.secret)
    assert status == 200
    world.secrets.add(answer["accessToken"])
    assert len(answer["accessToken"].split(".")) == 3
    assert type(answer["expiresIn"]) is int and answer["expiresIn"] == 3600
    claims = tokens.claims_of(answer["accessToken"])
    assert set(claims) == {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "tenant"}
    assert claims["iss"] == world.url and claims["aud"] == "runai"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["sub"] == f"sa:{administrator.id}"
    assert tokens.header_of(answer["accessToken"])["typ"] == "at+jwt"


@pytest.mark.parametrize("grant, id_name, secret_name", [
    ("client_credentials", "clientID", "clientSecret"),
    ("client_credentials", "CLIENTID", "CLIENTSECRET"),
    ("app_token", "AppId", "AppSecret"),
    ("app_token", "appID", "appSecret"),
    ("app_token", "appId", "appSecret"),
])
def test_check_02_every_spelling(world: World, administrator: Account, grant, id_name,
                                 secret_name):
    status, answer = curl_token(world.url, **{"grantType": grant, id_name: administrator.client_id,
                                              secret_name: administrator.secret})
    assert status == 200, answer
    world.secrets.add(answer["accessToken"])


def test_check_03_wrong_secret_and_unknown_client(world: World):
    account = world.admin.create_account()
    answers = []
    for client in (account.client_id, "nobody-at-all"):
        status, answer = curl_token(world.url, grantType="client_credentials", clientId=client,
                                    clientSecret=account.secret[:-1] + "?")
        assert status == 400 and answer["code"] == 400 and answer["message"]
        answers.append(answer["message"])
    assert answers[0] == answers[1]


def test_check_03_both_cost_the_same(world: World):
    """The medians of an unknown client and of a wrong secret are near each other."""
    account = world.admin.create_account()
    times: dict[str, list[float]] = {account.client_id: [], "nobody-at-all": []}
    for _ in range(15):  # fewer than what the throttle forgives
        for client, taken in times.items():
            started = time.perf_counter()
            answer = world.anonymous.try_account(client, "clvs_" + "0" * 49)
            taken.append(time.perf_counter() - started)
            assert answer.status_code == 400, describe(answer)
    wrong, unknown = (statistics.median(taken) for taken in times.values())
    # A password hash, the only work that could tell them apart, takes tens of milliseconds.
    assert abs(wrong - unknown) < 0.010


def test_check_04_runapy_constructor(world: World, administrator: Account, runapy_1):
    result = runapy_1("construct", administrator)
    assert "error" not in result, result
    world.secrets.add(result["token"])
    assert len(world.exchanges()) == 1
    assert type(result["claims"]["exp"]) is int


def test_check_05_runapy_with_a_wrong_secret(world: World, runapy_1):
    account = world.admin.create_account()
    wrong = Account(account.id, account.name, account.client_id, "clvs_" + "0" * 49)
    world.exchanges()
    result = runapy_1("construct", wrong)
    exchange, = token_requests(world.exchanges())
    assert result["error"] == "ValueError"
    assert json.loads(exchange.body)["message"] in result["message"]
    assert result["seconds"] < 1


AWKWARD = "?>~\u00e9\u65e5\u672c"


@pytest.mark.parametrize("shift", range(3))
def test_check_06_awkward_names(new_world, runapy_1, shift):
    """A tenant and users whose names hold what breaks plain Base64, at every offset."""
    world = new_world()
    host = "localhost"  # a name that runapy can resolve; the first tenant is at the address
    email = f"{'a' * (shift + 1)}%_+-.x@b--c.example"
    password = world.server.add_tenant("awkward", "x" * shift + AWKWARD * 3, host, email)
    world.secrets.add(password)
    api = Api(world.url, host=host, secrets=world.secrets)
    api.token = api.user_token(email, password)
    realm = "/auth/realms/awkward/protocol/openid-connect/token"
    answer = api.send("POST", realm, data={
        "grant_type": "password", "client_id": "runai", "username": email, "password": password})
    assert answer.status_code == 200, describe(answer)
    made = [api.token, answer.json()["access_token"], answer.json()["id_token"]]
    for length in range(3):
        account = api.create_account(f"s{'b' * length}--_9")
        made.append(api.account_token(account))
        result = runapy_1("construct", account, world.url.replace("127.0.0.1", host))
        assert tokens.claims_of(result["token"])["tenant"] == 2
        made.append(result["token"])
    world.secrets.update(made)
    for token in made:
        payload = token.split(".")[1]
        assert not set("-_=") & set(payload)
        # As runapy does it.
        assert json.loads(base64.b64decode(payload + "==")) == tokens.claims_of(token)


# --- the form endpoints ---------------------------------------------------------------------------


def form_token(world: World, path: str, **fields: str) -> tuple[int, dict]:
    arguments = [part for name, value in fields.items()
                 for part in ("--data-urlencode", f"{name}={value}")]
    status, body = curl(world.url + path, *arguments)
    answer = json.loads(body)
    world.secrets.update(value for name, value in answer.items() if name.endswith("_token"))
    return status, answer


@pytest.mark.parametrize("path", OAUTH_ENDPOINTS[:2])
def test_check_38_form_endpoints(world: World, administrator: Account, path):
    pair = {"client_id": administrator.client_id, "client_secret": administrator.secret}
    user = {"grant_type": "password", "username": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    for fields in ({"grant_type": "client_credentials", **pair}, user,
                   {**user, "client_id": "runai-cli"}):
        status, answer = form_token(world, path, **fields)
        assert status == 200, answer
        assert answer["token_type"] == "Bearer"
        assert type(answer["expires_in"]) is int and answer["expires_in"] == 3600
        listed = world.admin.send("GET", "/api/v1/service-accounts", token=answer["access_token"])
        assert listed.status_code == 200
    status, answer = form_token(world, path, grant_type="client_credentials",
                                client_id=administrator.client_id, client_secret="wrong")
    assert (status, answer["error"]) == (401, "invalid_client")
    status, answer = form_token(world, path, **{**user, "password": "wrong"})
    assert (status, answer["error"]) == (400, "invalid_grant")
    status, answer = form_token(world, path, grant_type="urn:unheard-of", **pair)
    assert (status, answer["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("path", OAUTH_ENDPOINTS)
def test_check_38_basic_authentication(world: World, administrator: Account, path):
    status, body = curl(world.url + path, "-u",
                        f"{administrator.client_id}:{administrator.secret}", "-d",
                        "grant_type=client_credentials")
    assert status == 200, body
    world.secrets.update((json.loads(body)["access_token"], base64.b64encode(
        f"{administrator.client_id}:{administrator.secret}".encode()).decode()))


def test_check_38_no_answer_is_kept_by_caches(world: World, administrator: Account):
    form_token(world, "/api/v2/token", grant_type="client_credentials",
               client_id=administrator.client_id, client_secret=administrator.secret)
    world.anonymous.account_token(administrator)
    for exchange in world.exchanges():
        assert exchange.header("Cache-Control") == "no-store"


def test_check_39_runapy_grant_token_v2(world: World, administrator: Account, runapy_1):
    outcome, = runapy_1("calls", administrator, calls=[
        ["tokens.grant_token_v2", {"grant_type": "client_credentials",
                                   "client_id": administrator.client_id,
                                   "client_secret": administrator.secret}]])
    requests = [exchange for exchange in world.exchanges() if exchange.path == "/api/v2/token"]
    assert len(requests) == 1
    assert requests[0].request_body == b""
    assert outcome["status"] == 400
    assert json.loads(requests[0].body)["error"] == "invalid_request"


def test_check_40_apptoken(world: World, administrator: Account):
    fields = {"id": administrator.client_id, "name": administrator.name,
              "secret": administrator.secret}
    path = "/v1/k8s/auth/oauth/apptoken"
    answer = world.anonymous.call("POST", path, fields, status=200)
    assert set(answer) == {"access_token", "id_token"}
    world.secrets.update(answer.values())
    for token in answer.values():
        world.admin.call("GET", "/api/v1/service-accounts", token=token)
    refused = world.anonymous.send("POST", path, json={**fields, "secret": "wrong"})
    assert refused.status_code == 400 and refused.json()["code"] == 400


@pytest.mark.parametrize("more", [{}, {"scope": "openid", "response_type": "id_token"},
                                  {"reponse_type": "id_token", "anything": "at all"}])
def test_check_41_realm_endpoint(world: World, administrator: Account, more):
    path = OAUTH_ENDPOINTS[2]
    for fields in ({"grant_type": "client_credentials", "client_id": administrator.client_id,
                    "client_secret": administrator.secret},
                   {"grant_type": "password", "client_id": "runai", "username": ADMIN_EMAIL,
                    "password": ADMIN_PASSWORD}):
        status, answer = form_token(world, path, **fields, **more)
        assert status == 200, answer
        for name in ("access_token", "id_token"):
            world.admin.call("GET", "/api/v1/service-accounts", token=answer[name])
    status, answer = form_token(world, path, grant_type="password", client_id="runai",
                                username=ADMIN_EMAIL, password="wrong")
    assert (status, answer["error"]) == (401, "invalid_grant")


# --- lifetimes ------------------------------------------------------------------------------------


def test_check_45_refresh_after_a_second(new_world, runapy_1):
    world = new_world("--token-lifetime", "61")
    account = administrator_of(world)
    result = runapy_1("refreshed", account, world.url)
    assert result["replaced"]
    assert set(result["statuses"]) == {200}
    requests = token_requests(world.exchanges())
    # The administrator's, the script's first, and the refresh.
    assert [exchange.status for exchange in requests] == [200, 200, 200]
    world.secrets.update(json.loads(exchange.body)["accessToken"] for exchange in requests)


@pytest.mark.parametrize("seconds", ["60", "1", "0", "-5", "an hour"])
def test_check_45_short_lifetimes_are_refused(seconds):
    server = Server()
    try:
        done = subprocess.run([str(binary()), "serve", "--data", str(server.data), "--listen",
                               "127.0.0.1:0", f"--token-lifetime={seconds}"],
                              capture_output=True, text=True, timeout=60, check=False,
                              env=server.environment())
        assert done.returncode == 2
        assert done.stdout == ""
        assert re.fullmatch(r"claviger: .*token-lifetime.*\n", done.stderr), done.stderr
    finally:
        server.remove()


def administrator_of(world: World) -> Account:
    account = world.admin.create_account()
    world.admin.give_role(account.name, "System administrator", "tenant", "1")
    return account


def test_check_45_refreshes_under_load_and_across_a_restart(new_world, runapy_1):
    world = new_world()
    account = administrator_of(world)
    count = 300 if has_sanitizer() else 1000
    world.exchanges()
    outcome: dict = {}

    def refresh() -> None:
        outcome.update(runapy_1("refresh_many", account, world.url, count=count, threads=16))

    load = threading.Thread(target=refresh)
    load.start()
    recorded = world.recorder
    while len(recorded.exchanges) < count // 3 and load.is_alive():
        time.sleep(0.01)  # polls
    assert load.is_alive(), "the load ended before the restart"
    world.restart()
    load.join()
    requests = token_requests(world.exchanges())
    assert outcome["done"] == count
    assert len(requests) >= count
    assert {exchange.status for exchange in requests} == {200}
    world.secrets.add(json.loads(requests[-1].body)["accessToken"])
