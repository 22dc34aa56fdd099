# SPDX-License-Identifier: Apache-2.0
"""Verifies Claviger's access tokens in a Python API and decides what their holders may do."""
from .errors import (Ambiguous, ClavigerError, ConfigurationError, Denied, InvalidToken,
                     MissingToken, Refused, Revoked, Stale, Unavailable)
from .routes import Route, ScopeFrom
from .rules import ANYWHERE, TENANT, Decision
from .tokens import VerifiedToken
from .verifier import Status, Verifier

__version__ = "0.1.0"
__all__ = ["ANYWHERE", "TENANT", "Ambiguous", "ClavigerError", "ConfigurationError", "Decision",
           "Denied", "InvalidToken", "MissingToken", "Refused", "Revoked", "Route", "ScopeFrom",
           "Stale", "Status", "Unavailable", "VerifiedToken", "Verifier"]
