# SPDX-License-Identifier: Apache-2.0
"""Middleware for ASGI applications (Starlette, FastAPI, Quart, ...) under asyncio. A handler finds
who is calling in `scope["claviger"]`, a claviger.gate.Access."""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from .errors import Ambiguous, Refused, WouldWait
from .gate import BAD_TARGET, Access, Gate, Request
from .routes import PLAIN_SEGMENT, Route, split
from .verifier import Verifier

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
KEY = "claviger"
POLICY_VIOLATION = 1008  # RFC 6455 7.4.1


class Middleware:
    """`source_ip` finds the client's address in a scope; without it, it is the peer's. A WebSocket
    is judged by the GET with which it begins."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], verifier: Verifier,
                 routes: Iterable[Route], *, resource_metadata: str | None = None,
                 realm: str = "api", source_ip: Callable[[Scope], str | None] | None = None):
        self.app = app
        self._gate = Gate(verifier, routes, resource_metadata, realm)
        self._source_ip = source_ip or peer_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"claviger: a connection of type {scope['type']} cannot be judged")
        has_begun = False

        async def watched_send(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            access = await self._judge(scope)
            await self.app({**scope, KEY: access}, receive, watched_send)
        except Refused as refused:
            if has_begun:
                raise
            await self._refuse(scope, send, refused)

    async def _judge(self, scope: Scope) -> Access:
        request = read_request(scope, self._source_ip(scope))
        if self._gate.verifier.rules == "local":
            try:
                return self._gate.judge(request, may_wait=False)
            except WouldWait:
                pass
        return await asyncio.to_thread(self._gate.judge, request)

    async def _refuse(self, scope: Scope, send: Send, refused: Refused) -> None:
        answer = self._gate.refuse(refused)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def access_of(scope: Scope) -> Access:
    """Who is calling. A KeyError means that the middleware is not in place."""
    return scope[KEY]


def peer_of(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


def read_request(scope: Scope, source_ip: str | None) -> Request:
    def headers_named(name: str) -> list[str]:
        wanted = name.lower().encode()
        return [value.decode("latin-1").strip(" \t") for key, value in scope["headers"]
                if key.lower() == wanted]

    method = scope["method"] if scope["type"] == "http" else "GET"
    query = scope.get("query_string", b"")
    return Request(method, sent_path(scope), query.decode("latin-1"), headers_named, source_ip)


def sent_path(scope: Scope) -> str:
    """As it was sent. Where the server does not tell, only a path that has one spelling will do."""
    raw = scope.get("raw_path")
    if raw is not None:
        sent = raw.decode("latin-1")
        if unquote_to_bytes(sent) != scope["path"].encode():
            raise Ambiguous(BAD_TARGET)
        return sent
    path = scope["path"]
    if path != "/" and not all(map(PLAIN_SEGMENT.fullmatch, split(path))):
        raise Ambiguous(BAD_TARGET)
    return path
