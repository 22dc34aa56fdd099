# SPDX-License-Identifier: Apache-2.0
"""Fills `{{name}}` and `@@WORD:...@@` in the cells of a row."""
from __future__ import annotations

import base64
import re
from collections.abc import Mapping

NAME = re.compile(r"\{\{([^}]*)\}\}")
WORD = re.compile(r"@@(REPEAT_REQUEST|REPEAT_HEADER|REPEAT|HEX):(.*?)@@", re.DOTALL)
FORGE = re.compile(r"\{\{forge:([^}]*)\}\}")


def percent_encode_all(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def flip_checksum(secret: str) -> str:
    return secret[:-1] + ("0" if secret[-1] != "0" else "1")


def value_of(name: str, values: Mapping[str, str]) -> str:
    kind, colon, rest = name.partition(":")
    if colon and kind in ("b64", "b64form"):
        pair = [values.get(part, part) for part in rest.split(":")]
        if kind == "b64form":  # RFC 6749 2.3.1; every byte, so that the decoding is what is tested
            pair = [percent_encode_all(part) for part in pair]
        return base64.b64encode(":".join(pair).encode()).decode()
    name, _, change = name.partition("|")
    if change == "flip-checksum":
        return flip_checksum(values[name])
    return values[name]


def fill(text: str, values: Mapping[str, str]) -> str:
    return NAME.sub(lambda found: value_of(found.group(1), values), text)


def repeated(argument: str, room: int | None) -> str:
    """`text:n`, where `{n}` counts from 0; no longer than `room` bytes when that is given."""
    text, _, count = argument.rpartition(":")
    times = int(count)
    if room is not None:
        times = min(times, room // len(text.replace("{n}", str(times))))
    return "".join(text.replace("{n}", str(number)) for number in range(times))


def expand(text: str, limit: int | None = None) -> bytes:
    """The bytes of a cell. With a limit, a repetition is cut so that all fits into it."""
    out = b""
    at = 0
    fixed = len(WORD.sub("", text).encode())
    for found in WORD.finditer(text):
        out += text[at:found.start()].encode()
        at = found.end()
        word, argument = found.groups()
        if word == "HEX":
            out += bytes.fromhex(argument)
        elif word == "REPEAT":
            out += repeated(argument, None if limit is None else limit - fixed).encode()
        else:
            raise ValueError(f"{word} is not for this cell")
    return out + text[at:].encode()


def expand_header(line: str) -> list[bytes]:
    found = WORD.fullmatch(line)
    if found and found.group(1) == "REPEAT_HEADER":
        text, _, count = found.group(2).rpartition(":")
        return [text.replace("{n}", str(number)).encode() for number in range(int(count))]
    return [expand(line)]


def expand_raw(text: str, host: str) -> bytes:
    """As expand, for bodies of RAW rows, which may be one request many times."""
    found = WORD.fullmatch(text)
    if found and found.group(1) == "REPEAT_REQUEST":
        line, _, count = found.group(2).rpartition(":")
        return f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * int(count)
    return expand(text)
