# SPDX-License-Identifier: Apache-2.0
"""A thread that changes objects of its own, one after the other, until the server is gone."""
from __future__ import annotations

import random
import threading

import requests
from scenario.api import Api, describe

from .ledger import Ledger

ACCOUNTS = "/api/v1/service-accounts"
RULES = "/api/v1/authorization/access-rules"
PROJECTS = "/api/v1/org-unit/projects"


class Unanswered(Exception):
    pass


class Writer(threading.Thread):
    def __init__(self, api: Api, ledger: Ledger, cluster: str, seed: int, start: threading.Barrier):
        super().__init__(daemon=True)
        self.api = api
        self.ledger = ledger
        self.cluster = cluster
        self.random = random.Random(seed)
        self.barrier = start
        self.accounts: dict[str, tuple[str, str]] = {}  # id: name, secret
        self.rules: list[int] = []
        self.error: str | None = None

    def run(self) -> None:
        self.barrier.wait()
        actions = [self.create, self.create, self.switch, self.regenerate, self.delete,
                   self.add_rule, self.add_rule, self.remove_rule, self.add_project, self.get_token]
        try:
            while True:
                self.random.choice(actions)()
        except Unanswered:
            pass
        except Exception as error:  # ends the thread; the test asserts that there is none
            self.error = repr(error)

    def send(self, doubt: object, method: str, path: str, status: int, body: object = None):
        """The answer; when there is none, `doubt` names what may have changed or not."""
        try:
            answer = self.api.send(method, path, json=body)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            self.ledger.doubt(doubt)
            raise Unanswered from error
        assert answer.status_code == status, f"{method} {path}: {describe(answer)}"
        return answer, answer.headers["X-Request-Id"]

    def create(self) -> None:
        name = Api.fresh_name("killed")
        answer, request = self.send(name, "POST", ACCOUNTS, 201, {"name": name})
        made = answer.json()
        self.ledger.note("created", request, id=made["id"], name=name, secret=made["clientSecret"])
        self.accounts[made["id"]] = (name, made["clientSecret"])

    def any_account(self) -> str:
        if not self.accounts:
            self.create()
        return self.random.choice(list(self.accounts))

    def switch(self) -> None:
        """Off, and then half of the time on again: each time a real change."""
        id = self.any_account()
        account = self.accounts.pop(id)  # no more tokens for it
        self.set_enabled(id, False)
        if self.random.random() < 0.5:
            self.set_enabled(id, True)
            self.accounts[id] = account

    def set_enabled(self, id: str, value: bool) -> None:
        _, request = self.send(id, "PATCH", f"{ACCOUNTS}/{id}", 200, {"enabled": value})
        self.ledger.note("enabled", request, id=id, value=value)

    def regenerate(self) -> None:
        id = self.any_account()
        answer, request = self.send(id, "POST", f"{ACCOUNTS}/{id}/secret", 200)
        secret = answer.json()["clientSecret"]
        self.ledger.note("regenerated", request, id=id, secret=secret)
        self.accounts[id] = (self.accounts[id][0], secret)

    def delete(self) -> None:
        id = self.any_account()
        _, request = self.send(id, "DELETE", f"{ACCOUNTS}/{id}", 204)
        self.ledger.note("deleted", request, id=id)
        del self.accounts[id]

    def add_rule(self) -> None:
        subject = f"{Api.fresh_name('killed')}@first.example"
        fields = self.api.rule_fields(subject, "Viewer", "tenant", "1", "user")
        answer, request = self.send(subject, "POST", RULES, 201, fields)
        self.ledger.note("ruled", request, id=answer.json()["id"])
        self.rules.append(answer.json()["id"])

    def remove_rule(self) -> None:
        if not self.rules:
            self.add_rule()
        id = self.rules.pop(self.random.randrange(len(self.rules)))
        _, request = self.send(id, "DELETE", f"{RULES}/{id}", 204)
        self.ledger.note("unruled", request, id=id)

    def add_project(self) -> None:
        body = {"name": Api.fresh_name("killed"), "clusterId": self.cluster, "resources": []}
        answer, request = self.send(body["name"], "POST", PROJECTS, 201, body)
        self.ledger.note("projected", request, id=answer.json()["id"])

    def get_token(self) -> None:
        name, secret = self.accounts[self.any_account()]
        body = {"grantType": "client_credentials", "clientId": name, "clientSecret": secret}
        _, request = self.send(None, "POST", "/api/v1/token", 200, body)
        self.ledger.note("granted", request)
