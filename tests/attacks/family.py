# SPDX-License-Identifier: Apache-2.0
"""One server for a family of rows, and what must be true of it afterwards."""
from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .forwarded import ROUTES
from .rows import Case, cases_of
from .runner import run_case
from .server import Server, has_sanitizer, temporary_folder
from .states import MIB
from .world import World

MEMORY_BACK_WITHIN = 8 * MIB
MEMORY_SECONDS = 60  # what passwords were hashed in is given back half a minute later


class Family:
    def __init__(self, server: Server, *options: str):
        self.server = server
        self.world = World(server)
        # Started again, it holds no memory for password hashing.
        server.stop()
        server.start(*options)
        warm_up(self.world)
        self.pid = server.pid
        self.resident = server.resident_bytes()

    def run(self, case: Case) -> None:
        run_case(self.world, case)


def warm_up(world: World) -> None:
    """Every path once, so that what is kept for good is kept before the memory is measured."""
    for _ in range(50):
        world.send("GET", "/api/v1/service-accounts", token=world.values["t.tenadm"])
        world.send("POST", "/oauth2/token")
        world.send("GET", "/.well-known/jwks.json")


def options_of(name: str) -> list[str]:
    routes = ["--route-map", str(ROUTES)]  # an API behind a gateway
    # A published RS256 key beside the ES256 one that signs.
    return {"JWT": ["--token-algorithm", "RS256", *routes], "FWD": routes}.get(name, [])


def open_family(name: str) -> Iterator[Family]:
    with temporary_folder() as folder:
        server = Server(Path(folder))
        try:
            yield Family(server, *options_of(name))
        finally:
            server.process.kill()
            server.process.wait()


def runs_here(case: Case) -> bool:
    """Floods are for the release build."""
    return not (case.row.method == "LOAD" and has_sanitizer())


def cases(name: str) -> list:
    return [pytest.param(case, id=case.name) for case in cases_of(name) if runs_here(case)]


# --- afterwards -----------------------------------------------------------------------------------


def check_memory(family: Family) -> None:
    if has_sanitizer():
        return
    deadline = time.monotonic() + MEMORY_SECONDS
    while (grown := family.server.resident_bytes() - family.resident) > MEMORY_BACK_WITHIN:
        assert time.monotonic() < deadline, f"resident memory is {grown / MIB:.1f} MiB above before"
        time.sleep(0.2)  # polls; the assertion is the deadline's


def check_secrets(family: Family) -> None:
    written = family.server.log() + str(family.server.access_events()) + str(
        family.server.change_events())
    found = [secret[:8] for secret in family.world.secrets if secret in written]
    assert not found, f"in the log or the audit trail: {found}"
    assert not family.world.was_trapped(), "the server followed an address from a token"


def check_end(family: Family) -> None:
    assert family.server.pid == family.pid, "the server was started again"
    assert family.server.stop() == 0, family.server.log()[-2000:]
    assert family.server.sanitizer_report() is None
    family.server.run_command("audit", "verify")
