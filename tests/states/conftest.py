# SPDX-License-Identifier: Apache-2.0
"""One server for both tables; every answer is held against the documents as well."""
from collections.abc import Iterator
from itertools import count

import pytest
from clients.conftest import contracts, shared_world, world

from .holders import Tenant, first_tenant, new_tenant

__all__ = ["contracts", "shared_world", "world"]
ROWS_A_START = 100


@pytest.fixture(scope="session")
def first(shared_world) -> Tenant:
    return first_tenant(shared_world)


@pytest.fixture(scope="session")
def rows_played() -> Iterator[int]:
    return count(1)


@pytest.fixture
def tenant_for(world, first: Tenant, rows_played: Iterator[int]):
    """The tenant in which a change may be made: one that ends a tenant gets one of its own.

    So many refusals from one address would be slowed down: now and then the server begins anew."""
    if next(rows_played) % ROWS_A_START == 0:
        world.restart()

    def open_for(ends_the_tenant: bool) -> Tenant:
        return new_tenant(world) if ends_the_tenant else first

    return open_for
