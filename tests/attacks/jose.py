# SPDX-License-Identifier: Apache-2.0
"""The smallest JOSE that can also do everything wrong: each part of a token is given as text."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def claims_of(token: str) -> dict:
    return json.loads(unb64(token.split(".")[1]))


def header_of(token: str) -> dict:
    return json.loads(unb64(token.split(".")[0]))


def es256_numbers(key: ec.EllipticCurvePrivateKey, text: str) -> tuple[int, int]:
    """r and s, with the smaller of the two possible s."""
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return r, min(s, P256_ORDER - s)


def raw_signature(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(key: object, text: str) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return raw_signature(*es256_numbers(key, text))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(text.encode())
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign_pss(key: rsa.RSAPrivateKey, text: str) -> bytes:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    return key.sign(text.encode(), scheme, hashes.SHA256())


def token(header: object, payload: object, key: object) -> str:
    """A compact token; header and payload are objects or exact JSON text."""
    parts = [part if isinstance(part, str) else compact(part) for part in (header, payload)]
    text = ".".join(b64(part.encode()) for part in parts)
    return f"{text}.{b64(sign(key, text))}"


def public_pem(key: object) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def ec_jwk(key: ec.EllipticCurvePrivateKey) -> dict:
    numbers = key.public_key().public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": b64(numbers.x.to_bytes(32, "big")),
        "y": b64(numbers.y.to_bytes(32, "big")),
    }


def thumbprint(jwk: dict) -> str:
    """RFC 7638; the members above are the required ones, in order."""
    return b64(hashlib.sha256(compact(jwk).encode()).digest())


def with_spare_bits(text: str) -> str | None:
    """The same bytes with other trailing bits; None when the last character has none to spare."""
    if len(text) % 4 not in (2, 3):
        return None
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]
