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


@pytest.mark.parametrize("status, body", [(201, b"[]"), (200, b"{}"), (200, b"no JSON"), (200, b""),
                                          (200, b'[{"id": 1}]'), (418, b"{}")])
def test_a_wrong_answer_is_noticed(status, body):
    answer = Exchange("GET", "/api/v1/service-accounts", [], b"", status,
                      [("Content-Type", "application/json")], body)
    for contract in (own_contract(), peer_contract()):
        assert contract is None or contract.findings(answer)


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
