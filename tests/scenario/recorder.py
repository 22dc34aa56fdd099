# SPDX-License-Identifier: Apache-2.0
"""A proxy that passes every byte on unchanged and remembers each request with its answer."""
from __future__ import annotations

import io
import select
import socket
import socketserver
import threading
from dataclasses import dataclass

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Exchange:
    method: str
    target: str
    request_headers: Headers
    request_body: bytes
    status: int
    headers: Headers
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)

    def request_header(self, name: str) -> str | None:
        return find_header(self.request_headers, name)

    def __str__(self) -> str:
        return (f"{self.method} {self.target} {self.request_body[:300]!r}"
                f" -> {self.status} {self.header('Content-Type')} {self.body[:600]!r}")


def find_header(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)


class Recorder:
    """Listens on a port that stays the same while the server behind it comes and goes."""

    def __init__(self):
        self.backend: tuple[str, int] | None = None
        self.exchanges: list[Exchange] = []
        self.lock = threading.Lock()
        recorder = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                recorder.serve(self.request)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 256

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.listener.server_address[1]}"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.listener.shutdown()
        self.listener.server_close()

    def take(self) -> list[Exchange]:
        """What was recorded since the last call."""
        with self.lock:
            taken, self.exchanges = self.exchanges, []
        return taken

    def serve(self, client: socket.socket) -> None:
        """All requests of one connection, each answered before the next is read."""
        backend = None
        try:
            backend = socket.create_connection(self.backend, timeout=60)
            client_stream, backend_stream = client.makefile("rb"), backend.makefile("rb")
            while is_asked(client, client_stream, backend) and (
                    head := read_head(client_stream)) is not None:
                self.pass_on(head, client, client_stream, backend, backend_stream)
        except (OSError, EOFError):
            pass  # either side went away; the other learns it by the closed connection
        finally:
            client.close()
            if backend is not None:
                backend.close()

    def pass_on(self, head: bytes, client: socket.socket, client_stream, backend: socket.socket,
                backend_stream) -> None:
        first, headers = parse_head(head)
        method, target, _ = first.split(" ", 2)
        raw, body = read_body(client_stream, headers, until_close=False)
        backend.sendall(head + raw)
        while True:
            answer_head = read_head(backend_stream)
            if answer_head is None:
                raise EOFError
            answer, answer_headers = parse_head(answer_head)
            status = int(answer.split(" ")[1])
            if status != 100:
                break
        empty = method == "HEAD" or status in (204, 304)
        raw, answer_body = (b"", b"") if empty else read_body(backend_stream, answer_headers,
                                                              until_close=True)
        # Recorded before the client can know of it, so that nobody looks too early.
        with self.lock:
            self.exchanges.append(Exchange(method, target, headers, body, status, answer_headers,
                                           answer_body))
        client.sendall(answer_head + raw)


def is_asked(client: socket.socket, client_stream: io.BufferedReader,
             backend: socket.socket) -> bool:
    """Waits for a request or the client's end; false when the server ended the connection first."""
    client.setblocking(False)
    has_begun = client_stream.peek(1)
    client.setblocking(True)
    return bool(has_begun) or client in select.select([client, backend], [], [])[0]


def read_head(stream) -> bytes | None:
    lines = []
    while True:
        line = stream.readline()
        if not line:
            if lines:
                raise EOFError
            return None
        lines.append(line)
        if line in (b"\r\n", b"\n"):
            return b"".join(lines)


def parse_head(head: bytes) -> tuple[str, Headers]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [line.split(":", 1) for line in lines if line]
    return first, [(name, value.strip()) for name, value in headers]


def read_body(stream, headers: Headers, *, until_close: bool) -> tuple[bytes, bytes]:
    """The body as sent and as meant (chunks put together)."""
    if (find_header(headers, "Transfer-Encoding") or "").lower() == "chunked":
        return read_chunks(stream)
    length = find_header(headers, "Content-Length")
    if length is None:
        body = stream.read() if until_close else b""
    else:
        body = stream.read(int(length))
        if len(body) < int(length):
            raise EOFError
    return body, body


def read_chunks(stream) -> tuple[bytes, bytes]:
    raw, body = [], []
    while True:
        line = stream.readline()
        size = int(line.split(b";")[0], 16)
        data = stream.read(size)
        end = stream.readline()
        raw += [line, data, end]
        body.append(data)
        if size == 0:
            return b"".join(raw), b"".join(body)
