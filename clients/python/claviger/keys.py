# SPDX-License-Identifier: Apache-2.0
"""The server's public keys (RFC 7517): read, kept, fetched again.

A key has one algorithm and signs one kind of token. Both come from the key set, never from a token
(RFC 8725 3.1). Known keys serve on for a day while the server is away; a burned one never again."""
from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt.algorithms
from cryptography.exceptions import UnsupportedAlgorithm

from .clock import Clock
from .errors import ClavigerError, Stale, Unavailable, WouldWait
from .strict import Malformed, read_object

# What a key signs, by its member token_typ. Keys for events sign the rules as well.
ACCESS_TOKENS, ID_TOKENS, EVENTS = "at+jwt", "JWT", "secevent+jwt"
TOKEN_TYPES = (ACCESS_TOKENS, ID_TOKENS, EVENTS)
# The server's algorithms: kind of key, curve, and the name under which PyJWT has the algorithm.
ALGORITHMS = {"ES256": ("EC", "P-256", "ES256"), "RS256": ("RSA", None, "RS256"),
              "Ed25519": ("OKP", "Ed25519", "EdDSA")}
# Half the order of P-256 (FIPS 186-4 D.1.2.3).
LARGEST_S = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
FEWEST_RSA_BITS = 2048
USUAL_SECONDS = 600  # that a key set is good without being asked for again
FEWEST_SECONDS, MOST_SECONDS = 30, 3600
UNKNOWN_KEY_SECONDS = 30  # between two fetches for keys that are not known
LONGEST_AWAY_SECONDS = 24 * 3600
MOST_REMEMBERED = 1000  # unknown key ids

VERIFIERS = jwt.algorithms.get_default_algorithms()


@dataclass(frozen=True, eq=False)
class SigningKey:
    kid: str
    algorithm: str
    token_type: str
    source: str = field(repr=False)  # the JWK, to tell whether a key is the same
    public: Any = field(repr=False)
    signature_bytes: int = field(repr=False)

    def verify(self, message: bytes, signature: bytes) -> bool:
        if len(signature) != self.signature_bytes:
            return False
        if self.algorithm == "ES256" and int.from_bytes(signature[32:], "big") > LARGEST_S:
            return False  # its twin is the good one: a token has one signature
        verifier = VERIFIERS[ALGORITHMS[self.algorithm][2]]
        return verifier.verify(message, self.public, signature)


def read_key(jwk: Any) -> SigningKey | None:
    """Nothing for a key that is no signing key of ours, which the set may hold as well."""
    if not isinstance(jwk, dict) or jwk.get("use") != "sig":
        return None
    kid, algorithm, token_type = jwk.get("kid"), jwk.get("alg"), jwk.get("token_typ")
    if not isinstance(kid, str) or not kid or token_type not in TOKEN_TYPES:
        return None
    if algorithm not in ALGORITHMS:
        return None
    kind, curve, name = ALGORITHMS[algorithm]
    if jwk.get("kty") != kind or jwk.get("crv") != curve or "d" in jwk:
        return None
    source = json.dumps(jwk, sort_keys=True)
    try:
        public = VERIFIERS[name].from_jwk(source)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return None
    bits = getattr(public, "key_size", 512)
    if kind == "RSA" and bits < FEWEST_RSA_BITS:
        return None
    return SigningKey(kid, algorithm, token_type, source, public,
                      bits // 8 if kind == "RSA" else 64)


def read_key_set(body: bytes) -> dict[str, SigningKey]:
    try:
        listed = read_object(body).get("keys")
    except Malformed as error:
        raise Unavailable(f"the key set cannot be read: {error}") from error
    if not isinstance(listed, list):
        raise Unavailable("the key set has no list of keys")
    keys: dict[str, SigningKey] = {}
    for key in filter(None, map(read_key, listed)):
        if key.kid in keys:
            raise Unavailable(f"the key set has the key {key.kid} twice")
        keys[key.kid] = key
    return keys


class KeySet:
    """`fetch` gives the body of the key set and for how many seconds it is good, or None."""

    def __init__(self, fetch: Callable[[], tuple[bytes, int | None]], clock: Clock,
                 algorithms: tuple[str, ...] = tuple(ALGORITHMS)):
        self._fetch = fetch
        self._clock = clock
        self._algorithms = algorithms
        self._keys: dict[str, SigningKey] = {}
        self._burned: set[str] = set()
        self._unknown: dict[str, float] = {}  # until when they are not asked for again
        self._fetching = threading.Lock()
        self._fetches = 0
        self._fetched_at: float | None = None
        self._due_at = 0.0
        self._asked_at: float | None = None  # for an unknown key

    @property
    def is_loaded(self) -> bool:
        return self._fetched_at is not None

    def is_due(self) -> bool:
        return self._clock.monotonic() >= self._due_at

    def seconds_until_due(self) -> float:
        return max(0.0, self._due_at - self._clock.monotonic())

    def current(self, kid: str) -> SigningKey | None:
        """A key that is known; nothing is asked."""
        fetched_at = self._fetched_at
        if fetched_at is None or self._clock.monotonic() - fetched_at > LONGEST_AWAY_SECONDS:
            raise Stale("the key set could not be fetched for a day")
        key = self._keys.get(kid)
        return None if key is None or kid in self._burned else key

    def find(self, kid: str, may_wait: bool = True) -> SigningKey | None:
        """Asks for the set anew when the key is unknown, but seldom."""
        key = self.current(kid)
        if key is not None or not kid or kid in self._burned:
            return key
        may_ask, is_fetching = self._may_ask_for(kid), self._fetching.locked()
        if not may_ask and not is_fetching:
            return None
        if not may_wait:
            raise WouldWait("the key set must be fetched")
        if not may_ask:
            with self._fetching:  # somebody asks already
                return self.current(kid)
        self._asked_at = self._clock.monotonic()
        try:
            self.refresh()
        except ClavigerError:
            return None
        key = self.current(kid)
        if key is None:
            self._remember_unknown(kid)
        return key

    def _may_ask_for(self, kid: str) -> bool:
        now = self._clock.monotonic()
        is_quiet = self._asked_at is None or now - self._asked_at >= UNKNOWN_KEY_SECONDS
        return is_quiet and now >= self._unknown.get(kid, 0.0)

    def _remember_unknown(self, kid: str) -> None:
        if len(self._unknown) >= MOST_REMEMBERED:
            self._unknown = {}
        self._unknown[kid] = self._clock.monotonic() + USUAL_SECONDS

    def refresh(self, after_a_change: bool = False) -> None:
        """Fetches the set. Who comes while somebody fetches waits for what that one gets, unless
        the set has changed: that fetch may have begun before."""
        fetches = self._fetches
        with self._fetching:
            if self._fetches != fetches and not after_a_change:
                return
            # A failure, too, is not repeated at once.
            self._due_at = self._clock.monotonic() + FEWEST_SECONDS
            body, seconds = self._fetch()
            self._take(read_key_set(body))
            kept = USUAL_SECONDS if seconds is None else seconds
            now = self._clock.monotonic()
            self._due_at = now + min(max(kept, FEWEST_SECONDS), MOST_SECONDS)
            self._fetched_at = now
            self._fetches += 1

    def _take(self, keys: dict[str, SigningKey]) -> None:
        kept = {}
        for kid, key in keys.items():
            old = self._keys.get(kid)
            if key.algorithm in self._algorithms:
                # The same object for the same key: what it has verified stays verified.
                kept[kid] = old if old is not None and old.source == key.source else key
        self._keys = kept
        self._unknown = {}

    def burn(self, kid: str) -> None:
        """Refuses the key from now on, whatever a cache on the way says of it."""
        self._burned.add(kid)
