# SPDX-License-Identifier: Apache-2.0
"""Envoy's questions over gRPC, asked directly: the same verdicts as over HTTP."""
from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests

from scenario.server import Server, binary

from . import check_client
from .cases import CASES
from .conftest import HOST, ROUTES
from .gateway import EXAMPLES, exchange
from .test_forward_auth import IDENTITY, target_of, token_of

OVERWRITE, KEEP_EMPTY = 2, 1
FORMS = {"raw": False, "joined": True}


def bearer(token):
    return [("authorization", f"Bearer {token}")] if token else []


def ask(world, target="/admin", token=None, *, method="GET", host=HOST, more=(), source="127.0.0.1",
        **options):
    return check_client.check(world.grpc_port, check_client.question(
        method, target, host, [*bearer(token), *more], **options), source)


@pytest.fixture(params=FORMS)
def joined(request):
    return FORMS[request.param]


@pytest.mark.parametrize("case", [case for case in CASES if " " not in case.target],
                         ids=lambda case: case.name)
def test_verdict_is_that_of_http(world, case, joined):
    token = token_of(world, case.token)
    more = [tuple(line.split(": ", 1)) for line in case.headers]
    verdict = ask(world, target_of(world, case), token, method=case.method, host=case.host,
                  more=more, joined=joined)
    lines = [f"{case.method} /ext-authz{target_of(world, case)} HTTP/1.1", f"Host: {case.host}",
             *(f"{name}: {value}" for name, value in bearer(token)), *case.headers]
    status, headers, body = exchange(world.port, "\n".join(lines))
    assert verdict.status in case.status
    assert verdict.status == status
    assert verdict.code == {200: check_client.OK, 401: check_client.UNAUTHENTICATED}.get(
        status, check_client.PERMISSION_DENIED)
    told = IDENTITY if status == 200 else ("www-authenticate", "content-type", "cache-control",
                                           "x-content-type-options")
    assert {name: verdict.headers.get(name) for name in told} == {
        name: headers.get(name) for name in told}
    if status != 200:
        assert not set(IDENTITY) & set(verdict.headers)
        ours = verdict.headers["x-request-id"][0]
        assert verdict.body.replace(ours.encode(), b"") == body.replace(
            headers["x-request-id"][0].encode(), b"")


@pytest.mark.parametrize("target", ["/public/x", "/p/{project}/workloads"])
def test_all_identity_headers_replace_what_is_there(world, target):
    verdict = ask(world, target.replace("{project}", world.project), world.viewer)
    assert set(verdict.headers) == set(IDENTITY)
    assert verdict.options == {(OVERWRITE, KEEP_EMPTY)}


def test_only_gateways_may_connect(world):
    assert ask(world, "/public/x").status == 200
    with pytest.raises(ConnectionError):
        ask(world, "/public/x", source="127.0.0.2")
    assert world.server.log().count("turned away") == 1
    with pytest.raises(ConnectionError):
        ask(world, "/public/x", source="127.0.0.2")
    assert world.server.log().count("turned away") == 1  # not for each


@pytest.mark.parametrize("fields", [
    bearer("x") * 2, [("content-type", "text/plain")] * 2, [("host", HOST)],
    [("content-encoding", "gzip")], [("x", "a\r\nb: c")], [("x", "a\nb: c")], [("x", "a\0b")],
    [("x", "a\x01b")], [("x\r\ny", "z")], [("x:y", "z")], [("x y", "z")], [("", "z")],
    [(" x", "z")], [("x", "y")] * 64, [("x", "y" * 9000)],
], ids=str)
def test_what_is_no_request_head_is_refused(world, joined, fields):
    """On a route for anyone, where nothing else is the matter."""
    if fields == [("x", "y")] * 64:  # lines
        fields = [(f"x{number}", "y") for number in range(64)]
    assert ask(world, "/public/x", more=fields, joined=joined).status in (400, 415, 431)


@pytest.mark.parametrize("change", [
    {"method": ""}, {"method": "G T"},
    {"method": "GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: x\r\n\r\nGET"},
    {"host": ""}, {"host": "a b"}, {"host": f"{HOST}\r\nx: y"}, {"host": "app.c.example"},
    {"target": ""}, {"target": "*"}, {"target": "public/x"}, {"target": "/../forward-auth"},
    {"target": "//public/x"}, {"target": "/public/x HTTP/1.1\r\nHost: app.a.example\r\n\r\n"},
    {"target": "/public/x\0"}, {"target": "http://app.a.example/public/x"},
    {"target": "/public/x?" + "a" * 5000}], ids=str)
def test_what_is_no_request_line_is_refused(world, change):
    assert ask(world, **({"target": "/public/x"} | change)).status in (400, 403, 414)


def test_framing_of_the_clients_request_is_no_matter(world):
    """Envoy sends all fields where `allowed_headers` does not say which."""
    more = [("content-length", "12"), ("expect", "100-continue"), ("upgrade", "websocket"),
            ("connection", "upgrade"), ("transfer-encoding", "gzip, chunked")]
    assert ask(world, "/public/x", more=more).status == 200


def test_names_with_an_underscore_are_not_read(world, joined):
    more = [("authorization_", "x"), ("x_y", "z"), ("content_type", "a"), ("content_type", "b")]
    assert ask(world, "/api/v1/whoami", world.viewer, more=more, joined=joined).status == 200


@pytest.mark.parametrize("values,status", [
    (("{project}",), 200), (("{other}",), 403), ((), 403), (("{project}", "{other}"), 403),
    (("{project}", "{project}"), 403), (("{project},{project}",), 403)])
def test_scope_in_a_header(world, joined, values, status):
    more = [("x-project", value.replace("{project}", world.project).replace(
        "{other}", world.other_project)) for value in values]
    assert ask(world, "/by-header", world.viewer, more=more, joined=joined).status == status


@pytest.fixture(scope="session")
def departments(world):
    cluster = world.admin.call("POST", "/api/v1/clusters", {"name": "c2"})["uuid"]
    for name in ("d1", "d1,d2"):
        world.admin.call("POST", "/api/v1/org-unit/departments",
                         {"name": name, "clusterId": cluster, "resources": []})


@pytest.mark.parametrize("values,raw,as_joined", [
    (["d1"], 200, 200), (["d1", "d2"], 403, 403), (["d1,d2"], 200, 403)])
@pytest.mark.usefixtures("departments")
def test_two_fields_that_are_one_name_when_joined(world, joined, values, raw, as_joined):
    """There is a department of the name that two fields make."""
    verdict = ask(world, "/by-header-name", world.admin.token, joined=joined,
                  more=[("x-department", value) for value in values])
    assert verdict.status == (as_joined if joined else raw)


JSON = ("content-type", "application/json")
WHOLE, CUT = (("x-envoy-auth-partial-body", text) for text in ("false", "true"))


@pytest.mark.parametrize("more,body,status", [
    ([JSON, WHOLE], None, 200), ([JSON], None, 200), ([JSON, WHOLE], b"", 403),
    ([JSON, CUT], None, 403), ([JSON, WHOLE, CUT], None, 403), ([WHOLE], None, 403),
    ([JSON, JSON], None, 400), ([("content-type", "application/json; x=y"), JSON], None, 400),
    ([JSON, WHOLE], b'{"projectId":"1","projectID":"2"}', 403),
    ([JSON, WHOLE], b'{"projectId":"\xff"}', 403)])
def test_scope_in_the_body(world, joined, more, body, status):
    good = f'{{"projectId":"{world.project}"}}'.encode()
    verdict = ask(world, "/by-body", world.viewer, method="POST", more=more, joined=joined,
                  body=good if body is None else body)
    assert verdict.status == status


# --- the protocol ---------------------------------------------------------------------------------

INVALID_ARGUMENT, UNIMPLEMENTED = 3, 12  # of gRPC


@pytest.mark.parametrize("message", [b"", b"\xff" * 20, b"\x0a\x05abc", b"\x0a\x00"], ids=repr)
def test_what_is_no_question_has_no_verdict(world, message):
    with check_client.Connection(world.grpc_port) as connection:
        assert connection.call(message) == (INVALID_ARGUMENT, b"")


@pytest.mark.parametrize("method", [
    "/envoy.service.auth.v2.Authorization/Check", "/envoy.service.auth.v3.Authorization/check",
    "/", "/x", "/ext-authz/public/x", check_client.CHECK + "/"])
def test_there_is_no_other_method(world, method):
    with check_client.Connection(world.grpc_port) as connection:
        message = check_client.question("GET", "/public/x", HOST)
        assert connection.call(message, method)[0] == UNIMPLEMENTED
        assert connection.call(message)[0] == check_client.OK


def test_many_at_once(world):
    """On connections of their own, each with questions that end in different ways."""
    failed = []

    def ask_often():
        with check_client.Connection(world.grpc_port) as connection:
            for target, token, status in ([("/public/x", None, 200), ("/admin", None, 401),
                                           ("/admin", world.viewer, 403),
                                           ("/admin", world.admin.token, 200)] * 10):
                said, answer = connection.call(check_client.question(
                    "GET", target, HOST, bearer(token)))
                if said != 0 or check_client.verdict_of(answer).status != status:
                    failed.append(target)

    threads = [threading.Thread(target=ask_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_why_is_told_with_the_client_that_envoy_names(world):
    verdict = ask(world, "/admin", world.viewer, client="192.0.2.7")
    why = world.admin.call("GET", f"/api/v1/diagnoses/{verdict.headers['x-request-id'][0]}")
    assert why["operation"] == "GET /admin" and "192.0.2.7" in json.dumps(why)


# --- the process ----------------------------------------------------------------------------------


def test_figures_count_both_ways_alike():
    with Server("--route-map", str(ROUTES), "--grpc-listen", "127.0.0.1:0",
                "--metrics-listen", "127.0.0.1:0") as server:
        port = int(server.said(r"gRPC for Envoy on .+:(\d+)"))
        metrics = server.said(r"metrics on (http://\S+)")
        check_client.check(port, check_client.question("GET", "/public/x", HOST))
        exchange(server.address[1], f"GET /ext-authz/public/x HTTP/1.1\nHost: {HOST}")
        check_client.check(port, check_client.question("GET", "/admin", HOST))
        text = requests.get(metrics, timeout=30).text
    assert ('claviger_http_requests_total{code="200",method="GET",route="forwardAuth"} 2'
            in text or 'route="forwardAuth",method="GET",code="200"} 2' in text)
    assert 'claviger_forwarded_requests_total{verdict="passed"} 2' in text
    assert 'claviger_forwarded_requests_total{verdict="refused"} 1' in text


def start_fails(*options):
    done = subprocess.run([str(binary()), "serve", "--listen", "127.0.0.1:0", *options], text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode != 0 and "listening" not in done.stdout
    return done.stderr.splitlines()


def test_start_says_what_is_wrong(world, tmp_path):
    data = ("--data", str(tmp_path))
    said = start_fails(*data, "--grpc-listen", "127.0.0.1:0")
    assert [line for line in said if "grpc-listen without route-map" in line]
    said = start_fails(*data, "--route-map", str(ROUTES), "--grpc-listen",
                       f"127.0.0.1:{world.grpc_port}")
    assert [line for line in said if not line.startswith(("{", "claviger: first adm"))] == [
        f"claviger: cannot listen on 127.0.0.1:{world.grpc_port}: Address already in use"]


def test_a_stop_ends_connections_that_wait():
    with Server("--route-map", str(ROUTES), "--grpc-listen", "127.0.0.1:0") as server:
        port = int(server.said(r"gRPC for Envoy on .+:(\d+)"))
        with check_client.Connection(port) as idle, check_client.Connection(port) as half:
            message = check_client.question("GET", "/public/x", HOST)
            assert idle.call(message)[0] == check_client.OK
            half.begin()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=25) == 0
        assert not [line for line in server.log().splitlines() if "grpc" in line.lower()
                    and not line.startswith(("{", "claviger: "))]


def make_certificate(folder):
    key, certificate = folder / "tls.key", folder / "tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-days", "1", "-keyout", f"{key}.new", "-out",
                    f"{certificate}.new"], check=True, capture_output=True)
    for file in (key, certificate):
        new = file.with_name(f"{file.name}.new")
        new.chmod(0o600)
        new.rename(file)
    return key, certificate


def can_ask(port, certificate, version=ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with check_client.Connection(port, tls=context) as connection:
            return connection.call(check_client.question("GET", "/public/x", HOST))[0] == 0
    except (ssl.SSLError, ConnectionError):
        return False


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the version is old
def test_tls_with_the_files_of_the_listener(tmp_path):
    key, certificate = make_certificate(tmp_path)
    with Server("--route-map", str(ROUTES), "--grpc-listen", "127.0.0.1:0", "--tls-cert",
                str(certificate), "--tls-key", str(key)) as server:
        port = int(server.said(r"gRPC for Envoy on .+:(\d+)"))
        assert can_ask(port, certificate) and can_ask(port, certificate, ssl.TLSVersion.TLSv1_2)
        assert not can_ask(port, certificate, ssl.TLSVersion.TLSv1_1)
        with pytest.raises(ConnectionError):
            check_client.check(port, check_client.question("GET", "/public/x", HOST))
        make_certificate(tmp_path)  # in place of those
        deadline = time.monotonic() + 30
        while not can_ask(port, certificate):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_no_descriptor_left_is_no_end():
    with Server("--route-map", str(ROUTES), "--grpc-listen", "127.0.0.1:0",
                prefix=("prlimit", "--nofile=120:120")) as server:
        port = int(server.said(r"gRPC for Envoy on .+:(\d+)"))
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
        for connection in waiting:
            connection.close()
        message = check_client.question("GET", "/public/x", HOST)
        deadline = time.monotonic() + 30
        while True:
            try:
                assert check_client.check(port, message).status == 200
                return
            except ConnectionError:
                assert time.monotonic() < deadline


def test_the_examples_for_envoy_differ_in_how_it_asks():
    def lines(name):
        return set((EXAMPLES / "envoy" / name).read_text().splitlines())

    only_http = {line.strip() for line in lines("envoy.yaml") - lines("envoy-grpc.yaml")}
    more = {line.strip() for line in lines("envoy-grpc.yaml") - lines("envoy.yaml")}
    assert {"http_service:", "path_prefix: /ext-authz"} <= only_http
    assert {"grpc_service:", "encode_raw_headers: true"} <= more
    for setting in ("failure_mode_allow: false", "normalize_path: false", "merge_slashes: false"):
        assert not any(setting in line for line in only_http | more)
