# SPDX-License-Identifier: Apache-2.0
"""Resource types of a protected API: defined in the map, given by roles, asked for by routes that
come from its OpenAPI document; and scopes that stand in a body or are named."""
from __future__ import annotations

import json
import time

import jwt
import pytest
from claviger import Verifier
from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

from .gateway import exchange

HOST = "billing.example"
ISSUER = "http://claviger.example"
MAP = f"""
gateways = ["127.0.0.1/32"]

[[resource_type]]
name = "invoices"
display_name = "Invoices"

[[api]]
name = "billing"
hosts = ["{HOST}"]
tenant = "runai"
resource = "https://{HOST}"
openapi = "billing.json"
base_path = "/v1"

[api.tags.Invoices]
resource_type = "invoices"
scope = {{type = "project", path = "id"}}

[[api.route]]
methods = ["GET"]
path = "/named/{{project}}"
permission = "invoices:read"
scope = {{type = "project", path = "project", by = "name"}}

[[api.route]]
methods = ["GET"]
path = "/fixed"
permission = "invoices:read"
scope = {{type = "project", name = "billed"}}
"""
WITHOUT_TYPES = """
gateways = ["127.0.0.1/32"]

[[api]]
name = "x"
hosts = ["x"]
resource = "https://x"

[[api.route]]
methods = ["GET"]
path = "/"
access = "anyone"
"""
DOCUMENT = {"openapi": "3.1.0", "paths": {
    "/projects/{id}/invoices": {
        "get": {"tags": ["Invoices"], "x-other": 1},
        "post": {"tags": ["Other", "Invoices"]},
        "parameters": []},
    "/projects/{id}/approvals": {"post": {
        "tags": ["Invoices"],
        "x-claviger": {"permission": "invoices:custom",
                       "scope": {"type": "project", "path": "id"}}}},
    "/invoices": {"post": {"x-claviger": {
        "permission": "invoices:create", "scope": {"type": "project", "body": "projectId"}}}},
    "/nested": {"post": {"x-claviger": {
        "permission": "invoices:create", "scope": {"type": "project", "body": "/of/0/a~1b"}}}},
    "/health": {"get": {"x-claviger": {"access": "anyone"}}},
    "/unsaid": {"get": {"summary": "nobody says what it needs"}}}}


class World:
    def __init__(self, folder, server: Server):
        self.folder = folder
        self.server = server
        self.admin = Api(server.url)
        self.admin.token = self.admin.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        cluster = self.admin.call("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        self.project = self.make_project("billed", cluster)
        self.other = self.make_project("p2", cluster)
        self.tokens: dict[str, str] = {}

    def make_project(self, name: str, cluster: str) -> str:
        return self.admin.call("POST", "/api/v1/org-unit/projects",
                               {"name": name, "clusterId": cluster, "resources": []})["id"]

    def holder(self, *sets: str) -> str:
        """A token of who holds these permission sets at the project."""
        if (name := ",".join(sets)) not in self.tokens:
            account = self.admin.create_account()
            self.admin.call("POST", "/api/v1/authorization/access-rules", {
                "subjectId": account.name, "subjectType": "service-account",
                "roleId": self.admin.create_role(*sets)["id"],
                "scopeId": self.project, "scopeType": "project"}, status=201)
            self.tokens[name] = self.admin.account_token(account)
        return self.tokens[name]

    def ask(self, method: str, path: str, token: str | None = None, body: str = "",
            more: tuple[str, ...] = ("Content-Type: application/json",)) -> int:
        lines = [f"{method} /ext-authz{path} HTTP/1.1", f"Host: {HOST}",
                 f"Content-Length: {len(body)}", *more]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        return exchange(self.server.address[1], "\n".join(lines), body.encode())[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("billing")
    (folder / "billing.json").write_text(json.dumps(DOCUMENT))
    (folder / "routes.toml").write_text(MAP)
    # An issuer that outlives a restart.
    with Server("--route-map", str(folder / "routes.toml"), "--public-url", ISSUER) as server:
        yield World(folder, server)


@pytest.mark.parametrize(("sets", "method", "path", "status"), [
    (["View invoices"], "GET", "/v1/projects/{p}/invoices", 200),
    (["View invoices"], "POST", "/v1/projects/{p}/invoices", 403),
    (["View invoices"], "GET", "/v1/projects/{o}/invoices", 403),
    (["Manage invoices"], "POST", "/v1/projects/{p}/invoices", 200),
    (["Manage invoices"], "POST", "/v1/projects/{p}/approvals", 403),
    (["Operate invoices"], "POST", "/v1/projects/{p}/approvals", 200),
    (["View project"], "GET", "/v1/projects/{p}/invoices", 403),
    (["View invoices"], "GET", "/v1/unsaid", 403),
    (["View invoices"], "GET", "/projects/{p}/invoices", 403)])
def test_what_the_document_maps_is_asked_for(world: World, sets, method, path, status):
    path = path.replace("{p}", world.project).replace("{o}", world.other)
    assert world.ask(method, path, world.holder(*sets)) == status


def test_an_administrator_holds_it_and_a_viewer_does_not(world: World):
    path = f"/v1/projects/{world.project}"
    assert world.ask("POST", f"{path}/approvals", world.admin.token) == 200
    _, viewer = world.admin.member("Viewer", "project", world.project)
    assert world.ask("GET", f"{path}/invoices", viewer.token) == 403
    assert world.ask("GET", "/v1/health") == 200


def test_the_scope_may_stand_in_the_body(world: World):
    token = world.holder("Manage invoices")

    def ask(body: str, path: str = "/v1/invoices") -> int:
        return world.ask("POST", path, token, body)

    assert ask(json.dumps({"projectId": world.project, "amount": 3})) == 200
    assert ask(json.dumps({"projectId": int(world.project)})) == 200
    assert ask(json.dumps({"of": [{"a/b": world.project}]}), "/v1/nested") == 200
    for body in ("", "{", "[]", "{}", '{"projectId":null}', '{"projectId":""}',
                 json.dumps({"projectId": [world.project]}),
                 json.dumps({"projectId": world.other}), '{"projectId":1e2}',
                 f'{{"projectId":"{world.other}","projectId":"{world.project}"}}'):
        assert ask(body) == 403, body
    assert ask(json.dumps({"projectId": world.project, "ProjectId": world.other})) == 403
    assert ask(json.dumps({"projectId": world.project, "x": "y" * 70_000})) == 413


@pytest.mark.parametrize(("more", "status"), [
    (("Content-Type: Application/JSON; charset=utf-8",), 200),
    (("Content-Type: application/json", "x-envoy-auth-partial-body: false"), 200),
    (("Content-Type: application/json", "x-envoy-auth-partial-body: true"), 403),
    (("Content-Type: application/x-www-form-urlencoded",), 403),
    (("Content-Type: application/json", "Content-Type: text/plain"), 403), ((), 403)])
def test_a_body_counts_only_as_whole_json(world: World, more: tuple[str, ...], status: int):
    body = json.dumps({"projectId": world.project})
    token = world.holder("Manage invoices")
    assert world.ask("POST", "/v1/invoices", token, body, more) in {status, 400 if status != 200
                                                                    else 200}


def test_a_name_counts_while_it_is_the_only_one(world: World):
    token = world.holder("View invoices")
    assert world.ask("GET", "/named/billed", token) == 200
    assert world.ask("GET", "/fixed", token) == 200
    assert world.ask("GET", "/named/p2", token) == 403
    assert world.ask("GET", "/named/nobody", token) == 403
    second = world.admin.call("POST", "/api/v1/clusters", {"name": "c2"})["uuid"]
    twin = world.make_project("billed", second)
    assert world.ask("GET", "/named/billed", world.admin.token) == 403, "whoever holds it at both"
    assert world.ask("GET", "/named/billed", token) == 403
    assert world.ask("GET", "/fixed", token) == 403
    world.admin.call("DELETE", f"/api/v1/org-unit/projects/{twin}")
    assert world.ask("GET", "/named/billed", token) == 200


def test_it_is_a_resource_type_like_any_other(world: World):
    account = world.admin.create_account()
    sets = world.admin.call("GET", "/api/v1/authorization/permission-sets")["permissionSets"]
    assert {"View invoices", "Manage invoices", "Operate invoices"} <= {s["name"] for s in sets}
    question = {"subject": {"type": "service-account", "id": account.name},
                "action": {"name": "read"},
                "resource": {"type": "invoices", "id": world.project}}
    told = world.admin.call("POST", "/api/v1/authorization/check", question)
    assert told["explanation"]["missingPermission"] == "invoices:read"
    narrowed = world.admin.as_caller(None).call("POST", "/api/v1/token", {
        "grantType": "client_credentials", "clientId": account.client_id,
        "clientSecret": account.secret, "scope": "invoices:read"})
    assert narrowed["accessToken"]


def test_a_verifier_learns_of_another_map(world: World):
    account = world.admin.create_account()
    world.admin.give_role(account.name, "System administrator", "tenant", "1")
    token = world.holder("View invoices")
    with Verifier(world.server.url, credentials=lambda: world.admin.account_token(account),
                  audience=jwt.decode(token, options={"verify_signature": False})["aud"],
                  issuer=ISSUER) as verifier:
        def may_read() -> bool:
            return verifier.can(verifier.verify(token), "invoices:read",
                                ("project", world.project)).allowed

        assert may_read()
        for text, expected in ((WITHOUT_TYPES, False), (MAP, True)):
            (world.folder / "routes.toml").write_text(text)
            world.server.restart()
            world.admin.url = world.server.url
            verifier._transport._port = world.server.address[1]
            deadline = time.monotonic() + 30
            while may_read() != expected:
                assert time.monotonic() < deadline
                time.sleep(0.01)  # polls; the assertion is the deadline's


def test_a_map_without_the_type_takes_its_permissions_away_for_that_time(world: World):
    token = world.holder("View invoices")
    question = {"subject": {"type": "caller", "id": "me"}, "action": {"name": "read"},
                "resource": {"type": "invoices", "id": world.project}}

    def may_read() -> bool:
        return Api(world.server.url, token=token).call(
            "POST", "/api/v1/authorization/check", question)["decision"]

    assert may_read()
    with_types = (world.folder / "routes.toml").read_text()
    (world.folder / "routes.toml").write_text(WITHOUT_TYPES)
    world.server.restart()
    assert not may_read()
    (world.folder / "routes.toml").write_text(with_types)
    world.server.restart()
    assert may_read()
