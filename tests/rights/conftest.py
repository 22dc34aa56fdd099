# SPDX-License-Identifier: Apache-2.0
"""One server for the table; every answer is held against the documents as well."""
from clients.conftest import contracts, shared_world, world

__all__ = ["contracts", "shared_world", "world"]
