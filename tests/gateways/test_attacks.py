# SPDX-License-Identifier: Apache-2.0
"""Rows of tests/attacks as clients send them to each gateway. Those of family FWD end as when
Claviger is asked directly; of those of family HTTP, which say where a request ends in two ways,
nothing reaches the API. That is row FWD-031."""
from __future__ import annotations

import json
import re

import jwt
import pytest

from attacks import forwarded, placeholders, rows, verdicts, wire

from .conftest import make_world, new_server, open_gateway

ROWS = [row for row in rows.read_corpus() if row.family == "FWD" and row.id not in rows.covered()]
QUESTIONS = [row for row in ROWS if row.method != "SEQ"]
SEQUENCES = [row for row in ROWS if row.method == "SEQ"]
FRAMING = [row for row in rows.read_corpus() if row.family == "HTTP" and row.method == "RAW"
           and "REPEAT_REQUEST" not in row.body]
# What a gateway says when Claviger is not there: nginx 500, Caddy 502, HAProxy 503, Envoy 403.
NO_ANSWER = ("502",)
PASSING = "/p/1"
SECONDS = 3.0  # then a gateway that waits for the rest of a request counts as having refused it


def filler(world):
    subject = jwt.decode(world.viewer, options={"verify_signature": False})["sub"]
    values = {"t.viewer": world.viewer, "viewer.sub": subject, "t.tenadm": world.admin.token,
              "host": forwarded.APP_HOST}
    return lambda text: placeholders.fill(text, values)


def told(seen: dict) -> wire.Exchange:
    """What the API was told of who asks, in the form of the answer in which Claviger tells it. The
    body has it all, whatever the spelling of its name."""
    lines = [f"{name}: {value}" for name, values in seen["identity"].items() for value in values]
    body = json.dumps(seen["identity"])
    return wire.Exchange("\r\n".join([
        "HTTP/1.1 200 OK", *lines, f"Content-Length: {len(body)}", "", body]).encode())


def complaints_of(row, exchange, seen, is_long) -> list[str]:
    answer = exchange.first()
    problems = verdicts.status_complaints(row, answer, forwarded.TOO_LONG if is_long else ())
    if answer.status == 200 and seen:
        exchange = told(seen[0])
    problems += verdicts.complaints(row, verdicts.Evidence(exchange, "", []))
    if len(seen) != (1 if answer.status == 200 else 0):
        problems.append(f"the API saw {seen}")
    return problems


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row.id)
def test_row(gateway, sample_api, world, row):
    fill = filler(world)
    for question, is_long in forwarded.variants(row, fill):
        for request in forwarded.as_client(question):
            sample_api.take_seen()
            exchange = wire.exchange(gateway.address, request)
            problems = complaints_of(forwarded.filled(row, fill), exchange,
                                     sample_api.take_seen(), is_long)
            assert not problems, (row.note, request[:200])


@pytest.fixture
def own(request, tmp_path, gateway, world, sample_api):
    """A server and a gateway that may be ended, or those of the others."""
    if not forwarded.is_destructive(request.getfixturevalue("row")):
        yield world, gateway
        return
    server = new_server()
    try:
        server.start()
        made = make_world(server)
        with open_gateway(gateway.kind, tmp_path, made, sample_api) as opened:
            yield made, opened
    finally:
        server.remove()


@pytest.mark.parametrize("row", SEQUENCES, ids=lambda row: row.id)
def test_steps(own, sample_api, row):
    world, gateway = own
    account = world.admin.create_account()
    rule = world.admin.give_role(account.client_id, "Viewer", "project", world.project)
    sample_api.take_seen()

    def ask(question) -> wire.Answer:
        answer = wire.exchange(gateway.address, forwarded.as_client(question)[0]).first()
        assert len(sample_api.take_seen()) == (1 if answer.status == 200 else 0)
        return answer

    stage = forwarded.Stage(
        world.server, world.admin.account_token(account), lambda: world.admin.call(
            "DELETE", f"/api/v1/authorization/access-rules/{rule}"), ask)
    assert not forwarded.run_steps(row, stage, NO_ANSWER), row.note


@pytest.mark.parametrize("row", FRAMING, ids=lambda row: row.id)
def test_framing(gateway, sample_api, world, row):
    """Of a request that may pass, nothing behind its end reaches the API without a question."""
    text = re.sub(r"Host: {{host}}(\r?\n)", rf"\g<0>Authorization: Bearer {world.viewer}\1",
                  row.body.replace(row.endpoint, PASSING, 1), count=1)
    data = placeholders.expand_raw(filler(world)(text), forwarded.APP_HOST)
    requests = 2 if "/smuggled" in row.body else 1
    sample_api.take_seen()
    exchange = wire.exchange(gateway.address, data, seconds=SECONDS,
                             until=lambda raw: len(final_answers(raw)) >= requests)
    seen = [(one["method"], one["target"]) for one in sample_api.take_seen()]
    assert seen in ([], [(row.body.split(" ")[0], PASSING)])
    # One whose body is broken may have reached it and got no answer.
    assert sum(answer.status == 200 for answer in exchange.answers()) <= len(seen)


def final_answers(raw: bytes) -> list[wire.Answer]:
    return [answer for answer in wire.parse_answers(raw) if answer.status >= 200]
