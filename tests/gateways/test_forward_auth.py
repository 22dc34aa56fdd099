# SPDX-License-Identifier: Apache-2.0
"""What gateways ask, asked directly."""
from __future__ import annotations

import json
import socket

import jwt
import pytest

from .cases import CASES
from .conftest import HOST
from .gateway import exchange

IDENTITY = ("x-auth-subject", "x-auth-subject-type", "x-auth-subject-id", "x-auth-tenant",
            "x-auth-permission", "x-auth-scope")


def token_of(world, name):
    return {"viewer": world.viewer, "admin": world.admin.token, "foreign": world.foreign}.get(
        name, name)


def target_of(world, case):
    return case.target.replace("{project}", world.project).replace("{other}", world.other_project)


def ask(world, method="GET", uri="/admin", token=None, host=HOST, more=(), drop=()):
    lines = ["GET /forward-auth HTTP/1.1", f"Host: 127.0.0.1:{world.port}"]
    lines += [f"{name}: {value}" for name, value in (
        ("X-Forwarded-Method", method), ("X-Forwarded-Host", host), ("X-Forwarded-Uri", uri),
        ("X-Forwarded-Proto", "https")) if name not in drop]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return exchange(world.port, "\n".join([*lines, *more]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(world, case):
    status, headers, _ = ask(world, case.method, target_of(world, case),
                             token_of(world, case.token), case.host, case.headers)
    assert status in {200, 401, 403}
    assert status in case.status
    assert (status == 200) == all(name in headers for name in IDENTITY)
    if status != 200:
        assert not any(name in headers for name in IDENTITY)


@pytest.mark.parametrize("case", [case for case in CASES if " " not in case.target],
                         ids=lambda case: case.name)
def test_verdict_as_envoy_asks(world, case):
    lines = [f"{case.method} /ext-authz{target_of(world, case)} HTTP/1.1", f"Host: {case.host}"]
    token = token_of(world, case.token)
    status, headers, _ = exchange(
        world.port, "\n".join(lines + ([f"Authorization: Bearer {token}"] if token else [])))
    assert status in case.status
    assert (status == 200) == ("x-auth-subject" in headers)


def test_who_passes_is_named(world):
    _, headers, body = ask(world, uri=f"/p/{world.project}/workloads", token=world.viewer, more=(
        "X-Auth-Subject: admin@a.example", "X_Auth_Subject: admin@a.example"))
    subject = jwt.decode(world.viewer, options={"verify_signature": False})["sub"]
    assert [headers[name] for name in IDENTITY] == [
        [subject], ["service-account"], [world.viewer_id], ["1"], ["workloads:read"],
        [f"project:{world.project}"]]
    assert body == b""


def test_nobody_is_named_where_anyone_passes(world):
    _, headers, _ = ask(world, uri="/public/x", token=world.viewer)
    assert [headers[name] for name in IDENTITY] == [[""]] * 6


def test_challenges_say_what_is_missing(world):
    base = f"http://127.0.0.1:{world.port}"
    metadata = f'resource_metadata="{base}/.well-known/oauth-protected-resource/app"'
    _, headers, _ = ask(world)
    assert headers["www-authenticate"] == [f'Bearer realm="runai", {metadata}']
    _, headers, _ = ask(world, token="nonsense")
    assert headers["www-authenticate"] == [
        f'Bearer realm="runai", {metadata}, error="invalid_token"']
    _, headers, body = ask(world, token=world.viewer)
    assert headers["www-authenticate"] == [
        f'Bearer realm="runai", {metadata}, error="insufficient_scope", scope="settings:update"']
    assert "settings:update" in json.loads(body)["details"]
    _, _, body = ask(world, "PUT", "/nowhere/" + "x" * 500, token=world.viewer)
    told = json.loads(body)["details"]
    assert "does not name PUT /nowhere/x" in told and len(told) < 300


def test_metadata_of_protected_resources(world):
    found = world.admin.call("GET", "/.well-known/oauth-protected-resource/app", token="none")
    assert found["resource"] == f"https://{HOST}"
    assert found["authorization_servers"] == [world.server.url]
    assert found["scopes_supported"] == ["settings:update", "workloads:read"]
    own = world.admin.call("GET", "/.well-known/oauth-protected-resource")
    assert own["resource"] == world.server.url
    for name in ("other", "unknown"):  # of another tenant, of none
        world.admin.call("GET", f"/.well-known/oauth-protected-resource/{name}", status=404)


@pytest.mark.parametrize("name", ["X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"])
def test_a_question_names_each_thing_once(world, name):
    assert ask(world, token=world.admin.token)[0] == 200
    assert ask(world, token=world.admin.token, drop=(name,))[0] == 403
    assert ask(world, token=world.admin.token, more=(f"{name}: GET",))[0] == 403
    twin = name.replace("-", "_")
    assert ask(world, token=world.admin.token, more=(f"{twin}: GET",))[0] == 200


def test_only_gateways_may_ask(world):
    head = (f"GET /forward-auth HTTP/1.1\r\nHost: x\r\nX-Forwarded-Method: GET\r\n"
            f"X-Forwarded-Host: {HOST}\r\nX-Forwarded-Uri: /public/x\r\n"
            f"X-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", world.port), source_address=("127.0.0.2", 0),
                                  timeout=30) as connection:
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 403 ") and b"x-auth-subject" not in answer.lower()


def test_tokens_for_this_api_alone_and_for_others(world):
    def narrowed(resource):
        account = world.admin.create_account()
        world.admin.give_role(account.client_id, "Viewer", "project", world.project)
        answer = world.admin.try_token({
            "grantType": "client_credentials", "clientId": account.client_id,
            "clientSecret": account.secret, "resource": resource})
        assert answer.status_code == 200, answer.text
        return answer.json()["accessToken"]

    uri = f"/p/{world.project}/workloads"
    ours, others = narrowed(f"https://{HOST}"), narrowed("https://app.b.example")
    for _ in range(2):  # from the cache as well
        assert ask(world, uri=uri, token=ours)[0] == 200
        assert ask(world, uri=uri, token=others)[0] == 401
        assert world.admin.send("GET", "/api/v1/workloads", token=ours).status_code == 401


def test_id_tokens_are_not_taken(world):
    answer = world.admin.try_token({"grantType": "password", "username": "admin@first.example",
                                    "password": "quarry-Lantern-52-anchor-violet"}).json()
    assert ask(world, token=answer["accessToken"])[0] == 200
    assert ask(world, token=answer["idToken"])[0] == 401


def test_what_is_taken_away_acts_on_the_next_request(world):
    uri = f"/p/{world.project}/workloads"
    account = world.admin.create_account()
    rule = world.admin.give_role(account.client_id, "Viewer", "project", world.project)
    token = world.admin.account_token(account)
    assert ask(world, uri=uri, token=token)[0] == 200
    world.admin.call("DELETE", f"/api/v1/authorization/access-rules/{rule}")
    assert ask(world, uri=uri, token=token)[0] == 403
    world.admin.give_role(account.client_id, "Viewer", "project", world.project)
    assert ask(world, uri=uri, token=token)[0] == 200
    world.admin.call("POST", "/api/v1/revocations", {"type": "token", "token": token})
    assert ask(world, uri=uri, token=token)[0] == 401


def test_why_is_told_to_who_may_ask(world):
    _, headers, _ = ask(world, token=world.viewer)
    why = world.admin.call("GET", f"/api/v1/diagnoses/{headers['x-request-id'][0]}")
    assert why["operation"] == "GET /admin" and "settings:update" in json.dumps(why)


def test_every_input_of_the_decision_counts(world):
    """A question that passes; with any one of its inputs swapped, it does not."""
    good = {"method": "GET", "uri": f"/p/{world.project}/workloads", "token": world.viewer,
            "host": HOST}
    assert ask(world, **good)[0] == 200
    for swap in ({"method": "POST"}, {"uri": f"/p/{world.other_project}/workloads"},
                 {"uri": "/admin"}, {"token": world.foreign}, {"token": None},
                 {"host": "app.b.example"}, {"host": "app.c.example"}):
        assert ask(world, **(good | swap))[0] in (401, 403), swap
        assert ask(world, **good)[0] == 200
