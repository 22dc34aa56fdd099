# SPDX-License-Identifier: Apache-2.0
"""Rows of `@bearer-any` at introspection: the same token, asked about by who may ask. Whatever is
wrong with it, the answer is that it is not active, or that the request is malformed or too long."""
from __future__ import annotations

from urllib.parse import quote

from . import placeholders, wire
from .rows import BEARER_ANY, Case, Row
from .world import World

ENDPOINT = BEARER_ANY["introspection"]
INACTIVE = '{"active":false}'


def is_introspection(case: Case) -> bool:
    return case.row.endpoint == "@bearer-any" and case.endpoint == ENDPOINT


def request_about(world: World, case: Case, token: str) -> bytes:
    headers = [b"Authorization: Bearer " + world.values["t.rs"].encode(),
               b"Content-Type: application/x-www-form-urlencoded"]
    body = "token=" + quote(token or token_of(world, case.row), safe="")
    return wire.request_bytes("POST", ENDPOINT, world.server.host, headers, body.encode())


def token_of(world: World, row: Row) -> str:
    """Of a row without a forgery: what follows the scheme in its header."""
    for line in row.headers:
        name, _, value = line.partition(": ")
        if name == "Authorization":
            return placeholders.expand(world.fill(value.partition(" ")[2])).decode("latin-1")
    return "no-token"


def complaints(answer: wire.Answer) -> list[str]:
    if answer.status == 200:
        return [] if answer.text() == INACTIVE else [f"introspected as {answer.text()[:200]}"]
    refused = answer.status in (400, 413) and "active" not in answer.text()
    return [] if refused else [f"status {answer.status}: {answer.text()[:200]}"]
