# SPDX-License-Identifier: Apache-2.0
"""Family RACE on one server: changes of one thing at the same moment, many times over. The rows
that need several nodes are in later.txt."""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from scenario.clock import MovableClock
from scenario.server import is_full_run

from . import wire
from .server import Server, temporary_folder
from .world import Account, World

ROUNDS = 500 if is_full_run() else 40
KEY_ROTATIONS = 40 if is_full_run() else 10
KEY_LEAD_SECONDS = 660  # from the publication of a key to its first use
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


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """Seen by every process that is started from now on."""
    made = MovableClock(tmp_path)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


def use_tokens(world: World, account: Account, over: Event) -> list[str]:
    """Gets tokens and shows them until it is over; gives their headers, or what went wrong."""
    seen = []
    while not over.is_set():
        given = try_secret(world, account, account.secret)
        if given.status != 200:
            seen.append(f"no token: {given.text()}")
            continue
        token = given.json()["accessToken"]
        shown = world.send("GET", "/api/v1/authorization/permissions", token=token)
        seen.append(token.partition(".")[0] if shown.status == 200
                    else f"refused: {shown.text()}")
    return seen


def test_no_token_is_lost_while_keys_rotate(pool: ThreadPoolExecutor, clock: MovableClock):
    """RACE-007: a new key each time that verifiers have had time to see it."""
    with temporary_folder() as folder:
        server = Server(Path(folder), "--key-rotation-days", "0")
        try:
            world = World(server)
            account = world.make_viewer()
            over = Event()
            users = [pool.submit(use_tokens, world, account, over) for _ in range(2)]
            try:
                for _ in range(KEY_ROTATIONS):
                    server.run_command("keys", "rotate", "--tenant", "runai")
                    clock.advance(KEY_LEAD_SECONDS)
            finally:
                over.set()
            seen = [one for user in users for one in user.result()]
            assert not [one for one in seen if one.startswith(("no token", "refused"))]
            assert len(set(seen)) > KEY_ROTATIONS // 2, "the keys did not change meanwhile"
            assert server.stop() == 0
        finally:
            server.process.kill()
            server.process.wait()
