# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

from .gateway import SampleApi, demo, free_port

HOST, OTHER_HOST = "app.a.example", "app.b.example"
B_HOST = "auth.b.example"
ROUTES = f"""
gateways = ["127.0.0.1/32"]

[[api]]
name = "app"
hosts = ["{HOST}", "127.0.0.1", "localhost"]
tenant = "runai"
resource = "https://{HOST}"

[[api.route]]
methods = ["GET", "DELETE"]
path = "/p/{{projectId}}/workloads"
permission = "workloads:read"
scope = {{type = "project", path = "projectId"}}

[[api.route]]
methods = ["GET"]
path = "/by-query"
permission = "workloads:read"
scope = {{type = "project", query = "projectId"}}

[[api.route]]
methods = ["GET"]
path = "/api/v1/workloads"
permission = "workloads:read"
scope = "anywhere"

[[api.route]]
methods = ["GET"]
path = "/admin"
permission = "settings:update"
scope = "tenant"

[[api.route]]
methods = ["GET"]
path = "/api/v1/whoami"
access = "authenticated"

[[api.route]]
methods = ["GET"]
path = "/public/x"
access = "anyone"

[[api.route]]
methods = ["GET"]
path = "/files/{{name}}"
access = "anyone"

[[api]]
name = "other"
hosts = ["{OTHER_HOST}"]
tenant = "b"
resource = "https://{OTHER_HOST}"

[[api.route]]
methods = ["GET"]
path = "/api/v1/whoami"
access = "authenticated"

[[api]]
name = "open"
hosts = ["open.a.example"]
tenant = "runai"
resource = "https://open.a.example"
unmapped = "allowed"

[[api.route]]
methods = ["GET"]
path = "/closed"
permission = "settings:update"
scope = "tenant"
"""


@dataclasses.dataclass
class World:
    server: Server
    admin: Api
    project: str
    other_project: str
    viewer: str  # a token of who may read workloads of the project
    viewer_id: str
    viewer_rule: int
    foreign: str  # a token of the other tenant

    @property
    def port(self) -> int:
        return self.server.address[1]


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    routes = tmp_path_factory.mktemp("routes") / "routes.toml"
    routes.write_text(ROUTES)
    with Server("--route-map", str(routes)) as server:
        password = server.add_tenant("b", "B", B_HOST, "admin@b.example")
        admin = Api(server.url)
        admin.token = admin.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
        cluster = admin.call("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        projects = [admin.call("POST", "/api/v1/org-unit/projects",
                               {"name": name, "clusterId": cluster, "resources": []})["id"]
                    for name in ("p1", "p2")]
        viewer = admin.create_account()
        rule = admin.give_role(viewer.client_id, "Viewer", "project", projects[0])
        other = Api(server.url, host=B_HOST)
        yield World(server, admin, *projects, admin.account_token(viewer), viewer.id, rule,
                    other.user_token("admin@b.example", password))


@pytest.fixture(scope="session")
def sample_api():
    api = SampleApi()
    yield api
    api.stop()


@dataclasses.dataclass
class Gateway:
    kind: str
    port: int


@pytest.fixture(scope="session", params=demo.KINDS)
def gateway(request, world, sample_api, tmp_path_factory):
    assert demo.program(request.param), f"{request.param} is not installed"
    port = free_port()
    process = demo.start_gateway(request.param,
                                 tmp_path_factory.mktemp("gateway") / request.param,
                                 (port, world.port, sample_api.port))
    yield Gateway(request.param, port)
    demo.stop(process)
