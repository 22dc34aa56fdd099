# SPDX-License-Identifier: Apache-2.0
"""What all other tests rely on notices what it should."""
from __future__ import annotations

import base64
import socket
import urllib.parse

import pytest
from scenario.leaks import find_leaks
from scenario.openapi import own_contract, peer_contract
from scenario.recorder import Exchange, Recorder

SECRET = "clvs_7/Ab+c?d%e~fGh"


@pytest.mark.parametrize("written", [
    SECRET.encode(), urllib.parse.quote(SECRET, safe="").encode(),
    *(base64.b64encode(b"x" * before + SECRET.encode() + b"yz") for before in range(4)),
    base64.urlsafe_b64encode(b"user:" + SECRET.encode())])
def test_a_leak_is_noticed(tmp_path, written):
    (tmp_path / "log").write_bytes(b"before " + written + b" after")
    assert find_leaks(tmp_path, {SECRET, "another secret"}) == [f"log: {SECRET[:6]}..."]


def test_no_leak_is_none(tmp_path):
    (tmp_path / "log").write_bytes(b"nothing but " + SECRET[:-1].encode())
    assert find_leaks(tmp_path, {SECRET}) == []


WRONG_ANSWERS = [
    Exchange("GET", "/api/v1/service-accounts", [], b"", status,
             [("Content-Type", "application/json")], body)
    for status, body in [(201, b"[]"), (200, b"{}"), (200, b"no JSON"), (200, b""),
                         (200, b'[{"id": 1}]'), (418, b"{}")]]


@pytest.mark.parametrize("answer", WRONG_ANSWERS, ids=str)
def test_a_wrong_answer_is_noticed(answer):
    assert own_contract().findings(answer)


def test_the_published_document_notices_wrong_answers():
    """Where there is a copy of it, every answer of these tests is held against it."""
    contract = peer_contract()
    if contract is None:
        pytest.skip("answers were held against our own document only")
    assert [answer for answer in WRONG_ANSWERS if not contract.findings(answer)] == []


def test_a_body_where_none_belongs_is_noticed():
    answer = Exchange("PATCH", "/api/v1/service-accounts/x", [], b"", 200,
                      [("Content-Type", "application/json")], b"{}")
    assert own_contract().findings(answer)


def test_the_recorder_closes_what_the_server_closed():
    recorder = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as server:
        recorder.backend = server.getsockname()
        with socket.create_connection(recorder.listener.server_address, timeout=10) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
    recorder.close()
