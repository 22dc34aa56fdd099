# SPDX-License-Identifier: Apache-2.0
"""The C++ verifier library against the server: what ends is refused, rules are followed, and what
cannot be known is not accepted."""
from __future__ import annotations

import json
import secrets
import shutil
import time

import jwt
import pytest
from clients.test_scenarios import FILES, run_step
from clients.world import World
from scenario.api import Account
from scenario.cpp_verifier import CppVerifier
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, has_sanitizer
from scenario.tcp_path import TcpPath

from .conftest import options_of, reader_of, verifier_of

REVOCATIONS = "/api/v1/revocations"
PERMISSIONS = "/api/v1/authorization/permissions"  # any valid token may read them
MICROSECONDS = 10  # for a decision, on a machine that does much else


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def end(world: World, token: str) -> None:
    world.admin.call("POST", REVOCATIONS, {"type": "token", "token": token})


# --- tokens ---------------------------------------------------------------------------------------


def test_what_has_ended_is_refused_within_a_second(world: World, verifier: CppVerifier):
    admin = world.admin
    account, key, user = admin.create_account(), admin.create_access_key(), admin.create_user()
    changes = [
        (admin.account_token(account), lambda token: end(world, token)),
        (admin.account_token(key), lambda _: admin.call(
            "POST", REVOCATIONS, {"type": "key", "keyId": key.id})),
        (admin.account_token(account), lambda _: admin.call(
            "PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": False})),
        (admin.user_token(user.email, user.password), lambda _: admin.call(
            "DELETE", f"/api/v1/users/{user.id}")),
    ]
    seconds = []
    for token, change in changes:
        verifier.wait_until(lambda: verifier.accepts(token))
        change(token)
        seconds.append(verifier.wait_until(lambda: not verifier.accepts(token)))
    print([f"{one * 1000:.0f} ms" for one in seconds])
    assert min(seconds) < 1
    assert verifier.accepts(admin.account_token(key)), "only what was issued before has ended"


def test_what_is_no_access_token_of_ours_is_refused(world: World, verifier: CppVerifier):
    answer = world.anonymous.send("POST", "/v1/k8s/auth/oauth/apptoken", json={
        "id": (account := world.admin.create_account()).client_id, "name": account.name,
        "secret": account.secret}).json()
    world.secrets |= {answer["id_token"], answer["access_token"]}
    assert verifier.accepts(answer["access_token"])
    for token in (answer["id_token"], "a.b.c", answer["access_token"] + "A"):
        assert verifier.ask("verify", token).startswith("refused 401 ")


def test_tokens_of_the_realms_issuer_are_good(world: World, verifier: CppVerifier):
    account = world.admin.create_account()
    answer = world.anonymous.send(
        "POST", "/auth/realms/runai/protocol/openid-connect/token",
        data={"grant_type": "client_credentials", "client_id": account.client_id,
              "client_secret": account.secret}).json()
    world.secrets |= {answer["access_token"], answer["id_token"]}
    assert claims_of(answer["access_token"])["iss"].endswith("/auth/realms/runai")
    assert verifier.accepts(answer["access_token"])


def test_another_audience_is_refused(world: World, reader: Account):
    with verifier_of(world, reader, audience="another") as verifier:
        assert not verifier.accepts(world.admin.token)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(world: World, verifier: CppVerifier, file):
    """After each step, the library thinks of every token as the server does."""
    variables: dict[str, object] = {"admin_email": ADMIN_EMAIL, "admin_password": ADMIN_PASSWORD,
                                    "run": secrets.token_hex(4)}
    bearers: dict[str, str] = {}
    for number, step in enumerate(json.loads(file.read_text())["steps"]):
        run_step(world, f"step {number}", step, variables, bearers)
        for token in bearers.values():
            status = world.anonymous.send("GET", PERMISSIONS, token=token).status_code
            verifier.wait_until(lambda: verifier.accepts(token) == (status == 200))


# --- decisions ------------------------------------------------------------------------------------


@pytest.fixture(params=["snapshot", "server"])
def decider(request, world: World, reader: Account):
    with verifier_of(world, reader, decisions=request.param) as opened:
        yield opened


def test_rules_decide_and_their_changes_are_heard(world: World, decider: CppVerifier):
    admin = world.admin
    cluster = admin.create_cluster()
    project, other = admin.create_project(cluster), admin.create_project(cluster)
    account = admin.create_account()
    token = admin.account_token(account)

    def says(text: str, permission: str, scope_type: str, scope: str) -> None:
        decider.wait_until(
            lambda: decider.can(token, permission, scope_type, scope).startswith(text))

    says("deny no rule", "project:read", "project", project)
    rule = admin.give_role(account.name, "Viewer", "project", project)
    says(f"allow {rule}", "project:read", "project", project)
    says("deny permitted elsewhere only", "project:read", "project", other)
    says("deny not permitted here", "project:delete", "project", project)
    says("deny not permitted anywhere", "project:delete", "project", other)
    says("deny unknown resource", "project:read", "project", "0")
    says("deny unknown resource type or action", "nonsense:read", "project", project)
    admin.call("DELETE", f"/api/v1/authorization/access-rules/{rule}")
    says("deny no rule", "project:read", "project", project)


def test_groups_roles_and_scopes_above_count(world: World, verifier: CppVerifier):
    admin = world.admin
    cluster = admin.create_cluster()
    project = admin.create_project(cluster, admin.create_department(cluster))
    role = admin.create_role("View project")
    user = admin.create_user()
    token = admin.user_token(user.email, user.password)
    rule = admin.call("POST", "/api/v1/authorization/access-rules", {
        "subjectId": user.email, "subjectType": "user", "roleId": role["id"],
        "scopeType": "cluster", "scopeId": cluster})["id"]
    verifier.wait_until(lambda: verifier.accepts(token))
    verifier.wait_until(
        lambda: verifier.can(token, "project:read", "project", project) == f"allow {rule}")
    admin.call("PUT", f"/api/v2/authorization/roles/{role['id']}", {
        "name": role["name"], "description": "", "enabled": False,
        "permissionSets": role["permissionSets"]})
    verifier.wait_until(
        lambda: verifier.can(token, "project:read", "project", project).startswith("deny"))


def test_limits_of_keys_and_of_tokens_bind(world: World, verifier: CppVerifier):
    admin = world.admin
    cluster = admin.create_cluster()
    project, other = admin.create_project(cluster), admin.create_project(cluster)
    account = admin.create_account()
    admin.give_role(account.name, "System administrator", "tenant", "1")
    token = admin.account_token(account)
    narrowed = admin.try_token({
        "grantType": "client_credentials", "clientId": account.client_id,
        "clientSecret": account.secret, "scope": "project:read", "scopeType": "project",
        "scopeId": project}).json()["accessToken"]
    verifier.wait_until(
        lambda: verifier.can(token, "project:update", "project", other).startswith("allow"))
    assert verifier.can(narrowed, "project:read", "project", project).startswith("allow")
    beyond_token = "deny beyond what the token was narrowed to"
    assert verifier.can(narrowed, "project:update", "project", project) == beyond_token
    assert verifier.can(narrowed, "project:read", "project", other) == beyond_token
    path = f"/api/v1/service-accounts/{account.id}/limits"
    admin.call("PUT", path, {"addresses": ["10.0.0.0/8"],
                             "ceiling": {"permissions": ["project:read"]}})
    verifier.wait_until(lambda: not verifier.accepts(token))
    assert "give source_ip" in verifier.ask("verify", token)
    assert not verifier.accepts(token, "192.0.2.1")
    assert verifier.accepts(token, "10.1.2.3")
    assert verifier.ask("can", "project:update", "project", other) == (
        "deny beyond the key's ceiling")
    assert verifier.ask("can", "project:read", "project", other).startswith("allow")
    admin.call("PUT", path, {"expiresAt": "2001-01-01T00:00:00Z"})
    verifier.wait_until(lambda: not verifier.accepts(token, "10.1.2.3"))
    assert verifier.ask("can", "project:read", "project", other).startswith("deny")


def test_a_decision_takes_microseconds(world: World, verifier: CppVerifier, reader: Account):
    assert verifier.accepts(world.admin.account_token(reader))
    name, nanoseconds = verifier.ask("time", "project:read", "tenant", "1").split()
    print(f"{nanoseconds} ns for a decision")
    assert name == "time" and (has_sanitizer() or int(nanoseconds) < MICROSECONDS * 1000)


# --- keys, connections, the lease -----------------------------------------------------------------


def test_a_key_is_followed_and_a_burned_one_is_refused(own_world: World):
    world, reader = own_world, reader_of(own_world)
    with verifier_of(world, reader) as verifier:
        account = world.admin.create_account()
        token = world.admin.account_token(account)
        assert verifier.accepts(token)
        kid = jwt.get_unverified_header(token)["kid"]
        world.server.run("keys", "burn", kid)
        verifier.wait_until(lambda: not verifier.accepts(token))
        fresh = world.admin.account_token(account)
        assert jwt.get_unverified_header(fresh)["kid"] != kid
        verifier.wait_until(lambda: verifier.accepts(fresh))
        world.admin.token = world.admin.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        end(world, fresh)  # heard with a new token of its own
        verifier.wait_until(lambda: not verifier.accepts(fresh))


@pytest.fixture
def path(own_world: World):
    opened = TcpPath(lambda: own_world.server.address)
    yield opened
    opened.close()


def test_after_a_lost_connection_it_goes_on_where_it_was(own_world: World, path: TcpPath):
    world, reader = own_world, reader_of(own_world)
    account = world.admin.create_account()
    tokens = [world.admin.account_token(account) for _ in range(3)]
    with verifier_of(world, reader, server=path.url) as verifier:
        verifier.wait_until(lambda: verifier.status()["connections"] == 1)
        path.cut(stays_cut=True)
        end(world, tokens[0])
        path.mend()
        verifier.wait_until(lambda: not verifier.accepts(tokens[0]))
        connections, number = verifier.status()["connections"], verifier.status()["number"]
        world.restart()
        end(world, tokens[1])
        verifier.wait_until(lambda: not verifier.accepts(tokens[1]))
        status = verifier.status()
        assert status["connections"] > connections and status["number"] == number + 1
        assert status["snapshots"] == 1
        assert verifier.accepts(tokens[2])


def test_numbers_that_the_server_does_not_know_are_begun_anew(own_world: World, path: TcpPath):
    world, reader = own_world, reader_of(own_world)
    account = world.admin.create_account()
    tokens = [world.admin.account_token(account) for _ in range(2)]
    world.server.stop()
    backup = world.server.folder / "backup"
    shutil.copytree(world.server.data, backup)
    world.server.start()
    world.recorder.backend = world.server.address
    with verifier_of(world, reader, server=path.url) as verifier:
        end(world, tokens[0])
        verifier.wait_until(lambda: not verifier.accepts(tokens[0]))
        world.server.stop()
        shutil.rmtree(world.server.data)
        backup.rename(world.server.data)
        world.server.start()
        world.recorder.backend = world.server.address
        verifier.wait_until(lambda: verifier.status()["snapshots"] == 2)
        assert verifier.accepts(tokens[0]), "as the restored server says"
        end(world, tokens[1])
        verifier.wait_until(lambda: not verifier.accepts(tokens[1]))


def test_without_word_for_longer_than_the_lease_nothing_is_good(own_world: World, path: TcpPath):
    world, reader = own_world, reader_of(own_world)
    token = world.admin.account_token(reader)
    with verifier_of(world, reader, server=path.url, lease=20) as verifier:
        assert verifier.can(token, "project:read", "tenant", "1").startswith("allow")
        path.cut(stays_cut=True)
        assert verifier.accepts(token), "the lease is not over"
        seconds = verifier.wait_until(lambda: not verifier.accepts(token))
        assert 10 < seconds
        assert verifier.ask("verify", token).startswith("refused 503 ")
        assert verifier.ask("can", "project:read", "tenant", "1").startswith("unavailable ")
        path.mend()
        verifier.wait_until(lambda: verifier.accepts(token))


def test_it_ends_at_once(world: World, reader: Account):
    for options in ({}, {"server": "http://127.0.0.1:1"}):
        verifier = CppVerifier(**options_of(world, reader, **options))
        if not options:
            assert verifier.ask("wait") == "ready"
        assert verifier.ask("status").startswith("status ")
        assert verifier.close() < 2


def test_its_own_account_must_be_right(world: World, reader: Account):
    wrong = Account(reader.id, reader.name, reader.client_id, "clvs_wrong")
    verifier = CppVerifier(**options_of(world, wrong))
    began = time.monotonic()
    while not any("sign-in was answered with 401" in line for line in verifier.problems):
        assert time.monotonic() - began < 30, verifier.problems
    assert verifier.ask("verify", world.admin.token).startswith("refused 503 ")
    verifier.close()
    assert "clvs_wrong" not in "".join(verifier.problems)
