# SPDX-License-Identifier: Apache-2.0
"""Limits of keys and narrowed tokens, over the wire."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from scenario import tokens
from scenario.api import Account, Api, describe

from .world import World

ACCOUNTS = "/api/v1/service-accounts"
KEYS = "/api/v1/access-keys"
ALL_KEYS = "/api/v1/administration/access-keys"
EXPIRING = "/api/v1/expiring-keys"
PROJECTS = "/api/v1/org-unit/projects"
PERMISSIONS = "/api/v1/authorization/permissions"
SCOPES = "/api/v1/authorization/permitted-scopes"
V1 = "/api/v1/token"
REALM = "/auth/realms/runai/protocol/openid-connect/token"
FORMS = ("/api/v2/token", "/oauth2/token", REALM)
ELSEWHERE = ["192.0.2.0/24", "2001:db8::/32"]  # where no test comes from
HEADER = "Claviger-Key-Expires"


def at(**later: int) -> str:
    return (datetime.now(UTC) + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def administrator(world: World) -> Account:
    account = world.admin.create_account()
    world.admin.give_role(account.name, "System administrator", "tenant", "1")
    return account


@pytest.fixture
def places(world: World) -> tuple[str, str]:
    """Two projects below the same cluster."""
    cluster = world.admin.create_cluster()
    return world.admin.create_project(cluster), world.admin.create_project(cluster)


def put_limits(world: World, account: Account, limits: dict) -> None:
    path = f"{ACCOUNTS}/{account.id}/limits"
    world.admin.call("PUT", path, limits)
    assert set(world.admin.call("GET", path)) == set(limits)


def caller(world: World, account: Account) -> Api:
    return world.admin.as_caller(world.anonymous.account_token(account))


def project_scope(project: str) -> dict:
    return {"scopeType": "project", "scopeId": project}


def ask_form(world: World, path: str, account: Account, **fields) -> requests.Response:
    answer = world.anonymous.send("POST", path, data={
        "grant_type": "client_credentials", "client_id": account.client_id,
        "client_secret": account.secret, **fields})
    if answer.status_code == 200:
        world.secrets |= {answer.json()[name] for name in ("access_token", "id_token")
                          if name in answer.json()}
    return answer


def ask_json(world: World, account: Account, **members) -> requests.Response:
    return world.anonymous.try_token({
        "grantType": "client_credentials", "clientId": account.client_id,
        "clientSecret": account.secret, **members})


# --- limits ---------------------------------------------------------------------------------------


def test_limits_are_read_replaced_and_removed(world: World):
    limits = {"expiresAt": "2036-01-01T00:00:00.000000Z", "addresses": ["127.0.0.1/32"],
              "addressMode": "enforced",
              "ceiling": {"roleIds": [7], "permissions": ["project:read"], "scopes": []}}
    made = world.admin.call("POST", ACCOUNTS, {"name": Api.fresh_name("bounded"),
                                               "limits": limits}, status=201)
    world.secrets.add(made["clientSecret"])
    assert set(made) == {"id", "name", "clientId", "clientSecret"}
    path = f"{ACCOUNTS}/{made['id']}/limits"
    assert world.admin.call("GET", path) == limits
    assert world.admin.call("PUT", path, {}) == {}
    assert world.admin.call("GET", path) == {}


@pytest.mark.parametrize("limits", [
    {"expireAt": "2036-01-01T00:00:00Z"}, {"expiresAt": "tomorrow"}, {"addresses": ["10"]},
    {"addresses": ["10.0.0.1/8"]}, {"addressMode": "sometimes"}, {"ceiling": {"role": 7}},
    {"ceiling": {"roleIds": [424242]}}, {"ceiling": {"permissions": ["project:fly"]}},
    {"ceiling": {"scopes": [{"scopeType": "project", "scopeId": "424242"}]}},
    {"ceiling": {"scopes": [{"scopeType": "project"}]}}, {"addresses": ["::1"] * 65}])
def test_limits_that_mean_nothing_are_refused(world: World, limits: dict):
    account = world.admin.create_account()
    answer = world.admin.send("PUT", f"{ACCOUNTS}/{account.id}/limits", json=limits)
    assert answer.status_code == 400, describe(answer)
    answer = world.admin.send("POST", ACCOUNTS, json={"name": "never", "limits": limits})
    assert answer.status_code == 400, describe(answer)
    assert world.admin.call("GET", f"{ACCOUNTS}/{account.id}/limits") == {}


def test_an_expired_key_is_answered_like_a_wrong_secret(world: World, administrator: Account):
    api = caller(world, administrator)
    api.call("GET", ACCOUNTS)
    put_limits(world, administrator, {"expiresAt": "2001-01-01T00:00:00Z"})
    assert api.send("GET", ACCOUNTS).status_code == 401
    refused = world.anonymous.try_account(administrator.client_id, administrator.secret)
    wrong = world.anonymous.try_account(administrator.client_id, "wrong")
    assert refused.status_code == wrong.status_code == 400
    assert refused.json()["message"] == wrong.json()["message"]
    put_limits(world, administrator, {})
    caller(world, administrator).call("GET", ACCOUNTS)


def test_other_addresses_are_refused_or_only_told(world: World, administrator: Account):
    api = caller(world, administrator)
    put_limits(world, administrator, {"addresses": ELSEWHERE})
    assert api.send("GET", ACCOUNTS).status_code == 401
    assert ask_json(world, administrator).status_code == 400
    put_limits(world, administrator, {"addresses": ELSEWHERE, "addressMode": "log-only"})
    api.call("GET", ACCOUNTS)
    assert ask_json(world, administrator).status_code == 200
    put_limits(world, administrator, {"addresses": [*ELSEWHERE, "127.0.0.0/8", "::1"]})
    api.call("GET", ACCOUNTS)


def test_a_ceiling_bounds_what_is_seen_and_done(world: World, administrator: Account, places):
    inside, outside = places
    put_limits(world, administrator, {"ceiling": {"permissions": ["project:read"],
                                                  "scopes": [project_scope(inside)]}})
    api = caller(world, administrator)
    assert [one["id"] for one in api.call("GET", PROJECTS)["projects"]] == [inside]
    assert api.call("GET", f"{PROJECTS}/{inside}")["id"] == inside
    for method, path in (("GET", f"{PROJECTS}/{outside}"), ("DELETE", f"{PROJECTS}/{inside}"),
                         ("GET", ACCOUNTS)):
        answer = api.send(method, path)
        assert answer.status_code == 403, describe(answer)
        assert "(beyond the key's ceiling)" in answer.json()["details"]
    permission, = api.call("GET", PERMISSIONS)
    assert (permission["resourceType"], permission["actions"]) == ("project", ["read"])
    seen = api.call("POST", SCOPES, {"resourceType": "project"})
    assert seen["read"]["projects"] == [inside] and not seen["read"]["tenants"]
    assert not seen["delete"]["projects"] and not seen["delete"]["tenants"]
    world.admin.call("DELETE", f"{PROJECTS}/{inside}")
    assert api.call("GET", PERMISSIONS) == []


def test_limits_bind_the_keys_of_users(world: World):
    person = world.admin.person("Viewer")
    key = person.create_access_key()
    path = f"{KEYS}/{key.id}/limits"
    person.call("PUT", path, {"ceiling": {"permissions": ["project:read"]}})
    bound = caller(world, key)
    assert bound.send("GET", "/api/v1/clusters").status_code == 403
    for body in ({"name": "wider"},
                 {"name": "wider", "limits": {"ceiling": {"permissions": ["cluster:read"]}}}):
        answer = bound.send("POST", KEYS, json=body)
        assert answer.status_code == 403, describe(answer)
        assert "(beyond the key's ceiling)" in answer.json()["details"]
    assert bound.send("PUT", path, json={}).status_code == 403
    assert bound.send("POST", f"{KEYS}/{key.id}/secret").status_code == 403
    assert world.admin.send("PUT", path, json={}).status_code == 404, "another's"
    world.admin.call("PUT", f"{ALL_KEYS}/{key.id}/limits", {"expiresAt": "2001-01-01T00:00:00Z"})
    assert world.admin.call("GET", f"{ALL_KEYS}/{key.id}/limits") == person.call("GET", path)
    assert bound.send("GET", KEYS).status_code == 401


def test_nobody_widens_an_account_beyond_themselves(world: World, administrator: Account):
    put_limits(world, administrator, {"ceiling": {"roleIds": [7]}})
    own = caller(world, administrator)
    path = f"{ACCOUNTS}/{administrator.id}/limits"
    assert own.send("PUT", path, json={}).status_code == 403
    put_limits(world, administrator, {"ceiling": {"permissions": ["service-account:update"]}})
    other, _ = world.admin.member("System administrator", "tenant", "1")
    put_limits(world, other, {"ceiling": {"permissions": ["service-account:update"]}})
    answer = own.send("PUT", f"{ACCOUNTS}/{other.id}/limits", json={})
    assert answer.status_code == 403
    assert "this service account holds more than you do" in answer.json()["details"]
    narrower = {"ceiling": {"permissions": []}}
    assert own.call("PUT", f"{ACCOUNTS}/{other.id}/limits", narrower) == narrower


def test_keys_that_expire_soon_are_warned_of(world: World, administrator: Account):
    assert HEADER not in ask_json(world, administrator).headers
    put_limits(world, administrator, {"expiresAt": at(days=20)})
    assert HEADER not in ask_json(world, administrator).headers
    soon = at(days=2)
    put_limits(world, administrator, {"expiresAt": soon})
    for answer in (ask_json(world, administrator), *(
            ask_form(world, path, administrator) for path in FORMS)):
        assert answer.status_code == 200, describe(answer)
        assert answer.headers[HEADER][:19] == soon[:19]
    mine = {"type": "service-account", "id": administrator.id, "name": administrator.name,
            "clientId": administrator.client_id, "expiresAt": soon[:-1] + ".000000Z"}
    assert mine in world.admin.call("GET", EXPIRING)["keys"]
    assert mine not in world.admin.call("GET", EXPIRING, params={"within": "1d"})["keys"]
    _, stranger = world.admin.member("Viewer", "project", world.admin.create_project(
        world.admin.create_cluster()))
    assert mine not in stranger.call("GET", EXPIRING, params={"within": "30d"})["keys"]
    for within in ("7", "d", "-1d", "1w", "0d", "99999d", ""):
        answer = world.admin.send("GET", EXPIRING, params={"within": within})
        assert answer.status_code == 400, within


def test_the_owner_sees_which_keys_expire(world: World):
    person = world.admin.person("Viewer")
    made = person.call("POST", KEYS, {"name": "soon", "limits": {"expiresAt": at(hours=5)}},
                       status=201)
    world.secrets.add(made["clientSecret"])
    seen, = person.call("GET", EXPIRING, params={"within": "6h"})["keys"]
    assert (seen["type"], seen["id"], seen["clientId"]) == ("access-key", made["id"],
                                                            made["clientId"])
    assert person.call("GET", EXPIRING, params={"within": "4h"})["keys"] == []
    other = world.admin.person("Viewer")
    assert other.call("GET", EXPIRING)["keys"] == []


# --- narrowed tokens ------------------------------------------------------------------------------


def narrowed_tokens(world: World, account: Account, project: str) -> list[str]:
    """One from each endpoint."""
    answers = [ask_form(world, path, account, scope="openid project:read", scope_type="project",
                        scope_id=project, lifetime_seconds="300") for path in FORMS]
    answers.append(ask_json(world, account, scope="project:read", scopeType="project",
                            scopeId=project, lifetimeSeconds=300))
    given = []
    for answer in answers:
        assert answer.status_code == 200, describe(answer)
        body = answer.json()
        assert "id_token" not in body and "idToken" not in body
        assert body["scope"] == "project:read"
        assert body.get("expires_in", body.get("expiresIn")) == 300
        given.append(body.get("access_token") or body["accessToken"])
    return given


def test_every_endpoint_narrows(world: World, administrator: Account, places):
    inside, outside = places
    for token in narrowed_tokens(world, administrator, inside):
        claims = tokens.claims_of(token)
        assert (claims["scope"], claims["within"]) == ("project:read", f"project:{inside}")
        assert claims["exp"] - claims["iat"] == 300
        api = world.admin.as_caller(token)
        assert [one["id"] for one in api.call("GET", PROJECTS)["projects"]] == [inside]
        answer = api.send("GET", f"{PROJECTS}/{outside}")
        assert answer.status_code == 403
        assert "(beyond what the token was narrowed to)" in answer.json()["details"]


def test_what_is_not_narrowed_is_as_ever(world: World, administrator: Account):
    plain = ask_json(world, administrator)
    assert set(plain.json()) == {"accessToken", "expiresIn"}
    for scope in ("openid", "openid profile email", "anything at all", ""):
        answer = ask_form(world, "/oauth2/token", administrator, scope=scope)
        assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
        claims = tokens.claims_of(answer.json()["access_token"])
        assert set(claims) == {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "tenant"}


@pytest.mark.parametrize("fields, error", [
    ({"scope": "project:fly"}, "invalid_scope"), ({"scope": "x:y"}, "invalid_scope"),
    ({"scope_type": "project", "scope_id": "424242"}, "invalid_scope"),
    ({"scope_type": "project"}, "invalid_scope"), ({"scope_id": "1"}, "invalid_scope"),
    ({"resource": "https://unknown.example"}, "invalid_target"),
    ({"resource": "runai"}, "invalid_target"),
    ({"lifetime_seconds": "0"}, "invalid_request"),
    ({"lifetime_seconds": "soon"}, "invalid_request")])
def test_what_cannot_be_narrowed_to_is_refused(world: World, administrator: Account,
                                               fields: dict, error: str):
    # The published document of the first knows no `resource`, and not its error.
    for path in FORMS[1:] if "resource" in fields else FORMS:
        answer = ask_form(world, path, administrator, **fields)
        assert (answer.status_code, answer.json()["error"]) == (400, error), describe(answer)


def test_a_narrowed_sign_in_narrows_its_session(world: World, places):
    inside, _ = places
    user = world.admin.create_user()
    world.admin.give_role(user.email, "System administrator", "tenant", "1", "user")
    answer = world.anonymous.try_token({
        "grantType": "password", "username": user.email, "password": user.password,
        "scope": "project:read", **project_scope(inside)})
    assert answer.status_code == 200, describe(answer)
    assert "idToken" not in answer.json()
    for _ in range(2):
        answer = world.anonymous.try_token({"grantType": "refresh_token",
                                            "refreshToken": answer.json()["refreshToken"]})
        assert answer.status_code == 200, describe(answer)
        api = world.admin.as_caller(answer.json()["accessToken"])
        assert [one["id"] for one in api.call("GET", PROJECTS)["projects"]] == [inside]
        assert api.send("GET", ACCOUNTS).status_code == 403
    wider = world.anonymous.try_token({
        "grantType": "refresh_token", "refreshToken": answer.json()["refreshToken"],
        "scope": "service-account:read"})
    assert wider.status_code == 400, describe(wider)


def test_a_narrowed_token_makes_no_wide_key(world: World):
    user = world.admin.create_user()
    answer = world.anonymous.try_token({
        "grantType": "password", "username": user.email, "password": user.password,
        "scope": "project:read access-keys:create"})
    api = world.admin.as_caller(answer.json()["accessToken"])
    refused = api.send("POST", KEYS, json={"name": "wide"})
    assert refused.status_code == 403
    assert "beyond what the token was narrowed to" in refused.json()["details"]
    made = api.call("POST", KEYS, {"name": "narrow", "limits": {
        "ceiling": {"permissions": ["project:read"]}}}, status=201)
    world.secrets.add(made["clientSecret"])
