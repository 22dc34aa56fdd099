# SPDX-License-Identifier: Apache-2.0
"""Signing keys as verifiers see them, over rotations, a burn and another master key. The time is
moved, not waited for."""
from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time

import jwt
import pytest
from scenario import tokens
from scenario.api import Account, Api, describe
from scenario.clock import MovableClock
from scenario.server import Server, binary

from . import environments
from .test_token import administrator_of
from .world import SCRIPTS, World

KEY_SET = "/.well-known/jwks.json"
MAX_AGE = 600
LEAD = MAX_AGE + 60  # how long a key is published before it signs
LIFETIME = 3600
DAY = 86_400
ROTATIONS = 10


@pytest.fixture
def clock(tmp_path) -> MovableClock:
    return MovableClock(tmp_path)


@pytest.fixture
def timed_world(new_world, clock):
    """A server whose clock the test moves."""

    def make(*options: str) -> World:
        world = new_world(*options)
        world.restart(environment=clock.environment())
        return world

    return make


class Verifier:
    """A process with a library that keeps the key set for max-age."""

    def __init__(self, command: list[str], world: World, environment: dict[str, str]):
        self.process = subprocess.Popen(
            [*command, world.url + KEY_SET, world.url, "runai", str(MAX_AGE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=Server.environment() | environment)
        self.lock = threading.Lock()

    def check(self, token: str) -> None:
        with self.lock:
            self.process.stdin.write(token + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        assert answer.get("kid") == tokens.header_of(token)["kid"], answer

    def close(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


class PatientVerifier:
    """Fetches the set when max-age is over and never before, not even for an unknown key."""

    def __init__(self, world: World, clock: MovableClock):
        self.world, self.clock = world, clock
        self.keys: dict[str, dict] = {}
        self.keep_until = -1

    def check(self, token: str) -> None:
        if self.clock.seconds_ahead >= self.keep_until:
            answer = self.world.anonymous.send("GET", KEY_SET)
            max_age, = re.findall(r"max-age=(\d+)", answer.headers["Cache-Control"])
            self.keys = {key["kid"]: key for key in answer.json()["keys"]}
            self.keep_until = self.clock.seconds_ahead + int(max_age)
        header = tokens.header_of(token)
        assert header["kid"] in self.keys, "signed with a key that was not published in time"
        jwt.decode(token, jwt.PyJWK(self.keys[header["kid"]]).key, algorithms=[header["alg"]],
                   audience="runai", options={"verify_iat": False, "verify_exp": False})


def node_command() -> list[str]:
    return ["node", str(environments.node_folder() / "jwks_client.mjs")]


@pytest.fixture
def verifiers(clock):
    opened: list[Verifier] = []

    def make(world: World) -> list[Verifier | PatientVerifier]:
        opened.append(Verifier([sys.executable, str(SCRIPTS / "jwks_client.py")], world,
                               clock.environment(monotonic=True)))
        opened.append(Verifier(node_command(), world, clock.environment()))
        return [*opened, PatientVerifier(world, clock)]

    yield make
    for verifier in opened:
        verifier.close()


def fresh_token(world: World, account: Account) -> str:
    return world.admin.account_token(account)


def kid_of(token: str) -> str:
    return tokens.header_of(token)["kid"]


def states(world: World) -> dict[str, str]:
    """By kid, of access-token keys."""
    lines = world.server.run("keys", "list").splitlines()[1:]
    rows = [line.split() for line in lines]
    return {row[0]: row[3] for row in rows if row[1] == "access_token"}


LONGEST_SECONDS = 120


class Load:
    """A client that gets tokens, uses them and has them verified, until it is stopped. Time is
    moved between two of its rounds, so that no token is suddenly old."""

    def __init__(self, world: World, account: Account, verifiers: list):
        self.world, self.account, self.verifiers = world, account, verifiers
        self.failures: list[str] = []
        self.rounds = 0
        self.round = threading.Lock()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        api = Api(self.world.url, secrets=self.world.secrets)
        while not self.over.is_set():
            with self.round:
                try:
                    self.use_token(api)
                except Exception as error:  # stop() fails with it
                    self.failures.append(repr(error))
                self.rounds += 1

    def use_token(self, api: Api) -> None:
        token = api.account_token(self.account)
        for verifier in self.verifiers:
            verifier.check(token)
        answer = api.send("GET", "/api/v1/authorization/permissions", token=token)
        assert answer.status_code == 200, describe(answer)

    def stop(self) -> None:
        self.over.set()
        self.thread.join()
        assert self.rounds >= ROTATIONS
        assert not self.failures, self.failures[:5]


def test_ten_rotations_break_no_verifier_that_honours_max_age(timed_world, clock, verifiers):
    world = timed_world("--key-rotation-days", "0")
    account = administrator_of(world)
    all_verifiers = verifiers(world)
    with Load(world, account, all_verifiers[:2]) as load:
        seen = set()

        def advance(seconds: int) -> None:
            with load.round:
                clock.advance(seconds)

        def check(*of: str) -> None:
            for token in of:
                for verifier in all_verifiers:
                    verifier.check(token)

        for _ in range(ROTATIONS):
            advance(LIFETIME)
            old = fresh_token(world, account)
            check(old)  # their sets are at most as old as this
            world.server.run("keys", "rotate")
            for wait in (0, MAX_AGE - 1, LEAD - MAX_AGE):
                advance(wait)
                token = fresh_token(world, account)
                assert kid_of(token) == kid_of(old)
                check(token)
            advance(1)
            token = fresh_token(world, account)
            assert kid_of(token) != kid_of(old)
            check(token, old)
            seen |= {kid_of(old), kid_of(token)}
            advance(LIFETIME - LEAD - 1)
            check(token, old)  # in the last second of its life
        load.stop()
    assert len(seen) == ROTATIONS + 1
    world.server.run("keys", "rotate")  # also takes the steps that are due
    listed = states(world)
    assert len(listed) == ROTATIONS + 2
    assert sorted(listed.values()).count("active") == 1


def test_keys_rotate_by_themselves(timed_world, clock):
    world = timed_world("--key-rotation-days", "1")
    first, = states(world)
    # The key was made a moment after the clock's beginning, at the latest a minute.
    clock.advance(DAY - LEAD - 60)
    assert wait_for_states(world, {first: "active"}) == {first: "active"}
    clock.advance(120)
    listed = wait_for_states(world, lambda found: "pending" in found.values())
    second, = set(listed) - {first}
    published = {key["kid"] for key in world.anonymous.call("GET", KEY_SET)["keys"]}
    assert {first, second} <= published
    clock.advance(LEAD)
    assert wait_for_states(world, {first: "retiring", second: "active"})
    clock.advance(LIFETIME + 60)
    assert wait_for_states(world, {first: "gone", second: "active"})
    published = {key["kid"] for key in world.anonymous.call("GET", KEY_SET)["keys"]}
    assert first not in published and second in published


def wait_for_states(world: World, wanted) -> dict[str, str]:
    """Wakes the server, which looks after its keys then, until it has."""
    is_wanted = wanted if callable(wanted) else lambda found: found == wanted
    found = {}
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        world.server.process.send_signal(signal.SIGHUP)
        found = states(world)
        if is_wanted(found):
            return found
    raise AssertionError(f"{found}, not {wanted}")


def test_a_burned_key_ends_its_tokens_with_the_next_request(new_world):
    world = new_world()
    account = administrator_of(world)
    token = fresh_token(world, account)
    path = "/api/v1/authorization/permissions"
    world.admin.call("GET", path, token=token)
    shown = world.server.run("keys", "burn", kid_of(token))
    assert f"signing key {kid_of(token)} is gone\n" in shown
    assert account.client_id in shown
    assert world.admin.send("GET", path, token=token).status_code == 401
    next_token = fresh_token(world, account)
    assert f"signing key {kid_of(next_token)} is active\n" in shown
    world.admin.call("GET", path, token=next_token)
    published = {key["kid"] for key in world.anonymous.call("GET", KEY_SET)["keys"]}
    assert kid_of(token) not in published and kid_of(next_token) in published
    world.restart()
    assert world.admin.send("GET", path, token=token).status_code == 401
    world.admin.call("GET", path, token=next_token)
    assert states(world)[kid_of(token)] == "gone"


def test_an_audience_has_an_algorithm_of_its_own(new_world):
    world = new_world("--audience-algorithm", "runai=RS256", "--rsa-key-bits", "2048")
    token = world.admin.token
    assert tokens.header_of(token)["alg"] == "RS256"
    metadata = world.anonymous.call("GET", "/.well-known/openid-configuration")
    assert metadata["id_token_signing_alg_values_supported"] == ["ES256", "RS256"]
    world.admin.call("GET", "/api/v1/authorization/permissions")


def test_another_master_key_interrupts_nothing(new_world):
    world = new_world()
    account = administrator_of(world)
    token = fresh_token(world, account)
    file = world.server.data / "master.key"
    before = file.read_text().strip()
    world.secrets.add(before)
    with Load(world, account, []) as load:
        for _ in range(3):
            assert " is in force, in the place of " in world.server.run("rekey")
        assert "opened: the root key, 3 signing keys" in world.server.run("rekey", "--check")
        while load.rounds < ROTATIONS:
            fresh_token(world, account)
        load.stop()
    assert file.read_text().strip() != before
    assert sorted(path.name for path in world.server.data.glob("master.key*")) == ["master.key"]
    world.restart()
    world.admin.call("GET", "/api/v1/authorization/permissions", token=token)
    fresh_token(world, account)


def try_to_serve(world: World, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """A start that ends by itself."""
    return subprocess.run(
        [str(binary()), "serve", "--data", str(world.server.data), "--listen", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60, check=False,
        env=Server.environment() | environment)


def test_a_master_key_from_the_environment_is_replaced_over_a_restart(new_world, tmp_path):
    world = new_world()
    account = administrator_of(world)
    file = world.server.data / "master.key"
    old, new = file.read_text().strip(), "5c" * 32
    world.secrets |= {old, new}
    file.unlink()
    world.restart(environment={"CLAVIGER_MASTER_KEY": old})
    assert "the master key was in the environment" in world.server.log()
    given = tmp_path / "next"
    given.write_text(new + "\n")
    given.chmod(0o600)
    shown = world.server.run("rekey", "--new-master-key-file", str(given))
    assert " is accepted, beside " in shown
    world.restart(environment={"CLAVIGER_MASTER_KEY": old})
    world.restart(environment={"CLAVIGER_MASTER_KEY_FILE": str(given)})
    assert "is accepted no more" in world.server.log()
    fresh_token(world, account)
    world.server.stop()
    refused = try_to_serve(world, {"CLAVIGER_MASTER_KEY": old})
    assert refused.returncode == 1
    assert "claviger: the master key is another one: " in refused.stderr, refused.stderr
    assert old not in refused.stderr
    world.server.start(environment={"CLAVIGER_MASTER_KEY_FILE": str(given)})
    world.recorder.backend = world.server.address


def test_a_credential_of_systemd_is_the_master_key(new_world, tmp_path):
    world = new_world()
    account = administrator_of(world)
    file = world.server.data / "master.key"
    credential = tmp_path / "claviger-master-key"
    credential.write_bytes(file.read_bytes())
    credential.chmod(0o440)  # as systemd does where an access list lets the unit's user in
    world.secrets.add(file.read_text().strip())
    file.unlink()
    world.restart(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    fresh_token(world, account)
    assert "from the credential " in world.server.run("rekey", "--check")
    world.server.stop()
    refused = try_to_serve(world, {})
    assert refused.returncode == 1 and f"{file}: cannot be opened" in refused.stderr
    assert not file.exists(), "another key would be of no use"
    world.server.start(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    world.recorder.backend = world.server.address
