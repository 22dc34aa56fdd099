# SPDX-License-Identifier: Apache-2.0
"""Several secrets of a key, and the change from one to the next while it is in use."""
from __future__ import annotations

import random
import re
import string
import threading
import time
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from scenario.api import Account, Api, describe

from .test_command_line import ADMINISTRATOR, FAILED, OK, assert_refused, pair, run
from .test_revocation import (DEADLINE_SECONDS, is_good, listening, reader_of, refuses,
                              wait_until)
from .world import World

OWN = "/api/v1/me/secrets"
REVOCATIONS = "/api/v1/revocations"
PERMISSIONS = "/api/v1/authorization/permissions"
CLIENTS = 6
ROUNDS_A_PHASE = 20


def secrets_path(account: Account) -> str:
    owner = "access-keys" if account.client_id.startswith("ak-") else "service-accounts"
    return f"/api/v1/{owner}/{account.id}/secrets"


def add(admin: Api, account: Account, **fields: object) -> Account:
    """The account with a new secret."""
    made = admin.call("POST", secrets_path(account), fields)
    assert made["clientId"] == account.client_id
    return replace(account, secret=made["clientSecret"])


def listed(admin: Api, account: Account) -> list[dict]:
    return admin.call("GET", secrets_path(account))["secrets"]


def retire(admin: Api, account: Account, **fields: object) -> requests.Response:
    return admin.send("POST", secrets_path(account) + "/retire", json=fields)


@pytest.fixture(params=["service account", "access key"])
def account(request, admin: Api) -> Account:
    return admin.create_account() if request.param == "service account" \
        else admin.create_access_key()


class Client(threading.Thread):
    """Asks for a token and uses it, again and again; counts what is refused."""

    def __init__(self, world: World, account: Account):
        super().__init__(daemon=True)
        self.url = world.server.url  # past the recorder, which is no proxy for load
        self.account = account
        self.stopping = False
        self.rounds = 0
        self.refused: list[str] = []

    def run(self) -> None:
        with requests.Session() as session:
            while not self.stopping:
                token = session.post(f"{self.url}/api/v1/token", timeout=60, json={
                    "grantType": "client_credentials", "clientId": self.account.client_id,
                    "clientSecret": self.account.secret})
                used = None if token.status_code != 200 else session.get(
                    self.url + PERMISSIONS, timeout=60,
                    headers={"Authorization": f"Bearer {token.json()['accessToken']}"})
                for answer in (token, used):
                    if answer is not None and answer.status_code != 200:
                        self.refused.append(describe(answer))
                self.rounds += 1


@contextmanager
def clients(world: World, account: Account) -> Iterator[list[Client]]:
    started = [Client(world, account) for _ in range(CLIENTS)]
    for client in started:
        client.start()
    try:
        yield started
    finally:
        for client in started:
            client.stopping = True
        for client in started:
            client.join()


def let_work(working: list[Client]) -> None:
    goals = [client.rounds + ROUNDS_A_PHASE for client in working]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while any(client.rounds < goal for client, goal in zip(working, goals, strict=True)):
        assert time.monotonic() < deadline, "the clients make no progress"
        time.sleep(0.01)


def test_a_whole_rotation_refuses_nothing(world: World, admin: Api, account: Account):
    with clients(world, account) as working:
        let_work(working)
        newer = add(admin, account)
        let_work(working)
        for client in working[:CLIENTS // 2]:
            client.account = newer
        let_work(working)
        answer = retire(admin, account, unusedForSeconds=60)
        assert answer.status_code == 409, describe(answer)
        assert "python-requests" in answer.json()["message"]
        for client in working:
            client.account = newer
        let_work(working)
        first = listed(admin, account)[0]
        answer = retire(admin, account, unusedForSeconds=0)
        assert answer.json() == {"retired": [first["id"]]}
        let_work(working)
    assert [client.refused for client in working] == [[]] * CLIENTS
    assert sum(client.rounds for client in working) >= 5 * CLIENTS * ROUNDS_A_PHASE
    old = world.anonymous.try_account(account.client_id, account.secret)
    assert old.status_code == 400, "the old secret is good no longer"


def test_the_list_says_how_each_was_used(world: World, admin: Api, account: Account):
    newer = add(admin, account, drainSeconds=3600)
    answer = requests.post(f"{world.url}/api/v1/token", timeout=60, json={
        "grantType": "client_credentials", "clientId": newer.client_id,
        "clientSecret": newer.secret}, headers={"User-Agent": "crawler/2 \xe9"})
    assert answer.status_code == 200
    first, second = listed(admin, account)
    assert first["state"] == second["state"] == "live"
    assert first["drainSeconds"] == 3600 and first["lastUsed"] is None
    assert "drainSeconds" not in second
    used = second["lastUsed"]
    assert used["sourceIp"] == "127.0.0.1" and used["countToday"] == 1
    assert used["userAgent"].startswith("crawler/2 ?")
    world.restart()
    assert listed(admin, account)[1]["lastUsed"] == used


def test_a_retired_secret_that_comes_back_is_told(world: World, admin: Api, account: Account):
    add(admin, account)
    assert retire(admin, account, force=True).status_code == 200
    refused = world.anonymous.try_account(account.client_id, account.secret)
    unknown = world.anonymous.try_account(account.client_id, "clvs_unknown")
    assert refused.status_code == 400
    assert {**refused.json(), "details": ""} == {**unknown.json(), "details": ""}, \
        "nothing on the wire tells that it was good once"
    told = admin.call("GET", f"/api/v1/diagnoses/{refused.headers['X-Request-Id']}")
    assert told["reason"] == "secret-retired" and told["sourceIp"] == "127.0.0.1"
    assert admin.call("GET", f"/api/v1/diagnoses/{unknown.headers['X-Request-Id']}")["reason"] \
        == "wrong-secret"


def test_revoking_one_secret_ends_its_tokens_only(world: World, admin: Api, account: Account):
    newer = add(admin, account)
    old, new = (admin.account_token(each) for each in (account, newer))
    reader, _ = reader_of(admin)
    first = listed(admin, account)[0]["id"]
    with listening(world, reader) as verifier:
        for token in (old, new):
            assert verifier.verify(token) and is_good(admin, token)
        admin.call("POST", REVOCATIONS,
                   {"type": "secret", "keyId": account.id, "secretId": first})
        assert not is_good(admin, old) and is_good(admin, new)
        wait_until(lambda: refuses(verifier, old))
        assert verifier.verify(new)
    assert listed(admin, account)[0]["state"] == "retired"
    with listening(world, reader) as verifier:  # it knows from the snapshot
        assert refuses(verifier, old) and verifier.verify(new)


def test_a_client_rotates_itself(world: World, admin: Api, account: Account):
    itself = admin.as_caller(admin.account_token(account))
    made = itself.call("POST", OWN, {})
    newer = replace(account, secret=made["clientSecret"])
    itself = admin.as_caller(admin.account_token(newer))
    assert [secret["state"] for secret in itself.call("GET", OWN)["secrets"]] == ["live", "live"]
    assert itself.send("POST", OWN + "/retire", json={}).status_code == 409, "just used"
    assert len(itself.call("POST", OWN + "/retire", {"force": True})["retired"]) == 1
    assert world.anonymous.try_account(account.client_id, account.secret).status_code == 400
    assert admin.call("GET", OWN) == {"secrets": []}, "who signed in has no secret of a key"
    assert admin.send("POST", OWN, json={}).status_code == 403


def test_an_overlap_keeps_both_good(world: World, admin: Api, account: Account):
    path = secrets_path(account).removesuffix("s")
    for wrong in (-1, 7_776_001, "60", 1.5):
        assert admin.send("POST", path, json={"overlapSeconds": wrong}).status_code == 400
    secret = admin.call("POST", path, {"overlapSeconds": 3600})["clientSecret"]
    for each in (account, replace(account, secret=secret)):
        assert is_good(admin, admin.account_token(each))
    old, _ = listed(admin, account)
    assert old["expiresAt"] is not None
    token = admin.account_token(account)
    admin.call("POST", path)  # as the contract has it
    assert world.anonymous.try_account(account.client_id, secret).status_code == 400
    assert not is_good(admin, token)


def test_bad_requests_change_nothing(world: World, admin: Api, account: Account):
    path = secrets_path(account)
    for fields in ({"expiresAt": "2020-01-01T00:00:00Z"}, {"expiresAt": "soon"},
                   {"drainSeconds": -1}, {"drainSeconds": 8_000_000}):
        assert admin.send("POST", path, json=fields).status_code == 400, fields
    assert retire(admin, account).json() == {"retired": []}, "there is one only"
    only = listed(admin, account)[0]["id"]
    assert retire(admin, account, secretId=only, force=True).status_code == 409
    for secret in ("nonsense", "00000000-0000-4000-8000-000000000000"):
        assert retire(admin, account, secretId=secret).status_code == 404
    assert len(listed(admin, account)) == 1
    for _ in range(4):
        add(admin, account)
    assert admin.send("POST", path, json={}).status_code == 409, "five at a time"
    _, stranger = admin.member("Viewer", "tenant", "1")
    for method, where in (("GET", path), ("POST", path), ("POST", path + "/retire")):
        status = stranger.send(method, where, json={} if method == "POST" else None).status_code
        assert status == (404 if "access-keys" in path else 403)


def test_by_the_command_line(world: World, admin: Api):
    account = admin.create_account()
    done = run(world, "rotate", "start", account.name, "--json", **ADMINISTRATOR)
    assert done.returncode == OK, done
    newer = run(world, "rotate", "auto", "--drain", "24h", **pair(account))
    assert newer.returncode == OK and "shown only now" in newer.stdout, newer
    status = run(world, "rotate", "status", account.name, **ADMINISTRATOR).stdout.splitlines()
    assert status[0].split()[:3] == ["SECRET", "STATE", "CREATED"]
    assert len(status) == 4 and "unused for 86400 s" in status[1]
    assert_refused(run(world, "rotate", "finish", account.name, **ADMINISTRATOR), FAILED,
                   "was used at")
    done = run(world, "rotate", "finish", account.name, "--force", **ADMINISTRATOR)
    assert done.returncode == OK and done.stdout.count("Retired ") == 2, done
    assert run(world, "rotate", "auto", "--drain", "soon", **ADMINISTRATOR).returncode != OK


# --- leaked ones ----------------------------------------------------------------------------------

LEAKED = "/api/v1/leaked-secrets"
SCANNERS = Path(__file__).resolve().parents[2] / "deploy" / "scanners"


DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def is_whole(secret: str) -> bool:
    """As docs/guides/leaked-secrets.md has it."""
    number = 0
    for digit in secret[-6:]:
        number = number * 62 + DIGITS.index(digit)
    return number == zlib.crc32(secret[:-6].encode())


def report(world: World, secret: str, **more: str) -> str:
    return world.anonymous.call("POST", LEAKED, {"clientSecret": secret, **more})["outcome"]


def alarms(world: World, text: str) -> list[str]:
    return [line for line in world.server.log().splitlines() if text in line]


def test_a_leaked_secret_ends_with_its_tokens(world: World, admin: Api, account: Account):
    newer = add(admin, account)
    old, new = (admin.account_token(each) for each in (account, newer))
    assert report(world, account.secret, clientId=account.client_id,
                  foundAt="https://git.example/x#L7") == "revoked"
    assert not is_good(admin, old) and is_good(admin, new)
    assert world.anonymous.try_account(account.client_id, account.secret).status_code == 400
    assert report(world, account.secret, clientId=account.client_id) == "retired"
    assert report(world, f" {newer.secret} ", clientId=account.client_id) == "revoked"
    events = admin.call("GET", "/api/v1/audit/log", params={
        "start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z",
        "filterBy": "subject==leak report"})["audit_logs"]
    assert "https://git.example/x#L7" in str(events)


def test_a_secret_that_was_found_alone(new_world, admin: Api):
    world = new_world("--leaked-secret-policy", "freeze")
    account = world.admin.create_account()
    token = world.admin.account_token(account)
    assert report(world, account.secret) == "frozen"
    assert not is_good(world.admin, token)
    assert world.anonymous.try_account(account.client_id, account.secret).status_code == 400
    answer = world.anonymous.send("POST", LEAKED, json={"clientSecret": account.secret})
    assert answer.status_code in (200, 429), "looking through all keys is rare"
    frozen = listed(world.admin, account)[0]
    assert frozen["state"] == "frozen"
    done = run(world, "rotate", "restore", account.name, "--secret", frozen["id"], **ADMINISTRATOR)
    assert done.returncode == OK, done
    assert is_good(world.admin, world.admin.account_token(account))
    assert not is_good(world.admin, token), "tokens of before stay ended"
    add(world.admin, account)
    assert retire(world.admin, account, secretId=frozen["id"], force=True).status_code == 200
    again = world.admin.send("POST", secrets_path(account) + "/restore",
                             json={"secretId": frozen["id"]})
    assert again.status_code == 409, "retired, not frozen"


def test_reports_of_what_is_no_secret(new_world):
    world = new_world()
    account = world.admin.create_account()
    mistyped = account.secret[:-1] + ("a" if account.secret[-1] != "a" else "b")
    for secret in (mistyped, "nonsense", "", "clvs_" + "0" * 49):
        answer = world.anonymous.send("POST", LEAKED, json={"clientSecret": secret,
                                                            "clientId": account.client_id})
        assert answer.json() == {"outcome": "unknown"}, secret
    long = world.anonymous.send("POST", LEAKED, json={
        "clientSecret": account.secret, "clientId": account.client_id, "foundAt": "x" * 301})
    assert long.status_code == 400 and is_good(world.admin, world.admin.account_token(account))
    statuses = {world.anonymous.send("POST", LEAKED, json={
        "clientSecret": mistyped, "clientId": account.client_id}).status_code for _ in range(40)}
    assert statuses == {200, 429}, "guessing is slowed down"


def test_a_honey_key_is_good_for_nothing_and_tells(world: World, admin: Api):
    made = admin.call("POST", "/api/v1/service-accounts",
                      {"name": Api.fresh_name("trap"), "limits": {"honey": True}}, status=201)
    trap = Account(made["id"], made["name"], made["clientId"], made["clientSecret"])
    admin.secrets.add(trap.secret)
    admin.give_role(trap.name, "System administrator", "tenant", "1")
    refused = world.anonymous.try_account(trap.client_id, trap.secret)
    wrong = world.anonymous.try_account(trap.client_id, "clvs_wrong")
    assert refused.status_code == wrong.status_code == 400
    assert {**refused.json(), "details": ""} == {**wrong.json(), "details": ""}
    told = admin.call("GET", f"/api/v1/diagnoses/{refused.headers['X-Request-Id']}")
    assert told["reason"] == "honey-key"
    assert alarms(world, "a honey key was used")


ALPHANUMERIC = string.ascii_letters + string.digits


def test_scanners_find_what_is_generated_and_nothing_near(world: World, admin: Api):
    user = admin.create_user()
    admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    refresh = world.anonymous.try_token({"grantType": "password", "username": user.email,
                                         "password": user.password}).json()["refreshToken"]
    admin.secrets.add(refresh)
    found = [admin.create_account().secret, admin.create_access_key().secret, refresh]
    rules = tomllib.loads((SCANNERS / "gitleaks.toml").read_text())["rules"]
    others = re.findall(r"secret: '(.+)'", (SCANNERS / "trufflehog.yaml").read_text())
    assert [rule["regex"] for rule in rules] == others
    for rule, secret in zip(rules, found, strict=True):
        assert secret.startswith(tuple(rule["keywords"]))
        other = "B" if secret[-7] == "A" else "A"
        assert is_whole(secret) and not is_whole(secret[:-7] + other + secret[-6:])
        for text in (secret, f'secret = "{secret}"', f"({secret})\n"):
            assert re.findall(rule["regex"], text) == [secret], rule["id"]
        for text in (secret[:-1], secret + "x", "x" + secret, secret.replace("clv", "clw")):
            assert not re.findall(rule["regex"], text), text[:5]
        # What only looks like one has wrong check digits.
        kind, digits = secret.partition("_")[0], random.Random(13)
        alike = (f"{kind}_{''.join(digits.choices(ALPHANUMERIC, k=len(secret) - 5))}"
                 for _ in range(30_000))
        assert not any(is_whole(text) for text in alike)
