# SPDX-License-Identifier: Apache-2.0
"""Contract checks 38 and 41 for users: passwords and refresh tokens on all three paths, as the
clients of the contract (5.4) use them."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from scenario import tokens
from scenario.api import Api, User, describe

from .test_token import curl
from .world import World

V1 = "/api/v1/token"
V2 = "/api/v2/token"
OAUTH = "/oauth2/token"
REALM = "/auth/realms/runai/protocol/openid-connect/token"
FORMS = (V2, OAUTH, REALM)
PERMISSIONS = "/api/v1/authorization/permissions"
CREDENTIAL = "clvr_"


@pytest.fixture
def user(world: World) -> User:
    """With a rule: nobody without one refreshes."""
    made = world.admin.create_user()
    world.admin.give_role(made.email, "Viewer", "tenant", "1", "user")
    return made


def keep_secret(world: World, answer: requests.Response) -> requests.Response:
    if answer.status_code == 200:
        world.secrets |= {value for name, value in answer.json().items()
                          if name.lower().endswith("token")}
    return answer


def form(world: World, path: str, **fields: str) -> requests.Response:
    return keep_secret(world, world.anonymous.send("POST", path, data=fields))


def sign_in(world: World, path: str, email: str, password: str, **more: str) -> requests.Response:
    if path == V1:
        body = {"grantType": "password", "username": email, "password": password}
        if more:
            body["clientID"] = more["client_id"]
        return world.anonymous.try_token(body)
    return form(world, path, grant_type="password", username=email, password=password, **more)


def refresh(world: World, path: str, token: str, **more: str) -> requests.Response:
    if path == V1:
        body = {"grantType": "refresh_token", "refreshToken": token}
        if more:
            body["clientID"] = more["client_id"]
        return world.anonymous.try_token(body)
    return form(world, path, grant_type="refresh_token", refresh_token=token, **more)


def refresh_token_of(answer: requests.Response) -> str:
    assert answer.status_code == 200, describe(answer)
    given = answer.json()
    return given.get("refreshToken") or given["refresh_token"]


def is_good(world: World, token: str) -> bool:
    return world.anonymous.send("GET", PERMISSIONS, token=token).status_code == 200


# --- answers --------------------------------------------------------------------------------------


def test_v1_members(world: World, user: User):
    given = sign_in(world, V1, user.email, user.password).json()
    assert set(given) == {"accessToken", "idToken", "refreshToken", "expiresIn"}
    assert given["expiresIn"] == 3600
    assert given["refreshToken"].startswith(CREDENTIAL) and len(given["refreshToken"]) == 54
    claims = tokens.claims_of(given["accessToken"])
    assert set(claims) == {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "tenant",
                           "sid"}
    assert claims["sub"] == f"user:{user.id}" and claims["client_id"] == "runai"
    assert is_good(world, given["accessToken"]) and is_good(world, given["idToken"])


@pytest.mark.parametrize("client", [None, "runai", "my-client-id"])
def test_check_38_forms_with_curl(world: World, user: User, client):
    named = [] if client is None else ["-d", f"client_id={client}"]
    status, body = curl(f"{world.url}{V2}", "-d", "grant_type=password", "-d",
                        f"username={user.email}", "-d", f"password={user.password}", *named)
    assert status == 200, body
    given = requests.models.complexjson.loads(body)
    assert set(given) == {"access_token", "token_type", "expires_in", "refresh_token", "id_token",
                          "scope"}
    assert given["token_type"] == "Bearer" and given["expires_in"] == 3600
    status, body = curl(f"{world.url}{V2}", "-d", "grant_type=refresh_token", "-d",
                        f"refresh_token={given['refresh_token']}", *named)
    assert status == 200, body
    again = requests.models.complexjson.loads(body)
    world.secrets |= {answer[name] for answer in (given, again)
                      for name in ("access_token", "id_token", "refresh_token")}
    assert again["refresh_token"] != given["refresh_token"]
    assert is_good(world, again["access_token"])


def test_check_41_the_realm_s_path(world: World, user: User):
    answer = form(world, REALM, grant_type="password", client_id="runai", username=user.email,
                  password=user.password, scope="openid", response_type="id_token",
                  reponse_type="id_token")
    given = answer.json()
    assert set(given) == {"access_token", "expires_in", "refresh_expires_in", "refresh_token",
                          "token_type", "id_token", "not-before-policy", "session_state", "scope"}
    assert given["not-before-policy"] == 0 and given["refresh_expires_in"] == 2_592_000
    assert tokens.claims_of(given["id_token"])["iss"] == f"{world.url}/auth/realms/runai"
    assert is_good(world, given["access_token"]) and is_good(world, given["id_token"])


def test_runai_cli_of_old(world: World, user: User):
    """Discovery of the realm, a password, then id and refresh tokens again and again."""
    metadata = world.anonymous.call(
        "GET", "/auth/realms/runai/.well-known/openid-configuration")
    assert {"password", "refresh_token"} <= set(metadata["grant_types_supported"])
    assert {"openid", "email", "offline_access"} <= set(metadata["scopes_supported"])
    path = metadata["token_endpoint"].removeprefix(world.url)
    answer = form(world, path, grant_type="password", client_id="runai-cli", username=user.email,
                  password=user.password, scope="email openid offline_access")
    for _ in range(3):
        given = answer.json()
        claims = tokens.claims_of(given["id_token"])
        assert claims["aud"] == "runai-cli" and claims["email"] == user.email
        assert claims["preferred_username"] == user.email
        assert set(claims) <= set(metadata["claims_supported"])
        assert is_good(world, given["id_token"])
        answer = form(world, path, grant_type="refresh_token", client_id="runai-cli",
                      refresh_token=given["refresh_token"])
        assert answer.status_code == 200, describe(answer)


def test_the_deprecated_spelling(world: World, user: User):
    token = refresh_token_of(sign_in(world, V1, user.email, user.password))
    path = "/v1/k8s/auth/oauth/tokens/refresh"
    answer = keep_secret(world, world.anonymous.send("POST", path,
                                                     params={"refresh_token": token}))
    assert answer.status_code == 200, describe(answer)
    assert set(answer.json()) == {"accessToken", "idToken", "refreshToken", "expiresIn"}
    assert world.anonymous.send("POST", path).status_code == 400
    assert answer.headers["Cache-Control"] == "no-store"


def test_clients_get_no_refresh_token(world: World):
    account = world.admin.create_account()
    assert set(world.anonymous.try_account(account.client_id, account.secret).json()) == {
        "accessToken", "expiresIn"}
    answer = form(world, V2, grant_type="client_credentials", client_id=account.client_id,
                  client_secret=account.secret)
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [V1, *FORMS])
def test_unknown_and_wrong_are_answered_alike(world: World, user: User, path):
    wrong = sign_in(world, path, user.email, "wrong")
    unknown = sign_in(world, path, Api.fresh_email("nobody"), "wrong")
    assert wrong.status_code == unknown.status_code == (401 if path == REALM else 400)
    if path == V1:
        assert wrong.json()["message"] == unknown.json()["message"]
    else:
        assert wrong.json()["error"] == unknown.json()["error"] == "invalid_grant"
        text, other = (answer.json()["error_description"].partition(" (request id")[0]
                       for answer in (wrong, unknown))
        assert text == other
    for word in ("unknown", "no such", "exist"):
        assert word not in unknown.text.lower()


def test_a_refresh_asks_for_no_more(world: World, user: User):
    token = refresh_token_of(sign_in(world, V2, user.email, user.password))
    for path in FORMS:
        for scope in ("admin", "openid admin", "openid  runai"):
            answer = refresh(world, path, token, scope=scope)
            assert answer.status_code == 400 and answer.json()["error"] == "invalid_scope"
    assert refresh(world, V2, token, scope="openid email").status_code == 200


@pytest.mark.parametrize("path", [V1, *FORMS])
def test_used_refresh_tokens_end_the_session(world: World, user: User, path):
    first = refresh_token_of(sign_in(world, path, user.email, user.password))
    second = refresh_token_of(refresh(world, path, first))
    third = refresh_token_of(refresh(world, path, second))
    refused = refresh(world, path, first)
    assert refused.status_code == (401 if path == REALM else 400), describe(refused)
    assert "access" not in refused.text
    assert refresh(world, path, third).status_code == refused.status_code


def test_refresh_tokens_of_another_client(world: World, user: User):
    token = refresh_token_of(sign_in(world, V1, user.email, user.password, client_id="runai-cli"))
    for client in ("runai", "runai-admin-ui", "anything"):
        assert refresh(world, V1, token, client_id=client).status_code == 400
    assert refresh(world, V1, token, client_id="runai-cli").status_code == 200


@pytest.mark.parametrize("token", ["", "x", CREDENTIAL + "0" * 49, CREDENTIAL + "z" * 49,
                                   CREDENTIAL + "\u00e9" * 49, "x" * 2000])
def test_garbage_is_no_refresh_token(world: World, token):
    for path in (V1, REALM):  # few enough for the throttle
        answer = refresh(world, path, token)
        assert answer.status_code in (400, 401), describe(answer)
        assert len(answer.text) < 400


def test_of_parallel_refreshes_one_wins(world: World, user: User):
    token = refresh_token_of(sign_in(world, V1, user.email, user.password))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: refresh(world, V1, token), range(20)))
    assert sum(answer.status_code == 200 for answer in answers) <= 1
    assert {answer.status_code for answer in answers} <= {200, 400, 429}


def test_sessions_survive_a_restart(new_world):
    """And so does what is known of used tokens."""
    world = new_world()
    user = world.admin.create_user()
    world.admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    chains = {}
    for path in (V1, *FORMS):
        old = refresh_token_of(sign_in(world, path, user.email, user.password))
        chains[path] = (old, refresh_token_of(refresh(world, path, old)))
    world.restart()
    for path, (old, new) in chains.items():
        newest = refresh_token_of(refresh(world, path, new))
        refused = 401 if path == REALM else 400
        assert refresh(world, path, old).status_code == refused
        assert refresh(world, path, newest).status_code == refused, "it was one family"


def test_without_the_password_grant(new_world):
    world = new_world()
    user = world.admin.create_user()
    world.restart("--password-grant", "false")
    for path in (V1, *FORMS):
        answer = sign_in(world, path, user.email, user.password)
        assert answer.status_code == 400, describe(answer)
    metadata = world.anonymous.call("GET", "/.well-known/openid-configuration")
    assert "password" not in metadata["grant_types_supported"]
