# SPDX-License-Identifier: Apache-2.0
"""LOAD rows: ten seconds of a flood, and another client that must be served. Release build only."""
from __future__ import annotations

import re
import resource
import shlex
import shutil
import subprocess
import threading
import time

from . import verdicts, wire
from .rows import Case
from .states import MIB, OtherClient
from .world import World

SECONDS = 10
MOST_CONNECTIONS = 4000
FEW_FILES = 1000  # so that those run out of files that 20,000 connections would at the usual limit
# Standing for "100 %": an accept loop that spins keeps a core busy; one that rests does not.
BUSY_SHARE = 0.8


class Watch:
    """What the server does while it is flooded."""

    def __init__(self, world: World):
        self.world = world
        self.other = OtherClient(world)
        self.request = wire.request_bytes("GET", "/healthz", world.server.host)
        self.kept = wire.connect(world.server.address, "127.0.0.4")
        self.kept_is_served = self.ask_kept()
        self.began = time.monotonic(), world.server.cpu_seconds()
        self.unsent = 0
        self.files = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def ask_kept(self) -> bool:
        """The connection that was there before the flood is still served."""
        try:
            self.kept.sendall(self.request)
            answer = b""
            while not wire.is_complete(answer):
                data = self.kept.recv(65536)
                if not data:
                    return False
                answer += data
        except OSError:
            return False
        return wire.parse_answers(answer)[0].status == 200

    def sample(self) -> None:
        while not self.done.wait(0.5):
            self.unsent = max(self.unsent, self.world.server.unsent_bytes())
            self.files = max(self.files, self.world.server.open_files())
            self.kept_is_served = self.kept_is_served and self.ask_kept()

    def finish(self) -> None:
        self.done.set()
        self.thread.join()
        self.other.stop()
        self.kept.close()
        began, cpu = self.began
        self.busy = (self.world.server.cpu_seconds() - cpu) / (time.monotonic() - began)
        print(f"files {self.files} of {self.world.server.open_files_limit()}, unsent "
              f"{self.unsent} bytes, busy {self.busy:.2f} cores, "
              f"rejected {rejected_connections(self.world)}")


SENTENCES = {
    "/healthz from another client > 200 ms": lambda w: w.other.is_slower_than(0.2, 1.0),
    "fd exhaustion": lambda w: w.files >= w.world.server.open_files_limit(),
    "send buffers > 64 MiB": lambda w: w.unsent > 64 * MIB,
    "existing keep-alive clients still get 200": lambda w: w.kept_is_served,
    "metric connections_rejected_total > 0": lambda w: rejected_connections(w.world) > 0,
    "crash": lambda w: not w.world.server.is_alive(),
    "accept loop spins on EMFILE at 100% CPU": lambda w: w.busy > BUSY_SHARE,
}


def rejected_connections(world: World) -> float:
    request = wire.request_bytes("GET", "/metrics", "localhost")
    text = wire.exchange(world.server.metrics, request).first().text()
    found = re.findall(r"^\w*connections_rejected_total(?:\{[^}]*\})? (\S+)$", text, re.MULTILINE)
    if not found:
        raise RuntimeError("there is no metric connections_rejected_total")
    return sum(map(float, found))


def run_load(world: World, case: Case, source: str, outcome):
    watch = Watch(world)
    try:
        if "cmd" in case.row.body:
            run_slowhttptest(world.fill(case.row.body["cmd"]))
        else:
            flood(world)
    finally:
        watch.finish()
    for sentence, wanted in verdicts.states_of(case.row):
        if SENTENCES[sentence](watch) != wanted:
            outcome.complaints.append(f"{'not ' if wanted else ''}true: {sentence}")
    return outcome


def run_slowhttptest(command: str) -> None:
    arguments = shlex.split(command)
    if shutil.which(arguments[0]) is None:
        raise RuntimeError(f"{arguments[0]} is not installed (./dev does)")
    arguments[arguments.index("-l") + 1] = str(SECONDS)
    at = arguments.index("-c") + 1
    arguments[at] = str(min(int(arguments[at]), MOST_CONNECTIONS))
    raise_open_files()
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS * 4,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout[-500:]}{done.stderr[-500:]}")


def raise_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def flood(world: World) -> None:
    """Connections from many addresses that say nothing, to a server that may open fewer files."""
    raise_open_files()
    pid = world.server.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEW_FILES, before[1]))
    try:
        open_silent_connections(world)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def open_silent_connections(world: World) -> None:
    opened = []
    end = time.monotonic() + SECONDS
    try:
        for number in range(MOST_CONNECTIONS):
            source = f"127.200.{number // 250}.{1 + number % 250}"
            try:
                opened.append(wire.connect(world.server.address, source, timeout=1))
            except OSError:
                pass  # turned away: what this is about
            if time.monotonic() > end:
                break
        time.sleep(max(0.0, min(2.0, end - time.monotonic())))  # the flood stands for a while
    finally:
        for connection in opened:
            connection.close()
