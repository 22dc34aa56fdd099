# SPDX-License-Identifier: Apache-2.0
"""Whose tokens are good: both issuers of the tenant, and its number, as the server itself tells
them."""
from __future__ import annotations

import re

from .errors import ConfigurationError, InvalidToken, Unavailable
from .feed import REVOCATIONS
from .keys import ACCESS_TOKENS, KeySet
from .session import Session, read_json
from .tokens import Expected, check_signature, parse
from .transport import Transport

METADATA = "/.well-known/openid-configuration"
KEY_SET = "/.well-known/jwks.json"
REALM = re.compile(r'\brealm="([a-z0-9-]{1,63})"')


def fetch_keys(transport: Transport) -> tuple[bytes, int | None]:
    answer = transport.request("GET", KEY_SET, {"Cache-Control": "no-cache"})
    if answer.status != 200:
        raise Unavailable(f"{KEY_SET}: the server answers {answer.status}")
    return answer.body, answer.max_age()


def issuer_at(transport: Transport, path: str) -> str | None:
    answer = transport.request("GET", path)
    if answer.status == 404:
        return None
    issuer = read_json(answer, path).get("issuer")
    return issuer if isinstance(issuer, str) else None


def discover(transport: Transport, session: Session, keys: KeySet, issuer: str,
             audience: str) -> Expected:
    """`issuer` must be the one that the server calls itself (RFC 8414 3.3). Tokens of the realm's
    issuer are as good; which realm it is, any challenge says, and the realm's own document."""
    told = issuer_at(transport, METADATA)
    if told != issuer:
        raise ConfigurationError(f"the server calls itself {told}, not {issuer}: name it as its "
                                 "public-url does, or give issuer=")
    challenge = transport.request("GET", REVOCATIONS).headers.get("WWW-Authenticate", "")
    realm = REALM.search(challenge)
    if realm is None:
        raise Unavailable("the server does not tell its realm")
    of_realm = f"{issuer}/auth/realms/{realm[1]}"
    if issuer_at(transport, f"/auth/realms/{realm[1]}{METADATA}") != of_realm:
        raise Unavailable(f"the realm {realm[1]} has no issuer of its own")
    issuers = frozenset({issuer, of_realm})
    return Expected(issuers, audience, tenant_of(session.token(), keys, issuers))


def tenant_of(own_token: str, keys: KeySet, issuers: frozenset[str]) -> int:
    """The tenant whose account the verifier has."""
    try:
        token = parse(own_token)
        key = keys.find(token.kid)
        if key is None or token.claims.get("iss") not in issuers:
            raise InvalidToken("it is of another server or tenant")
        check_signature(token, key, ACCESS_TOKENS, ACCESS_TOKENS)
    except InvalidToken as error:
        raise ConfigurationError(f"the verifier's own token is not good: {error}") from error
    return token.claims["tenant"]
