# SPDX-License-Identifier: Apache-2.0
"""What the server has acknowledged, kept in a synced file, and what must follow from it."""
from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Account:
    name: str
    secret: str
    old_secret: str | None = None
    enabled: bool = True
    is_deleted: bool = False


@dataclass
class Expected:
    """The state that follows from all acknowledged changes, in order for each object."""

    accounts: dict[str, Account] = field(default_factory=dict)
    rules: dict[int, bool] = field(default_factory=dict)  # whether it is there
    projects: set[str] = field(default_factory=set)
    request_ids: set[str] = field(default_factory=set)
    grants: set[str] = field(default_factory=set)  # request ids too

    def apply(self, entry: dict) -> None:
        getattr(self, entry["did"])(entry)
        ids = self.grants if entry["did"] == "granted" else self.request_ids
        ids.add(entry["request"])

    def created(self, entry: dict) -> None:
        self.accounts[entry["id"]] = Account(entry["name"], entry["secret"])

    def enabled(self, entry: dict) -> None:
        self.accounts[entry["id"]].enabled = entry["value"]

    def regenerated(self, entry: dict) -> None:
        account = self.accounts[entry["id"]]
        account.old_secret, account.secret = account.secret, entry["secret"]

    def deleted(self, entry: dict) -> None:
        self.accounts[entry["id"]].is_deleted = True

    def ruled(self, entry: dict) -> None:
        self.rules[entry["id"]] = True

    def unruled(self, entry: dict) -> None:
        self.rules[entry["id"]] = False

    def projected(self, entry: dict) -> None:
        self.projects.add(entry["id"])

    def granted(self, entry: dict) -> None:
        pass


class Ledger:
    """Appends entries durably; `doubtful` are objects of requests that got no answer."""

    def __init__(self, file: Path):
        self.file = file
        self.lock = threading.Lock()
        self.descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.doubtful: set[object] = set()

    def note(self, did: str, request: str, **facts: object) -> None:
        line = json.dumps({"did": did, "request": request, **facts}) + "\n"
        with self.lock:
            os.write(self.descriptor, line.encode())
            os.fsync(self.descriptor)

    def doubt(self, what: object) -> None:
        with self.lock:
            self.doubtful.add(what)

    def expected(self) -> Expected:
        state = Expected()
        for line in self.file.read_text().splitlines():
            state.apply(json.loads(line))
        return state

    def close(self) -> None:
        os.close(self.descriptor)
