# SPDX-License-Identifier: Apache-2.0
"""The shipped configuration of each gateway, with the real program in front of the sample API."""
from __future__ import annotations

import itertools
import re

import jwt
import pytest
import requests

from attacks import wire

from .cases import CASES
from .conftest import open_gateway
from .gateway import EXAMPLES, demo, exchange
from .test_forward_auth import IDENTITY, target_of, token_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(gateway, sample_api, world, case):
    token = token_of(world, case.token)
    lines = [f"{case.method} {target_of(world, case)} HTTP/1.1", f"Host: {case.host}",
             *([f"Authorization: Bearer {token}"] if token else []), *case.headers]
    sample_api.take_seen()
    status, headers, _ = exchange(gateway.port, "\n".join(lines))
    assert status in case.status
    assert len(sample_api.take_seen()) == (1 if status == 200 else 0)
    if case.status in ((401,), (403,)) and case.host != "app.c.example":
        assert [value[:7] for value in headers["www-authenticate"]] == ["Bearer "]
        assert len(headers["x-request-id"]) == 1
    assert "location" not in headers


def spellings():
    """Of the identity headers, as programs that take an underscore for a hyphen may read them."""
    for name in IDENTITY:
        first, *others = name.title().split("-")
        for joints in itertools.product("-_", repeat=len(others)):
            yield first + "".join(map("".join, zip(joints, others)))


def test_what_clients_say_of_themselves_is_replaced(gateway, sample_api, world):
    spoofed = [f"{name}: admin@first.example" for name in spellings()]
    subject = jwt.decode(world.viewer, options={"verify_signature": False})["sub"]
    for target, expected in ((f"/p/{world.project}/workloads", {subject}), ("/public/x", {""})):
        head = "\n".join([f"GET {target} HTTP/1.1", "Host: app.a.example",
                          f"Authorization: Bearer {world.viewer}", *spoofed])
        status, _, _ = exchange(gateway.port, head)
        assert status == 200
        identity = sample_api.take_seen()[-1]["identity"]
        assert "admin@first.example" not in str(identity)
        names = {name for name in identity if name.lower() == "x-auth-subject"}
        assert {value for name in names for value in identity[name]} | ({""} if not names else
                                                                        set()) == expected


def test_what_clients_say_of_their_request_is_ignored(gateway, sample_api, world):
    sample_api.take_seen()
    status, _, _ = exchange(gateway.port, "\n".join([
        "GET /admin HTTP/1.1", "Host: app.a.example", f"Authorization: Bearer {world.viewer}",
        "X-Forwarded-Uri: /public/x", "X-Forwarded-Method: GET", "X-Original-URI: /public/x",
        "X-Forwarded-Host: app.b.example", "X-Rewrite-URL: /public/x"]))
    assert status == 403 and not sample_api.take_seen()


SECOND = "GET /admin HTTP/1.1\r\nHost: app.a.example\r\nConnection: close\r\n\r\n"
BODIES = {"length": (f"Content-Length: {len(SECOND)}", SECOND),
          "chunks": ("Transfer-Encoding: chunked",
                     f"{len(SECOND):x}\r\n{SECOND}\r\n0\r\n\r\n")}


def post_of(token, body):
    header, content = BODIES[body]
    return (f"POST /p/1 HTTP/1.1\r\nHost: app.a.example\r\nAuthorization: Bearer {token}\r\n"
            f"{header}\r\n\r\n{content}").encode()


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_no_request(gateway, sample_api, world, body):
    sample_api.take_seen()
    answer = wire.exchange(gateway.address, post_of(world.viewer, body)).first()
    assert answer.status == 200
    assert [one["target"] for one in sample_api.take_seen()] == ["/p/1"]


@pytest.mark.parametrize("body", BODIES)
def test_the_sample_api_ends_a_connection_with_a_body(sample_api, body):
    sample_api.take_seen()
    answers = wire.exchange(("127.0.0.1", sample_api.port), post_of("x", body), until=None)
    assert [answer.status for answer in answers.answers()] == [200]
    assert [one["target"] for one in sample_api.take_seen()] == ["/p/1"]


def ask_by_body(gateway, world, project):
    body = f'{{"projectId":"{project}"}}'
    lines = [f"Authorization: Bearer {world.viewer}".encode(), b"Content-Type: application/json"]
    return wire.exchange(gateway.address, wire.request_bytes(
        "POST", "/by-body", "app.a.example", lines, body.encode())).first().status


def test_no_gateway_sends_bodies_along_by_itself(gateway, world):
    assert ask_by_body(gateway, world, world.project) == 403


@pytest.mark.parametrize("kind", ["envoy", "envoy-grpc"])
def test_envoy_sends_them_with_the_line_that_is_a_comment(world, sample_api, tmp_path, monkeypatch,
                                                          kind):
    example = tmp_path / demo.KINDS[kind]
    example.parent.mkdir()
    text = (EXAMPLES / demo.KINDS[kind]).read_text()
    assert text.count("# with_request_body:") == 1
    example.write_text(text.replace("# with_request_body:", "with_request_body:"))
    monkeypatch.setattr(demo, "HERE", tmp_path)
    with open_gateway(kind, tmp_path / "files", world, sample_api) as opened:
        assert ask_by_body(opened, world, world.project) == 200
        assert ask_by_body(opened, world, world.other_project) == 403
        assert ask_by_body(opened, world, "x" * 70_000) == 413


def test_envoy_that_sends_all_headers_with_those_of_one_name_joined(world, sample_api, tmp_path,
                                                                    monkeypatch):
    """As it is configured where nobody can say otherwise."""
    example = tmp_path / demo.KINDS["envoy-grpc"]
    example.parent.mkdir()
    text = (EXAMPLES / demo.KINDS["envoy-grpc"]).read_text()
    text, joins = re.subn(r" +encode_raw_headers: true\n", "", text)
    text, sends_all = re.subn(r" +allowed_headers:\n( +patterns:\n)( +- exact: .*\n)+", "", text)
    assert joins == sends_all == 1
    example.write_text(text)
    monkeypatch.setattr(demo, "HERE", tmp_path)
    good = f"Authorization: Bearer {world.viewer}"
    project, department = (f"X-Project: {world.project}", "X-Department: d1")
    with open_gateway("envoy-grpc", tmp_path / "files", world, sample_api) as opened:
        for target, headers, expected in (
                ("/api/v1/whoami", [good], 200), ("/api/v1/whoami", [], 401),
                ("/api/v1/whoami", [good, good], 400), ("/public/x", [good, good], 400),
                ("/by-header", [good, project], 200), ("/by-header", [good, project, project], 403),
                ("/by-header", [good], 403), ("/by-header-name", [good, department], 403),
                ("/p/1", [good, "Cookie: a=b", "Accept: a,b", "Accept: c"], 200)):
            head = [f"GET {target} HTTP/1.1", "Host: app.a.example", *headers]
            assert exchange(opened.port, "\n".join(head))[0] == expected, (target, headers)
        for body in BODIES:
            answer = wire.exchange(opened.address, post_of(world.viewer, body)).first()
            assert answer.status == 200, body


def test_documented_client(gateway, world):
    """Token, then workloads; signed in again once on 401."""
    base = f"http://127.0.0.1:{gateway.port}"
    account = world.admin.create_account()
    world.admin.give_role(account.client_id, "Viewer", "project", world.project)

    def sign_in():
        answer = requests.post(f"{base}/api/v1/token", timeout=30, json={
            "grantType": "client_credentials", "clientId": account.client_id,
            "clientSecret": account.secret})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    headers = sign_in()
    world.admin.call("POST", "/api/v1/revocations", {"type": "token",
        "token": headers["Authorization"].removeprefix("Bearer ")})
    answer = requests.get(f"{base}/api/v1/workloads", headers=headers, timeout=30)
    assert answer.status_code == 401
    answer = requests.get(f"{base}/api/v1/workloads", headers=sign_in(), timeout=30)
    assert answer.status_code == 200 and answer.json()["workloads"][0]["name"]


def test_requests_on_one_connection_are_judged_one_by_one(gateway, world):
    with requests.Session() as session:
        session.trust_env = False
        base = f"http://127.0.0.1:{gateway.port}"
        good = {"Authorization": f"Bearer {world.viewer}"}
        seen = [session.get(f"{base}{path}", headers=headers, timeout=30).status_code
                for path, headers in (("/api/v1/whoami", good), ("/admin", good),
                                      ("/api/v1/whoami", {}), ("/public/x", {}),
                                      ("/api/v1/whoami", good))]
        assert seen == [200, 403, 401, 200, 200]
