# SPDX-License-Identifier: Apache-2.0
"""A server behind a recorder, and scripts that run in a client's own environment."""
from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from scenario.api import Api
from scenario.leaks import find_leaks
from scenario.recorder import Exchange, Recorder
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

from . import environments

SCRIPTS = Path(__file__).resolve().parent / "scripts"
SCRIPT_SECONDS = 300


@dataclass
class World:
    """A server behind a recorder. `url` is where clients go, and the server's public address."""

    server: Server
    recorder: Recorder
    secrets: set[str]
    admin: Api
    seen: list[Exchange]

    @property
    def url(self) -> str:
        return self.recorder.url

    @property
    def anonymous(self) -> Api:
        return self.admin.as_caller(None)

    def exchanges(self) -> list[Exchange]:
        """What went over the wire since the last call."""
        taken = self.recorder.take()
        self.seen += taken
        return taken

    def restart(self, *options: str, environment: dict[str, str] | None = None) -> None:
        self.server.restart(*options, environment=environment)
        self.admin.session.close()
        self.recorder.backend = self.server.address


def open_world(*options: str) -> World:
    recorder = Recorder()
    server = Server("--public-url", recorder.url, *options)
    server.start()
    recorder.backend = server.address
    secrets = {ADMIN_PASSWORD}
    admin = Api(recorder.url, secrets=secrets)
    admin.token = admin.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
    return World(server, recorder, secrets, admin, [])


def close_world(world: World) -> None:
    try:
        world.server.run("audit", "verify")
        world.server.stop()
        leaks = find_leaks(world.server.folder, world.secrets)
        assert not leaks, "\n".join(leaks)
    finally:
        world.server.remove()
        world.recorder.close()


def token_requests(exchanges: list[Exchange]) -> list[Exchange]:
    return [exchange for exchange in exchanges if exchange.path == "/api/v1/token"]


class Script:
    """A process in a client's own environment that answers one call after the other."""

    def __init__(self, lock: str, name: str):
        self.process = subprocess.Popen(
            [str(environments.python_with(lock)), str(SCRIPTS / f"{name}.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, function: str, **arguments: object):
        """Calls a function of the script. One that is stuck is ended, and the call fails."""
        alarm = threading.Timer(SCRIPT_SECONDS, self.process.kill)
        alarm.start()
        try:
            self.process.stdin.write(json.dumps([function, arguments]) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        finally:
            alarm.cancel()
        assert "raised" not in answer, answer["raised"]
        return answer["result"]

    def close(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(timeout=SCRIPT_SECONDS) == 0
