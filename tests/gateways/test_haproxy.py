# SPDX-License-Identifier: Apache-2.0
"""HAProxy asks by a script of ours, deploy/examples/haproxy/claviger.lua: whatever goes wrong in
it, and whatever Claviger answers, only a whole verdict lets a request pass."""
from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading

import pytest

from attacks import wire

from .conftest import open_gateway
from .gateway import EXAMPLES, demo, exchange, free_port
from .test_forward_auth import IDENTITY

IDENTITY_LINES = {name: f"{name}: of-{name}" for name in IDENTITY}
NO_VERDICT = 503
SILENCE = b""


def verdict(status: str, *lines: str, body: str = "") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "",
                        body]).encode()


class StandIn:
    """Answers every request with the same bytes, or never; keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.connections: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.grpc_port = free_port()  # at which nobody listens
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.connections.append(self.listener.accept()[0])
                threading.Thread(target=self.serve, args=self.connections[-1:],
                                 daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        head = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                head += piece
                if head.endswith(b"\r\n\r\n"):
                    self.heads.append(head)
                    head = b""
                    connection.sendall(self.answer)

    def lines(self) -> list[str]:
        """Of the last request."""
        return self.heads[-1].decode().rstrip().split("\r\n")

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for the next
        for one in (self.listener, *self.connections):
            one.close()


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A copy of the example with another text in it."""
    shutil.copytree(EXAMPLES / "haproxy", tmp_path / "haproxy")
    monkeypatch.setattr(demo, "HERE", tmp_path)

    def change(file: str, old: str, new: str) -> None:
        path = tmp_path / "haproxy" / file
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new))

    return change


@contextlib.contextmanager
def haproxy(tmp_path, claviger, api):
    with open_gateway("haproxy", tmp_path / "files", claviger, api) as opened:
        yield opened


def get(opened, target="/public/x", *more, method="GET"):
    return exchange(opened.port, "\n".join([f"{method} {target} HTTP/1.1", "Host: app.a.example",
                                            *more]))


BROKEN = {
    "fails at once": ("claviger.lua", "local answer = core", "error('x') local answer = core"),
    "fails after the question": ("claviger.lua", "if answer.status == 200 then",
                                 "error('x') if answer.status == 200 then"),
    "fails before the end": ("claviger.lua", "    -- There may be no room",
                             "    error('x') --"),
    "asks nobody": ("claviger.lua", "local answer = core.httpclient():get({",
                    "do return end local answer = core.httpclient():get({"),
    "does not end": ("claviger.lua", "local answer = core",
                     "while true do end local answer = core"),
    "knows no httpclient": ("claviger.lua", "core.httpclient()", "core.no_httpclient()"),
    "asks at another socket": ("haproxy.cfg", "bind abns@", "bind abns@other-"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_nothing_passes_when_the_script(world, sample_api, tmp_path, changed, how):
    changed(*BROKEN[how])
    if how == "does not end":
        changed("haproxy.cfg", "global\n", "global\n    tune.lua.session-timeout 200\n")
    with haproxy(tmp_path, world, sample_api) as opened:
        sample_api.take_seen()
        for more in ((), (f"Authorization: Bearer {world.viewer}",)):
            assert get(opened, "/public/x", *more)[0] == NO_VERDICT
        assert sample_api.take_seen() == []
        # Claviger itself is there.
        assert get(opened, "/api/v1/token", "Content-Length: 0", method="POST")[0] == 404


@pytest.mark.parametrize("script", ["", "no Lua"])
def test_haproxy_does_not_start_without_the_script(tmp_path, script):
    shutil.copy(EXAMPLES / "haproxy" / "haproxy.cfg", tmp_path)
    (tmp_path / "claviger.lua").write_text(script)
    done = subprocess.run([demo.program("haproxy"), "-c", "-C", tmp_path, "-f", "haproxy.cfg"],
                          text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1 and "lua" in done.stderr.lower(), done.stderr


ANSWERS = {
    "200 without identity": verdict("200 OK"),
    **{f"200 without {name}": verdict("200 OK", *(line for other, line in IDENTITY_LINES.items()
                                                  if other != name)) for name in IDENTITY},
    "another success": verdict("204 No Content", *IDENTITY_LINES.values()),
    "elsewhere": verdict("302 Found", "Location: /", *IDENTITY_LINES.values()),
    "no such page": verdict("404 Not Found", *IDENTITY_LINES.values()),
    "an error": verdict("500 x", *IDENTITY_LINES.values()),
    "no HTTP": b"200 OK\r\n\r\n",
    "nothing": SILENCE,
}


def test_only_a_whole_verdict_lets_pass(tmp_path):
    """Nothing at all costs the time that the question may take."""
    with StandIn(b"") as claviger, StandIn(verdict("200 OK")) as api:
        with haproxy(tmp_path, claviger, api) as opened:
            claviger.answer = verdict("200 OK", *IDENTITY_LINES.values())
            assert get(opened)[0] == 200
            assert set(IDENTITY_LINES.values()) < set(api.lines())
            api.heads.clear()
            for what, claviger.answer in ANSWERS.items():
                assert (get(opened)[0], api.heads) == (NO_VERDICT, []), what


def test_what_claviger_says_of_a_refusal_is_told_and_no_more(tmp_path):
    told = {"www-authenticate": 'Bearer realm="x", error="y"',
            "content-type": "application/problem+json", "x-request-id": "7"}
    with StandIn(b"") as claviger, StandIn(verdict("200 OK")) as api:
        with haproxy(tmp_path, claviger, api) as opened:
            for status, method, body in ((401, "GET", b"{}"), (403, "POST", b"{}"),
                                         (403, "HEAD", b"")):
                claviger.answer = verdict(
                    f"{status} x", *(f"{name}: {value}" for name, value in told.items()),
                    "X-Auth-Subject: x", "Set-Cookie: x", body="{}")
                seen, headers, content = get(opened, method=method)
                assert (seen, content) == (status, body)
                assert {name: ", ".join(values) for name, values in headers.items()} == told | {
                    "content-length": "2", "connection": "close"}
        assert api.heads == []


def test_the_question_is_haproxys_own(tmp_path):
    """Each thing once, over one connection, whatever the client sends under these names."""
    said = ["X-Forwarded-Method: POST", "X-Forwarded-Uri: /x", "X-Forwarded-Host: x", "Cookie: x",
            "X-Forwarded-For: 192.0.2.1", "X-Auth-Subject: x", "Authorization: a",
            "Authorization: b"]
    with StandIn(verdict("200 OK", *IDENTITY_LINES.values())) as claviger:
        with StandIn(verdict("200 OK")) as api, haproxy(tmp_path, claviger, api) as opened:
            for target in ("/a%2fb/../c?d=%2e", "http://app.a.example/a%2fb/../c?d=%2e"):
                get(opened, target, *said, method="PATCH")
                assert claviger.lines()[0] == "GET /forward-auth HTTP/1.1"
                assert sorted(claviger.lines()[1:]) == [
                    "accept: */*", "authorization: a", "authorization: b", "host: app.a.example",
                    "user-agent: HAProxy", "x-forwarded-for: 127.0.0.1",
                    "x-forwarded-host: app.a.example", "x-forwarded-method: PATCH",
                    "x-forwarded-uri: /a%2fb/../c?d=%2e"]
                assert api.lines()[0] == "PATCH /a%2fb/../c?d=%2e HTTP/1.1"
            assert len(claviger.connections) == 1


def test_what_claviger_cannot_read_does_not_pass(world, sample_api, tmp_path):
    good = f"Authorization: Bearer {world.viewer}"
    with haproxy(tmp_path, world, sample_api) as opened:
        sample_api.take_seen()
        assert get(opened, "/public/x", good, good)[0] == NO_VERDICT
        assert get(opened, "/public/x", f"User-Agent: {'x' * 9000}")[0] == NO_VERDICT
        assert sample_api.take_seen() == []


def test_only_questions_go_through_the_listener(world, sample_api, tmp_path):
    with haproxy(tmp_path, world, sample_api) as opened:
        for path, said in (("/forward-auth", "exactly one X-Forwarded-Method"),
                           ("/api/v1/token", "Forbidden"), ("/forward-auth/..", "Forbidden")):
            with socket.socket(socket.AF_UNIX) as connection:
                # HAProxy's names are as long as a name can be.
                connection.connect(f"\0claviger-{opened.port}".ljust(108, "\0"))
                connection.sendall(wire.request_bytes("GET", path, "app.a.example",
                                                      [b"Connection: close"]))
                answer = connection.makefile("rb").read().decode()
            assert answer.startswith("HTTP/1.1 403 ") and said in answer


def test_no_tunnel_and_no_hop_by_hop_header_of_the_client(tmp_path):
    with StandIn(verdict("200 OK", *IDENTITY_LINES.values())) as claviger:
        with StandIn(verdict("200 OK")) as api, haproxy(tmp_path, claviger, api) as opened:
            get(opened, "/", "Connection: Upgrade, X-Auth-Subject", "Upgrade: websocket",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
            names = {line.partition(":")[0] for line in api.lines()}
            assert "upgrade" not in names and "x-auth-subject" in names
            assert [line for line in api.lines() if line.startswith("connection: ")] in (
                [], ["connection: close"])


def test_identity_that_finds_no_room_lets_nothing_pass(tmp_path):
    """HAProxy leaves such a header out and says nothing."""
    long = [f"{line}{'x' * 250}" for line in IDENTITY_LINES.values()]
    with StandIn(verdict("200 OK", *long)) as claviger, StandIn(verdict("200 OK")) as api:
        with haproxy(tmp_path, claviger, api) as opened:
            statuses = set()
            for length in range(13_000, 15_500, 100):
                api.heads.clear()
                status = get(opened, "/", "X-Auth-Scope: spoofed", f"X-Long: {'x' * length}")[0]
                assert len(api.heads) == (1 if status == 200 else 0)
                assert status != 200 or set(long) < set(api.lines())
                statuses.add(status)
    assert statuses == {200, NO_VERDICT, 400}  # 400: more than HAProxy reads


def test_headers_that_a_scope_stands_in(world, sample_api, tmp_path, changed):
    good, project = f"Authorization: Bearer {world.viewer}", f"X-Project: {world.project}"
    (tmp_path / "without").mkdir()
    with haproxy(tmp_path / "without", world, sample_api) as opened:
        assert get(opened, "/by-header", good, project)[0] == 403
    changed("haproxy.cfg", "8088 authorization,user-agent",
            "8088 authorization,X-Project,host,x-forwarded-uri,x-forwarded-method")
    with haproxy(tmp_path, world, sample_api) as opened:
        for more, expected in (([project], 200), ([], 403), ([project, project], 403),
                               ([f"X-Project: {world.other_project}"], 403)):
            assert get(opened, "/by-header", good, *more)[0] == expected, more
        # Names that are the question's own do not replace it.
        assert get(opened, "/admin", "X-Forwarded-Uri: /public/x")[0] == 401
        assert get(opened, "/p/1", good, "X-Forwarded-Method: GET", method="DELETE")[0] == 403


def test_http2(world, sample_api, tmp_path, changed):
    changed("haproxy.cfg", "    option disable-h2-upgrade\n", "")
    with haproxy(tmp_path, world, sample_api) as opened:
        for target, token, expected in (("/p/1", world.viewer, "200"), ("/p/1", "x", "401"),
                                        ("/public/../admin", world.viewer, "403")):
            sample_api.take_seen()
            status = subprocess.run(
                ["curl", "--silent", "--http2-prior-knowledge", "--path-as-is", "--output",
                 "/dev/null", "--write-out", "%{http_version} %{http_code}", "-H",
                 "Host: app.a.example", "-H", f"Authorization: Bearer {token}", "-H",
                 "X-Auth-Scope: spoofed", f"http://127.0.0.1:{opened.port}{target}"],
                text=True, capture_output=True, timeout=60, check=True).stdout
            assert status == f"2 {expected}"
            seen = sample_api.take_seen()
            assert [one["target"] for one in seen] == ([target] if expected == "200" else [])
            assert "spoofed" not in str(seen)
