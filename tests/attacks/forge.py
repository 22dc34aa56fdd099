# SPDX-License-Identifier: Apache-2.0
"""The forged tokens of the JWT rows. Each is a token of the server's own making, signed again with
the server's own key, right but for one thing; `controls` are those with nothing wrong."""
from __future__ import annotations

import base64
import datetime
import time
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

from . import jose
from .stored_keys import StoredKey, derive

LONGEST_HEADER = 8 * 1024  # a longer one is refused before anybody looks at the token
FITS = 6000  # characters, with room for the other headers

FORGERIES: dict[str, Callable[[Forge], list[str]]] = {}


def forgery(name: str):
    def add(function: Callable[[Forge], list[str] | str]):
        def tokens(forge: Forge) -> list[str]:
            made = function(forge)
            return [made] if isinstance(made, str) else made

        FORGERIES[name] = tokens
        return function

    return add


class Forge:
    def __init__(self, issued: str, keys: list[StoredKey], foreign: str, master: bytes,
                 admin_email: str, refresh_url: str):
        """`issued` is a good access token of tenant 1, `foreign` one of another tenant,
        `refresh_url` an address where any visit is noticed."""
        self.issued = issued
        self.claims = jose.claims_of(issued)
        self.keys = {(key.algorithm, key.purpose): key for key in keys if key.tenant == 1}
        self.key = self.keys["ES256", "access_token"]
        self.foreign = foreign
        self.master = master
        self.admin_email = admin_email
        self.trap = refresh_url
        self.attacker = ec.generate_private_key(ec.SECP256R1())
        self.header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}

    def make(self, *, header: dict | None = None, without: str = "", key: object = None,
             **claims: object) -> str:
        """The good token with these header members and claims changed or left out."""
        head = {**self.header, **(header or {})}
        head = {name: value for name, value in head.items() if name != without}
        body = {**self.claims, **claims}
        body = {name: value for name, value in body.items() if name != without}
        return jose.token(head, body, self.key.private if key is None else key)

    def signed_text(self, header: str, payload: str) -> str:
        """Header and payload as exact base64url text."""
        text = f"{header}.{payload}"
        return f"{text}.{jose.b64(jose.sign(self.key.private, text))}"

    def controls(self) -> dict[str, str]:
        """What must be accepted, so that a refusal of the others proves something."""
        now = int(time.time())
        made = {
            "as issued": self.issued,
            "signed again": self.make(),
            "aud is a list with us": self.make(aud=["other", self.claims["aud"]]),
            "nbf in the past": self.make(nbf=now - 5),
            "exp soon": self.make(exp=now + 600),
            "unknown claim": self.make(extra={"a": [1]}),
        }
        rs256 = self.keys.get(("RS256", "access_token"))
        if rs256:
            made["RS256"] = self.make(header={"alg": "RS256", "kid": rs256.kid},
                                      key=rs256.private)
        return made

    def tokens(self, name: str) -> list[str]:
        return FORGERIES[name](self)


# --- algorithm and key ----------------------------------------------------------------------------


def unsigned(forge: Forge, alg: str) -> str:
    head = jose.b64(jose.compact({**forge.header, "alg": alg}).encode())
    return f"{head}.{jose.b64(jose.compact(forge.claims).encode())}."


@forgery("alg-none")
def _(forge: Forge):
    good = forge.make()
    signed_as_none = jose.token({**forge.header, "alg": "none"}, forge.claims, forge.key.private)
    return [unsigned(forge, "none"), good[: good.rindex(".") + 1], signed_as_none]


@forgery("alg-None")
def _(forge: Forge):
    return [unsigned(forge, alg) for alg in ("None", "NONE", "nOnE", "")]


@forgery("sig-missing")
def _(forge: Forge):
    return forge.make().rpartition(".")[0]


@forgery("hs256-pem")
def _(forge: Forge):
    pem = jose.public_pem(forge.key.private)
    return [forge.make(header={"alg": "HS256"}, key=text) for text in (pem, pem.strip())]


@forgery("hs256-jwk")
def _(forge: Forge):
    public = jose.ec_jwk(forge.key.private)
    published = {**public, "use": "sig", "alg": "ES256", "kid": forge.key.kid}
    return [forge.make(header={"alg": "HS256"}, key=jose.compact(jwk).encode())
            for jwk in (public, published)]


@forgery("hs256-empty")
def _(forge: Forge):
    return forge.make(header={"alg": "HS256"}, key=b"")


@forgery("alg-ps256")
def _(forge: Forge):
    rs256 = forge.keys["RS256", "access_token"]
    head, payload, _ = forge.make(header={"alg": "PS256", "kid": rs256.kid}).split(".")
    text = f"{head}.{payload}"
    return f"{text}.{jose.b64(jose.sign_pss(rs256.private, text))}"


@forgery("wrong-use-key")
def _(forge: Forge):
    id_key = forge.keys["ES256", "id_token"]
    pepper = derive(forge.master, "claviger secret pepper 1")
    return [
        forge.make(header={"kid": id_key.kid}, key=id_key.private),
        forge.make(key=id_key.private),
        forge.make(header={"alg": "HS256"}, key=pepper),
    ]


@forgery("kid-unknown")
def _(forge: Forge):
    attacker = jose.thumbprint(jose.ec_jwk(forge.attacker))
    return [forge.make(header={"kid": attacker}), forge.make(header={"kid": ""}),
            forge.make(header={"kid": attacker}, key=forge.attacker)]


@forgery("kid-absent")
def _(forge: Forge):
    return forge.make(without="kid")


@forgery("kid-sql")
def _(forge: Forge):
    return forge.make(header={"kid": "x' UNION SELECT sealed_private_key FROM signing_key--"})


@forgery("kid-url")
def _(forge: Forge):
    return [forge.make(header={"kid": url}) for url in ("http://127.0.0.1:9/", forge.trap)]


@forgery("kid-nonstring")
def _(forge: Forge):
    return [forge.make(header={"kid": kid})
            for kid in (1, [forge.key.kid], {"kid": forge.key.kid}, None, True)]


def with_key_header(forge: Forge, members: dict) -> list[str]:
    """Signed by the attacker, and, for the header alone, by the server's key."""
    return [forge.make(header=members, key=forge.attacker), forge.make(header=members)]


@forgery("jku")
def _(forge: Forge):
    attacker = jose.thumbprint(jose.ec_jwk(forge.attacker))
    return with_key_header(forge, {"jku": forge.trap, "kid": attacker}) + with_key_header(
        forge, {"jku": forge.trap}) + with_key_header(forge, {"x5u": forge.trap})


@forgery("jwk-embedded")
def _(forge: Forge):
    return with_key_header(forge, {"jwk": jose.ec_jwk(forge.attacker)})


@forgery("x5c-selfsigned")
def _(forge: Forge):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "claviger")])
    today = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(forge.attacker.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .sign(forge.attacker, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return with_key_header(forge, {"x5c": [base64.b64encode(der).decode()]})


# --- signature values -----------------------------------------------------------------------------


def with_signature(forge: Forge, signature: bytes) -> str:
    return forge.make().rpartition(".")[0] + "." + jose.b64(signature)


@forgery("es256-zero")
def _(forge: Forge):
    return [with_signature(forge, bytes(64)), with_signature(forge, b"")]


@forgery("es256-ge-n")
def _(forge: Forge):
    text = forge.make().rpartition(".")[0]
    r, s = jose.es256_numbers(forge.key.private, text)
    order = jose.P256_ORDER
    made = []
    for pair in ((order, s), (r, order), (r, 2**256 - 1)):
        made.append(f"{text}.{jose.b64(jose.raw_signature(*pair))}")
    return made


@forgery("es256-der")
def _(forge: Forge):
    text = forge.make().rpartition(".")[0]
    der = utils.encode_dss_signature(*jose.es256_numbers(forge.key.private, text))
    return f"{text}.{jose.b64(der)}"


@forgery("es256-21830")
def _(forge: Forge):
    text, _, signature = forge.make().rpartition(".")
    good = jose.unb64(signature)
    return [f"{text}.{jose.b64((good * 256)[:16372])}", f"{text}.{jose.b64((good * 64)[:4096])}",
            f"{text}.{jose.b64(good + bytes(1))}", f"{text}.{jose.b64(good[:-1])}"]


@forgery("es256-hi-s")
def _(forge: Forge):
    text = forge.make().rpartition(".")[0]
    r, s = jose.es256_numbers(forge.key.private, text)
    return f"{text}.{jose.b64(jose.raw_signature(r, jose.P256_ORDER - s))}"
