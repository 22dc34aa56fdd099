# SPDX-License-Identifier: Apache-2.0
"""Answers, for an API behind it, whose a token is and what its holder may do."""
from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import dataclass
from typing import Any

from .clock import Clock
from .discovery import discover, fetch_keys
from .errors import ConfigurationError, Denied, InvalidToken, Revoked, Stale, Unavailable
from .feed import Follower
from .keys import ALGORITHMS, KeySet
from .limits import KeyLimits
from .rules import (ANYWHERE, NOT_HELD_ANYWHERE, PERMITTED, TENANT, Decision, RuleSnapshot,
                    Scope)
from .session import Credentials, Session, read_json
from .tokens import VerifiedToken, check_times, judge, parse
from .transport import Transport

CHECK = "/api/v1/authorization/check"
PERMITTED_SCOPES = "/api/v1/authorization/permitted-scopes"
MOST_KNOWN_TOKENS = 4096
USUAL_AUDIENCE = "runai"
REFUSED_TOKEN = "the server refuses the token"

log = logging.getLogger("claviger")


@dataclass(frozen=True)
class Status:
    """How well the verifier hears, for health checks."""

    is_ready: bool  # tokens are accepted
    number: int | None  # of the last entry of the feed that is in force
    silent_seconds: float | None  # since something was heard
    connections: int  # to the feed, so far
    snapshots: int  # of what has ended, taken so far
    problem: str | None  # the last one


class Verifier:
    """Verifies tokens without asking the server, and hears from it what has ended.

    `server` is its address. `audience` is for whom tokens must be. `credentials`: of an account
    that holds security-settings:read at the tenant, and with rules="local" access_rules:read as
    well. Decisions are made here from the tenant's signed rules (`rules="local"`), or asked of the
    server with the caller's token (`rules="server"`). `issuer` is the server's public address, if
    it is reached at another one. Nothing is accepted when the server was not heard of for
    `lease_seconds`. Waits at most `start_seconds` for the server; until it has been reached,
    requests are refused. Make one in each process, after it has forked."""

    def __init__(self, server: str, *, credentials: Credentials, audience: str = USUAL_AUDIENCE,
                 rules: str = "local", issuer: str | None = None, lease_seconds: float = 60,
                 start_seconds: float = 10, algorithms: tuple[str, ...] = tuple(ALGORITHMS),
                 ca_file: str | None = None, allow_plain_http: bool = False,
                 clock: Clock | None = None):
        if rules not in ("local", "server"):
            raise ConfigurationError('rules is "local" or "server"')
        if not algorithms or not set(algorithms) <= set(ALGORITHMS):
            raise ConfigurationError(f"algorithms are some of {', '.join(ALGORITHMS)}")
        if not audience:
            raise ConfigurationError("audience is empty: tokens must be for somebody")
        self.rules = rules
        self._clock = clock or Clock()
        self._lease_seconds = lease_seconds
        self._process = os.getpid()
        self._known: dict[bytes, VerifiedToken] = {}
        self._asked_beyond: RuleSnapshot | None = None
        url = server.rstrip("/")
        issuer = url if issuer is None else issuer
        transport = Transport(url, self._clock, ca_file, allow_plain_http)
        self._transport = transport
        session = Session(transport, credentials, self._clock)
        self._keys = keys = KeySet(lambda: fetch_keys(transport), self._clock, algorithms)
        self._follower = Follower(
            session, keys, self._clock,
            lambda: discover(transport, session, keys, issuer, audience), issuer,
            rules == "local")
        self._follower.start()
        self._wait_for_start(start_seconds)

    def _wait_for_start(self, seconds: float) -> None:
        follower = self._follower
        follower.wait_for(lambda: follower.is_ready or isinstance(follower.problem,
                                                                  ConfigurationError), seconds)
        if not follower.is_ready and isinstance(follower.problem, ConfigurationError):
            problem = follower.problem
            self.close()
            raise problem

    def __enter__(self) -> Verifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the threads; afterwards nothing is accepted."""
        self._follower.stop()
        self._follower.heard_at = float("-inf")

    def wait_for(self, number: int, seconds: float = 10) -> bool:
        """Whether entry `number` of the feed, as an answer of the server names it, has been heard
        and is in force."""
        follower = self._follower
        return follower.wait_for(
            lambda: follower.ended is not None and follower.ended.number >= number
            and follower.rules_outdated_since is None, seconds)

    def status(self) -> Status:
        follower = self._follower
        silent = None
        if follower.ended is not None:
            silent = self._clock.monotonic() - follower.heard_at
        return Status(
            follower.is_ready and silent is not None and silent <= self._lease_seconds,
            None if follower.ended is None else follower.ended.number, silent,
            follower.connections, follower.snapshots,
            None if follower.problem is None else str(follower.problem))

    # --- tokens -----------------------------------------------------------------------------------

    def verify(self, token: str, source_ip: str | None = None) -> VerifiedToken:
        """The token, if it is good now; raises Refused otherwise. `source_ip` is the client's
        address, for keys that are good from some addresses only."""
        return self._verify(token, source_ip, may_wait=True)

    def _verify(self, text: str, source_ip: str | None, may_wait: bool) -> VerifiedToken:
        if os.getpid() != self._process:
            raise Stale("the verifier was made before this process forked: make one in each")
        if not isinstance(text, str) or not text.isascii():
            raise InvalidToken("the token is not ASCII text")
        digest = hashlib.sha256(text.encode()).digest()
        token = self._known.get(digest)
        if token is None or self._keys.current(token.key.kid) is not token.key:
            token = self._judge(text, may_wait)
            if len(self._known) >= MOST_KNOWN_TOKENS:
                self._known = {}
            self._known[digest] = token
        self._check(token)
        if self.rules == "local":
            self._check_address(token, source_ip)
        return token

    def _judge(self, text: str, may_wait: bool) -> VerifiedToken:
        parsed = parse(text)
        expected = self._follower.expected
        if expected is None:
            raise Stale(f"the server has not been reached{self._why()}")
        key = self._keys.find(parsed.kid, may_wait)
        if key is None:
            raise InvalidToken("the signing key is unknown")
        return judge(text, parsed, key, expected, self._clock.now())

    def _check(self, token: VerifiedToken) -> None:
        """What may change while a token lives."""
        if self._keys.current(token.key.kid) is not token.key:
            raise InvalidToken("its signing key is no more")
        check_times(token.claims, self._clock.now())
        follower = self._follower
        silent = self._clock.monotonic() - follower.heard_at
        if follower.ended is None or silent > self._lease_seconds:
            raise Stale(f"nothing was heard from the server for {silent:.0f} s{self._why()}")
        ended = follower.ended.why_ended(token)
        if ended is not None:
            raise Revoked(ended)
        if self.rules == "local":
            rules = self._current_rules()
            if not rules.knows(token):
                self._ask_for_users(rules)
                raise InvalidToken("its owner is unknown")
            limits = rules.limits_of(token.client_id)
            if limits is not None:
                self._check_limits(limits)

    def _ask_for_users(self, rules: RuleSnapshot) -> None:
        """Somebody may be so new that the feed has not told yet; once for each snapshot."""
        if self._asked_beyond is not rules:
            self._asked_beyond = rules
            self._follower.want_rules()

    def _current_rules(self) -> RuleSnapshot:
        follower = self._follower
        since = follower.rules_outdated_since
        if follower.rules is None or (
                since is not None and self._clock.monotonic() - since > self._lease_seconds):
            raise Stale(f"the rules have changed and could not be fetched{self._why()}")
        return follower.rules

    def _check_limits(self, limits: KeyLimits) -> None:
        if limits.honey:
            raise InvalidToken("its key is a trap, and good for nothing")
        if limits.expires_at is not None and limits.expires_at <= self._clock.now():
            raise InvalidToken("its key has expired")

    def _check_address(self, token: VerifiedToken, source_ip: str | None) -> None:
        limits = self._current_rules().limits_of(token.client_id)
        if limits is not None and not limits.holds_address(source_ip):
            if not limits.only_logged:
                raise InvalidToken("its key may not be used from this address")
            log.warning("claviger: the key %s is used from %s, which is not in its list",
                        token.client_id, source_ip)

    def _why(self) -> str:
        problem = self._follower.problem
        return "" if problem is None else f" ({problem})"

    # --- decisions --------------------------------------------------------------------------------

    def can(self, token: VerifiedToken | str, permission: str, scope: Scope = TENANT,
            source_ip: str | None = None) -> Decision:
        """Whether the holder of the token may do this there. `scope` is a node of the tree, as
        ("project", "4711"), TENANT or ANYWHERE. Raises Refused when the token is not good."""
        check_question(permission, scope)
        if isinstance(token, str):
            token = self.verify(token, source_ip)
        else:
            self._check(token)
        if self.rules == "server":
            return self._ask(token, permission, scope, source_ip)
        return self._current_rules().decide_for(token, permission, scope)

    def require(self, token: VerifiedToken | str, permission: str, scope: Scope = TENANT,
                source_ip: str | None = None) -> Decision:
        """The same; raises Denied when it is not permitted."""
        decision = self.can(token, permission, scope, source_ip)
        if not decision.allowed:
            raise Denied(f"missing permission {permission} at {scope_text(scope)} "
                         f"({decision.reason})", permission, decision)
        return decision

    def _ask(self, token: VerifiedToken, permission: str, scope: Scope,
             source_ip: str | None) -> Decision:
        """With the token itself, so that its narrowing and the limits of its key count."""
        kind, _, action = permission.rpartition(":")
        if scope == ANYWHERE:
            document = self._post(token, PERMITTED_SCOPES,
                                  {"resourceType": kind, "action": action}, source_ip)
            held = document is not None and any((document.get(action) or {}).values())
            return Decision(held, PERMITTED if held else NOT_HELD_ANYWHERE)
        resource: dict[str, Any] = {"type": kind}
        if isinstance(scope, tuple):
            resource |= {"id": scope[1], "properties": {"scopeType": scope[0]}}
        document = self._post(token, CHECK, {
            "subject": {"type": "caller", "id": "me"}, "action": {"name": action},
            "resource": resource, "explain": False}, source_ip)
        if document is None:
            return Decision(False, REFUSED_TOKEN)
        context = document.get("context") or {}
        if document.get("decision") is True:
            return Decision(True, PERMITTED, context.get("rule"))
        return Decision(False, str(context.get("reason") or "denied"))

    def _post(self, token: VerifiedToken, path: str, body: dict[str, Any],
              source_ip: str | None) -> dict[str, Any] | None:
        headers = {"Authorization": f"Bearer {token.text}", "Content-Type": "application/json"}
        if source_ip:
            headers["X-Forwarded-For"] = source_ip  # believed when this host is a trusted proxy
        try:
            answer = self._transport.request("POST", path, headers, json.dumps(body).encode())
            if answer.status in (400, 401, 403):
                return None
            return read_json(answer, path)
        except Unavailable as error:
            raise Stale(f"the server could not be asked: {error}") from error


def check_question(permission: str, scope: Scope) -> None:
    """A question that makes no sense is a mistake of the program."""
    kind, colon, action = permission.rpartition(":")
    if not colon or not kind or not action:
        raise ValueError(f"{permission!r} is no permission: write RESOURCE-TYPE:ACTION")
    is_node = isinstance(scope, tuple) and len(scope) == 2 and all(
        isinstance(one, str) for one in scope)
    if not is_node and scope not in (None, TENANT, ANYWHERE):
        raise ValueError(f'{scope!r} is no scope: write ("project", ID), TENANT or ANYWHERE')


def scope_text(scope: Scope) -> str:
    if isinstance(scope, tuple):
        return f"{scope[0]} {scope[1]}"
    return "the tenant" if scope in (None, TENANT) else "any scope"
