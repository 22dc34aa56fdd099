# SPDX-License-Identifier: Apache-2.0
"""Access tokens (RFC 9068) and the server's other signed texts: their form, and what they must say.
As the server judges them on its own API; nothing here asks anybody."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .errors import InvalidToken
from .keys import ACCESS_TOKENS, SigningKey
from .strict import Malformed, decode_base64url, read_object

LONGEST_TOKEN = 8192  # characters
CLOCK_SKEW_SECONDS = 60  # iat and nbf may be this far ahead; exp has no leeway
ACCESS_KEY_PREFIX = "ak-"
TOKEN_ID_BYTES = 24
LARGEST_NUMBER = 2**63 - 1
SCOPE_TYPES = ("tenant", "cluster", "department", "project")
# RFC 8725 3.10: nothing in a header may bring a key, a format or a demand of its own.
REFUSED_MEMBERS = frozenset({"crit", "b64", "zip", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256",
                             "cty", "enc"})
TEXT_CLAIMS = ("iss", "sub", "client_id", "jti", "sid", "email", "scope", "within")
NUMBER_CLAIMS = ("exp", "iat", "nbf", "tenant")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SUBJECT = re.compile(rf"(user|sa):({UUID})")
SESSION = re.compile(UUID)
SCOPE_ID = re.compile(r"[!-9;-~]{1,64}")  # printable, no colon


@dataclass(frozen=True)
class ParsedToken:
    """What a token says, once its form is right and before anything is believed."""

    algorithm: str
    kid: str
    type: str
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes


@dataclass(frozen=True, eq=False)
class VerifiedToken(Mapping):
    """A token that is good. As a mapping, its claims: `token["sub"]`."""

    claims: Mapping[str, Any]
    subject_type: str  # "user" or "service-account", as in access rules
    subject_id: str  # the UUID
    epoch: int
    secret: int  # the number of the one that it was got with; 0: none
    permissions: frozenset[str] | None  # what it was narrowed to; None: everything
    within: tuple[str, str] | None  # the scope of the tree it was narrowed to
    text: str = field(repr=False)  # the token itself, to ask the server in its name
    key: SigningKey = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.claims[name]

    def __iter__(self):
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    @property
    def subject(self) -> str:
        return self.claims["sub"]

    @property
    def client_id(self) -> str:
        return self.claims["client_id"]

    @property
    def expires_at(self) -> int:
        return self.claims["exp"]


@dataclass(frozen=True)
class Expected:
    """Whose tokens are good, and for whom."""

    issuers: frozenset[str]
    audience: str
    tenant: int


def parse(text: str, longest: int = LONGEST_TOKEN) -> ParsedToken:
    """Exactly three parts of canonical base64url, header and payload strict JSON objects."""
    if len(text) > longest:
        raise InvalidToken("the token is too long")
    parts = text.split(".", 3)
    if len(parts) != 3:
        raise InvalidToken("the token has not three parts")
    try:
        header, claims = (read_object(decode_base64url(part)) for part in parts[:2])
        signature = decode_base64url(parts[2])
    except Malformed as error:
        raise InvalidToken(f"the token is malformed: {error}") from error
    if not REFUSED_MEMBERS.isdisjoint(header):
        raise InvalidToken("the header holds a member that is not allowed")
    algorithm, kid, kind = (_text(header, name) for name in ("alg", "kid", "typ"))
    for name in TEXT_CLAIMS:
        _text(claims, name)
    for name in NUMBER_CLAIMS:
        _check_number(claims, name)
    if "cnf" in claims:
        raise InvalidToken("the token is bound to a key")  # which was not shown (RFC 7800)
    return ParsedToken(algorithm, kid, kind, claims, text[:text.rindex(".")].encode(), signature)


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name, "")
    if not isinstance(value, str):
        raise InvalidToken(f"{name} is no text")
    return value


def _check_number(claims: dict[str, Any], name: str) -> None:
    if name in claims:
        value = claims[name]
        if type(value) is not int or not 0 <= value <= LARGEST_NUMBER:
            raise InvalidToken(f"{name} is no natural number")


def audiences(claims: dict[str, Any]) -> list[str]:
    """RFC 7519 4.1.3: one text or a list of them."""
    value = claims.get("aud", [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise InvalidToken("aud has the wrong type")
    return values


def check_signature(token: ParsedToken, key: SigningKey, kind: str, signed_by: str) -> None:
    """`kind` is the typ that it must have, `signed_by` what its key must sign."""
    if key.token_type != signed_by:
        raise InvalidToken("its key signs something else")
    if token.type != kind:
        raise InvalidToken(f"typ is not {kind}")
    if token.algorithm != key.algorithm:
        raise InvalidToken("alg does not fit the key")
    if not key.verify(token.signing_input, token.signature):
        raise InvalidToken("the signature is wrong")


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """In whole seconds, as the server reads the clock (RFC 7519 4.1.4 to 4.1.6)."""
    if "exp" not in claims or "iat" not in claims:
        raise InvalidToken("exp or iat is missing")
    second = int(now)
    if claims["exp"] <= second:
        raise InvalidToken("the token has expired")
    if claims["iat"] > second + CLOCK_SKEW_SECONDS:
        raise InvalidToken("the token is from the future: is this machine's clock right?")
    if claims.get("nbf", 0) > second + CLOCK_SKEW_SECONDS:
        raise InvalidToken("the token is not valid yet")


def read_token_id(text: str) -> tuple[int, int]:
    """The epoch of the key, and the number of the secret that the token was got with."""
    try:
        content = decode_base64url(text)
    except Malformed as error:
        raise InvalidToken("jti is not ours") from error
    if len(content) != TOKEN_ID_BYTES:
        raise InvalidToken("jti is not ours")
    return int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big")


def read_within(text: str) -> tuple[str, str]:
    kind, colon, value = text.partition(":")
    if not colon or kind not in SCOPE_TYPES or SCOPE_ID.fullmatch(value) is None:
        raise InvalidToken("the scope of the token is not ours")
    return kind, value


def judge(text: str, token: ParsedToken, key: SigningKey, expected: Expected,
          now: float) -> VerifiedToken:
    """A token of one of these issuers, for this audience and tenant, signed by a key for access
    tokens; whether it has ended is not asked here."""
    claims = token.claims
    check_signature(token, key, ACCESS_TOKENS, ACCESS_TOKENS)
    if claims.get("iss") not in expected.issuers:
        raise InvalidToken("the token is of another issuer")
    check_times(claims, now)
    if expected.audience not in audiences(claims):
        raise InvalidToken("the token is for another audience")
    if claims.get("tenant") != expected.tenant:
        raise InvalidToken("the token is of another tenant")
    if not claims.get("client_id"):
        raise InvalidToken("client_id is missing")
    subject = SUBJECT.fullmatch(claims.get("sub", ""))
    session = claims.get("sid", "")
    if subject is None or (session and SESSION.fullmatch(session) is None):
        raise InvalidToken("sub or sid is not ours")
    epoch, secret = read_token_id(claims.get("jti", ""))
    return VerifiedToken(
        claims=MappingProxyType(claims),
        subject_type="user" if subject[1] == "user" else "service-account", subject_id=subject[2],
        epoch=epoch, secret=secret,
        permissions=frozenset(claims["scope"].split(" ")) if "scope" in claims else None,
        within=read_within(claims["within"]) if "within" in claims else None, text=text, key=key)
