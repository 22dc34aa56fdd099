# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments of `claviger rekey`: the server starts with the key that is there, and
what was issued and hashed before stays good."""
from __future__ import annotations

import random
import subprocess
import time

from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, binary, is_full_run

ROUNDS = 60 if is_full_run() else 8
PERMISSIONS = "/api/v1/authorization/permissions"


def begin_rekey(server: Server) -> subprocess.Popen:
    return subprocess.Popen([str(binary()), "rekey", "--data", str(server.data)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env=Server.environment())


def test_a_killed_rekey_leaves_a_server_that_starts():
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Server("--public-url", "http://127.0.0.1:1") as server:
        api = Api(server.url)
        token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        account = Api(server.url, token=token).create_account()
        server.stop()
        began = time.monotonic()
        assert begin_rekey(server).wait() == 0
        whole = time.monotonic() - began
        keys = {(server.data / "master.key").read_text()}
        for _ in range(ROUNDS):
            killed = begin_rekey(server)
            try:
                killed.wait(timeout=chance.uniform(0, 2 * whole))  # a busy machine needs longer
            except subprocess.TimeoutExpired:
                killed.kill()
                killed.wait()
            server.run("rekey", "--check")
            server.start()
            api = Api(server.url)
            api.call("GET", PERMISSIONS, token=token)
            api.account_token(account)
            server.stop()
            keys.add((server.data / "master.key").read_text())
        server.run("rekey")
        server.run("audit", "verify")
        left = sorted(path.name for path in server.data.glob("master.key*"))
        assert left == ["master.key"]
        assert len(keys) > 1, "each was killed before it changed anything"
        server.start()
