# SPDX-License-Identifier: Apache-2.0
"""Follows the server in the background: one thread reads the revocation feed, one fetches keys and
rules anew when they have changed or are due.

Everything that decides about tokens is signed by a key for security events and checked here; a gap,
or an entry that cannot be read, breaks the stream off, and what is known goes stale."""
from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any

from .clock import Clock
from .errors import ClavigerError, InvalidToken, Unavailable
from .keys import EVENTS, KeySet
from .revocations import RULES_CHANGED, SIGNING_KEYS_CHANGED, SNAPSHOT, Ended
from .rules import RuleSnapshot
from .session import Session, check_status
from .tokens import Expected, audiences, check_signature, parse
from .transport import Stream

FEED = "/api/v1/revocations/feed"
REVOCATIONS = "/api/v1/revocations/snapshot"
RULES = "/api/v1/authorization/snapshot"
EVENT_TYPE, EVENT_AUDIENCE = EVENTS, "urn:claviger:revocations"
RULES_TYPE, RULES_AUDIENCE = "access-snapshot+jwt", "urn:claviger:access-snapshot"
LONGEST_EVENT = 1 << 16
LONGEST_PART = 16 << 20
LONGEST_SNAPSHOT = 512 << 20
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 5.0
STOP_SECONDS = 5  # an answer that is being waited for is not waited for
RULE_MEMBERS = ("nodes", "roles", "users", "limits", "rules")

log = logging.getLogger("claviger")


class SignedTexts:
    """Reads what the server signs besides tokens."""

    def __init__(self, keys: KeySet, issuer: str):
        self._keys = keys
        self._issuer = issuer

    def read(self, text: Any, kind: str, audience: str, longest: int) -> dict[str, Any]:
        if not isinstance(text, str):
            raise Unavailable("a signed text is none")
        token = parse(text, longest)
        key = self._keys.current(token.kid)
        if key is None:  # the server has begun to sign with another one
            self._keys.refresh(after_a_change=True)
            key = self._keys.current(token.kid)
        if key is None:
            raise InvalidToken("the signing key is unknown")
        check_signature(token, key, kind, EVENTS)
        claims = token.claims
        if claims.get("iss") != self._issuer or audience not in audiences(claims):
            raise InvalidToken("it is of another issuer, or for somebody else")
        if "sub" in claims or "exp" in claims or "iat" not in claims or not claims.get("jti"):
            raise InvalidToken("it is no security event")
        return claims

    def parts(self, document: dict[str, Any], kind: str, audience: str) -> tuple[int, list[dict]]:
        """The number of a snapshot, and what its parts say: all of them, in order."""
        number, texts = document.get("number"), document.get("parts")
        if type(number) is not int or not isinstance(texts, list) or not texts:
            raise Unavailable("a snapshot has no number or no parts")
        read = []
        for place, text in enumerate(texts, 1):
            claims = self.read(text, kind, audience, LONGEST_PART)
            where = claims.get("number"), claims.get("part"), claims.get("last")
            if where != (number, place, place == len(texts)):
                raise InvalidToken("a part of a snapshot is missing")
            read.append(claims)
        return number, read


class Follower:
    """What the server has told so far. `discover` says whose tokens are good; it is asked once."""

    def __init__(self, session: Session, keys: KeySet, clock: Clock,
                 discover: Callable[[], Expected], issuer: str, has_rules: bool):
        self._session = session
        self._keys = keys
        self._clock = clock
        self._discover = discover
        self._texts = SignedTexts(keys, issuer)
        self._has_rules = has_rules
        self._stopping = threading.Event()
        self._stream: Stream | None = None
        self._needs_snapshot = False
        self._keys_changed = False
        self._rules_wanted: int | None = None  # as of this entry of the feed, or a later one
        self._rules_wanted_at = 0.0
        self._numbering = 0  # of the entries: another one after a restore
        self.changed = threading.Condition()
        self.expected: Expected | None = None
        self.ended: Ended | None = None
        self.rules: RuleSnapshot | None = None
        self.rules_outdated_since: float | None = None
        self.heard_at = 0.0
        self.problem: Exception | None = None
        self.connections = self.snapshots = self.failures = 0
        self._threads = [threading.Thread(target=work, name=f"claviger-{name}", daemon=True)
                         for name, work in (("feed", self._follow), ("refresh", self._refresh))]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self.disconnect()
        with self.changed:
            self.changed.notify_all()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def disconnect(self) -> None:
        """Ends the stream, as a network does: it is opened again where it stopped."""
        stream = self._stream
        if stream is not None:
            stream.close()

    @property
    def is_ready(self) -> bool:
        return self.ended is not None and (self.rules is not None or not self._has_rules)

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self.changed:
            return self.changed.wait_for(condition, seconds)

    # --- the feed ---------------------------------------------------------------------------------

    def _follow(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            try:
                self._begin()
                self._read_stream()
            except ClavigerError as error:
                self._note(error)
            except Exception as error:  # the thread lives on; what is known goes stale
                self._note(Unavailable(f"the feed cannot be read: {error!r}"))
            if self._clock.monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._stopping.wait(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _note(self, problem: Exception) -> None:
        if not self._stopping.is_set():
            log.warning("claviger: %s", problem)
            with self.changed:
                self.problem = problem
                self.failures += 1
                self.changed.notify_all()

    def _begin(self) -> None:
        if self.expected is None:
            self._keys.refresh()
            expected = self._discover()
            with self.changed:
                self.expected = expected
        if self.ended is None or self._needs_snapshot:
            self._load_revocations()

    def _load_revocations(self) -> None:
        number, parts = self._texts.parts(self._session.get(REVOCATIONS, LONGEST_SNAPSHOT),
                                          EVENT_TYPE, EVENT_AUDIENCE)
        ended = Ended(number)
        for part in parts:
            for facts in part["events"][SNAPSHOT]["revocations"]:
                ended.apply(facts["event"], facts)
        with self.changed:
            # Keys and rules may have changed in what the feed did not tell.
            self._numbering += 1
            self._rules_wanted = None
            self._want(keys=self.ended is not None, rules=number)
            self.ended = ended
            self.snapshots += 1
            self._needs_snapshot = False
            self._hear()

    def _hear(self) -> None:
        self.heard_at = self._clock.monotonic()
        self.changed.notify_all()

    def _read_stream(self) -> None:
        assert self.ended is not None
        stream = self._session.follow(FEED, {"Accept": "text/event-stream",
                                             "Last-Event-ID": str(self.ended.number)})
        self._stream = stream
        try:
            if self._stopping.is_set():
                return
            if stream.status == 410:
                self._load_revocations()
                return
            check_status(stream.status, FEED)
            if stream.content_type != "text/event-stream":
                raise Unavailable(f"{FEED}: the answer is no stream of events")
            self.connections += 1
            self.problem = None
            if self.connections > 1:  # to a server that was started anew, maybe with another map
                self._want(rules=self.ended.number)
            for line in stream.lines():
                if self._stopping.is_set():
                    return
                if line.startswith(b"data:"):
                    self._take(line[len(b"data:"):].strip().decode())
                with self.changed:
                    self._hear()
        finally:
            self._stream = None
            stream.end()

    def _take(self, text: str) -> None:
        assert self.ended is not None
        claims = self._texts.read(text, EVENT_TYPE, EVENT_AUDIENCE, LONGEST_EVENT)
        (event, facts), = claims["events"].items()
        if claims["number"] != self.ended.number + 1:
            self._needs_snapshot = True
            raise Unavailable("an entry of the feed is missing")
        if event == SIGNING_KEYS_CHANGED:
            if facts["burned"]:
                self._keys.burn(facts["kid"])
            self._want(keys=True)
        elif event == RULES_CHANGED:
            self._want(rules=claims["number"])
        self.ended.apply(event, facts)
        self.ended.forget(self._clock.now())
        self.ended.number = claims["number"]

    # --- keys and rules ---------------------------------------------------------------------------

    def _want(self, keys: bool = False, rules: int | None = None) -> None:
        with self.changed:
            self._keys_changed = self._keys_changed or keys
            if rules is not None and self._has_rules:
                now = self._clock.monotonic()
                if self._rules_wanted is None:
                    self._rules_wanted_at = now
                self._rules_wanted = max(rules, self._rules_wanted or 0)
                if self.rules_outdated_since is None:
                    self.rules_outdated_since = now
            self.changed.notify_all()

    def want_rules(self) -> None:
        """They may be older than what is asked about."""
        self._want(rules=0)

    def _has_work(self) -> bool:
        is_known = self.expected is not None
        return self._stopping.is_set() or (is_known and (
            self._keys_changed or self._rules_wanted is not None or self._keys.is_due()))

    def _refresh(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            with self.changed:
                self.changed.wait_for(self._has_work, max(1.0, self._keys.seconds_until_due()))
            try:
                self._refresh_once()
                pause = FIRST_PAUSE_SECONDS
            except Exception as error:  # the thread lives on; what is known goes stale
                self._note(error)
                self._stopping.wait(pause * random.uniform(0.5, 1))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _refresh_once(self) -> None:
        if self._stopping.is_set() or self.expected is None:
            return
        if self._keys_changed or self._keys.is_due():
            has_changed, self._keys_changed = self._keys_changed, False
            try:
                self._keys.refresh(after_a_change=has_changed)
                with self.changed:
                    self.changed.notify_all()
            except ClavigerError:
                self._want(keys=has_changed)
                raise
        if self._rules_wanted is not None:
            self._load_rules()

    def _load_rules(self) -> None:
        with self.changed:
            wanted, numbering = self._rules_wanted or 0, self._numbering
            self._rules_wanted = None  # what comes from now on is wanted anew
        began = self._clock.monotonic()
        try:
            rules = self._fetch_rules()
            if rules.number < wanted:
                raise Unavailable(f"{RULES}: older than the feed")
        except ClavigerError:
            with self.changed:
                self._want(rules=wanted if numbering == self._numbering else 0)
            raise
        with self.changed:
            self.rules = rules
            has_changed = self._rules_wanted is not None
            self.rules_outdated_since = self._rules_wanted_at if has_changed else None
            self.changed.notify_all()
        if has_changed:  # at most half of the time goes into rules that change all the time
            self._stopping.wait(min(self._clock.monotonic() - began, LONGEST_PAUSE_SECONDS))

    def _fetch_rules(self) -> RuleSnapshot:
        number, parts = self._texts.parts(self._session.get(RULES, LONGEST_SNAPSHOT), RULES_TYPE,
                                          RULES_AUDIENCE)
        try:
            return RuleSnapshot(number, {name: [one for part in parts for one in part.get(name, ())]
                                         for name in RULE_MEMBERS})
        except Exception as error:  # signed, but not as it should be
            raise Unavailable(f"{RULES}: the rules cannot be read: {error!r}") from error
