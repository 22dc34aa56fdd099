# SPDX-License-Identifier: Apache-2.0
"""What goes wrong: requests that are refused, and a verifier that cannot do its work.

A `Refused` knows its answer: status, RFC 6750 error code and challenge. Its text is for the log and
for whoever runs the API; a stranger is told only what `public_message` says."""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rules import Decision


class ClavigerError(Exception):
    """Everything that this package raises."""


class ConfigurationError(ClavigerError):
    """Something that trying again does not mend: a wrong address, secret, permission or route."""


class Unavailable(ClavigerError):
    """The server could not be asked, or gave no answer that can be used."""


class WouldWait(ClavigerError):
    """The answer needs the network, and the caller may not wait for it."""


class Refused(ClavigerError):
    """The request may not pass."""

    status = 401
    error: str | None = None  # of RFC 6750 3.1
    public_message = "The request is refused."

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class MissingToken(Refused):
    """No token was sent: a challenge without an error code (RFC 6750 3.1)."""

    public_message = "A bearer token is needed."


class InvalidToken(Refused):
    """The token is not good: malformed, forged, expired, or for somebody else."""

    error = "invalid_token"
    public_message = "The bearer token is not valid."


class Revoked(InvalidToken):
    """The token has ended before its time."""


class Stale(Refused):
    """What has ended or changed meanwhile is not known: nothing was heard for longer than the
    lease. The token may be good; the same request may pass later."""

    status = 503
    public_message = "Tokens cannot be checked at the moment."


class Ambiguous(Refused):
    """Two programs could read the request differently, so that the one that judges it would not
    be sure which one the other answers."""

    status = 403
    public_message = "The request is not canonical."


class Denied(Refused):
    """The token is good, and what it asks for is not permitted."""

    status = 403
    error = "insufficient_scope"
    public_message = "You do not have sufficient permissions."

    def __init__(self, reason: str, permission: str | None = None,
                 decision: Decision | None = None):
        super().__init__(reason)
        self.permission = permission
        self.decision = decision
