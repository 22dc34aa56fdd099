# SPDX-License-Identifier: Apache-2.0
"""Revocation and introspection: by clients (RFC 7009, RFC 7662), by administrators, and through
the feed as far as a verifier that never asks."""
from __future__ import annotations

import json
import resource
import selectors
import socket
import time
from contextlib import contextmanager

import jwt
import pytest
import requests
from claviger import Refused, Stale, Verifier
from scenario.api import Account, Api, User, describe

from .world import World

REVOKE = "/oauth2/revoke"
INTROSPECT = "/oauth2/introspect"
REVOCATIONS = "/api/v1/revocations"
FEED = f"{REVOCATIONS}/feed"
SNAPSHOT = f"{REVOCATIONS}/snapshot"
PERMISSIONS = "/api/v1/authorization/permissions"  # any valid token may read them
INACTIVE = '{"active":false}'
GREETING = ": still here\n\n\r\n"  # the end of the first chunk
READERS = 200
DEADLINE_SECONDS = 30  # for what takes milliseconds, on a machine that does much else


def is_good(api: Api, token: str) -> bool:
    status = api.send("GET", PERMISSIONS, token=token).status_code
    assert status in (200, 401)
    return status == 200


def form(api: Api, path: str, account: Account | None = None, **fields: str) -> requests.Response:
    """As the client that the account is, by the Basic scheme."""
    pair = None if account is None else (account.client_id, account.secret)
    return api.session.post(api.url + path, data=fields, auth=pair, timeout=60)


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def reader_of(admin: Api) -> tuple[Account, Api]:
    """An account that may follow the feed and ask about every token, and little else."""
    return admin.member("Cloud support", "tenant", "1")


def sign_in(world: World, user: User) -> dict:
    answer = world.anonymous.try_token({"grantType": "password", "username": user.email,
                                        "password": user.password})
    assert answer.status_code == 200, describe(answer)
    return answer.json()


@pytest.fixture
def user(world: World) -> User:
    made = world.admin.create_user()
    world.admin.give_role(made.email, "Viewer", "tenant", "1", "user")
    return made


# --- RFC 7009 -------------------------------------------------------------------------------------


def test_a_client_ends_its_own_token(world: World, admin: Api):
    account = admin.create_account()
    ended, other = admin.account_token(account), admin.account_token(account)
    assert is_good(world.anonymous, ended)
    for hint in ({}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "nonsense"}):
        answer = form(world.anonymous, REVOKE, account, token=ended, **hint)
        assert (answer.status_code, answer.content) == (200, b""), describe(answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert not is_good(world.anonymous, ended)
    assert is_good(world.anonymous, other)
    answer = form(world.anonymous, REVOKE, client_id=account.client_id,
                  client_secret=account.secret, token=other)
    assert answer.status_code == 200
    assert not is_good(world.anonymous, other)


def test_a_client_ends_no_token_of_another(world: World, admin: Api):
    account, stranger = admin.create_account(), admin.create_account()
    key = admin.create_access_key()
    for owner, other in ((account, stranger), (account, key), (key, account)):
        token = admin.account_token(owner)
        answer = form(world.anonymous, REVOKE, other, token=token)
        assert answer.status_code == 400, describe(answer)
        assert answer.json()["error"] == "unauthorized_client"
        assert is_good(world.anonymous, token)
    token = admin.account_token(key)
    assert form(world.anonymous, REVOKE, key, token=token).status_code == 200
    assert not is_good(world.anonymous, token)


def test_who_does_not_authenticate_ends_nothing(world: World, admin: Api):
    account = admin.create_account()
    token = admin.account_token(account)
    wrong = Account(account.id, account.name, account.client_id, "clvs_wrong")
    for answer in (form(world.anonymous, REVOKE, token=token),
                   form(world.anonymous, REVOKE, wrong, token=token),
                   form(world.anonymous, REVOKE, token=token, client_id=account.client_id)):
        assert answer.status_code == 401, describe(answer)
        assert answer.json()["error"] == "invalid_client"
        assert "Basic" in answer.headers["WWW-Authenticate"]
    assert is_good(world.anonymous, token)


def test_what_is_no_token_is_as_good_as_ended(world: World, admin: Api):
    account = admin.create_account()
    for token in ("unknown", "a.b.c", "clvr_unknown"):
        assert form(world.anonymous, REVOKE, account, token=token).status_code == 200
    answer = form(world.anonymous, REVOKE, account)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_refresh_token_takes_its_sign_in_along(world: World, user: User):
    one, two = sign_in(world, user), sign_in(world, user)
    wrong = form(world.anonymous, REVOKE, token=one["refreshToken"], client_id="runai-cli")
    assert wrong.status_code == 400, describe(wrong)
    assert is_good(world.anonymous, one["accessToken"])
    assert form(world.anonymous, REVOKE, token=one["refreshToken"]).status_code == 200
    assert not is_good(world.anonymous, one["accessToken"])
    assert world.anonymous.try_token({"grantType": "refresh_token",
                                      "refreshToken": one["refreshToken"]}).status_code == 400
    assert is_good(world.anonymous, two["accessToken"])


def test_what_cannot_be_stored_is_not_called_revoked(new_world):
    world = new_world()
    reader, _ = reader_of(world.admin)
    account = world.admin.create_account()
    token = world.admin.account_token(account)
    pid = world.server.process.pid
    # No file may grow: as on a full disk.
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    failed = form(world.anonymous, REVOKE, account, token=token)
    assert failed.status_code == 503, describe(failed)
    assert int(failed.headers["Retry-After"]) > 0
    world.restart()
    assert form(world.anonymous, INTROSPECT, reader, token=token).json()["active"]
    assert form(world.anonymous, REVOKE, account, token=token).status_code == 200
    assert form(world.anonymous, INTROSPECT, reader, token=token).text == INACTIVE


# --- RFC 7662 -------------------------------------------------------------------------------------


def test_introspection_tells_what_the_token_says(world: World, admin: Api):
    reader, _ = reader_of(admin)
    account = admin.create_account()
    token = admin.account_token(account)
    answer = form(world.anonymous, INTROSPECT, reader, token=token)
    claims = claims_of(token)
    expected = {name: claims[name] for name in ("sub", "client_id", "iss", "exp", "iat", "jti")}
    assert answer.status_code == 200, describe(answer)
    assert answer.json() == expected | {"active": True, "username": account.name, "tenant": 1,
                                        "aud": [claims["aud"]], "token_type": "Bearer"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_introspection_of_what_is_not_good_says_nothing(world: World, admin: Api, user: User):
    reader, _ = reader_of(admin)
    account = admin.create_account()
    ended = admin.account_token(account)
    assert form(world.anonymous, INTROSPECT, reader, token=ended).json()["active"]
    assert form(world.anonymous, REVOKE, account, token=ended).status_code == 200
    off = admin.create_account()
    of_disabled = admin.account_token(off)
    admin.call("PATCH", f"/api/v1/service-accounts/{off.id}", {"enabled": False})
    signed_in = sign_in(world, user)
    for token in (ended, of_disabled, "unknown", signed_in["refreshToken"], signed_in["idToken"]):
        answer = form(world.anonymous, INTROSPECT, reader, token=token)
        assert (answer.status_code, answer.text) == (200, INACTIVE), token


def test_a_plain_client_sees_its_own_tokens_only(world: World, admin: Api):
    account, other = admin.create_account(), admin.create_account()
    mine, theirs = admin.account_token(account), admin.account_token(other)
    assert form(world.anonymous, INTROSPECT, account, token=mine).json()["active"]
    assert form(world.anonymous, INTROSPECT, account, token=theirs).text == INACTIVE
    by_token = world.anonymous.send("POST", INTROSPECT, token=mine, data={"token": theirs})
    assert (by_token.status_code, by_token.text) == (200, INACTIVE)
    assert form(world.anonymous, INTROSPECT, token=mine).status_code == 401


def test_the_documents_name_both_endpoints(world: World):
    for path in ("/.well-known/oauth-authorization-server",
                 "/auth/realms/runai/.well-known/openid-configuration"):
        metadata = world.anonymous.call("GET", path)
        assert metadata["revocation_endpoint"] == world.url + REVOKE
        assert metadata["introspection_endpoint"] == world.url + INTROSPECT
        assert "client_secret_basic" in metadata["revocation_endpoint_auth_methods_supported"]
        assert "Bearer" in metadata["introspection_endpoint_auth_methods_supported"]


# --- POST /api/v1/revocations ---------------------------------------------------------------------


def test_an_administrator_ends_a_token_by_its_text_or_name(world: World, admin: Api):
    account = admin.create_account()
    by_text, by_name = admin.account_token(account), admin.account_token(account)
    first = admin.call("POST", REVOCATIONS, {"type": "token", "token": by_text})
    again = admin.call("POST", REVOCATIONS, {"type": "token", "token": by_text})
    assert again["number"] >= first["number"] > 0
    claims = claims_of(by_name)
    expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims["exp"]))
    admin.call("POST", REVOCATIONS, {"type": "token", "jti": claims["jti"],
                                     "expiresAt": expires_at})
    for token in (by_text, by_name):
        assert not is_good(world.anonymous, token)
    for body in ({"type": "token", "jti": "x", "expiresAt": expires_at}, {"type": "token"},
                 {"type": "all"}, {"type": "token", "jti": claims["jti"],
                                   "expiresAt": "2126-01-01T00:00:00Z"}, {"type": "key"}):
        assert admin.send("POST", REVOCATIONS, json=body).status_code == 400, body


def test_all_tokens_of_a_key_or_subject_end(world: World, admin: Api, user: User):
    account, key = admin.create_account(), admin.create_access_key()
    for body, owner in (({"type": "subject", "subjectId": account.id}, account),
                        ({"type": "key", "keyId": account.id}, account),
                        ({"type": "key", "keyId": key.id}, key)):
        token = admin.account_token(owner)
        admin.call("POST", REVOCATIONS, body)
        assert not is_good(world.anonymous, token), body
        assert is_good(world.anonymous, admin.account_token(owner)), "its secret is still good"
    signed_in = sign_in(world, user)
    admin.call("POST", REVOCATIONS, {"type": "subject", "subjectId": user.id})
    assert not is_good(world.anonymous, signed_in["accessToken"])
    assert world.anonymous.try_token({"grantType": "refresh_token", "refreshToken":
                                      signed_in["refreshToken"]}).status_code == 400


def test_nobody_ends_what_they_may_not_change(world: World, admin: Api, user: User):
    account, key = admin.create_account(), admin.create_access_key()
    token, of_admin = admin.account_token(account), admin.account_token(key)
    _, viewer = admin.member("Viewer", "tenant", "1")
    claims = claims_of(token)
    bodies = [{"type": "token", "token": token}, {"type": "token", "token": of_admin},
              {"type": "token", "jti": claims["jti"], "expiresAt": "2026-01-01T00:00:00Z"},
              {"type": "subject", "subjectId": account.id}, {"type": "key", "keyId": account.id},
              {"type": "subject", "subjectId": user.id}, {"type": "key", "keyId": key.id},
              {"type": "secret", "keyId": key.id, "secretId": key.id}, {"type": "tenant"}]
    for body in bodies:
        assert viewer.send("POST", REVOCATIONS, json=body).status_code == 403, body
    # Who manages service accounts ends their tokens, but neither those of users nor everybody's.
    _, operator = admin.member("Cloud operator", "tenant", "1")
    for body in (bodies[1], bodies[2], *bodies[5:]):
        assert operator.send("POST", REVOCATIONS, json=body).status_code == 403, body
    operator.call("POST", REVOCATIONS, bodies[0])
    assert not is_good(world.anonymous, token)
    assert is_good(world.anonymous, of_admin)
    for body in ({"type": "subject", "subjectId": "00000000-0000-4000-8000-000000000000"},
                 {"type": "key", "keyId": "no-uuid"}):
        assert admin.send("POST", REVOCATIONS, json=body).status_code == 404, body


def test_everybody_ends_their_own(world: World, admin: Api, user: User):
    _, robot = admin.member("Viewer", "tenant", "1")
    robot.call("POST", REVOCATIONS, {"type": "token", "token": robot.token})
    assert not is_good(world.anonymous, robot.token)
    signed_in = sign_in(world, user)
    person = admin.as_caller(signed_in["accessToken"])
    person.call("POST", REVOCATIONS, {"type": "subject", "subjectId": user.id})
    assert not is_good(world.anonymous, person.token)


def test_all_tokens_of_a_tenant_end(new_world):
    world = new_world()
    account = world.admin.create_account()
    before = world.admin.account_token(account)
    world.admin.call("POST", REVOCATIONS, {"type": "tenant"})
    assert not is_good(world.anonymous, before)
    assert not is_good(world.anonymous, world.admin.token)
    after = world.anonymous.account_token(account)
    assert is_good(world.anonymous, after), "issued after it, perhaps in the same second"
    world.restart()
    assert not is_good(world.anonymous, before)
    assert is_good(world.anonymous, after)


# --- the feed -------------------------------------------------------------------------------------


def last_number(reader: Api) -> int:
    return reader.call("GET", SNAPSHOT)["number"]


def test_the_feed_needs_its_permission(world: World, admin: Api):
    _, viewer = admin.member("Viewer", "tenant", "1")
    for path in (FEED, SNAPSHOT):
        assert viewer.send("GET", path).status_code == 403
        assert world.anonymous.send("GET", path).status_code == 401


def test_a_long_poll_waits_for_news(world: World, admin: Api):
    _, reader = reader_of(admin)
    number = last_number(reader)
    assert reader.call("GET", FEED, params={"after": number}) == {"events": [], "number": number}
    account = admin.create_account()
    token = admin.account_token(account)
    with socket.create_connection(world.server.address, timeout=DEADLINE_SECONDS) as waiting:
        ask(waiting, reader.token, f"{FEED}?after={number}&wait=60", "application/json")
        assert admin.call("POST", REVOCATIONS, {"type": "token", "token": token})["number"] == (
            number + 1)
        text = read_until(waiting, f'"number":{number + 1}}}')
    document = json.loads(text[text.index("{"):])
    assert len(document["events"]) == 1
    event = claims_of(document["events"][0])
    assert event["number"] == number + 1
    assert event["events"]["urn:claviger:event:token-revoked"]["jti"] == claims_of(token)["jti"]


def test_who_is_too_far_behind_or_ahead_takes_the_snapshot(admin: Api):
    _, reader = reader_of(admin)
    ahead = reader.send("GET", FEED, params={"after": last_number(reader) + 1})
    assert ahead.status_code == 410, describe(ahead)
    assert SNAPSHOT in ahead.json()["message"]
    for query in ({"after": -1}, {"wait": 61}, {"wait": -1}, {"after": "x"}):
        assert reader.send("GET", FEED, params=query).status_code == 400, query


def ask(connection: socket.socket, token: str, path: str, accept: str) -> None:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n"
                       f"Authorization: Bearer {token}\r\n\r\n".encode())


def read_until(connection: socket.socket, end: str) -> str:
    """What is sent before `end` is, and `end`; whatever came in one piece with it is lost."""
    text = ""
    while end not in text:
        data = connection.recv(65536).decode()
        assert data, f"closed after {text}"
        text += data
    return text[:text.index(end) + len(end)]


@contextmanager
def listening(world: World, reader: Account, lease_seconds: float = 60):
    """The Python verifier, past the recorder: streams do not end."""
    verifier = Verifier(world.server.url, issuer=world.url, rules="server",
                        audience=claims_of(world.admin.token)["aud"], lease_seconds=lease_seconds,
                        credentials=lambda: world.anonymous.account_token(reader))
    with verifier:
        wait_until(lambda: verifier.status().connections > 0)
        yield verifier


def wait_until(is_so) -> float:
    """The seconds until it was."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < DEADLINE_SECONDS
        time.sleep(0.001)  # polls; the assertion is the deadline's
    return time.monotonic() - began


def refuses(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except Refused:
        return True
    return False


def test_a_verifier_hears_what_has_ended(world: World, admin: Api, user: User):
    reader, _ = reader_of(admin)
    account, key = admin.create_account(), admin.create_access_key()
    with listening(world, reader) as verifier:
        def ends(token: str, change) -> None:
            assert verifier.verify(token)["sub"]
            change()
            seconds = wait_until(lambda: refuses(verifier, token))
            print(f"{change.__name__}: heard {seconds * 1000:.0f} ms after the answer")
            assert not is_good(world.anonymous, token)

        def one_token():
            admin.call("POST", REVOCATIONS, {"type": "token", "token": first})

        def the_key():
            admin.call("POST", REVOCATIONS, {"type": "key", "keyId": key.id})

        def the_secret():
            admin.call("POST", f"/api/v1/service-accounts/{account.id}/secret")

        def the_account():
            admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": False})

        def the_sign_in():
            form(world.anonymous, REVOKE, token=signed_in["refreshToken"])

        def the_user():
            admin.call("DELETE", f"/api/v1/users/{user.id}")

        first, second = admin.account_token(account), admin.account_token(account)
        ends(first, one_token)
        ends(admin.account_token(key), the_key)
        assert verifier.verify(admin.account_token(key))
        ends(second, the_secret)
        regenerated = admin.call("POST", f"/api/v1/service-accounts/{account.id}/secret")
        fresh = Account(account.id, account.name, account.client_id, regenerated["clientSecret"])
        admin.secrets.add(fresh.secret)
        ends(admin.account_token(fresh), the_account)
        signed_in = sign_in(world, user)
        ends(signed_in["accessToken"], the_sign_in)
        ends(sign_in(world, user)["accessToken"], the_user)
        assert verifier.status().snapshots == 1


def test_who_comes_late_or_again_misses_nothing(new_world):
    world = new_world()
    reader, api = reader_of(world.admin)
    account = world.admin.create_account()
    tokens = [world.admin.account_token(account) for _ in range(3)]

    def end(token: str) -> None:
        world.admin.call("POST", REVOCATIONS, {"type": "token", "token": token})

    with listening(world, reader, lease_seconds=600) as verifier:
        connections = verifier.status().connections
        verifier._follower.disconnect()
        end(tokens[0])
        wait_until(lambda: verifier.status().connections > connections)
        wait_until(lambda: refuses(verifier, tokens[0]))
        connections, number = verifier.status().connections, verifier.status().number
        world.restart()  # ends at once although the feed is open
        verifier._transport._port = world.server.address[1]
        end(tokens[1])
        wait_until(lambda: verifier.status().connections > connections)
        wait_until(lambda: refuses(verifier, tokens[1]))
        assert verifier.status().number == number + 1, "the numbers go on"
        assert verifier.verify(tokens[2])
        assert verifier.status().snapshots == 1
    with listening(world, reader) as late:
        assert [refuses(late, token) for token in tokens] == [True, True, False]
        late._follower.heard_at -= 61
        with pytest.raises(Stale):
            late.verify(tokens[2])
    assert last_number(api) == number + 1


def test_a_reader_that_may_read_no_more_is_sent_away(world: World, admin: Api):
    account, reader = reader_of(admin)
    number = last_number(reader)
    with socket.create_connection(world.server.address, timeout=DEADLINE_SECONDS) as stream:
        ask(stream, reader.token, f"{FEED}?after={number}", "text/event-stream")
        read_until(stream, GREETING)
        admin.call("PATCH", f"/api/v1/service-accounts/{account.id}", {"enabled": False})
        assert read_until(stream, "0\r\n\r\n").count("data:") == 0


def test_many_verifiers_hear_at_once(world: World, admin: Api):
    _, reader = reader_of(admin)
    number = last_number(reader)
    token = admin.account_token(admin.create_account())
    streams = [socket.create_connection(world.server.address, timeout=DEADLINE_SECONDS)
               for _ in range(READERS)]
    try:
        for stream in streams:
            ask(stream, reader.token, f"{FEED}?after={number}", "text/event-stream")
        for stream in streams:
            read_until(stream, GREETING)
        began = time.monotonic()
        admin.call("POST", REVOCATIONS, {"type": "token", "token": token})
        seconds = sorted(arrivals(streams, "data: ", began))
        print(f"{READERS} readers: p50 {seconds[READERS // 2] * 1000:.0f} ms, "
              f"p99 {seconds[READERS * 99 // 100] * 1000:.0f} ms after the request was sent")
        assert is_good(world.anonymous, reader.token), "threads are left for others"
    finally:
        for stream in streams:
            stream.close()


def arrivals(streams: list[socket.socket], text: str, began: float) -> list[float]:
    """The seconds until each stream has given the text."""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ, bytearray())
        seconds = []
        while len(seconds) < len(streams):
            ready = selector.select(DEADLINE_SECONDS)
            assert ready, f"{len(streams) - len(seconds)} readers heard nothing"
            for key, _ in ready:
                key.data.extend(key.fileobj.recv(65536))
                if text.encode() in key.data:
                    seconds.append(time.monotonic() - began)
                    selector.unregister(key.fileobj)
        return seconds
