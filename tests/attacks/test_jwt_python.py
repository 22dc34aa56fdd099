# SPDX-License-Identifier: Apache-2.0
"""The forged tokens of family JWT, shown to the Python verifier: it refuses what the server
refuses."""
from __future__ import annotations

import pytest
from claviger import InvalidToken, Verifier

from . import family as attacks
from .forge_claims import FORGERIES
from .server import PUBLIC_URL


@pytest.fixture(scope="module")
def family():
    yield from attacks.open_family("JWT")


@pytest.fixture(scope="module")
def verifier(family):
    world = family.world
    account = world.make_account()
    world.give_role(account, "System administrator", "tenant", "1")
    with Verifier(f"http://{world.server.host}", issuer=PUBLIC_URL,
                  credentials=(account.client_id, account.secret)) as made:
        yield made


def test_tokens_that_are_right_are_accepted(family, verifier):
    controls = family.world.forge().controls()
    assert "RS256" in controls
    for name, token in controls.items():
        assert verifier.verify(token), name


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_forged_tokens_are_refused(family, verifier, name):
    for token in family.world.forge().tokens(name):
        with pytest.raises(InvalidToken):
            verifier.verify(token)
            pytest.fail(token[:200])


def test_no_address_of_a_token_was_followed(family):
    assert not family.world.was_trapped()
