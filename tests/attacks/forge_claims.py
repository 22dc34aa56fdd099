# SPDX-License-Identifier: Apache-2.0
"""The forgeries that are wrong in claims, form or size."""
from __future__ import annotations

import os
import time

from . import jose
from .forge import FITS, FORGERIES, LONGEST_HEADER, Forge, forgery

# Whoever takes the table from here, takes it with all forgeries in it.
__all__ = ["FORGERIES", "is_too_long"]


def with_text(forge: Forge, name: str, text: str) -> str:
    """A claim as exact JSON text."""
    marker = "@here@"
    payload = jose.compact({**forge.claims, name: marker}).replace(f'"{marker}"', text)
    return jose.token(forge.header, payload, forge.key.private)


# --- times, issuer, audience, kind ----------------------------------------------------------------


@forgery("exp-past")
def _(forge: Forge):
    return forge.make(exp=int(time.time()) - 61)


@forgery("exp-missing")
def _(forge: Forge):
    return forge.make(without="exp")


@forgery("exp-inf")
def _(forge: Forge):
    later = int(time.time()) + 3600
    return [with_text(forge, "exp", text)
            for text in ("1e400", "1e10", f"{later}.0", f'"{later}"', str(2**64), "true", "null")]


@forgery("exp-neg")
def _(forge: Forge):
    return [with_text(forge, "exp", text) for text in ("-1", "-9223372036854775808", "0")]


@forgery("nbf-future")
def _(forge: Forge):
    return forge.make(nbf=int(time.time()) + 63)


@forgery("iat-future")
def _(forge: Forge):
    now = int(time.time())
    return forge.make(iat=now + 3600, exp=now + 7200)


@forgery("iss-slash")
def _(forge: Forge):
    issuer = forge.claims["iss"]
    return [forge.make(iss=text) for text in (issuer + "/", issuer.upper(), issuer + "\u200b")]


@forgery("iss-missing")
def _(forge: Forge):
    return [forge.make(without="iss"), forge.make(iss="")]


@forgery("aud-missing")
def _(forge: Forge):
    return [forge.make(without="aud"), forge.make(aud=""), forge.make(aud=[])]


@forgery("aud-array-without")
def _(forge: Forge):
    ours = forge.claims["aud"]
    return [forge.make(aud=["other", "another"]), forge.make(aud=[ours + "x", ours.upper()])]


@forgery("typ-jwt")
def _(forge: Forge):
    return forge.make(header={"typ": "JWT"})


@forgery("typ-missing")
def _(forge: Forge):
    return [forge.make(without="typ"), forge.make(header={"typ": ""})]


@forgery("refresh-as-access")
def _(forge: Forge):
    opaque = "clvr_" + "0" * 49
    return [opaque, forge.make(header={"typ": "rt+jwt"})]


@forgery("logout-token")
def _(forge: Forge):
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    return forge.make(header={"typ": "logout+jwt"}, events=event)


@forgery("sub-collision")
def _(forge: Forge):
    account = forge.claims["sub"].partition(":")[2]
    return [forge.make(sub=sub)
            for sub in (forge.admin_email, "user:" + forge.admin_email, "user:" + account, account)]


@forgery("nul-in-sub")
def _(forge: Forge):
    return [forge.make(sub=forge.claims["sub"] + "\0"), forge.make(sub="\0" + forge.claims["sub"])]


@forgery("other-tenant")
def _(forge: Forge):
    return [forge.foreign, forge.make(tenant=2), forge.make(without="tenant")]


# --- form -----------------------------------------------------------------------------------------


@forgery("crit-empty")
def _(forge: Forge):
    return [forge.make(header={"crit": crit}) for crit in ([], ["exp"], "exp", None)]


@forgery("b64-false")
def _(forge: Forge):
    head = jose.b64(jose.compact({**forge.header, "b64": False, "crit": ["b64"]}).encode())
    payload = jose.compact(forge.claims)
    signature = jose.b64(jose.sign(forge.key.private, f"{head}.{payload}"))
    encoded = jose.b64(payload.encode())
    return [f"{head}.{encoded}.{signature}", f"{head}..{signature}",
            forge.make(header={"b64": False})]


@forgery("jwe")
def _(forge: Forge):
    head = jose.b64(jose.compact({"alg": "dir", "enc": "A256GCM", "kid": forge.key.kid}).encode())
    return f"{head}..{jose.b64(os.urandom(12))}.{jose.b64(os.urandom(64))}.{jose.b64(bytes(16))}"


@forgery("pbes2-p2c")
def _(forge: Forge):
    members = {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31, "p2s": "AAAA"}
    head = jose.b64(jose.compact(members).encode())
    return [f"{head}.{jose.b64(bytes(24))}.{jose.b64(bytes(12))}.AAAA.{jose.b64(bytes(16))}",
            forge.make(header=members)]


@forgery("nested")
def _(forge: Forge):
    head = {**forge.header, "cty": "JWT"}
    return jose.token(head, forge.make(), forge.key.private)


@forgery("json-serialization")
def _(forge: Forge):
    head, payload, signature = forge.make().split(".")
    flat = {"payload": payload, "protected": head, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": head, "signature": signature}]}
    return [jose.compact(flat), jose.compact(general)]


@forgery("dup-header")
def _(forge: Forge):
    head = jose.compact(forge.header)
    twice = [head[:-1] + ',"alg":"none"}', '{"alg":"none",' + head[1:],
             head[:-1] + ',"alg":"ES256"}', head[:-1] + ',"\\u0061lg":"none"}']
    return [jose.token(text, forge.claims, forge.key.private) for text in twice]


@forgery("payload-array")
def _(forge: Forge):
    return [jose.token(forge.header, payload, forge.key.private)
            for payload in ([forge.claims], '"text"', "", "null", jose.compact(forge.claims) + "x")]


@forgery("b64-noncanonical")
def _(forge: Forge):
    made = []
    head, payload, signature = forge.make().split(".")
    made.append(f"{head}.{payload}.{jose.with_spare_bits(signature)}")
    for pad in range(3):  # one length of three leaves no bits
        head = jose.b64(jose.compact({**forge.header, "x": "a" * pad}).encode())
        payload = jose.b64(jose.compact({**forge.claims, "x": "a" * pad}).encode())
        if other := jose.with_spare_bits(head):
            made.append(forge.signed_text(other, payload))
        if other := jose.with_spare_bits(payload):
            made.append(forge.signed_text(head, other))
    return made


@forgery("b64-standard")
def _(forge: Forge):
    while True:
        text, _, signature = forge.make().rpartition(".")
        if "-" in signature and "_" in signature:
            swapped = signature.replace("-", "+").replace("_", "/")
            padded = signature + "=" * (-len(signature) % 4)
            return [f"{text}.{swapped}", f"{text}.{padded}"]


@forgery("b64-whitespace")
def _(forge: Forge):
    good = forge.make()
    middle = good.index(".") + 20
    # A line break cannot stand in a header at all (HTTP-010 to HTTP-014); a blank and a tab can.
    return [good[:middle] + blank + good[middle:] for blank in (" ", "\t")]


# --- size -----------------------------------------------------------------------------------------


@forgery("dots-1e6")
def _(forge: Forge):
    return ["." * 1_000_000, "." * FITS, forge.make() + "." * 1000]


@forgery("size-1MB")
def _(forge: Forge):
    return [forge.make(x="a" * 750_000), forge.make(x="a" * (FITS // 2)) + "A"]


@forgery("truncate-80")
def _(forge: Forge):
    good = forge.make()
    return [good[:80], good[:-1], good[:-2], good[1:]]


@forgery("deep-claims")
def _(forge: Forge):
    def nested(depth: int) -> list[str]:
        return [with_text(forge, "x", "[" * depth + "]" * depth),
                with_text(forge, "x", '{"a":' * (depth // 3) + "1" + "}" * (depth // 3))]

    return nested(10_000) + nested(1_500)


def is_too_long(token: str) -> bool:
    """So long that the head of the request is refused before the token is read."""
    return len(token) > LONGEST_HEADER - 256
