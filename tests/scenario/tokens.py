# SPDX-License-Identifier: Apache-2.0
"""Takes tokens apart, and puts wrong ones together."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def header_of(token: str) -> dict:
    return json.loads(decode(token.split(".")[0]))


def claims_of(token: str) -> dict:
    return json.loads(decode(token.split(".")[1]))


def without_signature(token: str, algorithm: str) -> str:
    head = header_of(token) | {"alg": algorithm}
    return f"{encode(json.dumps(head).encode())}.{token.split('.')[1]}."


def with_header(token: str, **members: object) -> str:
    """The same payload and signature under another header."""
    head = header_of(token) | members
    _, payload, signature = token.split(".")
    return f"{encode(json.dumps(head).encode())}.{payload}.{signature}"


def signed_by_mac(token: str, secret: bytes) -> str:
    head = encode(json.dumps(header_of(token) | {"alg": "HS256"}).encode())
    text = f"{head}.{token.split('.')[1]}"
    return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"
