# SPDX-License-Identifier: Apache-2.0
"""Family RACE on one server: changes of one thing at the same moment, many times over. The rows
that need several nodes or a command to rotate keys are in later.txt."""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from scenario.server import is_full_run

from . import wire
from .server import Server, temporary_folder
from .world import Account, World

ROUNDS = 500 if is_full_run() else 40
ACCOUNTS = "/api/v1/service-accounts"
PROJECTS = "/api/v1/org-unit/projects"


@pytest.fixture(scope="module")
def world():
    with temporary_folder() as folder:
        server = Server(Path(folder))
        try:
            yield World(server)
            assert server.is_alive() and server.sanitizer_report() is None
            assert server.stop() == 0
            server.run_command("audit", "verify")
        finally:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


def at_once(pool: ThreadPoolExecutor, *calls: Callable[[], wire.Answer]) -> list[wire.Answer]:
    """All of them, begun together."""
    barrier = Barrier(len(calls))

    def start(call: Callable[[], wire.Answer]) -> wire.Answer:
        barrier.wait()
        return call()

    answers = [future.result() for future in [pool.submit(start, call) for call in calls]]
    assert all(answer.status is not None and answer.status < 500 for answer in answers), [
        answer.text() for answer in answers]
    return answers


def regenerate(world: World, account: Account) -> wire.Answer:
    return world.send("POST", f"{ACCOUNTS}/{account.id}/secret", token=world.admin)


def try_secret(world: World, account: Account, secret: str) -> wire.Answer:
    return world.send("POST", "/api/v1/token", {"grantType": "client_credentials", "clientId":
                                                account.client_id, "clientSecret": secret},
                      source=wire.fresh_address())


def test_of_two_new_secrets_one_works(world: World, pool: ThreadPoolExecutor):
    """RACE-001."""
    account = world.make_account()
    for _ in range(ROUNDS):
        answers = at_once(pool, *[lambda: regenerate(world, account)] * 2)
        secrets = [answer.json()["clientSecret"] for answer in answers]
        statuses = sorted(try_secret(world, account, secret).status for secret in secrets)
        assert statuses == [200, 400]


def test_no_token_for_the_old_secret_once_the_new_one_is_out(world: World,
                                                            pool: ThreadPoolExecutor):
    """RACE-002: a token that was given in the same moment is worth nothing afterwards."""
    account = world.make_account()
    secret = account.secret
    for _ in range(ROUNDS):
        changed, given = at_once(pool, lambda: regenerate(world, account),
                                 lambda: try_secret(world, account, secret))
        if given.status == 200:
            answer = world.send("GET", "/api/v1/authorization/permissions",
                                token=given.json()["accessToken"])
            assert answer.status == 401, answer.text()
        assert try_secret(world, account, secret).status == 400
        secret = changed.json()["clientSecret"]
        assert try_secret(world, account, secret).status == 200


def test_no_secret_works_on_a_deleted_account(world: World, pool: ThreadPoolExecutor):
    """RACE-004."""
    for _ in range(ROUNDS):
        account = world.make_account()
        path = f"{ACCOUNTS}/{account.id}"
        deleted, changed = at_once(
            pool, lambda: world.send("DELETE", path, token=world.admin),
            lambda: regenerate(world, account))
        assert deleted.status == 204 and changed.status in (200, 404)
        secrets = [account.secret]
        if changed.status == 200:
            secrets.append(changed.json()["clientSecret"])
        assert {try_secret(world, account, secret).status for secret in secrets} == {400}


def test_no_right_outlives_its_rule(world: World, pool: ThreadPoolExecutor):
    """RACE-005 on one node, where the bound is the answer to the change."""
    account = world.make_account()
    token = world.token_of(account)
    for _ in range(ROUNDS):
        rule = world.give_role(account, "Viewer", "project", world.project)
        path = f"/api/v1/authorization/access-rules/{rule}"
        removed, seen = at_once(pool, lambda: world.send("DELETE", path, token=world.admin),
                                lambda: world.send("GET", PROJECTS, token=token))
        assert removed.status == 204 and seen.status in (200, 403)
        assert world.send("GET", PROJECTS, token=token).status == 403
