# SPDX-License-Identifier: Apache-2.0
"""One server for all tests of this folder; every answer is held against the documents."""
from __future__ import annotations

import pytest
from scenario.api import Api
from scenario.openapi import Contract, check_exchanges, load_contracts

from .world import Script, World, close_world, open_world


@pytest.fixture(scope="session")
def shared_world():
    world = open_world()
    yield world
    close_world(world)


@pytest.fixture(scope="session")
def contracts() -> list[Contract]:
    return load_contracts()


@pytest.fixture
def world(shared_world: World, contracts: list[Contract]):
    shared_world.exchanges()
    shared_world.seen.clear()
    yield shared_world
    shared_world.exchanges()
    check_exchanges(contracts, shared_world.seen)


@pytest.fixture
def new_world(contracts: list[Contract]):
    """Makes servers with options of their own."""
    opened: list[World] = []

    def make(*options: str) -> World:
        opened.append(open_world(*options))
        return opened[-1]

    yield make
    for world in opened:
        world.exchanges()
        close_world(world)
        check_exchanges(contracts, world.seen)


@pytest.fixture
def admin(world: World) -> Api:
    return world.admin


def script(lock: str, name: str):
    @pytest.fixture(scope="session")
    def run():
        started = Script(lock, name)
        yield started
        started.close()

    return run


runapy_1_script = script("runapy-1.224", "runapy_1")
runapy_0_script = script("runapy-0.8", "runapy_0")


def caller(script: Script, world: World):
    def call(function: str, account=None, url: str | None = None, **arguments: object):
        pair = {} if account is None else {"client_id": account.client_id,
                                           "client_secret": account.secret}
        return script.call(function, url=url or world.url, **pair, **arguments)

    return call


@pytest.fixture
def runapy_1(world: World, runapy_1_script: Script):
    """Calls runapy 1.224 as an account."""
    return caller(runapy_1_script, world)


@pytest.fixture
def runapy_0(world: World, runapy_0_script: Script):
    """Calls runapy 0.8 as an account."""
    return caller(runapy_0_script, world)


@pytest.fixture(scope="session")
def administrator(shared_world: World):
    """A service account with the role System administrator at the tenant."""
    api = shared_world.admin
    account = api.create_account()
    api.give_role(account.name, "System administrator", "tenant", "1")
    return account
