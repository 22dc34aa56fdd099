# SPDX-License-Identifier: Apache-2.0
"""The process around the API: what it says of itself, and how it stands towards the system."""
from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
import requests
from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, binary

PATIENCE_SECONDS = 60


def sign_in(server: Server) -> int:
    return requests.post(f"{server.url}/api/v1/token", timeout=60, json={
        "grantType": "password", "clientID": "cli", "username": ADMIN_EMAIL,
        "password": ADMIN_PASSWORD}).status_code


def readiness(server: Server) -> tuple[int, str]:
    answer = requests.get(f"{server.url}/readyz", timeout=60)
    return answer.status_code, answer.text


def readiness_after_maintenance(server: Server, expected: tuple[int, str]) -> tuple[int, str]:
    """SIGHUP makes the server look after itself at once, but nothing says when it has."""
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := readiness(server)) != expected and time.monotonic() < deadline:
        pass
    return found


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777
            for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def no_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_metrics_name_the_version():
    version = subprocess.run([str(binary()), "--version"], capture_output=True, text=True,
                             timeout=60, check=True).stdout.split()[-1]
    with Server("--metrics-listen", "127.0.0.1:0") as server:
        url = re.search(r"metrics on (http://\S+)", server.log()).group(1)
        assert f'claviger_build_info{{version="{version}"}} 1' in requests.get(url, timeout=60).text


def test_the_limit_of_open_files_is_raised():
    with Server(prefix=("prlimit", "--nofile=256:512")) as server:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (512, 512)
        assert '"limit":512,"needed":' in server.log()


def test_not_ready_while_nothing_can_be_written():
    with Server() as server:
        assert readiness(server) == (200, "ready\n")
        assert sign_in(server) == 200
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        expected = (503, "the store cannot be written\n")
        assert readiness_after_maintenance(server, expected) == expected
        assert sign_in(server) == 503
        assert readiness(server) == expected
        server.restart()
        assert readiness(server) == (200, "ready\n")
        assert sign_in(server) == 200


def test_files_are_for_their_owner_only(no_umask: None):
    with Server() as server:
        assert sign_in(server) == 200
        server.run("backup", str(server.data / "backup"))
        found = modes(server.data)
        assert {"claviger.db-wal", "audit.db-shm", "audit.spool", "backup", "master.key"} <= set(
            found)
        assert found.pop(".") == 0o700
        assert set(found.values()) == {0o600}, found


def test_an_open_directory_is_closed_once():
    with Server() as server:
        server.stop()
        server.data.chmod(0o755)
        (server.data / "audit.db").chmod(0o644)
        server.start()
        assert server.data.stat().st_mode & 0o777 == 0o700
        assert (server.data / "audit.db").stat().st_mode & 0o777 == 0o600
        warning = '"message":"others could use this until now; it is closed to them","path":'
        for path in (server.data, server.data / "audit.db"):
            assert f'{warning}"{path}"' in server.log()
        server.restart()
        assert server.log().count(warning) == 2


def test_a_tenant_goes_out_and_comes_in(tmp_path):
    document = tmp_path / "tenant.json"
    with Server() as server, Server() as other:
        api = Api(server.url)
        api.token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        cluster = api.create_cluster()
        project = api.create_project(cluster, api.create_department(cluster))
        account = api.create_account()
        api.give_role(account.name, "Viewer", "project", project)
        server.run("export", str(document))
        assert account.secret not in document.read_text()
        first = json.loads(document.read_text())

        other.run("import", str(document))
        there = Api(other.url)
        there.token = there.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        rules = there.call("GET", "/api/v1/authorization/access-rules")["accessRules"]
        assert account.name in {rule["subjectId"] for rule in rules}
        other.stop()
        other.run("export", str(document))
        second = json.loads(document.read_text())
        made = ("clusters", "departments", "projects", "serviceAccounts")
        assert all(first[section] and second[section] == first[section] for section in made)
        assert document.stat().st_mode & 0o777 == 0o600
        other.run("import", str(document))
        other.run("audit", "verify")
