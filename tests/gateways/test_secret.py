# SPDX-License-Identifier: Apache-2.0
"""Where gateways must show a secret, over HTTP and over gRPC."""
from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import requests

from scenario.server import Server, binary

from . import check_client
from .conftest import HOST, ROUTES
from .gateway import EXAMPLES, demo, exchange, free_port

NOW, BEFORE = "n" * 32, "b" * 40
WRONG = ["n" * 31, "n" * 33, "N" * 32, "x", "", f"{NOW},{NOW}"]


def ask_forward(server, *secrets, more=()):
    lines = ["GET /forward-auth HTTP/1.1", "Host: x", "X-Forwarded-Method: GET",
             f"X-Forwarded-Host: {HOST}", "X-Forwarded-Uri: /public/x", *more]
    return exchange(server.address[1], "\n".join(
        lines + [f"x-gateway-secret: {secret}" for secret in secrets]))[0]


def ask_envoy(server, *secrets):
    lines = ["GET /ext-authz/public/x HTTP/1.1", f"Host: {HOST}"]
    return exchange(server.address[1], "\n".join(
        lines + [f"X-Gateway-Secret: {secret}" for secret in secrets]))[0]


def ask_grpc(server, *secrets, more=()):
    port = int(server.said(r"gRPC for Envoy on .+:(\d+)"))
    message = check_client.question("GET", "/public/x", HOST, list(more))
    return check_client.check(port, message, metadata=tuple(
        ("x-gateway-secret", secret) for secret in secrets)).status


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    for name, secret in (("now", NOW), ("before", BEFORE)):
        (folder / name).write_text(secret + "\n")
        (folder / name).chmod(0o600)
    with Server("--route-map", str(ROUTES), "--grpc-listen", "127.0.0.1:0",
                "--gateway-secret-file", str(folder / "now"),
                "--previous-gateway-secret-file", str(folder / "before")) as started:
        yield started


@pytest.mark.parametrize("ask", [ask_forward, ask_envoy, ask_grpc])
def test_only_who_shows_it_is_answered(server, ask):
    assert ask(server, NOW) == 200
    assert ask(server, BEFORE) == 200
    assert ask(server) == 403
    for wrong in WRONG:
        assert ask(server, wrong) == 403, wrong
    assert ask(server, NOW, NOW) == 403
    assert ask(server, NOW, "x") == 403


def test_a_client_cannot_show_it_in_its_own_request(server):
    """Over gRPC the client's fields stand in the message, the gateway's word beside it."""
    field = ("x-gateway-secret", NOW)
    assert ask_grpc(server, more=[field]) == 403
    assert ask_grpc(server, "x" * 32, more=[field]) == 403
    assert ask_grpc(server, NOW, more=[("x-gateway-secret", "x")]) == 200
    assert ask_forward(server, more=[f"X_Gateway_Secret: {NOW}"]) == 403


def test_our_own_api_asks_for_none(server):
    assert requests.get(f"{server.url}/healthz", timeout=30).status_code == 200


def test_the_log_says_so_now_and_then(tmp_path):
    file = tmp_path / "secret"
    file.write_text(NOW)
    file.chmod(0o600)
    with Server("--route-map", str(ROUTES), "--gateway-secret-file", str(file)) as server:
        assert [ask_forward(server, *shown) for shown in ((NOW,), ("x",), (), ("y",))] == [
            200, 403, 403, 403]
        assert server.log().count("shows a wrong secret") == 1
        assert "shows no secret" not in server.log()
        assert '"127.0.0.1"' in server.log()


def test_it_is_shown_nowhere(server):
    assert NOW not in server.log() and BEFORE not in server.log()


@pytest.mark.parametrize("kind", demo.KINDS)
def test_gateways_show_it_with_the_line_that_is_a_comment(server, sample_api, tmp_path, monkeypatch,
                                                          kind):
    example = tmp_path / demo.KINDS[kind]
    shutil.copytree((EXAMPLES / demo.KINDS[kind]).parent, example.parent)
    text = example.read_text()
    shown, lines = re.subn(r"# (.*x-gateway-secret.*)", r"\1", text, flags=re.IGNORECASE)
    assert lines == 1
    monkeypatch.setattr(demo, "HERE", tmp_path)
    monkeypatch.setenv("GATEWAY_SECRET", NOW)
    port = int(server.said(r"gRPC for Envoy on .+:(\d+)"))
    for name, configuration, passed in (("shown", shown.replace("THE-SECRET", NOW), True),
                                        ("not-shown", text, False)):
        example.write_text(configuration)
        ports = demo.Ports(free_port(), server.address[1], sample_api.port, port)
        process = demo.start_gateway(kind, tmp_path / name, ports)
        try:
            status = exchange(ports.gateway, "\n".join([
                "GET /public/x HTTP/1.1", f"Host: {HOST}", "X-Gateway-Secret: x",
                *([] if passed else [f"X-Gateway-Secret: {NOW}"])]))[0]
        finally:
            demo.stop(process)
        assert (status == 200) == passed, (name, status)
    sample_api.take_seen()


def test_gateways_on_other_machines_need_it(tmp_path):
    text = ROUTES.read_text()
    routes = tmp_path / "routes.toml"
    routes.write_text(text.replace("gateways = [", 'gateways = ["10.1.2.3", ', 1))
    assert routes.read_text() != text
    server = Server("--route-map", str(routes))
    try:
        with pytest.raises(RuntimeError, match="route-map without gateway-secret: flag; "):
            server.start()
    finally:
        server.remove()
    done = subprocess.run([binary(), "routes", "check", str(routes)], capture_output=True,
                          text=True, timeout=60, check=True)
    assert "on other machines: the server will want gateway-secret" in done.stdout
