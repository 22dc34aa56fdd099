# SPDX-License-Identifier: Apache-2.0
"""Password guessing, on every path that takes a password: what family CON demands of the sign-in
page (CON-001, 002, 004, 005) holds for the token endpoints as well."""
from __future__ import annotations

import json
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import wire
from .rows import TOKEN_FORM
from .server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, temporary_folder
from .states import OtherClient
from .verdicts import REQUEST_ID, issued_token
from .world import World

GUESSES = 200
MOST_LOOKED_AT = 100  # consecutive failures (NIST SP 800-63B-4 3.2.2)
AT_ONCE = 8
THROTTLED = 429
SPELLINGS = (ADMIN_EMAIL, ADMIN_EMAIL.upper(), ADMIN_EMAIL.title(), f" {ADMIN_EMAIL}",
             f"{ADMIN_EMAIL} ", f"{ADMIN_EMAIL}\0", ADMIN_EMAIL.replace("@", "\uff20"),
             ADMIN_EMAIL.replace("a", "\u0430", 1), f"{ADMIN_EMAIL}.")


@dataclass(frozen=True)
class SignIn:
    """One way to sign in, and the status of a wrong password there."""

    target: str
    refused: int

    def request(self, world: World, name: str, password: str) -> bytes:
        if self.target == "/api/v1/token":
            kind = b"application/json"
            body = json.dumps({"grantType": "password", "username": name,
                               "password": password}).encode()
        else:
            kind = b"application/x-www-form-urlencoded"
            body = urllib.parse.urlencode({"grant_type": "password", "client_id": "runai",
                                           "username": name, "password": password}).encode()
        return wire.request_bytes("POST", self.target, world.server.host,
                                  [b"Content-Type: " + kind], body)

    def send(self, world: World, name: str, password: str, source: str) -> wire.Answer:
        answer = wire.exchange(world.server.address, self.request(world, name, password), source,
                               seconds=30).first()
        if token := issued_token(answer):
            world.secrets.add(token)
        return answer


WAYS = {"v1": SignIn("/api/v1/token", 400), "v2": SignIn(TOKEN_FORM["v2"], 400),
        "oauth2": SignIn(TOKEN_FORM["oauth2"], 400), "realm": SignIn(TOKEN_FORM["realm"], 401)}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def world():
    with temporary_folder() as folder:
        server = Server(Path(folder))
        try:
            yield World(server)
        finally:
            server.process.kill()
            server.process.wait()


@each_way
def test_a_wrong_password_and_an_unknown_user_are_answered_alike(world: World, way: SignIn):
    answers = [way.send(world, name, "wrong", wire.fresh_address())
               for name in (ADMIN_EMAIL, "nobody@a.example")]

    def visible(answer: wire.Answer) -> tuple:
        headers = [(name, "" if name in ("x-request-id", "date") else value)
                   for name, value in answer.headers]
        return answer.status, headers, REQUEST_ID.sub("", answer.text())

    assert visible(answers[0]) == visible(answers[1])
    assert answers[0].status == way.refused and not issued_token(answers[0])
    assert not answers[0].header("set-cookie")
    assert not any(word in answers[0].text() for word in ("unknown", "no such"))


@each_way
def test_guesses_are_throttled_and_the_owner_is_not(world: World, way: SignIn):
    source = wire.fresh_address()
    other = OtherClient(world)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda number: way.send(world, ADMIN_EMAIL, f"guess {number}",
                                                        source), range(GUESSES)))
    assert not other.is_slower_than(0.05, 0.99)
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {way.refused, THROTTLED}, statuses
    assert statuses[way.refused] <= MOST_LOOKED_AT, statuses
    assert all(answer.header("retry-after") for answer in answers if answer.status == THROTTLED)
    owner = way.send(world, ADMIN_EMAIL, ADMIN_PASSWORD, wire.fresh_address())
    assert owner.status == 200 and issued_token(owner), owner.text()


@each_way
def test_spellings_of_a_name_share_one_count(world: World, way: SignIn):
    aliases = [spelling for spelling in SPELLINGS if issued_token(
        way.send(world, spelling, ADMIN_PASSWORD, wire.fresh_address()))]
    assert ADMIN_EMAIL in aliases
    source = wire.fresh_address()
    looked_at = {spelling: sum(
        way.send(world, spelling, f"guess {number}", source).status != THROTTLED
        for number in range(50)) for spelling in aliases}
    # Whoever is throttled under one spelling is throttled under the next.
    assert looked_at[aliases[0]] < 50
    assert all(looked_at[spelling] <= 10 for spelling in aliases[1:]), looked_at
