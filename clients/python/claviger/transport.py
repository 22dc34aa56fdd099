# SPDX-License-Identifier: Apache-2.0
"""HTTP to one server, over the standard library: TLS is verified, redirects are not followed, and
everything has a limit in size and time."""
from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from .clock import Clock
from .errors import ConfigurationError, Unavailable

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
SILENCE_SECONDS = 35  # on a stream; the server says something every 15
USUAL_ANSWER_BYTES = 1 << 20
LONGEST_LINE = 1 << 16
CHUNK = 1 << 16
# What a connection that was kept open too long ends with: the request was not read.
GONE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def max_age(self) -> int | None:
        found = re.search(r"\bmax-age=(\d{1,9})\b", self.headers.get("Cache-Control", ""))
        return int(found[1]) if found else None


class Stream:
    """Lines of an answer that does not end. `close` may come from any thread."""

    def __init__(self, connection: http.client.HTTPConnection):
        self._socket = connection.sock  # the connection forgets it when nothing comes after
        self._connection = connection
        self._answer = connection.getresponse()
        self.status = self._answer.status
        self.content_type = self._answer.headers.get_content_type()

    def lines(self) -> Iterator[bytes]:
        rest = b""
        try:
            while data := self._answer.read1(CHUNK):
                *lines, rest = (rest + data).split(b"\n")
                yield from (line.rstrip(b"\r") for line in lines)
                if len(rest) > LONGEST_LINE:
                    raise Unavailable("the server sends a line that is too long")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"the stream broke off: {describe(error)}") from error

    def end(self) -> None:
        """By the reader itself."""
        self._answer.close()
        self._connection.close()

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the reader
        except OSError:
            pass  # it has ended already


def describe(error: Exception) -> str:
    return str(error) or type(error).__name__


class Transport:
    def __init__(self, url: str, clock: Clock, ca_file: str | None = None,
                 allow_plain_http: bool = False):
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query:
            raise ConfigurationError(f"{url!r} is no address of a server: write https://HOST")
        if parts.username is not None:
            raise ConfigurationError("an address holds no user and no password")
        if parts.scheme == "http" and not allow_plain_http and not is_loopback(parts.hostname):
            raise ConfigurationError(f"{url} is not encrypted, and tokens go there: use https, or "
                                     "allow_plain_http=True behind a tunnel")
        self._clock = clock
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self._kept = threading.local()

    def request(self, method: str, path: str, headers: dict[str, str] | None = None,
                body: bytes | None = None, longest: int = USUAL_ANSWER_BYTES) -> Answer:
        """Over a connection that the thread keeps open."""
        connection = getattr(self._kept, "connection", None)
        try:
            if connection is not None and connection.sock is not None:
                try:
                    return self._exchange(connection, method, path, headers, body, longest)
                except GONE:
                    connection.close()
            self._kept.connection = connection = self._connect(ANSWER_SECONDS)
            return self._exchange(connection, method, path, headers, body, longest)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if connection is not None:
                connection.close()
            self._kept.connection = None
            raise Unavailable(f"{method} {path}: {describe(error)}") from error

    def _exchange(self, connection: http.client.HTTPConnection, method: str, path: str,
                  headers: dict[str, str] | None, body: bytes | None, longest: int) -> Answer:
        until = self._clock.monotonic() + ANSWER_SECONDS
        connection.request(method, self._prefix + path, body, headers or {})
        answer = connection.getresponse()
        content = bytearray()
        while data := answer.read1(CHUNK):
            content += data
            if len(content) > longest:
                raise ValueError(f"the answer has more than {longest} bytes")
            if self._clock.monotonic() > until:
                raise ValueError("the answer takes too long")
        if answer.length:
            raise ValueError("the answer broke off")
        answer.close()  # and not the connection
        return Answer(answer.status, answer.headers, bytes(content))

    def open_stream(self, path: str, headers: dict[str, str]) -> Stream:
        try:
            connection = self._connect(SILENCE_SECONDS)
            connection.request("GET", self._prefix + path, headers=headers)
            return Stream(connection)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"GET {path}: {describe(error)}") from error

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        if self._tls is not None:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, context=self._tls)
        else:
            connection = http.client.HTTPConnection(self._host, self._port,
                                                    timeout=CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(seconds)
        connection.auto_open = 0  # a lost connection is seen here, not mended in silence
        return connection


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
