# SPDX-License-Identifier: Apache-2.0
"""Runs one case and judges it: plain requests and RAW here, the other kinds in their own files."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import administration, forwarded, introspection, placeholders, verdicts, wire
from .forge_claims import is_too_long
from .load import run_load
from .races import run_race, run_timing
from .rows import BEARER_ANY, FAMILIES, Case, Row, refused
from .sequences import run_sequence
from .server import TRUSTED_PROXY, Server, temporary_folder
from .states import STATES
from .verdicts import Evidence
from .world import World

TOKEN_BODY_LIMIT = 64 * 1024
RAW_SECONDS = 2.0  # then a connection that is still open counts as open
TOKEN_PATHS = ("/api/v1/token", "/api/v2/token", "/oauth2/token", "/openid-connect/token",
               "/oauth/apptoken")
RUNNERS = {"SEQ": run_sequence, "RACE": run_race, "TIME": run_timing, "LOAD": run_load}


@dataclass
class Outcome:
    complaints: list[str] = field(default_factory=list)
    grants: int = 0  # tokens that were given out
    refusals: int = 0  # answers 401, or guesses made


@dataclass(frozen=True)
class Shot:
    """One request of a row, and what is different about it."""

    data: bytes
    label: str = ""
    also: tuple[str, ...] = ()  # statuses allowed besides the row's
    row: Row | None = None  # with other verdicts than the case's


def source_of(case: Case) -> str:
    """An address of the case's own, so that throttles and audit entries are its own."""
    if case.row.id == "HTTP-052":  # speaks of a trusted proxy
        return TRUSTED_PROXY
    if forwarded.PEER in case.row.headers:
        return forwarded.UNTRUSTED_PEER
    family = FAMILIES.index(case.row.family)
    return f"127.{10 + family}.{case.number // 200}.{1 + case.number % 200}"


def run_case(world: World, case: Case) -> None:
    """Fails with everything that is wrong with the case."""
    server = world.server
    administration.prepare(world, case.row)
    pid, log_before = server.pid, len(server.log())
    source = source_of(case)
    events_before = len(server.access_events(source))
    runner = RUNNERS.get(case.row.method)
    if case.row.family == "FWD" and runner is run_sequence:
        runner = run_forwarded_steps
    if runner is not None:
        outcome = runner(world, case, source, Outcome())
    else:
        outcome = run_shots(world, case, source, log_before)
    events = server.access_events(source)[events_before:]
    outcome.complaints += audit_complaints(case.row, outcome, events)
    if not server.is_alive() or server.pid != pid:
        outcome.complaints.append("the server is gone")
    if report := server.sanitizer_report():
        outcome.complaints.append(f"sanitizer report:\n{report}")
    log = server.log()
    outcome.complaints += [f"a secret is in the log: {secret[:8]}..."
                           for secret in world.secrets if secret in log]
    assert not outcome.complaints, (
        f"{case.name} ({case.row.note}):\n  " + "\n  ".join(outcome.complaints))


def audit_complaints(row: Row, outcome: Outcome, events: list[dict]) -> list[str]:
    """Each grant and each refused sign-in is there once; nothing else is."""
    predicted = refused().get(row.id, "0")
    failures = outcome.refusals if predicted == "counted" else int(predicted)
    found = {"Succeeded": 0, "Failed": 0}
    for event in events:
        found[event["result"]] += 1
    wanted = {"Succeeded": outcome.grants, "Failed": failures}
    if row.endpoint == "@bearer-any" or found == wanted:
        return [] if not events or found == wanted else [f"audit: {found}, expected {wanted}"]
    return [f"audit: {found}, expected {wanted}"]


# --- plain requests and RAW -----------------------------------------------------------------------


def run_shots(world: World, case: Case, source: str, log_before: int) -> Outcome:
    outcome = Outcome()
    is_raw = case.row.method == "RAW"
    for shot in shots_of(world, case):
        row = forwarded.filled(shot.row or case.row, world.fill)
        before = len(world.server.access_events(source))
        watch = {sentence: STATES[sentence](world) for sentence, _ in verdicts.states_of(row)}
        exchange = wire.exchange(world.server.address, shot.data, source,
                                 seconds=RAW_SECONDS if is_raw else 20,
                                 until=enough_of(row) if is_raw else wire.is_complete)
        events = world.server.access_events(source)[before:]
        evidence = Evidence(exchange, world.server.log()[log_before:], events)
        if introspection.is_introspection(case):
            outcome.complaints += [f"{shot.label}: {problem}" for problem in
                                   introspection.complaints(evidence.answer)]
            continue
        problems = verdicts.status_complaints(row, evidence.answer, shot.also)
        if not problems and str(evidence.answer.status) in shot.also:
            pass  # refused for its size, before anything that the row speaks of
        else:
            problems += verdicts.complaints(row, evidence)
        for sentence, wanted in verdicts.states_of(row):
            if watch[sentence](evidence) != wanted:
                problems.append(f"{'not ' if wanted else ''}true: {sentence}")
        count(case, evidence, outcome)
        outcome.complaints += [f"{shot.label}: {problem}" for problem in problems]
    return outcome


def enough_of(row: Row):
    """RAW rows are read until close or until time is up, but for the one with many answers."""
    if "REPEAT_REQUEST" not in str(row.body):
        return None
    return lambda raw: raw.count(b"HTTP/1.1 ") >= 2000


def count(case: Case, evidence: Evidence, outcome: Outcome) -> None:
    if not any(path in case.endpoint for path in TOKEN_PATHS):
        return
    for answer in evidence.exchange.answers():
        outcome.grants += answer.status == 200 and verdicts.issued_token(answer) is not None
        outcome.refusals += answer.status == 401


def shots_of(world: World, case: Case) -> list[Shot]:
    row = case.row
    names = placeholders.FORGE.findall(str(row.body) + "".join(row.headers))
    if names:
        return [shot for token in world.forge().tokens(names[0])
                for shot in make_shots(world, case, names[0], token)]
    return make_shots(world, case) + shots_with_a_token(world, case)


def make_shots(world: World, case: Case, forged: str = "", token: str = "") -> list[Shot]:
    row = case.row
    if introspection.is_introspection(case):
        return [Shot(introspection.request_about(world, case, token), token[:60])]
    if row.family == "FWD":
        return forwarded_shots(world, case)
    more = {f"forge:{forged}": token, **world.values_for(str(row.body))}
    if row.method == "RAW":
        return [Shot(placeholders.expand_raw(world.fill(row.body, more), world.server.host))]
    # What is too long for the head or the body is refused for that first; the row is then also sent
    # as long as it may be, and that one must be refused for what the row says.
    also = ("431",) if is_too_long(token) else ()
    body = world.fill(str(row.body), more)
    full = placeholders.expand(body)
    if len(full) <= TOKEN_BODY_LIMIT or row.expected_status == ("413",):
        return [Shot(request_of(world, case, more, full), token[:60], also)]
    cut = placeholders.expand(body, TOKEN_BODY_LIMIT)
    fitting = replace(row, expected_status=tuple(s for s in row.expected_status if s != "413"))
    return [Shot(request_of(world, case, more, full), "full", ("413",)),
            Shot(request_of(world, case, more, cut), "cut", row=fitting)]


def request_of(world: World, case: Case, more: dict[str, str], body: bytes,
               *headers: bytes) -> bytes:
    lines = [line for text in case.row.headers
             for line in placeholders.expand_header(world.fill(text, more))]
    if case.endpoint == BEARER_ANY["forward-auth"]:
        lines += forwarded.about(None).lines
    target = placeholders.expand(world.fill(case.endpoint, more)).decode()
    return wire.request_bytes(case.row.method, target,
                              world.server.host, [*lines, *headers], body)


def shots_with_a_token(world: World, case: Case) -> list[Shot]:
    """Some rows mean more with something that their text leaves out."""
    row = case.row
    more = world.values_for(str(row.body))
    body = placeholders.expand(world.fill(str(row.body), more)) if row.method != "RAW" else b""
    if row.id in ("HTTP-023", "HTTP-025", "HTTP-026"):
        # With a good token only the path can be the reason; 401 would say that it was routed.
        bearer = b"Authorization: Bearer " + world.values["t.tenadm"].encode()
        strict = replace(row, expected_status=tuple(s for s in row.expected_status if s != "401"))
        return [Shot(request_of(world, case, {}, body, bearer), "with a token", row=strict)]
    if row.id == "V2-091":
        origin = b"Origin: https://evil.example"
        wrong = replace(row, expected_status=("400",), expected=())
        return [Shot(request_of(world, case, {}, body, origin), "from another origin"),
                Shot(request_of(world, case, {}, b"grant_type=x", origin), "an error", row=wrong)]
    return []


# --- what gateways ask ----------------------------------------------------------------------------


def forwarded_shots(world: World, case: Case) -> list[Shot]:
    to_bytes = forwarded.ASKERS[case.endpoint]
    shots = []
    for question, is_long in forwarded.variants(case.row, world.fill):
        also = forwarded.TOO_LONG if is_long else ()
        if case.endpoint == "/ext-authz" and question.values("method") == ["get"]:
            also = ("405",)  # it is the method of the question itself
        shots.append(Shot(to_bytes(question, world.server.host), "long" if is_long else "", also))
    return shots


@contextmanager
def stage_world(world: World, row: Row) -> Iterator[World]:
    """One of its own where the server is to fail."""
    if not forwarded.is_destructive(row):
        yield world
        return
    with temporary_folder() as folder:
        server = Server(Path(folder), "--route-map", str(forwarded.ROUTES))
        try:
            yield World(server)
        finally:
            server.process.kill()
            server.process.wait()


def run_forwarded_steps(world: World, case: Case, source: str, outcome: Outcome) -> Outcome:
    with stage_world(world, case.row) as own:
        account = own.make_account()
        rule = own.give_role(account, "Viewer", "project", own.project)

        def ask(question: forwarded.Question) -> wire.Answer:
            request = forwarded.ASKERS[case.endpoint](question, own.server.host)
            try:
                return wire.exchange(own.server.address, request, source).first()
            except ConnectionError:
                return wire.Answer()

        stage = forwarded.Stage(own.server, own.token_of(account), lambda: own.call(
            "DELETE", f"{administration.RULES}/{rule}"), ask)
        outcome.complaints += forwarded.run_steps(case.row, stage, ("close",))
    return outcome
