# SPDX-License-Identifier: Apache-2.0
"""What both middlewares do with a request: read it strictly, judge it, word the refusal."""
from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .errors import Ambiguous, Denied, InvalidToken, MissingToken, Refused
from .routes import (ANYONE, AUTHENTICATED, Route, RouteMap, ScopeFrom, find_scope, is_canonical,
                     read_query)
from .rules import Decision, Scope
from .tokens import VerifiedToken
from .verifier import Verifier

RETRY_SECONDS = 5
BAD_TARGET = "The request target is not canonical."

log = logging.getLogger("claviger")


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # still percent-encoded, as it was sent
    query: str
    headers_named: Callable[[str], list[str]]
    source_ip: str | None


@dataclass(frozen=True)
class Access:
    """Who is calling, for the handler. Without a token on a route for anyone."""

    verifier: Verifier
    token: VerifiedToken | None = None
    decision: Decision | None = None  # by which the route was passed
    source_ip: str | None = None

    def can(self, permission: str, scope: Scope = None) -> Decision:
        if self.token is None:
            raise MissingToken("the request has no token")
        return self.verifier.can(self.token, permission, scope, self.source_ip)

    def require(self, permission: str, scope: Scope = None) -> Decision:
        """Raises Denied, which the middleware answers with 403."""
        if self.token is None:
            raise MissingToken("the request has no token")
        return self.verifier.require(self.token, permission, scope, self.source_ip)


@dataclass(frozen=True)
class Refusal:
    """An answer: nothing in it tells a stranger why."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gate:
    """`routes` says what each request needs; `resource_metadata` is the address of this API's
    metadata (RFC 9728), which leads clients to the issuer; `realm` names it in challenges."""

    def __init__(self, verifier: Verifier, routes: Iterable[Route],
                 resource_metadata: str | None = None, realm: str = "api"):
        self.verifier = verifier
        self._routes = RouteMap(routes)
        parameters = {"realm": realm, "resource_metadata": resource_metadata}
        self._challenge = [f'{name}="{check_quoted(value)}"'
                           for name, value in parameters.items() if value is not None]

    def judge(self, request: Request, may_wait: bool = True) -> Access:
        """Raises Refused, or WouldWait when an answer needs the network and may not wait."""
        if not is_canonical(request.path):
            raise Ambiguous(BAD_TARGET)
        match = self._routes.match(request.method, request.path)
        if match is not None and match.route.access == ANYONE:
            return Access(self.verifier, source_ip=request.source_ip)
        token = self.verifier._verify(bearer_token(request), request.source_ip, may_wait)
        if match is None:
            raise Denied(f"no route names {request.method} {request.path}")
        query = read_query(request.query)
        if any(name == "access_token" for name, _ in query):
            raise Ambiguous("a token may stand in the header only")
        decision = None
        if match.route.access != AUTHENTICATED:
            source = match.route.scope
            scope = source if not isinstance(source, ScopeFrom) else find_scope(
                source, match, query, request.headers_named)
            decision = self.verifier.require(token, match.route.permission or "", scope,
                                             request.source_ip)
        return Access(self.verifier, token, decision, request.source_ip)

    def refuse(self, refused: Refused) -> Refusal:
        log.info("claviger: refused: %s", refused.reason)
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        message = {"code": refused.status, "message": refused.public_message}
        if refused.status == 503:
            headers.append(("Retry-After", str(RETRY_SECONDS)))
        elif refused.error is not None or refused.status == 401:
            headers.append(("WWW-Authenticate", self._challenge_of(refused)))
        if refused.status == 403:
            message["details"] = refused.reason
        body = json.dumps(message).encode()
        return Refusal(refused.status, [*headers, ("Content-Length", str(len(body)))], body)

    def _challenge_of(self, refused: Refused) -> str:
        parameters = list(self._challenge)
        if refused.error is not None:
            parameters.append(f'error="{refused.error}"')
        if isinstance(refused, Denied) and refused.permission:
            parameters.append(f'scope="{refused.permission}"')
        return "Bearer " + ", ".join(parameters)


def check_quoted(text: str) -> str:
    if not text.isascii() or not text.isprintable() or '"' in text or "\\" in text:
        raise ValueError(f"{text!r} may not stand in a challenge")
    return text


def bearer_token(request: Request) -> str:
    """The token of "Bearer TOKEN", in one header (RFC 6750 2.1); nothing else is one."""
    values = request.headers_named("authorization")
    if not values:
        raise MissingToken("the Authorization header is missing")
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token or any(
            character in " ,\t" for character in token):
        raise InvalidToken("the Authorization header holds no bearer token")
    return token
