# SPDX-License-Identifier: Apache-2.0
"""Middleware for WSGI applications (Flask, Django, ...). A handler finds who is calling in
`environ["claviger"]`, a claviger.gate.Access."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from .errors import Ambiguous, Refused
from .gate import BAD_TARGET, Access, Gate, Request
from .routes import PLAIN_SEGMENT, Route, split
from .verifier import Verifier

Environ = dict[str, Any]
KEY = "claviger"
# Where servers put the target as it was sent; not from headers, which begin with HTTP_.
TARGETS = ("RAW_URI", "REQUEST_URI")


class Middleware:
    """`source_ip` finds the client's address in an environ; without it, it is the peer's."""

    def __init__(self, app: Callable[[Environ, Callable], Iterable[bytes]], verifier: Verifier,
                 routes: Iterable[Route], *, resource_metadata: str | None = None,
                 realm: str = "api",
                 source_ip: Callable[[Environ], str | None] | None = None):
        self.app = app
        self._gate = Gate(verifier, routes, resource_metadata, realm)
        self._source_ip = source_ip or peer_of

    def __call__(self, environ: Environ, start_response: Callable) -> Iterable[bytes]:
        try:
            environ[KEY] = self._gate.judge(read_request(environ, self._source_ip(environ)))
            return self.app(environ, start_response)
        except Refused as refused:
            answer = self._gate.refuse(refused)
            start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers)
            return [answer.body]


def access_of(environ: Environ) -> Access:
    """Who is calling. A KeyError means that the middleware is not in place."""
    return environ[KEY]


def peer_of(environ: Environ) -> str | None:
    return environ.get("REMOTE_ADDR")


def read_request(environ: Environ, source_ip: str | None) -> Request:
    def headers_named(name: str) -> list[str]:
        value = environ.get("HTTP_" + name.upper().replace("-", "_"))
        # Two headers of one name come joined by a comma, and cannot be told from one.
        return [] if value is None else [part.strip(" \t") for part in value.split(",")]

    return Request(environ["REQUEST_METHOD"], sent_path(environ), environ.get("QUERY_STRING", ""),
                   headers_named, source_ip)


def sent_path(environ: Environ) -> str:
    """As it was sent. Where the server does not tell, only a path that has one spelling will do."""
    decoded = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    for name in TARGETS:
        sent = environ.get(name, "").partition("?")[0]
        if sent.startswith("/"):
            if unquote_to_bytes(sent) != decoded.encode("latin-1"):
                raise Ambiguous(BAD_TARGET)
            return sent
    if decoded != "/" and not all(map(PLAIN_SEGMENT.fullmatch, split(decoded))):
        raise Ambiguous(BAD_TARGET)
    return decoded
