# SPDX-License-Identifier: Apache-2.0
"""Reads corpus.tsv and the small files beside it, and spreads rows over the endpoints they name."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAMILIES = ("HTTP", "V1", "V2", "JWT", "ADM", "INT", "FWD")

# A row written for `@token-form` runs on each of these.
TOKEN_FORM = {
    "v2": "/api/v2/token",
    "oauth2": "/oauth2/token",
    "realm": "/auth/realms/runai/protocol/openid-connect/token",
}
# A row written for `@bearer-any` runs on everything that takes a bearer token; the
# verifier libraries are shown the forged tokens in test_jwt.py and test_jwt_python.py.
BEARER_ANY = {"api": "/api/v1/service-accounts", "introspection": "/oauth2/introspect",
              "forward-auth": "/forward-auth"}
# A row of what gateways ask is also asked as Envoy does.
ASKED = {"forward-auth": "/forward-auth", "ext-authz": "/ext-authz"}


@dataclass(frozen=True)
class Row:
    id: str
    endpoint: str
    method: str
    headers: tuple[str, ...]
    body: object
    expected_status: tuple[str, ...]
    expected: tuple[str, ...]
    forbidden: tuple[str, ...]
    note: str

    @property
    def family(self) -> str:
        return self.id.split("-")[0]


@dataclass(frozen=True)
class Case:
    """One row at one endpoint."""

    row: Row
    endpoint: str
    name: str
    number: int  # within the family; gives the case a source address of its own


def read_pairs(file: str) -> list[tuple[str, ...]]:
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]


def later() -> dict[str, str]:
    """Row, or `row/part`, to the feature it waits for."""
    return dict(read_pairs("later.txt"))


def covered() -> dict[str, tuple[str, str]]:
    return {row: (file, name) for row, file, name in read_pairs("covered.txt")}


def refused() -> dict[str, str]:
    return dict(read_pairs("refused.tsv"))


def parse_row(line: str) -> Row:
    cells = line.split("\t")
    if len(cells) != 9:
        raise ValueError(f"{cells[0]}: {len(cells)} cells, not 9")
    id_, endpoint, method, headers, body, status, expected, forbidden, note = cells
    return Row(
        id_,
        endpoint,
        method,
        tuple(json.loads(headers)),
        json.loads(body),
        tuple(status.split("|")),
        tuple(json.loads(expected)),
        tuple(json.loads(forbidden)),
        note,
    )


def read_corpus() -> list[Row]:
    lines = (HERE / "corpus.tsv").read_text(encoding="utf-8").splitlines()
    return [parse_row(line) for line in lines[1:]]


def endpoints_of(row: Row) -> dict[str, str]:
    if row.endpoint == "@token-form":
        return TOKEN_FORM
    if row.endpoint == "@bearer-any":  # introspection takes one token at a time, and no steps
        return BEARER_ANY if row.method == "GET" else {"api": BEARER_ANY["api"]}
    return ASKED if row.family == "FWD" else {"": row.endpoint}


def cases_of(family: str) -> list[Case]:
    """What runs now, in the order of the file."""
    waiting = later()
    elsewhere = covered()
    cases: list[Case] = []
    for row in read_corpus():
        if row.family != family or row.id in waiting or row.id in elsewhere:
            continue
        for name, endpoint in endpoints_of(row).items():
            label = f"{row.id}-{name}" if name else row.id
            cases.append(Case(row, endpoint, label, len(cases)))
    return cases
