# SPDX-License-Identifier: Apache-2.0
"""Rows of family FWD: the request that a row speaks of, as gateways ask about it at /forward-auth,
as Envoy asks at /ext-authz, and as a client sends it to a gateway (tests/gateways runs those)."""
from __future__ import annotations

import resource
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import placeholders, verdicts, wire
from .rows import ASKED, Row
from .server import has_sanitizer

REPOSITORY = Path(__file__).resolve().parents[2]
ROUTES = REPOSITORY / "tests" / "gateways" / "routes.toml"
PEER = "@@PEER:untrusted@@"
UNTRUSTED_PEER = "127.99.0.1"
TOO_LONG = ("414", "431")  # statuses
LONGEST_HEADER = 4000  # which the server reads, also as the target of a request
APP_HOST = "app.a.example"
CLOSED_PATH, OPEN_PATH = "/admin", "/p/1"
NAME = "x-forwarded-"
SENTENCES = {"2xx"}  # which no step of a row allows


@dataclass(frozen=True)
class Question:
    """A request to an API, told by the lines of a row."""

    lines: tuple[bytes, ...]  # as they stand
    forwarded: tuple[tuple[str, str], ...]  # what follows X-Forwarded-, and the value
    others: tuple[bytes, ...]  # what a client sent
    is_believed: bool = True

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.forwarded if key == name]

    def request(self) -> tuple[str, str, str]:
        """Method, host and target. Of several targets, the last; one that names a host is split, as
        every server does."""
        method, host, target = (self.values(name)[-1] for name in ("method", "host", "uri"))
        parts = urllib.parse.urlsplit(target) if "://" in target.partition("?")[0] else None
        return (method, parts.netloc, parts.path) if parts else (method, host, target)


def question_of(headers: tuple[str, ...], fill: Callable[[str], str],
                limit: int | None = None) -> Question:
    forwarded, others, lines = [], [], []
    for text in headers:
        if text == PEER:
            continue
        line = placeholders.expand(fill(text), limit)
        lines.append(line)
        name, _, value = line.decode().partition(": ")
        if name.lower().startswith(NAME):
            forwarded.append((name.lower().removeprefix(NAME), value))
        else:
            others.append(line)
    return Question(tuple(lines), tuple(forwarded), tuple(others), PEER not in headers)


def about(token: str | None, path: str = OPEN_PATH) -> Question:
    """A GET of the API by the holder of a token."""
    lines = [f"X-Forwarded-Method: GET\nX-Forwarded-Host: {APP_HOST}\nX-Forwarded-Uri: {path}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return question_of(tuple("\n".join(lines).split("\n")), str)


# --- as bytes -------------------------------------------------------------------------------------


def as_forward_auth(question: Question, host: str) -> bytes:
    return wire.request_bytes("GET", "/forward-auth", host, question.lines)


def as_ext_authz(question: Question, _: str = "") -> bytes:
    """Envoy asks with the client's own request; what that says of itself goes along where there is
    more than one of it."""
    method, host, target = question.request()
    more = question.lines if is_ambiguous(question) else question.others
    return wire.request_bytes(method, f"/ext-authz{target}", host, more)


ASKERS = {"/forward-auth": as_forward_auth, "/ext-authz": as_ext_authz}


def is_ambiguous(question: Question) -> bool:
    return len(question.values("uri")) > 1


def as_client(question: Question) -> list[bytes]:
    """To a gateway. What only a gateway may say, the client says: in a request of something closed,
    and in those that would be the gateway's question if they went through."""
    method, _, target = question.request()
    if not question.is_believed:
        return [wire.request_bytes(method, path, APP_HOST, question.lines)
                for path in (CLOSED_PATH, *ASKED.values())]
    more = question.lines if is_ambiguous(question) else question.others
    # The target as the row has it: a gateway splits it.
    return [wire.request_bytes(method, question.values("uri")[-1],
                               question.values("host")[-1], more)]


# --- requests of a row ----------------------------------------------------------------------------


def is_destructive(row: Row) -> bool:
    """Whether its steps end the server."""
    return any(fault in str(row.body) for fault in FAULTS)


def filled(row: Row, fill: Callable[[str], str]) -> Row:
    return replace(row, expected=tuple(map(fill, row.expected)),
                   forbidden=tuple(map(fill, row.forbidden)))


def variants(row: Row, fill: Callable[[str], str]) -> list[tuple[Question, bool]]:
    """What a row asks, and whether it may be too long to be read. It is then also asked as long as
    can be read, and must be refused for what it says."""
    whole = question_of(row.headers, fill)
    if all(len(line) <= LONGEST_HEADER for line in whole.lines):
        return [(whole, False)]
    return [(whole, True), (question_of(row.headers, fill, LONGEST_HEADER), False)]


# --- steps ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """What the steps of a row act on."""

    server: object  # with `process` and `data`; the row's own when it is to fail
    token: str  # of a fresh account that may read workloads of the project
    remove_rule: Callable[[], None]
    ask: Callable[[Question], wire.Answer]


def cannot_write(stage: Stage) -> None:
    """The database: no file may grow, and what is in it is overwritten."""
    pid = stage.server.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    for file in sorted(stage.server.data.glob("*.db*")):
        file.write_bytes(b"\0" * file.stat().st_size)


def no_memory(stage: Stage) -> None:
    """Not a page more than it has. Sanitizers would end the process for it."""
    if not has_sanitizer():
        pid = stage.server.process.pid
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        size = pages * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


def crash(stage: Stage) -> None:
    stage.server.process.kill()
    stage.server.process.wait()


FAULTS = {"kill the database": cannot_write, "fill memory limit": no_memory,
          "crash the policy store": crash}  # which is a part of the server


def run_steps(row: Row, stage: Stage, also: tuple[str, ...] = ()) -> list[str]:
    """Complaints. `also` are statuses of a gateway that has no answer."""
    complaints: list[str] = []
    step_of_request = next(step for step in row.body if "m" in step)
    allowed = replace(row, expected_status=tuple(step_of_request["s"].split("|")) + also)
    for step in row.body:
        action = step.get("do", "")
        if action == "allow is cached":
            for _ in range(3):
                complaints += [] if stage.ask(about(stage.token)).status == 200 else ["no 200"]
        elif action == "remove rule":
            stage.remove_rule()
        elif action:
            complaints += run_faults(allowed, stage, action)
        elif "m" in step and "h" in step:
            complaints += refusal_complaints(allowed, stage.ask(about(stage.token)))
        elif step not in ({"wait": "bound"}, step_of_request):  # the bound is the next request
            raise ValueError(f"nobody knows how to do {step}")
    return complaints


def run_faults(row: Row, stage: Stage, action: str) -> list[str]:
    """Each fault beside those before it, which ends with a server that is not there."""
    complaints = []
    unknown = set(action.removesuffix(", each in turn").split(", ")) - set(FAULTS)
    if unknown:
        raise ValueError(f"nobody knows how to do {unknown}")
    assert stage.ask(about(stage.token)).status == 200
    for name, fault in FAULTS.items():
        fault(stage)
        complaints += [] if is_without_rule_change(stage) else [f"{name}: changes are stored"]
        for question in (about(None), about(stage.token, CLOSED_PATH), about("nonsense"),
                         about(None, "/" + "a" * (LONGEST_HEADER // 2))):
            complaints += [f"{name}: {problem}" for problem in
                           refusal_complaints(row, stage.ask(question))]
    # Who may pass is refused as well once nobody can say so.
    return complaints + refusal_complaints(row, stage.ask(about(stage.token)))


def is_without_rule_change(stage: Stage) -> bool:
    """Otherwise the fault was none."""
    try:
        stage.remove_rule()
    except (AssertionError, RuntimeError, OSError):
        return True
    return False


def refusal_complaints(row: Row, answer: wire.Answer) -> list[str]:
    complaints = verdicts.status_complaints(row, answer)
    return complaints + [f"{name} is there" for name, _ in answer.headers
                         if name.startswith("x-auth-")]
