# SPDX-License-Identifier: Apache-2.0
"""Contract check 42: the signed token verifies with other people's libraries, by discovery."""
from __future__ import annotations

import json
import subprocess

import jwt
import pytest
from jwt.algorithms import OKPAlgorithm
from scenario.api import Account, describe

from . import environments
from .test_token import administrator_of
from .world import World

ROOT = "/.well-known/openid-configuration"
REALM = "/auth/realms/runai/.well-known/openid-configuration"
ALGORITHMS = ("ES256", "RS256", "Ed25519")

# Known to this library only by its older name (RFC 8037; RFC 9864 gave the new one).
jwt.register_algorithm("Ed25519", OKPAlgorithm())


@pytest.fixture(params=ALGORITHMS)
def signing_world(request, new_world) -> tuple[str, World, Account]:
    world = new_world("--token-algorithm", request.param)
    return request.param, world, administrator_of(world)


def tokens_of(world: World, account: Account, realm: bool) -> dict[str, str]:
    """An access token and an id token of the root issuer, or of the realm's."""
    if realm:
        answer = world.anonymous.send(
            "POST", "/auth/realms/runai/protocol/openid-connect/token",
            data={"grant_type": "client_credentials", "client_id": account.client_id,
                  "client_secret": account.secret})
    else:
        answer = world.anonymous.send("POST", "/v1/k8s/auth/oauth/apptoken", json={
            "id": account.client_id, "name": account.name, "secret": account.secret})
    assert answer.status_code == 200, describe(answer)
    found = {name: answer.json()[name] for name in ("access_token", "id_token")}
    world.secrets.update(found.values())
    return found


def run_json(command: list[str], orders: dict, folder=None) -> dict:
    done = subprocess.run(command, input=json.dumps(orders), capture_output=True, text=True,
                          timeout=120, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def verify_with_pyjwt(world: World, metadata: dict, token: str, audience: str) -> dict:
    path = metadata["jwks_uri"].removeprefix(world.url)
    keys = world.anonymous.call("GET", path)["keys"]
    header = jwt.get_unverified_header(token)
    key, = [key for key in keys if key["kid"] == header["kid"]]
    family = "EdDSA" if key["kty"] == "OKP" else header["alg"]
    return jwt.decode(token, jwt.PyJWK(key, algorithm=family).key, algorithms=[header["alg"]],
                      issuer=metadata["issuer"], audience=audience,
                      options={"require": ["exp", "iat", "iss", "sub", "aud"]})


def verify_with_jose(world: World, document: str, metadata: dict, token: str,
                     audience: str) -> dict:
    folder = environments.node_folder()
    return run_json(["node", str(folder / "verify.mjs")], {
        "discovery": world.url + document, "token": token, "issuer": metadata["issuer"],
        "audience": audience}, folder)["payload"]


@pytest.mark.parametrize("document", [ROOT, REALM])
def test_check_42_pyjwt_and_jose(signing_world, document):
    algorithm, world, account = signing_world
    metadata = world.anonymous.call("GET", document)
    assert metadata["jwks_uri"].startswith(world.url)
    for name, token in tokens_of(world, account, document == REALM).items():
        assert jwt.get_unverified_header(token)["alg"] == algorithm
        audience = "runai" if name == "access_token" else account.client_id
        claims = verify_with_pyjwt(world, metadata, token, audience)
        assert claims == verify_with_jose(world, document, metadata, token, audience)


def test_check_42_go(signing_world):
    algorithm, world, account = signing_world
    project = world.admin.create_project(world.admin.create_cluster())
    for document in (ROOT, REALM):
        report = run_json([str(environments.go_program())], {
            "url": world.url, "discovery": world.url + document, "clientId": account.client_id,
            "clientSecret": account.secret})
        assert report["algorithm"] == algorithm
        assert report["expiresIn"] == 3600
        assert project in [one["id"] for one in report["projects"]]
        assert report["claims"]["client_id"] == account.client_id


def test_check_42_a_wrong_token_does_not_verify(world: World):
    """So that the verifications above say something."""
    metadata = world.anonymous.call("GET", ROOT)
    head, payload, signature = world.admin.token.split(".")
    wrong = ".".join((head, payload, ("A" if signature[0] != "A" else "B") + signature[1:]))
    with pytest.raises(jwt.InvalidSignatureError):
        verify_with_pyjwt(world, metadata, wrong, "runai")
    with pytest.raises(AssertionError, match="signature verification failed"):
        verify_with_jose(world, ROOT, metadata, wrong, "runai")


@pytest.mark.parametrize("document", [ROOT, REALM, "/.well-known/oauth-authorization-server"])
def test_check_42_documents_agree_with_themselves(world: World, document):
    metadata = world.anonymous.call("GET", document)
    realm = document == REALM
    assert metadata["issuer"] == world.url + ("/auth/realms/runai" if realm else "")
    assert metadata["token_endpoint"].startswith(metadata["issuer"])
    answer = world.anonymous.send("POST", metadata["token_endpoint"].removeprefix(world.url),
                                  data={"grant_type": "client_credentials"})
    assert answer.status_code == 401


def test_check_42_key_set_has_no_private_part(world: World):
    for key in world.anonymous.call("GET", "/.well-known/jwks.json")["keys"]:
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}
        assert key["kid"] and key["use"] == "sig"
