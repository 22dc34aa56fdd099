# SPDX-License-Identifier: Apache-2.0
"""Contract checks 34 to 36: programs as the documentation's examples are built, in Python over
requests and in Go with its standard library, and the look-ups of a job launcher."""
from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest
from scenario.api import Account, Api

from . import environments
from .world import SCRIPTS, World

LONGEST_SECONDS = 60
WORKLOADS = "/api/v1/workloads"


class Follower:
    """A client process that lists workloads when it is told to."""

    def __init__(self, command: list[str], url: str, account: Account):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.say(json.dumps({"url": url, "clientId": account.client_id,
                             "clientSecret": account.secret}))

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def list(self) -> dict:
        """What one listing brought. A client that is stuck is ended, and the test fails."""
        alarm = threading.Timer(LONGEST_SECONDS, self.process.kill)
        alarm.start()
        try:
            self.say("again")
            line = self.process.stdout.readline()
        finally:
            alarm.cancel()
        assert line, self.process.stderr.read()[-2000:]
        return json.loads(line)

    def close(self) -> None:
        self.process.communicate(timeout=LONGEST_SECONDS)


def command_of(language: str) -> list[str]:
    if language == "go":
        return [str(environments.go_program()), "workloads"]
    return [sys.executable, str(SCRIPTS / "workloads.py")]


@pytest.fixture(params=["python", "go"])
def follow(request, world: World):
    started: list[Follower] = []

    def start(account: Account) -> Follower:
        started.append(Follower(command_of(request.param), world.url, account))
        return started[-1]

    yield start
    for follower in started:
        follower.close()


def end_tokens(admin: Api, account: Account) -> None:
    """Disabled and enabled again: whoever has the secret may sign in anew."""
    for enabled in (False, True):
        admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": enabled})


def calls_of(world: World) -> list[tuple[str, int]]:
    return [(exchange.path, exchange.status) for exchange in world.exchanges()
            if exchange.path in ("/api/v1/token", WORKLOADS)]


def test_check_34_and_35_a_refused_token_is_replaced_once(world: World, follow):
    account, _ = world.admin.member("Viewer", "tenant", "1")
    world.exchanges()
    client = follow(account)
    first = client.list()
    assert (first["workloads"], first["logins"]) == (0, 1)
    assert 3595 <= first["expiresIn"] <= 3600
    assert client.list()["logins"] == 1  # the token is good for more than one call
    assert calls_of(world) == [("/api/v1/token", 200), (WORKLOADS, 200), (WORKLOADS, 200)]
    end_tokens(world.admin, account)
    world.exchanges()
    again = client.list()
    assert (again["workloads"], again["logins"]) == (0, 2)
    assert calls_of(world) == [(WORKLOADS, 401), ("/api/v1/token", 200), (WORKLOADS, 200)]


@pytest.mark.parametrize("language", ["python", "go"])
def test_check_34_and_35_a_refusal_is_not_taken_for_an_old_token(world: World, language):
    """403 says that a new token would not help: these clients do not fetch one."""
    account = world.admin.create_account()
    world.exchanges()
    client = Follower(command_of(language), world.url, account)
    if language == "python":
        assert client.list()["workloads"] is None
        client.close()
    else:
        client.say("again")
        client.close()
        assert client.process.returncode == 1
    assert calls_of(world) == [("/api/v1/token", 200), (WORKLOADS, 403)]


@pytest.mark.parametrize("names", [("client_credentials", "clientId", "clientSecret"),
                                   ("app_token", "appId", "appSecret")])
def test_check_36_look_ups_of_a_job_launcher(world: World, names):
    cluster = world.admin.create_cluster()
    made = {world.admin.create_project(cluster) for _ in range(3)}
    account, _ = world.admin.member("L1 researcher", "cluster", cluster)
    grant, id_name, secret_name = names
    given = world.anonymous.try_token({"grantType": grant, id_name: account.client_id,
                                       secret_name: account.secret}).json()
    launcher = world.anonymous.as_caller(given["accessToken"])
    projects = launcher.call("GET", "/api/v1/org-unit/projects")["projects"]
    assert {one["id"] for one in projects} == made
    for one in projects:
        assert isinstance(one["name"], str)
        assert str(int(one["id"])) == one["id"]
        assert one["clusterId"] == cluster
    assert cluster in [one["uuid"] for one in launcher.call("GET", "/api/v1/clusters")]


def test_check_36_a_refused_token_request_is_json(world: World):
    """The launcher looks for a token in whatever comes back."""
    answer = world.anonymous.try_account("nobody", "nothing")
    assert answer.status_code == 400
    assert "accessToken" not in answer.json()
