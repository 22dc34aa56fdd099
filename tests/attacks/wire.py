# SPDX-License-Identifier: Apache-2.0
"""Exact bytes over a socket, and what came back. Knows nothing of rows."""
from __future__ import annotations

import itertools
import json
import selectors
import socket
import time
from dataclasses import dataclass, field

Address = tuple[str, int]
addresses = itertools.count()


@dataclass
class Answer:
    """One HTTP answer; status None when there was none."""

    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class Exchange:
    """All that came back on one connection."""

    raw: bytes = b""
    closed: bool = False  # by the server

    def answers(self) -> list[Answer]:
        return parse_answers(self.raw)

    def first(self) -> Answer:
        return next(iter(self.answers()), Answer())


def parse_answers(raw: bytes) -> list[Answer]:
    answers = []
    while raw.startswith(b"HTTP/1."):
        head, separator, rest = raw.partition(b"\r\n\r\n")
        if not separator:
            break
        answer, length = parse_head(head)
        if is_chunked(answer):
            answer.body, raw, _ = take_chunks(rest)
        else:
            answer.body, raw = rest[:length], rest[length:]
        answers.append(answer)
    return answers


def is_chunked(answer: Answer) -> bool:
    return answer.header("transfer-encoding") == ["chunked"]


def take_chunks(raw: bytes) -> tuple[bytes, bytes, bool]:
    """The body as far as it has come, what follows it, and whether it has come to its end."""
    body = b""
    while True:
        size, line, rest = raw.partition(b"\r\n")
        if not line:
            return body, raw, False
        length = int(size, 16)
        if len(rest) < length + 2:
            return body + rest[:length], b"", False
        body, raw = body + rest[:length], rest[length + 2:]
        if length == 0:
            return body, raw, True


def parse_head(head: bytes) -> tuple[Answer, int]:
    lines = head.decode("latin-1").split("\r\n")
    answer = Answer(status=int(lines[0].split(" ")[1]))
    for line in lines[1:]:
        name, _, value = line.partition(":")
        answer.headers.append((name.strip().lower(), value.strip()))
    has_body = answer.status >= 200 and answer.status not in (204, 304)
    length = answer.header("content-length")
    return answer, int(length[0]) if has_body and length else 0


def is_complete(raw: bytes) -> bool:
    """At least one whole final answer."""
    head, separator, rest = raw.partition(b"\r\n\r\n")
    if not separator or not raw.startswith(b"HTTP/1."):
        return False
    answer, length = parse_head(head)
    if answer.status is not None and answer.status < 200:
        return is_complete(rest)
    return take_chunks(rest)[2] if is_chunked(answer) else len(rest) >= length


def fresh_address() -> str:
    """One of this machine from which nobody else calls, so that throttles are a caller's own."""
    number = next(addresses)
    return f"127.60.{number // 200}.{1 + number % 200}"


def connect(address: Address, source: str = "127.0.0.1", timeout: float = 10) -> socket.socket:
    return socket.create_connection(address, timeout=timeout, source_address=(source, 0))


def exchange(address: Address, data: bytes, source: str = "127.0.0.1", *, seconds: float = 10,
             until=is_complete) -> Exchange:
    """Sends and reads at the same time, until `until(raw)`, the peer closes, or time is up."""
    result = Exchange()
    deadline = time.monotonic() + seconds
    unsent = memoryview(data)
    with connect(address, source) as connection, selectors.DefaultSelector() as selector:
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while (left := deadline - time.monotonic()) > 0:
            for _, events in selector.select(left):
                if events & selectors.EVENT_READ and not receive(connection, result):
                    return result
                if events & selectors.EVENT_WRITE:
                    unsent = send(connection, unsent)
                    if not unsent:
                        selector.modify(connection, selectors.EVENT_READ)
            if until is not None and until(result.raw):
                return result
    return result


def receive(connection: socket.socket, result: Exchange) -> bool:
    try:
        data = connection.recv(1 << 18)
    except ConnectionError:
        data = b""
    result.raw += data
    result.closed = not data
    return bool(data)


def send(connection: socket.socket, unsent: memoryview) -> memoryview:
    """What is still to be sent; nothing once the peer has gone (its answer may still be read)."""
    try:
        return unsent[connection.send(unsent[: 1 << 16]):]
    except BlockingIOError:
        return unsent
    except ConnectionError:
        return memoryview(b"")


def request_bytes(method: str, target: str, host: str, headers: list[bytes] | tuple = (),
                  body: bytes = b"") -> bytes:
    head = [f"{method} {target} HTTP/1.1".encode(), f"Host: {host}".encode(), *headers]
    if body or method in ("POST", "PUT", "PATCH"):
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body
