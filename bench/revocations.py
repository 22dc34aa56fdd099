# SPDX-License-Identifier: Apache-2.0
"""How long a revoked token goes on being good: on the node, and for verifiers that hear of it by
the feed. Times begin when the request is sent."""
from __future__ import annotations

import http.client
import json
import selectors
import socket
import time

READERS = 200
TOKENS = 200  # revoked and then used
TOLD = 50  # revoked and then waited for by all readers
PATIENCE_SECONDS = 30
REVOCATIONS = "/api/v1/revocations"
PERMISSIONS = "/api/v1/authorization/permissions"  # any good token may read them


def percentile(seconds: list[float], share: float) -> float:
    """Milliseconds."""
    return sorted(seconds)[int(share * (len(seconds) - 1))] * 1000


class Revocations:
    """`grant` is of an administrator, who ends tokens of its own and follows the feed."""

    def __init__(self, port: int, grant: str):
        self.port = port
        self.grant = grant
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self.caller = self.new_token()

    def request(self, method: str, path: str, body: str | None = None,
                token: str | None = None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def new_token(self) -> str:
        status, body = self.request("POST", "/api/v1/token", self.grant)
        if status != 200:
            raise RuntimeError(f"no token: {status} {body!r}")
        return json.loads(body)["accessToken"]

    def revoke(self, token: str) -> None:
        body = json.dumps({"type": "token", "token": token})
        status, answer = self.request("POST", REVOCATIONS, body, self.caller)
        if status != 200:
            raise RuntimeError(f"not revoked: {status} {answer!r}")

    def until_refused(self) -> list[float]:
        seconds = []
        for _ in range(TOKENS):
            token = self.new_token()
            if self.request("GET", PERMISSIONS, token=token)[0] != 200:
                raise RuntimeError("a new token is refused")
            began = time.monotonic()
            self.revoke(token)
            while self.request("GET", PERMISSIONS, token=token)[0] != 401:
                pass
            seconds.append(time.monotonic() - began)
        return seconds

    def until_heard(self) -> list[float]:
        """By each of the readers, each time."""
        number = json.loads(self.request("GET", f"{REVOCATIONS}/snapshot",
                                         token=self.caller)[1])["number"]
        streams = [self.follow(number) for _ in range(READERS)]
        try:
            with selectors.DefaultSelector() as selector:
                for stream in streams:
                    selector.register(stream, selectors.EVENT_READ)
                self.arrivals(selector, b": still here", 0)
                seconds = []
                for told in range(TOLD):
                    token = self.new_token()
                    began = time.monotonic()
                    self.revoke(token)
                    seconds += self.arrivals(selector, b"id: %d\n" % (number + told + 1), began)
                return seconds
        finally:
            for stream in streams:
                stream.close()

    def follow(self, number: int) -> socket.socket:
        stream = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        stream.sendall(f"GET {REVOCATIONS}/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       f"Accept: text/event-stream\r\nLast-Event-ID: {number}\r\n"
                       f"Authorization: Bearer {self.caller}\r\n\r\n".encode())
        return stream

    @staticmethod
    def arrivals(selector: selectors.BaseSelector, text: bytes, began: float) -> list[float]:
        """The seconds until each stream has given the text."""
        read: dict[object, bytes] = {}
        seconds = []
        while len(seconds) < READERS:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise RuntimeError(f"{READERS - len(seconds)} readers heard nothing")
            for key, _ in ready:
                before = read.get(key.fileobj, b"")
                read[key.fileobj] = before + key.fileobj.recv(65536)
                if text in read[key.fileobj] and text not in before:
                    seconds.append(time.monotonic() - began)
        return seconds
