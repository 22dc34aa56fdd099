# SPDX-License-Identifier: Apache-2.0
"""Envoy's question over gRPC, to the byte: just enough of HTTP/2 (RFC 9113), HPACK (RFC 7541) and
of the form of messages. It knows the numbers of the fields by itself, and not from the server."""
from __future__ import annotations

import re
import socket
import ssl
import struct
from dataclasses import dataclass, field

CHECK = "/envoy.service.auth.v3.Authorization/Check"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
NO_TABLE = struct.pack(">HI", 1, 0)  # so that every name and value of an answer is written out
OK, PERMISSION_DENIED, UNAUTHENTICATED = 0, 7, 16  # of gRPC


# --- messages -------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def part(number: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def parts(message: bytes) -> dict[int, list]:
    """By number; what is a message itself, as bytes."""
    found: dict[int, list] = {}
    at = 0
    while at < len(message):
        key, at = read_varint(message, at)
        value, at = read_varint(message, at)
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


def question(method: str, target: str, host: str, fields: list[tuple[str, str]] = (), *,
             joined: bool = False, client: str = "127.0.0.1", body: bytes = b"") -> bytes:
    """A CheckRequest: with `encode_raw_headers`, or with fields of one name `joined`."""
    pairs = [(":method", method), (":path", target), (":authority", host), *fields]
    if joined:
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(name.lower(), []).append(value)
        headers = b"".join(part(3, part(1, name) + part(2, ",".join(value)))
                           for name, value in values.items())
    else:
        headers = part(13, b"".join(part(1, part(1, name.lower()) + part(3, value))
                                    for name, value in pairs))
    http = (part(2, method) + headers + part(4, target) + part(5, host)
            + (part(11, body) if body else b""))
    source = part(1, part(1, part(2, client)))  # Peer, Address, SocketAddress
    return part(1, part(1, source) + part(4, part(2, http)))


@dataclass
class Verdict:
    code: int  # in the message
    status: int  # for the client
    headers: dict[str, list[str]] = field(default_factory=dict)
    options: set[tuple[int, int]] = field(default_factory=set)  # what is done with headers
    body: bytes = b""


def verdict_of(message: bytes) -> Verdict:
    check = parts(message)
    status = parts(check[1][0]) if check[1][0] else {}
    verdict = Verdict(status.get(1, [0])[0], 200)
    ends = parts(check.get(2, check.get(3))[0])
    if 2 in check:
        verdict.status = parts(ends[1][0])[1][0]
        verdict.body = ends.get(3, [b""])[0]
    for option in map(parts, ends.get(2, [])):
        header = parts(option[1][0])
        verdict.headers.setdefault(header[1][0].decode(), []).append(
            header.get(2, [b""])[0].decode())
        verdict.options.add((option.get(3, [0])[0], option.get(4, [0])[0]))
    return verdict


# --- HTTP/2 ---------------------------------------------------------------------------------------


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def literal(name: str, value: str) -> bytes:
    """A field that goes into no table (RFC 7541 6.2.2)."""
    return b"\0" + b"".join(bytes([len(text)]) + text.encode() for text in (name, value))


class Connection:
    def __init__(self, port: int, source: str = "127.0.0.1",
                 tls: ssl.SSLContext | None = None,
                 metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self.metadata = metadata
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30,
                                               source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.stream = 1
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, NO_TABLE))

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def begin(self) -> None:
        """A question whose message does not come."""
        self.socket.sendall(self.head(CHECK))

    def head(self, method: str) -> bytes:
        fields = b"".join(literal(name, value) for name, value in (
            (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "x"),
            ("te", "trailers"), ("content-type", "application/grpc"), *self.metadata))
        return frame(HEADERS, END_HEADERS, self.stream, fields)

    def call(self, message: bytes, method: str = CHECK) -> tuple[int | None, bytes]:
        """gRPC's status, if there is one, and the message of the answer."""
        data = b"\0" + struct.pack(">I", len(message)) + message
        pieces = [data[at:at + 16384] for at in range(0, len(data), 16384)]
        self.socket.sendall(self.head(method) + b"".join(
            frame(DATA, END_STREAM if piece is pieces[-1] else 0, self.stream, piece)
            for piece in pieces))
        return self.take_answer()

    def take_answer(self) -> tuple[int | None, bytes]:
        heads = data = b""
        while True:
            size = self.take(9)
            kind, flags, stream = struct.unpack(">BBI", size[3:])
            content = self.take(int.from_bytes(size[:3], "big"))
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.socket.sendall(frame(kind, ACK, 0, content if kind == PING else b""))
            if kind == DATA and content:  # room for as much again
                self.socket.sendall(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(content))))
            if kind == GOAWAY or (kind == RESET and stream == self.stream):
                return None, data[5:]
            if kind in (HEADERS, DATA) and stream == self.stream:
                heads += content if kind == HEADERS else b""
                data += content if kind == DATA else b""
                if flags & END_STREAM:
                    break
        self.stream += 2
        found = re.search(rb"grpc-status.(\d+)", heads, re.DOTALL)
        return int(found.group(1)) if found else None, data[5:]

    def take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            more = self.socket.recv(size - len(taken))
            if not more:
                raise ConnectionError("the server has closed the connection")
            taken += more
        return taken


def check(port: int, message: bytes, source: str = "127.0.0.1",
          metadata: tuple[tuple[str, str], ...] = ()) -> Verdict:
    with Connection(port, source, metadata=metadata) as connection:
        status, answer = connection.call(message)
    assert status == OK, status
    return verdict_of(answer)
