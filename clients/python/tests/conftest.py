# SPDX-License-Identifier: Apache-2.0
"""Verifiers that follow a stand-in for the server, and one real server for all tests."""
from __future__ import annotations

import pytest
from claviger import Verifier
from issuer import DEADLINE_SECONDS, FixedClock, Issuer
from scenario.api import Api
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def make_verifier(issuer, clock):
    """Verifiers of the stand-in; `url` or others override."""
    opened: list[Verifier] = []

    def make(**options) -> Verifier:
        opened.append(Verifier(options.pop("url", issuer.url), clock=clock, **{
            "credentials": ("robot", "secret"), "start_seconds": DEADLINE_SECONDS, **options}))
        follower = opened[-1]._follower
        if follower.is_ready:
            assert follower.wait_for(lambda: follower.connections > 0, DEADLINE_SECONDS)
        return opened[-1]

    yield make
    for verifier in opened:
        verifier.close()


@pytest.fixture
def verifier(make_verifier) -> Verifier:
    return make_verifier()


@pytest.fixture(scope="session")
def server():
    with Server() as started:
        yield started


@pytest.fixture(scope="session")
def admin(server) -> Api:
    return admin_of(server)


def admin_of(server: Server) -> Api:
    api = Api(server.url)
    api.token = api.user_token(ADMIN_EMAIL, ADMIN_PASSWORD)
    return api
