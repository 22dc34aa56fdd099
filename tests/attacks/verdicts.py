# SPDX-License-Identifier: Apache-2.0
"""Judges an answer by the verdict columns of its row. Every function returns complaints."""
from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass

from . import jose
from .rows import Row
from .wire import Answer, Exchange

REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KINDS = ("H:", "J:", "JWT:", "LOG:", "AUDIT:", "STATE:", "COUNT:", "TIMING:")
OF_THE_CONNECTION = ("CLOSED", "SECOND_RESPONSE")


@dataclass
class Evidence:
    """What a row caused."""

    exchange: Exchange
    log: str
    events: list[dict]  # of the access log, from the row's address

    @property
    def answer(self) -> Answer:
        return self.exchange.first()

    @property
    def text(self) -> str:
        """Statuses, challenges, who passes a gateway and bodies, without request ids (which are
        random digits)."""
        parts = []
        for answer in self.exchange.answers():
            parts += [str(answer.status), *answer.header("www-authenticate"),
                      *(value for name, value in answer.headers if name.startswith("x-auth-")),
                      answer.text()]
        if b"100 Continue" in self.exchange.raw:
            parts.append("100 Continue")
        return REQUEST_ID.sub("", "\n".join(parts))


def status_complaints(row: Row, answer: Answer, also: tuple[str, ...] = ()) -> list[str]:
    status = "close" if answer.status is None else str(answer.status)
    allowed = row.expected_status + also
    if status in allowed or row.expected_status == ("-",):
        return []
    return [f"status {status}, expected {'|'.join(allowed)}: {answer.text()[:300]}"]


def complaints(row: Row, evidence: Evidence) -> list[str]:
    """The two verdict columns but for STATE, COUNT and TIMING, which need to watch or to count."""
    found = [f"missing {verdict!r}: {evidence.text[:500]!r}, {evidence.answer.headers}"
             for verdict in row.expected
             if is_about_the_answer(verdict) and not holds(verdict, evidence)]
    return found + [f"there is {verdict!r}: {evidence.text[:500]!r}"
                    for verdict in row.forbidden
                    if is_about_the_answer(verdict) and holds(verdict, evidence)]


def is_about_the_answer(verdict: str) -> bool:
    return not verdict.startswith(("STATE:", "COUNT:", "TIMING:"))


def states_of(row: Row) -> list[tuple[str, bool]]:
    """The sentences of a row, and whether each must be true."""
    return [(verdict.removeprefix("STATE:"), wanted)
            for verdicts, wanted in ((row.expected, True), (row.forbidden, False))
            for verdict in verdicts
            if verdict.startswith("STATE:")]


def holds(verdict: str, evidence: Evidence) -> bool:
    if verdict == "CLOSED":
        return evidence.exchange.closed
    if verdict == "SECOND_RESPONSE":
        finals = [answer for answer in evidence.exchange.answers() if answer.status >= 200]
        return len(finals) > 1 or evidence.exchange.raw.count(b"HTTP/1.1 ") > len(
            evidence.exchange.answers())
    for kind, function in FUNCTIONS.items():
        if verdict.startswith(kind):
            return function(verdict.removeprefix(kind), evidence)
    return verdict in evidence.text


def header_holds(text: str, evidence: Evidence) -> bool:
    name, colon, pattern = text.partition(":")
    values = evidence.answer.header(name)
    return any(re.search(pattern.strip(), value) for value in values) if colon else bool(values)


def member_holds(text: str, evidence: Evidence) -> bool:
    pointer, _, pattern = text.partition("=")
    try:
        value = evidence.answer.json()
        for name in pointer.strip("/").split("/"):
            value = value[int(name) if isinstance(value, list) else name]
    except (ValueError, LookupError, TypeError):
        return False
    return re.fullmatch(pattern, value if isinstance(value, str) else json.dumps(value)) is not None


def issued_token(answer: Answer) -> str | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    return body.get("access_token") or body.get("accessToken")


def claim_holds(text: str, evidence: Evidence) -> bool:
    token = issued_token(evidence.answer)
    if token is None:
        return False
    claims = jose.claims_of(token)
    if beyond := re.fullmatch(r"(\w+)>now\+(\d+)", text):
        return claims[beyond.group(1)] > time.time() + int(beyond.group(2)) + 5
    name, _, wanted = text.partition("=")
    value = claims.get(name)
    return wanted in value if isinstance(value, list) else value == wanted


def audit_holds(text: str, evidence: Evidence) -> bool:
    name, _, wanted = text.partition("=")
    return any(str(event.get(name)) == wanted for event in evidence.events)


FUNCTIONS = {
    "H:": header_holds,
    "J:": member_holds,
    "JWT:": claim_holds,
    "LOG:": lambda text, evidence: text in evidence.log,
    "AUDIT:": audit_holds,
}
