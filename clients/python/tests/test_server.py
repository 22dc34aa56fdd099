# SPDX-License-Identifier: Apache-2.0
"""The package against the real server: what it hears and how soon, and that both decide alike."""
from __future__ import annotations

import itertools
import json
import random
import re
import secrets
import threading
import time

import pytest
from claviger import (ANYWHERE, TENANT, ConfigurationError, InvalidToken, Refused, Revoked, Stale,
                      Verifier)
from claviger.clock import Clock
from clients.test_scenarios import FILES, filled
from conftest import admin_of
from issuer import DEADLINE_SECONDS, FixedClock, outlast_lease
from scenario.api import Account, Api, describe
from scenario.clock import MovableClock
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from scenario.tokens import header_of

REVOCATIONS = "/api/v1/revocations"
LEAD_SECONDS = 660  # that a key is published before it signs
SEED = 20261128
TENANTS, TOKENS, QUESTIONS = 3, 12, 60


def reader_of(admin: Api) -> Account:
    """The least that a verifier needs."""
    account = admin.create_account()
    role = admin.create_role("View security-settings", "View access_rules")
    admin.role_ids.clear()
    admin.give_role(account.name, role["name"], "tenant", "1")
    return account


@pytest.fixture(scope="session")
def reader(admin) -> Account:
    return reader_of(admin)


@pytest.fixture
def open_verifier():
    opened: list[Verifier] = []

    def make(url: str, account: Account, **options) -> Verifier:
        opened.append(Verifier(url, credentials=(account.client_id, account.secret),
                               start_seconds=DEADLINE_SECONDS, **options))
        follower = opened[-1]._follower
        assert follower.wait_for(lambda: follower.connections > 0, DEADLINE_SECONDS)
        return opened[-1]

    yield make
    for verifier in opened:
        verifier.close()


@pytest.fixture
def local(server, reader, open_verifier) -> Verifier:
    return open_verifier(server.url, reader)


def wait_until(verifier: Verifier, condition) -> float:
    """The seconds until it held."""
    began = time.monotonic()
    assert verifier._follower.wait_for(condition, DEADLINE_SECONDS), verifier._follower.problem
    return time.monotonic() - began


def refuses(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except Stale:
        raise
    except Refused:
        return True
    return False


def last_number(admin: Api) -> int:
    return admin.call("GET", f"{REVOCATIONS}/snapshot")["number"]


def hear_all(verifier: Verifier, admin: Api) -> None:
    assert verifier.wait_for(last_number(admin), DEADLINE_SECONDS)


def sign_in(admin: Api, user) -> dict:
    answer = admin.as_caller(None).try_token({"grantType": "password", "username": user.email,
                                              "password": user.password})
    assert answer.status_code == 200, describe(answer)
    return answer.json()


# --- what has ended -------------------------------------------------------------------------------


def test_what_ends_is_refused_within_a_second(admin: Api, local: Verifier):
    account, key, user = admin.create_account(), admin.create_access_key(), admin.create_user()
    admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    first, second = admin.account_token(account), admin.account_token(account)
    session = sign_in(admin, user)
    hear_all(local, admin)
    changes = [
        (first, lambda: admin.call("POST", REVOCATIONS, {"type": "token", "token": first})),
        (admin.account_token(key),
         lambda: admin.call("POST", REVOCATIONS, {"type": "key", "keyId": key.id})),
        (second, lambda: admin.call("POST", f"/api/v1/service-accounts/{account.id}/secret")),
        (session["accessToken"], lambda: admin.as_caller(None).send(
            "POST", "/oauth2/revoke", data={"token": session["refreshToken"]})),
        (sign_in(admin, user)["accessToken"],
         lambda: admin.call("DELETE", f"/api/v1/users/{user.id}"))]
    for token, change in changes:
        known = local.verify(token)
        change()
        seconds = wait_until(local, lambda: refuses(local, token))
        print(f"refused {seconds * 1000:.1f} ms after the answer")
        assert seconds < 1
        with pytest.raises(Revoked):
            local.can(known, "project:read")
    assert local.verify(admin.account_token(key)), "the key itself goes on"
    assert local._follower.snapshots == 1


def test_a_disabled_account_is_refused_until_it_is_enabled(admin: Api, local: Verifier):
    account = admin.create_account()
    token = admin.account_token(account)
    assert local.verify(token)
    admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": False})
    wait_until(local, lambda: refuses(local, token))
    admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": True})
    fresh = admin.account_token(account)
    wait_until(local, lambda: not refuses(local, fresh))


def test_id_tokens_and_refresh_tokens_are_no_access_tokens(admin: Api, local: Verifier):
    given = sign_in(admin, admin.create_user())
    for name in ("idToken", "refreshToken"):
        with pytest.raises(InvalidToken):
            local.verify(given[name])


def test_both_issuers_of_the_tenant(server: Server, admin: Api, local: Verifier):
    account = admin.create_account()
    answer = admin.session.post(
        f"{server.url}/auth/realms/runai/protocol/openid-connect/token",
        data={"grant_type": "client_credentials", "client_id": account.client_id,
              "client_secret": account.secret}, timeout=30)
    token = local.verify(answer.json()["access_token"])
    assert token["iss"] == f"{server.url}/auth/realms/runai"


def test_an_account_that_may_not_follow_is_told_so(server: Server, admin: Api, open_verifier):
    with pytest.raises(ConfigurationError, match="security-settings:read"):
        open_verifier(server.url, admin.create_account())
    wrong = admin.create_account()
    with pytest.raises(ConfigurationError, match="gives client"):
        open_verifier(server.url, Account(wrong.id, wrong.name, wrong.client_id, "clvs_wrong"))


# --- a server of its own --------------------------------------------------------------------------


@pytest.fixture
def own_server():
    """Its public address is not where it listens, so that it outlives a restart."""
    with Server("--public-url", "http://127.0.0.1:1", "--token-resource",
                "https://api.example") as started:
        yield started


def start_again(server: Server, admin: Api, verifier: Verifier) -> None:
    """On another port, which verifiers would not have to follow in earnest."""
    server.start()
    admin.session.close()
    admin.url = server.url
    verifier._transport._port = server.address[1]


def test_a_verifier_outlives_its_server(own_server: Server, open_verifier):
    admin = admin_of(own_server)
    clock = FixedClock()
    verifier = open_verifier(own_server.url, reader_of(admin), issuer="http://127.0.0.1:1",
                             clock=clock, lease_seconds=60)
    account = admin.create_account()
    ended, good = admin.account_token(account), admin.account_token(account)
    hear_all(verifier, admin)
    connections = verifier._follower.connections
    own_server.stop()
    assert verifier.verify(good), "for as long as the lease"
    outlast_lease(verifier, clock, 60)
    with pytest.raises(Stale):
        verifier.verify(good)
    start_again(own_server, admin, verifier)
    admin.call("POST", REVOCATIONS, {"type": "token", "token": ended})
    wait_until(verifier, lambda: verifier._follower.connections > connections)
    hear_all(verifier, admin)
    assert refuses(verifier, ended) and not refuses(verifier, good)
    assert verifier._follower.snapshots == 1, "the numbers went on"


def test_a_database_that_was_restored_is_noticed(own_server: Server, open_verifier, tmp_path):
    admin = admin_of(own_server)
    verifier = open_verifier(own_server.url, reader_of(admin), issuer="http://127.0.0.1:1")
    account = admin.create_account()
    token = admin.account_token(account)
    hear_all(verifier, admin)
    backup = tmp_path / "backup"
    own_server.run("backup", str(backup))
    admin.give_role(account.name, "Viewer", "tenant", "1")
    hear_all(verifier, admin)
    assert verifier.can(token, "project:read")
    own_server.stop()
    own_server.run("restore", str(backup))
    start_again(own_server, admin, verifier)
    wait_until(verifier, lambda: verifier._follower.snapshots == 2)
    wait_until(verifier, lambda: verifier._follower.rules_outdated_since is None)
    assert not verifier.can(token, "project:read"), "that rule is no more"


def test_a_resource_of_its_own(own_server: Server, open_verifier):
    admin = admin_of(own_server)
    account = admin.create_account()
    project = admin.create_project(admin.create_cluster())
    admin.give_role(account.name, "Viewer", "project", project)
    verifier = open_verifier(own_server.url, reader_of(admin), issuer="http://127.0.0.1:1",
                             audience="https://api.example")
    usual = admin.account_token(account)
    answer = admin.try_token({"grantType": "client_credentials", "clientId": account.client_id,
                              "clientSecret": account.secret, "resource": "https://api.example"})
    token = answer.json()["accessToken"]
    assert verifier.can(token, "project:read", ("project", project))
    with pytest.raises(InvalidToken, match="audience"):
        verifier.verify(usual)


def test_rotated_and_burned_keys_under_load(own_server: Server, open_verifier):
    """Tokens are made and verified all the while; none is refused for its key."""
    admin = admin_of(own_server)
    account, kids = admin.create_account(), set()
    verifier = open_verifier(own_server.url, reader_of(admin), issuer="http://127.0.0.1:1")
    failures: list[str] = []
    over, rounds = threading.Event(), itertools.count()
    done = [0]

    def load() -> None:
        api = admin.as_caller(None)
        while not over.is_set():
            token = api.account_token(account)
            try:
                kids.add(verifier.verify(token).key.kid)
            except Refused as error:
                failures.append(str(error))
            done[0] = next(rounds)

    def wait_for_rounds(count: int) -> None:
        until = done[0] + count
        deadline = time.monotonic() + DEADLINE_SECONDS
        while done[0] < until:
            assert time.monotonic() < deadline and not failures, failures
            over.wait(0.01)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        wait_for_rounds(20)
        own_server.run("keys", "rotate")
        wait_for_rounds(20)
        old = admin.account_token(account)
        kid, = kids
        own_server.run("keys", "burn", kid)
        wait_until(verifier, lambda: refuses(verifier, old))
        wait_for_rounds(20)
    finally:
        over.set()
        thread.join()
    assert not failures and len(kids) == 2


class TestClock(Clock):
    """The server's, which the test moves; deadlines do not move with it."""

    __test__ = False

    def __init__(self, moved: MovableClock):
        self.moved = moved

    def now(self) -> float:
        return self.moved.begin + self.moved.seconds_ahead


def test_keys_that_rotate_as_time_goes_on_are_never_unknown(tmp_path, open_verifier):
    moved = MovableClock(tmp_path)
    with Server() as server:
        server.restart(environment=moved.environment())
        admin = admin_of(server)
        verifier = open_verifier(server.url, reader_of(admin), clock=TestClock(moved))
        account, kids = admin.create_account(), []
        for _ in range(4):
            before = admin.account_token(account)
            server.run("keys", "rotate")
            moved.advance(LEAD_SECONDS)
            kids.append(wait_for_another_key(admin, account, before))
            for token in (before, admin.account_token(account)):
                hear_all(verifier, admin)
                assert verifier.verify(token)
        assert len(set(kids)) == 4
        assert verifier._keys._asked_at is None, "no token was needed to learn of a key"


def wait_for_another_key(admin: Api, account: Account, before: str) -> str:
    """The server looks every second which keys are due."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        kid = header_of(admin.account_token(account))["kid"]
        if kid != header_of(before)["kid"]:
            return kid
    raise AssertionError("the server signs with the same key")


# --- decisions ------------------------------------------------------------------------------------


def test_a_changed_rule_is_seen(admin: Api, local: Verifier):
    project = admin.create_project(admin.create_cluster())
    account = admin.create_account()
    hear_all(local, admin)
    token = local.verify(admin.account_token(account))
    scope = ("project", project)
    assert local.can(token, "project:read", scope).reason == "no rule"
    rule = admin.give_role(account.name, "Viewer", "project", project)
    seconds = wait_until(local, lambda: local.can(token, "project:read", scope).rule == rule)
    print(f"the rule was in force here {seconds * 1000:.1f} ms after the answer")
    admin.call("DELETE", f"/api/v1/authorization/access-rules/{rule}")
    wait_until(local, lambda: not local.can(token, "project:read", scope))


def test_limits_and_narrowing_are_as_on_the_server(server: Server, admin: Api, local: Verifier):
    project = admin.create_project(admin.create_cluster())
    account = admin.create_account()
    admin.give_role(account.name, "System administrator", "tenant", "1")
    admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits", {
        "addresses": ["127.0.0.0/8"], "ceiling": {"roleIds": [7], "scopes": [
            {"scopeType": "project", "scopeId": project}]}})
    hear_all(local, admin)
    token = admin.account_token(account)
    for address in (None, "10.0.0.1"):
        with pytest.raises(InvalidToken, match="address"):
            local.verify(token, address)
    scope = ("project", project)
    assert local.can(token, "project:read", scope, "127.0.0.1")
    for permission, where in (("project:delete", scope), ("project:read", TENANT)):
        assert local.can(token, permission, where, "127.0.0.1").reason == (
            "beyond the key's ceiling")
    narrowed = admin.try_token({
        "grantType": "client_credentials", "clientId": account.client_id,
        "clientSecret": account.secret, "scope": "jobs:read"}).json()["accessToken"]
    assert local.can(narrowed, "jobs:read", scope, "127.0.0.1")
    assert local.can(narrowed, "project:read", scope, "127.0.0.1").reason == (
        "beyond what the token was narrowed to")


class Tenant:
    """Drawn at random: a tree, roles, and holders with rules, ceilings and narrowings."""

    def __init__(self, admin: Api, draw: random.Random):
        self.admin, self.draw = admin, draw
        self.scopes: list[tuple[str, str]] = [("tenant", "1")]
        for cluster in [admin.create_cluster() for _ in range(2)]:
            self.scopes.append(("cluster", cluster))
            for department in [admin.create_department(cluster) for _ in range(2)]:
                self.scopes.append(("department", department))
                self.scopes += [("project", admin.create_project(cluster, department))
                                for _ in range(2)]
        roles = admin.call("GET", "/api/v1/authorization/roles")
        self.roles = draw.sample(roles, 6)
        self.permissions = sorted({f"{held['resourceType']}:{action}" for role in self.roles
                                   for held in role["permissions"] for action in held["actions"]})
        self.permissions += ["project:delete", "cluster:sync", "users:custom"]

    def some(self, items: list, most: int) -> list:
        return self.draw.sample(items, self.draw.randint(1, most))

    def ceiling(self) -> dict:
        parts = {"roleIds": [role["id"] for role in self.some(self.roles, 2)],
                 "permissions": self.some(self.permissions, 10),
                 "scopes": [{"scopeType": kind, "scopeId": value}
                            for kind, value in self.some(self.scopes, 3)]}
        return {name: parts[name] for name in self.some(sorted(parts), 3)}

    def narrowing(self) -> dict:
        kind, value = self.draw.choice(self.scopes)
        parts = [{}, {"scope": " ".join(self.some(self.permissions, 12))},
                 {"scopeType": kind, "scopeId": value}]
        return self.draw.choice(parts) | self.draw.choice(parts)

    def give_rules(self, subject: str, kind: str) -> None:
        for scope in self.some(self.scopes, 3):
            self.admin.give_role(subject, self.draw.choice(self.roles)["name"], *scope, kind)

    def token(self) -> str:
        """Of a service account, of a user, or of an access key of a user."""
        kind = self.draw.choice(["account", "user", "key"])
        if kind == "account":
            account = self.admin.create_account()
            self.give_rules(account.name, "service-account")
            limits = f"/api/v1/service-accounts/{account.id}/limits"
        else:
            user = self.admin.create_user()
            self.give_rules(user.email, "user")
            caller = self.admin.as_caller(self.admin.user_token(user.email, user.password))
            if kind == "user":
                return caller.token
            account = caller.create_access_key()
            limits = f"/api/v1/administration/access-keys/{account.id}/limits"
        if self.draw.random() < 0.6:
            self.admin.call("PUT", limits, {"ceiling": self.ceiling()})
        answer = self.admin.try_token({
            "grantType": "client_credentials", "clientId": account.client_id,
            "clientSecret": account.secret, **self.narrowing()})
        assert answer.status_code == 200, describe(answer)
        return answer.json()["accessToken"]


def test_both_decide_alike(server: Server, admin: Api, local: Verifier, reader, open_verifier):
    draw = random.Random(SEED)
    print(f"seed {SEED}")
    remote = open_verifier(server.url, reader, rules="server")
    different, allowed = [], 0
    for tenant in [Tenant(admin, draw) for _ in range(TENANTS)]:
        holders = [tenant.token() for _ in range(TOKENS)]
        hear_all(local, admin)
        allowed += compare(tenant, holders, (local, remote), different)
    assert not different, different[:5]
    questions = TENANTS * TOKENS * QUESTIONS
    print(f"{questions} questions, {allowed} allowed")
    assert questions / 20 < allowed < questions


def compare(tenant: Tenant, holders: list[str], verifiers: tuple[Verifier, Verifier],
            different: list) -> int:
    """Adds what they answer differently; gives how much is allowed."""
    draw, allowed = tenant.draw, 0
    for token, _ in itertools.product(holders, range(QUESTIONS)):
        permission = draw.choice(tenant.permissions)
        scope = draw.choice([*tenant.scopes, ("project", "999999"), TENANT])
        here, there = (verifier.can(token, permission, scope, "127.0.0.1")
                       for verifier in verifiers)
        allowed += here.allowed
        if here != there:
            different.append((permission, scope, here, there))
    for token, permission in itertools.product(holders, draw.sample(tenant.permissions, 12)):
        here, there = (bool(verifier.can(token, permission, ANYWHERE, "127.0.0.1"))
                       for verifier in verifiers)
        is_listed = permission.rpartition(":")[2] in ("create", "read", "update", "delete")
        if is_listed and here != there:
            different.append((permission, ANYWHERE, here, there))
    return allowed


def test_asking_the_server_with_a_token_that_it_refuses(server, admin, reader, open_verifier):
    remote = open_verifier(server.url, reader, rules="server")
    account = admin.create_account()
    admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits",
               {"addresses": ["127.0.0.0/8"]})
    token = remote.verify(admin.account_token(account))
    admin.call("PUT", f"/api/v1/service-accounts/{account.id}/limits",
               {"addresses": ["10.0.0.0/8"]})
    assert remote.can(token, "project:read").reason == "the server refuses the token"


# --- scenarios ------------------------------------------------------------------------------------

ASKED = {"GET": "read", "POST": "create", "DELETE": "delete"}
PLACES = re.compile(r"/api/v1/org-unit/projects/(\w+)")


class Told:
    """Runs the steps of a scenario; where the server answers 401 or 403, or lets somebody pass, the
    verifiers must say the same of the token."""

    def __init__(self, admin: Api, verifiers: list[Verifier]):
        self.admin, self.verifiers = admin, verifiers
        self.variables: dict[str, object] = {
            "admin_email": ADMIN_EMAIL, "admin_password": ADMIN_PASSWORD,
            "run": secrets.token_hex(4)}
        self.bearers: dict[str, str] = {}
        self.judged = 0

    def run(self, step: dict) -> None:
        path = filled(step["path"], self.variables)
        if "as" in step:
            self.judge(step, path)
        api = self.admin.as_caller(self.bearers[step["as"]] if "as" in step else None)
        answer = api.send(step["method"], path, json=filled(step.get("body"), self.variables))
        assert answer.status_code == step["status"], describe(answer)
        body = answer.json() if answer.content else {}
        self.variables.update({name: body[member]
                               for name, member in step.get("save", {}).items()})
        if "token_for" in step:
            self.bearers[step["token_for"]] = body["accessToken"]

    def judge(self, step: dict, path: str) -> None:
        token, status = self.bearers[step["as"]], step["status"]
        for verifier in self.verifiers:
            hear_all(verifier, self.admin)
            if status == 401:
                with pytest.raises(Revoked):
                    verifier.verify(token)
            else:
                assert verifier.verify(token)
                self.judge_right(verifier, token, step["method"], path, status)
            self.judged += 1

    @staticmethod
    def judge_right(verifier: Verifier, token: str, method: str, path: str, status: int) -> None:
        """Whether the permission of the operation is held, where it is a project's."""
        if not path.startswith("/api/v1/org-unit/projects") or method not in ASKED:
            return
        found = PLACES.fullmatch(path)
        scope = ANYWHERE if found is None else ("project", found[1])
        decision = verifier.can(token, f"project:{ASKED[method]}", scope, "127.0.0.1")
        if status == 404:
            assert decision.reason == "unknown resource"
        elif found is not None or status == 403:
            assert decision.allowed == (status != 403), decision


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(server, admin, local, reader, open_verifier, file):
    told = Told(admin, [local, open_verifier(server.url, reader, rules="server")])
    for step in json.loads(file.read_text())["steps"]:
        told.run(step)
    assert told.judged
