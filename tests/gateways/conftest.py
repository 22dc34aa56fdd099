# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest

from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

from .gateway import SampleApi, demo, free_port

HOST = "app.a.example"
B_HOST = "auth.b.example"
ROUTES = Path(__file__).with_name("routes.toml")


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

    @property
    def grpc_port(self) -> int:
        return int(self.server.said(r"gRPC for Envoy on .+:(\d+)"))


def new_server() -> Server:
    return Server("--route-map", str(ROUTES), "--grpc-listen", "127.0.0.1:0")


def make_world(server: Server) -> World:
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
    return World(server, admin, *projects, admin.account_token(viewer), viewer.id, rule,
                 other.user_token("admin@b.example", password))


@pytest.fixture(scope="session")
def world():
    with new_server() as server:
        yield make_world(server)


@pytest.fixture(scope="session")
def sample_api():
    api = SampleApi()
    yield api
    api.stop()


@dataclasses.dataclass
class Gateway:
    kind: str
    port: int

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


@contextlib.contextmanager
def open_gateway(kind: str, folder: Path, world: World, sample_api: SampleApi):
    assert demo.program(kind), f"{kind} is not installed"
    port = free_port()
    folder.mkdir(exist_ok=True)
    ports = demo.Ports(port, world.port, sample_api.port, world.grpc_port)
    process = demo.start_gateway(kind, folder / kind, ports)
    try:
        yield Gateway(kind, port)
    finally:
        demo.stop(process)


@pytest.fixture(scope="session", params=demo.KINDS)
def gateway(request, world, sample_api, tmp_path_factory):
    with open_gateway(request.param, tmp_path_factory.mktemp("gateway"), world,
                      sample_api) as opened:
        yield opened
