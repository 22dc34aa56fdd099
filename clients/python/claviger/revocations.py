# SPDX-License-Identifier: Apache-2.0
"""What has ended before its time, as far as the feed has been heard (docs/guides/revocation.md)."""
from __future__ import annotations

from typing import Any

from .errors import Unavailable
from .tokens import ACCESS_KEY_PREFIX, VerifiedToken

EVENT = "urn:claviger:event:"
SIGNING_KEYS_CHANGED = EVENT + "signing-keys-changed"
RULES_CHANGED = EVENT + "rules-changed"
SNAPSHOT = EVENT + "snapshot"


class Ended:
    """All that has ended up to entry `number` and could still be used. Written by one thread; the
    others read it meanwhile."""

    def __init__(self, number: int = 0):
        self.number = number
        self._not_before = 0
        self._names: dict[str, int] = {}  # of tokens and sessions, until when to remember them
        self._subjects: dict[str, tuple[int, bool]] = {}  # epoch, and whether it is active
        self._clients: dict[str, tuple[int, bool]] = {}
        self._secrets: dict[tuple[str, int], int] = {}

    def apply(self, event: str, facts: dict[str, Any]) -> None:
        if event == EVENT + "token-revoked":
            self._names[facts["jti"]] = facts["until"]
        elif event == EVENT + "session-revoked":
            self._names[facts["sid"]] = facts["until"]
        elif event == EVENT + "key-revoked":
            self._clients[facts["client_id"]] = facts["epoch"], facts["active"]
        elif event == EVENT + "principal-revoked":
            self._subjects[facts["sub"]] = facts["epoch"], facts["active"]
        elif event == EVENT + "secret-revoked":
            self._secrets[facts["client_id"], facts["secret"]] = facts["until"]
        elif event == EVENT + "tenant-revoked":
            self._not_before = max(self._not_before, facts["not_before"])
        elif event not in (SIGNING_KEYS_CHANGED, RULES_CHANGED):
            # It may end something; whoever cannot read it must not go on.
            raise Unavailable(f"this version does not know the event {event}: update it")

    def forget(self, now: float) -> None:
        """What would have expired by now. Principals and keys are as few as there are of them."""
        for name in [name for name, until in self._names.items() if until <= now]:
            del self._names[name]
        for secret in [secret for secret, until in self._secrets.items() if until <= now]:
            del self._secrets[secret]

    def why_ended(self, token: VerifiedToken) -> str | None:
        claims = token.claims
        client_id = claims["client_id"]
        if claims["jti"] in self._names:
            return "the token has been revoked"
        if claims.get("sid") in self._names:
            return "its sign-in has ended"
        if (client_id, token.secret) in self._secrets:
            return "the secret that it was got with has been revoked"
        if claims["iat"] < self._not_before:
            return "all tokens of the tenant have been ended"
        epoch, is_active = self._clients.get(client_id, (0, True))
        if not is_active:
            return "its key is deleted"
        of_subject, is_active = self._subjects.get(claims["sub"], (0, True))
        if not is_active:
            return "its owner is disabled or deleted"
        if not client_id.startswith(ACCESS_KEY_PREFIX):  # an access key has an epoch of its own
            epoch = max(epoch, of_subject)
        return "all tokens of its key have been ended" if token.epoch < epoch else None
