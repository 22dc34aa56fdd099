# SPDX-License-Identifier: Apache-2.0
"""Load on a server, and what is measured without one."""
from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import LOAD_CORE, SERVER_CORE, Process, pin, run_on

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
BENCH = BUILD / "bench/claviger_bench"
SPIN = f"LD_PRELOAD={BUILD}/bench/libspin.so"
CONNECTIONS = 64


def figures(line: str) -> dict[str, float]:
    """Reads "name value name value ..."."""
    words = line.split()
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


def bench(*arguments: object, core: int = SERVER_CORE, stdin: str | None = None) -> str:
    return run_on(core, [str(BENCH), *map(str, arguments)], input=stdin)


@contextmanager
def spinning() -> Iterator[None]:
    """The generator spins on its core, as it does under load, and nobody answers it: two cores
    share more than one would think, and what is compared must share it alike."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(2 * CONNECTIONS)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(["env", SPIN, "wrk", "-t1", f"-c{CONNECTIONS}", "-d1h", url],
                              stdout=subprocess.DEVNULL,
                              preexec_fn=lambda: pin(LOAD_CORE)) as generator:
            try:
                yield
            finally:
                generator.kill()


def openssl_speed(name: str) -> float:
    """Signatures per CPU second."""
    printed = run_on(SERVER_CORE, ["openssl", "speed", "-seconds", "1", "-mr", name])
    found = re.search(r"^\+F[24]:\d+:\d+:([\d.]+):", printed, re.MULTILINE)
    value = float(found.group(1))
    return value if value > 10 else 1 / value


def wrk(process: Process, seconds: float, kind: str, file: Path, path: str = "",
        scheme: str = "http") -> tuple[int, float]:
    """(answers, CPU seconds of the server)."""
    command = ["env", SPIN, "wrk", "-t1", "--timeout", "20s",
               f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "load.lua"),
               f"{scheme}://127.0.0.1:{process.port}", "--", kind, str(file)]
    command += [path] if path else []
    before = process.cpu_seconds()
    printed = run_on(LOAD_CORE, command)
    used = process.cpu_seconds() - before
    found = re.search(r"^requests (\d+) failed (\d+)$", printed, re.MULTILINE)
    if found is None or int(found.group(2)) or not int(found.group(1)):
        raise RuntimeError(f"the load on port {process.port} failed:\n{printed}")
    return int(found.group(1)), used


def ask(port: int, method: str, path: str, body: str | None = None,
        token: str | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {content!r}")
    return content


def wait_for_port(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nothing listens on port {port}")
