# SPDX-License-Identifier: Apache-2.0
"""A server, and processes with the library that verify its tokens."""
from __future__ import annotations

from contextlib import contextmanager

import pytest
from clients.world import World, close_world, open_world
from scenario.api import Account
from scenario.cpp_verifier import CppVerifier


@pytest.fixture(scope="module")
def world():
    opened = open_world()
    yield opened
    close_world(opened)


@pytest.fixture
def own_world():
    """For tests that stop the server or change it for others."""
    opened = open_world()
    yield opened
    close_world(opened)


@pytest.fixture(scope="module")
def reader(world: World) -> Account:
    return reader_of(world)


def reader_of(world: World) -> Account:
    """An account that may follow the feed and take the rules."""
    account = world.admin.create_account()
    world.admin.give_role(account.name, "System administrator", "tenant", "1")
    return account


def options_of(world: World, reader: Account, **options: object) -> dict:
    return {"server": world.server.url, "issuer": world.url, "audience": "runai",
            "client_id": reader.client_id, "client_secret": reader.secret, **options}


@contextmanager
def verifier_of(world: World, reader: Account, **options: object):
    with CppVerifier(**options_of(world, reader, **options)) as verifier:
        yield verifier


@pytest.fixture(scope="module")
def verifier(world: World, reader: Account):
    with verifier_of(world, reader) as opened:
        yield opened
