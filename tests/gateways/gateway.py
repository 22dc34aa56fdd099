# SPDX-License-Identifier: Apache-2.0
"""The sample API and requests to the byte. The shipped examples start the gateways."""
from __future__ import annotations

import importlib.util
import itertools
import json
import socket
import subprocess
import sys

from scenario.server import REPOSITORY

EXAMPLES = REPOSITORY / "deploy" / "examples"


def load_demo():
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


demo = load_demo()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SampleApi:
    """deploy/examples/workloads_api.py, which prints each request before it answers."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "workloads_api.py"), "0"], stdout=subprocess.PIPE,
            text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rpartition(":")[2])
        self.marks = itertools.count(1)

    def take_seen(self) -> list[dict]:
        """The requests that have reached it since the last call."""
        mark = f"/mark-{next(self.marks)}"
        exchange(self.port, f"GET {mark} HTTP/1.1\nHost: x")
        seen = []
        while (one := json.loads(self.process.stdout.readline()))["target"] != mark:
            seen.append(one)
        return seen

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def exchange(port: int, head: str,
             content: bytes = b"") -> tuple[int, dict[str, list[str]], bytes]:
    """Sends the lines of a request head exactly as they are; gives status, headers and body."""
    request = head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n" + content
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := receive(connection):
            answer += chunk
    top, _, body = answer.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    return int(lines[0].split()[1]) if lines[0] else 0, headers, body


def receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:  # what it did not read
        return b""
