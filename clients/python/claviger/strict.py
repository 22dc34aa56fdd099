# SPDX-License-Identifier: Apache-2.0
"""Base64url and JSON from strangers, read in one way only. Python's own readers take the last of
two equal members, NaN, padding in the middle and spare bits; the server takes none of them."""
from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable
from typing import Any

ALPHABET = re.compile(r"[A-Za-z0-9_-]*")
CONTROL = re.compile("[\x00-\x1f\ud800-\udfff]")
DEEPEST = 8  # objects and arrays inside one another
MOST_MEMBERS = 64  # of one object


class Malformed(ValueError):
    """The text is not what it should be; the message is a fixed sentence."""


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Without padding, without spare bits (RFC 4648 3.5, RFC 7515 2)."""
    if ALPHABET.fullmatch(text) is None or len(text) % 4 == 1:
        raise Malformed("it is not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise Malformed("it is not canonical base64url")
    return data


def read_object(data: bytes) -> dict[str, Any]:
    """A JSON object without duplicate members, control characters, or numbers that are none."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_float=_finite,
                           parse_constant=_no_constant)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("it is not valid JSON") from error
    if not isinstance(value, dict):
        raise Malformed("it is no JSON object")
    _check(value, b"\\" in data)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("an object has the same member twice")
    if len(members) > MOST_MEMBERS:
        raise Malformed("an object has too many members")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Malformed("a number is too large")
    return number


def _no_constant(_text: str) -> None:
    raise Malformed("it is not valid JSON")


def _check(value: dict[str, Any], has_escapes: bool) -> None:
    """Control characters come in by escapes only: the reader itself takes no plain ones."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEEPEST:
            raise Malformed("it is nested too deeply")
        below = one
        if isinstance(one, dict):
            below = one.values()
            if has_escapes:
                check_texts(one)
        if has_escapes:
            check_texts(inner for inner in below if isinstance(inner, str))
        waiting += [(inner, depth + 1) for inner in below if isinstance(inner, (dict, list))]


def check_texts(texts: Iterable[str]) -> None:
    if any(map(CONTROL.search, texts)):
        raise Malformed("a string holds control characters")
