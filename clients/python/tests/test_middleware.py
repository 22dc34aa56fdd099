# SPDX-License-Identifier: Apache-2.0
"""Requests to an API behind the middlewares: the same cases as behind every gateway, and what else
is theirs. WSGI over real HTTP; ASGI called as a server calls it."""
from __future__ import annotations

import asyncio
import json
import socketserver
import threading
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from claviger import (ANYWHERE, TENANT, ConfigurationError, Denied, Route, ScopeFrom, Verifier,
                      asgi, wsgi)
from claviger.routes import RouteMap, is_canonical
from gateways.cases import CASES, CHALLENGED, Case
from gateways.gateway import exchange
from issuer import ADMIN, Issuer, Key, outlast_lease

METADATA = "https://app.example/.well-known/oauth-protected-resource"
CHALLENGE = f'Bearer realm="api", resource_metadata="{METADATA}"'
PROJECT = ScopeFrom("project", path="projectId")
# As tests/gateways/conftest.py has them.
ROUTES = [
    Route(("GET", "DELETE"), "/p/{projectId}/workloads", "workloads:read", PROJECT),
    Route("GET", "/by-query", "workloads:read", ScopeFrom("project", query="projectId")),
    Route("GET", "/by-header", "workloads:read", ScopeFrom("project", header="X-Project")),
    Route("GET", "/fixed", "workloads:read", ScopeFrom("project", id="4")),
    Route("GET", "/api/v1/workloads", "workloads:read", ANYWHERE),
    Route("GET", "/admin", "settings:update", TENANT),
    Route("GET", "/api/v1/whoami", access="authenticated"),
    Route("GET", "/public/x", access="anyone"),
    Route("GET", "/files/{name}", access="anyone"),
    Route("GET", "/inside", access="authenticated")]
VIEWER = "sa:00000000-0000-4000-8000-000000000009"
CASES_HERE = [case for case in CASES if case.host == "app.a.example"]


@dataclass
class Answer:
    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def challenge(self) -> str:
        value, = self.headers["www-authenticate"]
        return value


@pytest.fixture
def tenant(issuer: Issuer) -> Issuer:
    """A viewer of project 4, and an administrator."""
    issuer.rules = {
        "nodes": [["tenant", "1", -1], ["project", "4", 0], ["project", "5", 0]],
        "roles": [[1, ["settings:update"]], [7, ["workloads:read"]]], "users": [], "limits": [],
        "rules": [[1, "service-account", ADMIN[3:], 1, 0],
                  [2, "service-account", VIEWER[3:], 7, 1]]}
    return issuer


# --- the two kinds --------------------------------------------------------------------------------


def body_of(access) -> bytes:
    said = None if access.token is None else access.token.subject
    rule = None if access.decision is None else access.decision.rule
    return json.dumps({"subject": said, "rule": rule}).encode()


def wsgi_app(environ, start_response):
    access = wsgi.access_of(environ)
    if environ["PATH_INFO"] == "/inside":
        access.require("workloads:read", ("project", "4"))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body_of(access)]


async def asgi_app(scope, receive, send):
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        return
    access = asgi.access_of(scope)
    if scope["path"] == "/inside":
        access.require("workloads:read", ("project", "4"))
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body_of(access)})


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class ThreadedServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class OverWsgi:
    """`has_target`: the server tells the target as it was sent, as gunicorn and uWSGI do."""

    def __init__(self, verifier: Verifier, has_target: bool):
        self.app = wsgi.Middleware(wsgi_app, verifier, ROUTES, resource_metadata=METADATA)
        handler = QuietHandler
        if has_target:
            class Handler(QuietHandler):
                def get_environ(self):
                    return super().get_environ() | {"RAW_URI": self.path}

            handler = Handler
        self.server = make_server("127.0.0.1", 0, self.app, ThreadedServer, handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def send(self, method: str, target: str, *headers: str) -> Answer:
        lines = [f"{method} {target} HTTP/1.1", "Host: app.a.example", *headers]
        return Answer(*exchange(self.server.server_port, "\n".join(lines)))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def asgi_scope(method: str, target: str, *headers: str, kind: str = "http") -> dict:
    raw, _, query = target.partition("?")
    pairs = [line.split(": ", 1) for line in headers]
    scope = {"type": kind, "method": method, "raw_path": raw.encode(),
             "path": unquote_to_bytes(raw).decode(errors="replace"),
             "query_string": query.encode(), "client": ("127.0.0.1", 5),
             "headers": [(name.lower().encode(), value.encode()) for name, value in pairs]}
    if kind == "websocket":
        del scope["method"]
    return scope


def call(app, scope: dict) -> list[dict]:
    sent: list[dict] = []

    async def run() -> None:
        async def send(message) -> None:
            sent.append(message)

        await app(scope, None, send)

    asyncio.run(run())
    return sent


class OverAsgi:
    def __init__(self, verifier: Verifier, has_target: bool):
        self.app = asgi.Middleware(asgi_app, verifier, ROUTES, resource_metadata=METADATA)
        self.has_target = has_target

    def send(self, method: str, target: str, *headers: str) -> Answer:
        scope = asgi_scope(method, target, *headers)
        if not self.has_target:
            del scope["raw_path"]
        start, body = call(self.app, scope)
        found: dict[str, list[str]] = {}
        for name, value in start["headers"]:
            found.setdefault(name.decode(), []).append(value.decode())
        return Answer(start["status"], found, body["body"])

    def close(self) -> None:
        pass


@pytest.fixture(params=[(OverWsgi, True), (OverWsgi, False), (OverAsgi, True), (OverAsgi, False)],
                ids=["wsgi", "wsgi-decoded", "asgi", "asgi-decoded"])
def api(request, tenant, make_verifier):
    kind, has_target = request.param
    verifier = make_verifier()
    made = kind(verifier, has_target)
    made.verifier = verifier
    made.has_target = has_target
    yield made
    made.close()


def bearer(issuer: Issuer, name: str | None) -> list[str]:
    tokens = {"viewer": lambda: issuer.token(sub=VIEWER), "admin": issuer.token,
              "foreign": lambda: issuer.token(key=Key("access_token"))}
    if name is None:
        return []
    return [f"Authorization: Bearer {tokens[name]() if name in tokens else name}"]


def sent_by(issuer: Issuer, api, case: Case) -> Answer:
    target = case.target.replace("{project}", "4").replace("{other}", "5")
    return api.send(case.method, target, *bearer(issuer, case.token), *case.headers)


def test_the_cases_of_the_gateways(tenant: Issuer, api):
    """Where the server does not tell the target as it was sent, an escape that could have passed
    is refused, and an escaped letter or slash is that character, for the API as well."""
    wrong = {}
    for case in CASES_HERE:
        wanted = case.status
        if not api.has_target:
            wanted += {"a file": (403,), "an encoded slash": (200,)}.get(case.name, ())
        answer = sent_by(tenant, api, case)
        if answer.status not in wanted:
            wrong[case.name] = (answer.status, answer.body)
        if case.status == CHALLENGED:
            assert answer.challenge.startswith(CHALLENGE)
    assert not wrong


def test_who_is_calling_is_told_to_the_handler(tenant: Issuer, api):
    viewer = bearer(tenant, "viewer")
    answer = api.send("GET", "/p/4/workloads", *viewer)
    assert json.loads(answer.body) == {"subject": VIEWER, "rule": 2}
    assert json.loads(api.send("GET", "/api/v1/whoami", *viewer).body)["subject"] == VIEWER
    assert json.loads(api.send("GET", "/public/x").body)["subject"] is None


def test_challenges(tenant: Issuer, api):
    missing = api.send("GET", "/admin")
    assert missing.challenge == CHALLENGE
    bad = api.send("GET", "/admin", "Authorization: Bearer x")
    assert bad.challenge == f'{CHALLENGE}, error="invalid_token"'
    denied = api.send("GET", "/admin", *bearer(tenant, "viewer"))
    assert denied.challenge == (
        f'{CHALLENGE}, error="insufficient_scope", scope="settings:update"')
    assert json.loads(denied.body)["details"] == (
        "missing permission settings:update at the tenant (not permitted anywhere)")
    for answer in (missing, bad, denied):
        assert answer.headers["cache-control"] == ["no-store"]
        assert int(answer.headers["content-length"][0]) == len(answer.body)
    assert "malformed" not in bad.body.decode(), "a stranger learns no reason"


def test_scopes_from_headers_and_fixed_ones(tenant: Issuer, api):
    viewer = bearer(tenant, "viewer")
    assert api.send("GET", "/fixed", *viewer).status == 200
    assert api.send("GET", "/by-header", *viewer, "X-Project: 4").status == 200
    for headers in ([], ["X-Project: 5"], ["X-Project: "], ["X-Project: 4", "X-Project: 4"],
                    ["X-Project: 4,4"]):
        assert api.send("GET", "/by-header", *viewer, *headers).status == 403, headers


@pytest.mark.parametrize("headers", [
    ["Authorization: Basic YTpi"], ["Authorization: Bearer "], ["Authorization: Bearer  {}"],
    ["Authorization: Bearer {} x"], ["Authorization: Bearer {}, Bearer {}"],
    ["Authorization: {}"], ["Authorization: Bearer {}", "Authorization: Bearer {}"]])
def test_what_is_no_bearer_token(tenant: Issuer, api, headers):
    token = tenant.token()
    answer = api.send("GET", "/admin", *[line.replace("{}", token) for line in headers])
    assert answer.status == 401 and 'error="invalid_token"' in answer.challenge


def test_a_permission_asked_for_inside_a_handler(tenant: Issuer, api):
    assert api.send("GET", "/inside", *bearer(tenant, "viewer")).status == 200
    answer = api.send("GET", "/inside", *bearer(tenant, "admin"))
    assert answer.status == 403 and 'scope="workloads:read"' in answer.challenge


def test_a_verifier_that_hears_nothing_lets_nobody_pass(tenant: Issuer, api, clock):
    with tenant.changed:
        tenant.silent = True
    outlast_lease(api.verifier, clock, 60)
    answer = api.send("GET", "/admin", *bearer(tenant, "admin"))
    assert answer.status == 503 and answer.headers["retry-after"] == ["5"]
    assert api.send("GET", "/public/x").status == 200


def test_keys_that_are_good_from_some_addresses(tenant: Issuer, make_verifier):
    tenant.rules["limits"] = [["robot", {"addresses": ["10.0.0.0/8"]}]]
    verifier = make_verifier()
    line, = bearer(tenant, "viewer")
    headers = [line, "X-Real-Ip: 10.1.1.1"]
    near = asgi.Middleware(asgi_app, verifier, ROUTES)
    behind = asgi.Middleware(asgi_app, verifier, ROUTES, source_ip=lambda scope: dict(
        scope["headers"])[b"x-real-ip"].decode())
    for app, status in ((near, 401), (behind, 200)):
        assert call(app, asgi_scope("GET", "/fixed", *headers))[0]["status"] == status


# --- of ASGI alone --------------------------------------------------------------------------------


def test_websockets_are_judged_by_their_get(tenant: Issuer, make_verifier):
    app = asgi.Middleware(asgi_app, make_verifier(), ROUTES)
    for name, sent in (("viewer", "websocket.accept"), (None, "websocket.close"),
                       ("admin", "websocket.close")):
        scope = asgi_scope("GET", "/p/4/workloads", *bearer(tenant, name), kind="websocket")
        assert call(app, scope)[0]["type"] == sent
    assert call(app, {"type": "lifespan"})[0]["type"] == "lifespan.startup.complete"
    with pytest.raises(RuntimeError):
        call(app, {"type": "telepathy"})


def test_an_unknown_key_is_fetched_off_the_event_loop(tenant: Issuer, make_verifier):
    app = asgi.Middleware(asgi_app, make_verifier(), ROUTES)
    new = Key("access_token")
    tenant.published.append(new.jwk)
    line = f"Authorization: Bearer {tenant.token(key=new, sub=VIEWER)}"
    assert call(app, asgi_scope("GET", "/fixed", line))[0]["status"] == 200


def test_a_path_that_two_would_read_differently(tenant: Issuer, make_verifier):
    app = asgi.Middleware(asgi_app, make_verifier(), ROUTES)
    scope = asgi_scope("GET", "/public/x") | {"path": "/admin"}
    assert call(app, scope)[0]["status"] == 403
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/public/x", "RAW_URI": "/public/x?y"}
    for path, status in (("/public/x", "200 OK"), ("/admin", "403 Forbidden")):
        said: list[str] = []
        wsgi.Middleware(wsgi_app, app._gate.verifier, ROUTES)(
            environ | {"PATH_INFO": path}, lambda status, _headers: said.append(status))
        assert said == [status]


def test_a_refusal_after_the_answer_has_begun_is_an_error(tenant: Issuer, make_verifier):
    async def late(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        asgi.access_of(scope).require("workloads:read", ("project", "5"))

    app = asgi.Middleware(late, make_verifier(), ROUTES)
    with pytest.raises(Denied):
        call(app, asgi_scope("GET", "/fixed", *bearer(tenant, "viewer")))


# --- the route map --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [
    lambda: Route("get", "/x", access="anyone"), lambda: Route((), "/x", access="anyone"),
    lambda: Route("GET", "/x", access="everyone"), lambda: Route("GET", "/x"),
    lambda: Route("GET", "/x", "a:b"), lambda: Route("GET", "/x", scope=TENANT),
    lambda: Route("GET", "/x", "a:b", TENANT, access="anyone"),
    lambda: Route("GET", "/x", "a", TENANT),
    lambda: Route("GET", "/x", "a:b", "project"), lambda: Route("GET", "x", access="anyone"),
    lambda: Route("GET", "/x/", access="anyone"), lambda: Route("GET", "/x//y", access="anyone"),
    lambda: Route("GET", "/x?y", access="anyone"), lambda: Route("GET", "/%61", access="anyone"),
    lambda: Route("GET", "/x{y}", access="anyone"), lambda: Route("GET", "/{}", access="anyone"),
    lambda: Route("GET", "/x", "a:b", PROJECT), lambda: ScopeFrom("galaxy", id="1"),
    lambda: Route("GET", "/{projectId}/{projectId}", "a:b", PROJECT),
    lambda: ScopeFrom("project"), lambda: ScopeFrom("project", id="1", path="x"),
    lambda: RouteMap([Route("GET", f"/{{{name}}}", access="anyone") for name in "ab"])])
def test_mistakes_in_a_route_map_are_told_at_once(make):
    with pytest.raises(ConfigurationError):
        make()


def test_the_template_that_says_more_decides_alone():
    routes = RouteMap([Route(("GET", "DELETE"), "/jobs/{id}", access="anyone"),
                       Route("GET", "/jobs/running", access="authenticated"),
                       Route("GET", "/{x}/running", access="authenticated")])
    assert routes.match("GET", "/jobs/running").route.path == "/jobs/running"
    assert routes.match("DELETE", "/jobs/running") is None
    assert routes.match("DELETE", "/jobs/a%20b").parameters == {"id": "a b"}
    assert routes.match("GET", "/x/running").route.path == "/{x}/running"
    assert routes.match("GET", "/") is None and routes.match("HEAD", "/jobs/1") is None


@pytest.mark.parametrize("path, canonical", [
    ("/", True), ("/a", True), ("/a/b.c~d", True), ("/a%20b", True), ("/%C3%A9", True), ("", False),
    ("a", False), ("//", False), ("/a/", False), ("/.", False), ("/..", False), ("/...", True),
    ("/%2e", False), ("/%2F", False), ("/%5c", False), ("/%25", False), ("/a;b", False),
    ("/a\\b", False), ("/%", False), ("/%4", False), ("/%zz", False), ("/%ff", False),
    ("/%00", False), ("/%7f", False), ("/\u00e9", False), ("/a b", False),
    ("/" + "a" * 4096, False)])
def test_canonical_paths(path, canonical):
    assert is_canonical(path) == canonical
