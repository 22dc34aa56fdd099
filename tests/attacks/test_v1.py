# SPDX-License-Identifier: Apache-2.0
"""The rows of family V1, on one server, in the order of the file."""
import pytest

from . import family as attacks
from .verdicts import REQUEST_ID


@pytest.fixture(scope="module")
def family():
    yield from attacks.open_family("V1")


@pytest.mark.parametrize("case", attacks.cases("V1"))
def test_row(family, case):
    family.run(case)


def test_unknown_client_and_wrong_secret_are_answered_alike(family):
    """V1-001 and V1-002: the same bytes but for the request id."""
    world = family.world

    def answer(client: str) -> tuple:
        body = {"grantType": "client_credentials", "clientId": client, "clientSecret": "clvs_wrong"}
        got = world.send("POST", "/api/v1/token", body, source="127.0.0.5")
        headers = [(name, "" if name in ("x-request-id", "date") else value)
                   for name, value in got.headers]
        return got.status, headers, REQUEST_ID.sub("", got.text())

    assert answer(world.values["sa.cid"]) == answer("no-such-client")


def test_memory_is_back(family):
    attacks.check_memory(family)


def test_no_secret_is_written(family):
    attacks.check_secrets(family)


def test_it_ends_clean(family):
    attacks.check_end(family)
