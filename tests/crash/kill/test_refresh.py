# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens and SIGKILL: one that was handed out is good after the next start, and one that
was used before ends its session then as well."""
from __future__ import annotations

import os
import random
import threading
import time

import requests
from scenario.api import Api, describe
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, has_sanitizer, is_full_run

THREADS = 4
SESSIONS = 5  # of each thread: at the kill, one of them waits for an answer
LOAD_MILLISECONDS = (50, 400)


def round_count() -> int:
    if has_sanitizer():
        return 2
    return 40 if is_full_run() else 6


def refresh(api: Api, token: str) -> requests.Response:
    return api.send("POST", "/api/v1/token",
                    json={"grantType": "refresh_token", "refreshToken": token})


class Session:
    def __init__(self, token: str):
        self.used: list[str] = []
        self.token = token
        self.is_doubtful = False


class Refresher(threading.Thread):
    """Refreshes its sessions, one after the other, until the server is gone."""

    def __init__(self, url: str, sessions: list[Session], seed: int):
        super().__init__(daemon=True)
        self.api = Api(url)
        self.sessions = sessions
        self.random = random.Random(seed)
        self.error: str | None = None

    def run(self) -> None:
        try:
            while True:
                session = self.random.choice(self.sessions)
                session.is_doubtful = True
                answer = refresh(self.api, session.token)
                assert answer.status_code == 200, describe(answer)
                session.used.append(session.token)
                session.token = answer.json()["refreshToken"]
                session.is_doubtful = False
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass
        except Exception as error:  # ends the thread; the test asserts that there is none
            self.error = repr(error)


def sign_in(api: Api) -> Session:
    answer = api.send("POST", "/api/v1/token", json={
        "grantType": "password", "username": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    assert answer.status_code == 200, describe(answer)
    return Session(answer.json()["refreshToken"])


def check(api: Api, session: Session) -> None:
    newest = refresh(api, session.token)
    assert newest.status_code == 200, describe(newest)
    if not session.used:
        return
    assert refresh(api, session.used[-1]).status_code == 400
    after = refresh(api, newest.json()["refreshToken"])
    assert after.status_code == 400, "the session was over"


def test_refresh_tokens_survive_kill_9():
    seed = int(os.environ.get("CLAVIGER_SEED") or random.randrange(2**32))
    print(f"CLAVIGER_SEED={seed}")
    chance = random.Random(seed)
    options = ("--log-level", "warning", "--public-url", "http://claviger.example")
    refreshed = 0
    with Server(*options) as server:
        for _ in range(round_count()):
            api = Api(server.url)
            threads = [Refresher(server.url, [sign_in(api) for _ in range(SESSIONS)],
                                 chance.getrandbits(32)) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(*LOAD_MILLISECONDS) / 1000)  # the moment of the kill
            server.kill9()
            for thread in threads:
                thread.join(timeout=60)
                assert not thread.is_alive() and thread.error is None, thread.error
            server.start()
            api = Api(server.url)
            for session in [one for thread in threads for one in thread.sessions]:
                refreshed += len(session.used)
                if not session.is_doubtful:
                    check(api, session)
        server.run("audit", "verify")
    print(f"{refreshed} acknowledged refreshes")
    assert refreshed >= round_count()
