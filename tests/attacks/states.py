# SPDX-License-Identifier: Apache-2.0
"""The sentences of `STATE:` verdicts on plain and RAW rows. Each function is called before the
request and gives a question that is asked after it: is the sentence true?"""
from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from . import administration, wire
from .server import has_sanitizer
from .verdicts import Evidence
from .world import World

Question = Callable[[Evidence], bool]
MIB = 1 << 20


class OtherClient:
    """Asks for /healthz on connections of its own while something else goes on. Times are printed;
    what counts is that it is always answered (a figure is asserted with CLAVIGER_FULL=1 only)."""

    def __init__(self, world: World, source: str = "127.0.0.2"):
        self.request = wire.request_bytes("GET", "/healthz", world.server.host)
        self.address = world.server.address
        self.source = source
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            begin = time.monotonic()
            try:
                status = wire.exchange(self.address, self.request, self.source,
                                       seconds=5).first().status
            except OSError as error:
                status = error
            self.seconds.append(time.monotonic() - begin)
            if status != 200:
                self.failures.append(str(status))

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0

    def is_slower_than(self, seconds: float, share: float) -> bool:
        self.stop()
        measured = self.percentile(share)
        print(f"another client: {len(self.seconds)} answers, p{share * 100:.0f} "
              f"{measured * 1000:.1f} ms, slowest {max(self.seconds, default=0) * 1000:.1f} ms")
        too_slow = measured > seconds and os.environ.get("CLAVIGER_FULL") == "1"
        return too_slow or bool(self.failures)


def account_deleted(world: World) -> Question:
    path = f"/api/v1/service-accounts/{world.values['sa.id']}"
    return lambda _: world.send("GET", path, token=world.admin).status != 200


def memory_grows(world: World) -> Question:
    before = world.server.resident_bytes()
    return lambda _: (not has_sanitizer()
                      and world.server.resident_bytes() - before > 16 * MIB)


def other_clients_slow(world: World) -> Question:
    other = OtherClient(world)
    return lambda _: other.is_slower_than(0.1, 0.99)


def foreign_data(world: World) -> Question:
    """Viewer of one project may not list users; neither may a stranger."""
    return lambda evidence: evidence.answer.status == 200 and '"username"' in evidence.text


def process_exit(world: World) -> Question:
    pid = world.server.pid
    return lambda _: not world.server.is_alive() or world.server.pid != pid


def cors_is_closed(world: World) -> Question:
    def ask(evidence: Evidence) -> bool:
        return not any(name.startswith("access-control-allow-")
                       for answer in evidence.exchange.answers()
                       for name, _ in answer.headers)

    return ask


STATES: dict[str, Callable[[World], Question]] = {
    "service account deleted": account_deleted,
    "RSS grows > 16 MiB": memory_grows,
    "other clients p99 > 100 ms": other_clients_slow,
    "treated as anonymous but answered 200 with data of another identity": foreign_data,
    "process exit": process_exit,
    "success and every error carry no Access-Control-Allow-Origin: * with credentials":
        cors_is_closed,
    **administration.STATES,
}
