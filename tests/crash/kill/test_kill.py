# SPDX-License-Identifier: Apache-2.0
"""Rounds of load, SIGKILL and a new start; then everything that was acknowledged must be there."""
from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
import time

import pytest
from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, has_sanitizer, is_full_run

from .ledger import Expected, Ledger
from .writer import ACCOUNTS, PROJECTS, RULES, Writer

WRITERS = 8
LOAD_MILLISECONDS = (5, 300)
WRITES_A_ROUND = 20  # on average, at least


def round_count() -> int:
    if has_sanitizer():
        return 12
    return 300 if is_full_run() else 50


class Run:
    def __init__(self, server: Server, seed: int):
        self.server = server
        self.random = random.Random(seed)
        self.ledger = Ledger(server.folder / "acknowledged.jsonl")
        self.api = Api(server.url)
        self.api.token = self.api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        self.api.role_id("Viewer")
        self.cluster = self.api.create_cluster()

    # --- a round ----------------------------------------------------------------------------------

    def load_and_kill(self) -> None:
        barrier = threading.Barrier(WRITERS + 1)
        writers = [Writer(self.writing_api(), self.ledger, self.cluster,
                          self.random.getrandbits(32), barrier) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        delay = self.random.uniform(*LOAD_MILLISECONDS) / 1000
        barrier.wait()
        time.sleep(delay)  # the moment of the kill is what is random
        self.server.kill9()
        for writer in writers:
            writer.join(timeout=60)
            assert not writer.is_alive()
            assert writer.error is None, writer.error

    def writing_api(self) -> Api:
        api = Api(self.server.url, token=self.api.token)
        api.role_ids = self.api.role_ids
        return api

    def restart(self) -> None:
        self.server.start()
        self.api = self.writing_api()

    # --- what must be true ------------------------------------------------------------------------

    def check(self) -> Expected:
        expected = self.ledger.expected()
        self.check_accounts(expected)
        self.check_rules(expected)
        self.check_projects(expected)
        changes = self.recorded("claviger.db", "change_event")
        assert not expected.request_ids - changes, "a change without its audit event"
        grants = self.recorded("audit.db", "access_event")
        assert not expected.grants - grants, "a token without its audit event"
        return expected

    def check_accounts(self, expected: Expected) -> None:
        there = {one["id"]: one for one in self.api.call("GET", ACCOUNTS)}
        for id, account in expected.accounts.items():
            if id in self.ledger.doubtful:
                continue
            assert (id in there) is not account.is_deleted, f"{account} is {there.get(id)}"
            if not account.is_deleted:
                assert there[id]["enabled"] is account.enabled, account
                assert there[id]["name"] == account.name
        for id, one in there.items():
            assert id in expected.accounts or one["name"] in self.ledger.doubtful, one

    def check_rules(self, expected: Expected) -> None:
        there = {rule["id"]: rule for rule in self.pages(RULES, "accessRules")}
        for id, is_there in expected.rules.items():
            if id not in self.ledger.doubtful:
                assert (id in there) is is_there, f"rule {id}"
        for id, rule in there.items():
            known = id in expected.rules or rule["subjectId"] in self.ledger.doubtful
            assert known or rule["subjectId"] == ADMIN_EMAIL, rule

    def check_projects(self, expected: Expected) -> None:
        there = {one["id"]: one for one in self.pages(PROJECTS, "projects")}
        assert not expected.projects - set(there)
        for id, one in there.items():
            assert id in expected.projects or one["name"] in self.ledger.doubtful, one

    def pages(self, path: str, member: str) -> list[dict]:
        found: list[dict] = []
        while True:
            page = self.api.call("GET", path, params={"limit": 500, "offset": len(found)})[member]
            found += page
            if len(page) < 500:
                return found

    def check_secrets(self, expected: Expected) -> None:
        """A few of the latest: the new secret is accepted, and the one before it is not."""
        changed = [account for id, account in expected.accounts.items()
                   if account.old_secret and account.enabled and not account.is_deleted
                   and id not in self.ledger.doubtful]
        for account in changed[-2:]:
            # Few enough for the throttle: a refusal is a failed sign-in.
            assert self.api.try_account(account.name, account.secret).status_code == 200
            assert self.api.try_account(account.name, account.old_secret).status_code == 400

    def recorded(self, file: str, table: str) -> set[str]:
        """The request ids of all events of a chain."""
        uri = f"file:{self.server.data / file}?mode=ro"
        database = sqlite3.connect(uri, uri=True)
        try:
            rows = database.execute(f"SELECT payload FROM {table}")
            return {json.loads(payload).get("request_id") for (payload,) in rows}
        finally:
            database.close()


def test_acknowledged_writes_survive_kill_9():
    seed = int(os.environ.get("CLAVIGER_SEED") or random.randrange(2**32))
    print(f"CLAVIGER_SEED={seed}")
    # Its address changes with every start, the issuer of its tokens must not.
    options = ("--log-level", "warning", "--public-url", "http://claviger.example")
    with Server(*options) as server:
        run = Run(server, seed)
        try:
            expected = Expected()
            for number in range(round_count()):
                run.load_and_kill()
                if number % 2:
                    server.run("audit", "verify")  # on the directory as the kill left it
                run.restart()
                expected = run.check()
                run.check_secrets(expected)
                if number % 2 == 0:
                    server.run("audit", "verify")  # by the server
            writes = len(expected.request_ids) + len(expected.grants)
            print(f"{writes} acknowledged writes, {len(expected.grants)} of them tokens")
            assert writes >= WRITES_A_ROUND * round_count()
            # And what was never written is missed.
            run.ledger.note("ruled", "no such request", id=2**31 - 1)
            with pytest.raises(AssertionError, match="rule 2147483647"):
                run.check()
        finally:
            run.ledger.close()
