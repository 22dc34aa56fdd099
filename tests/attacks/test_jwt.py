# SPDX-License-Identifier: Apache-2.0
"""The rows of family JWT, on one server, in the order of the file."""
import pytest
from scenario.cpp_verifier import CppVerifier

from . import family as attacks
from . import introspection, rows, wire
from .forge_claims import FORGERIES, is_too_long
from .forwarded import about, as_forward_auth
from .rows import BEARER_ANY
from .server import PUBLIC_URL


@pytest.fixture(scope="module")
def family():
    yield from attacks.open_family("JWT")


def test_tokens_that_are_right_are_accepted(family):
    """Without this, the refusals below would prove nothing."""
    world = family.world
    controls = world.forge().controls()
    assert "RS256" in controls
    refused = {}
    for name, token in controls.items():
        answer = world.send("GET", BEARER_ANY["api"], token=token)
        if answer.status != 200:
            refused[name] = (answer.status, answer.text())
        request = as_forward_auth(about(token), world.server.host)
        forwarded = wire.exchange(world.server.address, request).first().status
        if forwarded != 200:
            refused[f"{name}, forwarded"] = forwarded
    assert not refused


def test_introspection_calls_tokens_that_are_right_active(family):
    world = family.world
    case = next(case for case in rows.cases_of("JWT") if introspection.is_introspection(case))
    for name, token in world.forge().controls().items():
        request = introspection.request_about(world, case, token)
        answer = wire.exchange(world.server.address, request).first()
        assert '"active":true' in answer.text(), name


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_every_forgery_differs_from_a_good_token_and_can_be_sent(family, name):
    tokens = family.world.forge().tokens(name)
    assert family.world.values["t.tenadm"] not in tokens
    assert any(not is_too_long(token) for token in tokens)


@pytest.mark.parametrize("case", attacks.cases("JWT"))
def test_row(family, case):
    family.run(case)


@pytest.fixture(scope="module")
def library(family):
    """The C++ verifier library, which must refuse the same."""
    world = family.world
    account = world.make_account()
    world.give_role(account, "System administrator", "tenant", "1")
    host, port = world.server.address
    with CppVerifier(server=f"http://{host}:{port}", issuer=PUBLIC_URL, audience="runai",
                     client_id=account.client_id, client_secret=account.secret) as opened:
        yield opened


def test_the_library_accepts_tokens_that_are_right(family, library):
    for name, token in family.world.forge().controls().items():
        assert library.accepts(token), (name, library.ask("verify", token))


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_the_library_refuses_every_forgery(family, library, name):
    for token in family.world.forge().tokens(name):
        if token.isascii() and token.isprintable():  # others cannot be put to its protocol
            answer = library.ask("verify", token)
            assert answer.startswith("refused 401 "), (answer, token[:80])
    assert library.accepts(family.world.values["t.tenadm"])


def test_memory_is_back(family):
    attacks.check_memory(family)


def test_no_secret_is_written(family):
    attacks.check_secrets(family)


def test_it_ends_clean(family):
    attacks.check_end(family)
