# SPDX-License-Identifier: Apache-2.0
"""Revocations and SIGKILL: what was acknowledged as ended is ended after the next start, and a
verifier that goes on from its number hears of it."""
from __future__ import annotations

import os
import random
import threading
import time

import jwt
import requests
from scenario.api import Account, Api, describe
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, has_sanitizer, is_full_run

THREADS = 4
TOKENS = 40  # of each thread; more than it can end before the kill
LOAD_MILLISECONDS = (10, 150)
REVOCATIONS = "/api/v1/revocations"
PERMISSIONS = "/api/v1/authorization/permissions"


def round_count() -> int:
    if has_sanitizer():
        return 2
    return 40 if is_full_run() else 6


def is_good(api: Api, token: str) -> bool:
    status = api.send("GET", PERMISSIONS, token=token).status_code
    assert status in (200, 401)
    return status == 200


class Revoker(threading.Thread):
    """Ends its tokens, one after the other, until the server is gone."""

    def __init__(self, url: str, bearer: str, tokens: list[str], account: Account):
        super().__init__(daemon=True)
        self.api = Api(url, token=bearer)
        self.account = account
        self.tokens = tokens
        self.ended: list[str] = []
        self.error: str | None = None

    def run(self) -> None:
        try:
            for number, token in enumerate(self.tokens):
                self.end(token, by_client=number % 2 == 0)
                self.ended.append(token)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass
        except Exception as error:  # ends the thread; the test asserts that there is none
            self.error = repr(error)

    def end(self, token: str, by_client: bool) -> None:
        if by_client:
            answer = self.api.session.post(
                f"{self.api.url}/oauth2/revoke", data={"token": token}, timeout=60,
                auth=(self.account.client_id, self.account.secret))
        else:
            answer = self.api.send("POST", REVOCATIONS, json={"type": "token", "token": token})
        assert answer.status_code == 200, describe(answer)

    def unsent(self) -> list[str]:
        """Without the one that may have been on its way."""
        return self.tokens[len(self.ended) + 1:]


def entries_after(api: Api, number: int) -> list[dict]:
    """Of the feed, which must go on without a gap."""
    texts = api.call("GET", f"{REVOCATIONS}/feed", params={"after": number})["events"]
    entries = [jwt.decode(text, options={"verify_signature": False}) for text in texts]
    assert [entry["number"] for entry in entries] == list(
        range(number + 1, number + 1 + len(entries)))
    return entries


def ended_ids(entries: list[dict]) -> set[str]:
    return {facts["jti"] for entry in entries for name, facts in entry["events"].items()
            if name.endswith(":token-revoked")}


def id_of(token: str) -> str:
    return jwt.decode(token, options={"verify_signature": False})["jti"]


def test_revocations_survive_kill_9():
    seed = int(os.environ.get("CLAVIGER_SEED") or random.randrange(2**32))
    print(f"CLAVIGER_SEED={seed}")
    chance = random.Random(seed)
    options = ("--log-level", "warning", "--public-url", "http://claviger.example")
    ended: list[str] = []
    good: list[str] = []
    with Server(*options) as server:
        api = Api(server.url)
        api.token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        account = api.create_account()
        for _ in range(round_count()):
            number = api.call("GET", f"{REVOCATIONS}/snapshot")["number"]
            threads = [Revoker(server.url, api.token,
                               [api.account_token(account) for _ in range(TOKENS)], account)
                       for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(*LOAD_MILLISECONDS) / 1000)  # the moment of the kill
            server.kill9()
            for thread in threads:
                thread.join(timeout=60)
                assert not thread.is_alive() and thread.error is None, thread.error
            server.start()
            api = Api(server.url, token=api.token)
            new = [token for thread in threads for token in thread.ended]
            assert {id_of(token) for token in new} <= ended_ids(entries_after(api, number))
            ended += new
            good += [token for thread in threads for token in thread.unsent()[:2]]
        assert not [token for token in ended if is_good(api, token)]
        assert all(is_good(api, token) for token in good), "what nobody ended is good"
        server.run("audit", "verify")
    print(f"{len(ended)} acknowledged revocations")
    assert len(ended) >= round_count()
