# SPDX-License-Identifier: Apache-2.0
"""Contract checks 37, 43, 44, 46, 47, 53 and 54: how clients spell their requests, and what is no
token."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.parse

import pytest
import requests
from scenario import tokens
from scenario.api import Account, Api, describe
from scenario.recorder import Exchange

from .test_service_accounts import creation
from .world import World, token_requests

PATH = "/api/v1/service-accounts"


def test_check_37_clusters_with_curl_and_jq(world: World):
    cluster = world.admin.create_cluster()
    answer = subprocess.run(["curl", "--silent", "--fail", f"{world.url}/api/v1/clusters", "-H",
                             f"Authorization: Bearer {world.admin.token}"],
                            capture_output=True, timeout=60, check=True).stdout
    found = subprocess.run(["jq", "-r", ".[].uuid"], input=answer, capture_output=True, timeout=60,
                           check=True).stdout.decode().split()
    assert cluster in found


def test_check_43_asynchronous_client(world: World, administrator: Account, runapy_1):
    created, = runapy_1("asynchronous", administrator, calls=[creation("from-async")])
    assert created["status"] == 201, created
    world.secrets.add(created["data"]["clientSecret"])
    exchange = world.exchanges()[-1]
    assert isinstance(json.loads(exchange.request_body), str)  # the quirk that is tested here


def test_check_44_threaded_client(world: World, administrator: Account, runapy_1):
    assert runapy_1("threaded", administrator, count=64) == [200] * 64
    exchanges = world.exchanges()
    assert len(token_requests(exchanges)) == 1
    assert len(exchanges) == 65


def test_check_46_old_runapy(world: World, administrator: Account, runapy_0):
    admin = world.admin
    cluster = admin.create_cluster()
    project = admin.create_project(cluster)
    account = admin.create_account()
    world.exchanges()
    result = runapy_0("access_rules", administrator, cluster=cluster, subject=account.name,
                      others=["somebody@first.example"], role=admin.role_id("Viewer"),
                      scope=project)
    _, creating, listing = world.exchanges()
    assert creating.request_header("Content-Type") is None
    query = urllib.parse.parse_qs(listing.target.partition("?")[2])
    assert query["includeDeleted"] == ["True"]
    assert query["subjectIds"] == [account.name, "somebody@first.example"]
    assert result["created"]["clusterId"] == cluster
    assert [rule["id"] for rule in result["listed"]["accessRules"]] == [result["created"]["id"]]


def test_check_46_old_runapy_org_units(world: World, administrator: Account, runapy_0):
    cluster = world.admin.create_cluster()
    result = runapy_0("org_units", administrator, cluster=cluster)
    made = world.admin.call("GET", f"/api/v1/org-unit/projects/{result['created']['id']}")
    assert made["name"] == result["created"]["name"]  # the first page may be full of others
    assert result["projects"]["projects"]
    assert all(int(one["id"]) for one in result["projects"]["projects"])
    assert cluster in [one["uuid"] for one in result["clusters"]]
    assert len(result["roles"]) >= 21
    assert result["departments"]["departments"]
    lists = [exchange for exchange in world.exchanges() if exchange.path == "/api/v1/clusters"
             and exchange.method == "GET"]
    assert lists[-1].target.endswith("?verbosity=full&verbosity=full")


def test_check_46_deleted_rules_are_listed_on_request(admin: Api):
    project = admin.create_project(admin.create_cluster())
    rule = admin.give_role("gone@first.example", "Viewer", "project", project, "user")
    admin.call("DELETE", f"/api/v1/authorization/access-rules/{rule}")
    query = {"subjectIds": "gone@first.example"}
    path = "/api/v1/authorization/access-rules"
    assert admin.call("GET", path, params=query)["accessRules"] == []
    for spelling in ("true", "True"):
        listed = admin.call("GET", path, params={**query, "includeDeleted": spelling})
        assert [one["id"] for one in listed["accessRules"]] == [rule]
        assert listed["accessRules"][0]["deletedAt"]


@pytest.mark.parametrize("target", ["/api/v1/org-unit/projects?", "/api/v1/clusters?",
                                    "/api/v1/clusters?verbosity=full&verbosity=full"])
def test_check_47_odd_targets(world: World, target):
    # Python requests would tidy the target up.
    done = subprocess.run(["curl", "--silent", "--globoff", "--write-out", "\n%{http_code}",
                           world.url + target, "-H", f"Authorization: Bearer {world.admin.token}"],
                          capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.endswith("\n200"), done.stdout
    assert world.exchanges()[-1].target == target


# --- what is no token -----------------------------------------------------------------------------


def check_refused(answer: requests.Response, what: str) -> None:
    assert answer.status_code == 401, f"{what}: {describe(answer)}"
    assert answer.json()["code"] == 401 and answer.json()["message"], what
    assert answer.headers["WWW-Authenticate"].startswith("Bearer"), what


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer ", "Bearer garbage", "Bearer a.b.c",
                                    "Basic YTpi", "garbage", ""])
def test_check_53_no_good_authorization(world: World, administrator: Account, header):
    headers = {} if header is None else {"Authorization": header}
    refused = world.anonymous.send("GET", PATH, headers=headers)
    check_refused(refused, str(header))
    assert ("is missing" in refused.json()["message"]) == (header is None)
    # The token endpoint does not look at it.
    answer = world.anonymous.send("POST", "/api/v1/token", headers=headers, json={
        "grantType": "client_credentials", "clientId": administrator.client_id,
        "clientSecret": administrator.secret})
    assert answer.status_code == 200, describe(answer)
    world.secrets.add(answer.json()["accessToken"])


def test_check_53_expired(new_world):
    """The same server, with a clock two hours ahead."""
    world = new_world()
    old = world.admin.token
    world.admin.call("GET", PATH)
    world.restart(environment=clock_ahead("+2h"))
    check_refused(world.admin.send("GET", PATH, token=old), "expired")


def test_check_53_not_yet_issued(new_world):
    world = new_world()
    world.restart(environment=clock_ahead("-2h"))
    check_refused(world.admin.send("GET", PATH), "from the future")


def clock_ahead(offset: str) -> dict[str, str]:
    """The environment in which the wall clock is off, and only that clock."""
    assert shutil.which("faketime"), "the package faketime is missing"
    shown = subprocess.run(["faketime", "-f", offset, "printenv", "LD_PRELOAD"],
                           capture_output=True, text=True, check=True).stdout.strip()
    # A sanitizer's library minds that another one comes before it.
    return {"LD_PRELOAD": shown, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def test_check_53_another_issuer(world: World, new_world):
    other = new_world()
    check_refused(world.admin.send("GET", PATH, token=other.admin.token), "another server's")


def test_check_54_tampered(world: World):
    token = world.admin.token
    world.admin.call("GET", PATH, token=token)
    head, payload, signature = token.split(".")
    keys = world.anonymous.call("GET", "/.well-known/jwks.json")["keys"]
    key, = [key for key in keys if key["kid"] == tokens.header_of(token)["kid"]]
    public = json.dumps(key, separators=(",", ":")).encode()
    flipped = "A" if signature[0] != "A" else "B"
    claims = tokens.claims_of(token) | {"sub": "user:00000000-0000-4000-8000-000000000000"}
    forged = {
        "alg none": tokens.without_signature(token, "none"),
        "alg NONE": tokens.without_signature(token, "NONE"),
        "HS256 with the key": tokens.signed_by_mac(token, public),
        "HS256 with the PEM": tokens.signed_by_mac(token, public_pem(key)),
        "unknown kid": tokens.with_header(token, kid="unheard-of"),
        "another alg": tokens.with_header(token, alg="RS256"),
        "other claims": ".".join((head, tokens.encode(json.dumps(claims).encode()), signature)),
        "other signature": ".".join((head, payload, flipped + signature[1:])),
        "no signature": ".".join((head, payload, "")),
        "two parts": ".".join((head, payload)),
        "four parts": token + ".x",
    }
    for what, wrong in forged.items():
        check_refused(world.admin.send("GET", PATH, token=wrong), what)


def public_pem(key: dict) -> bytes:
    import jwt
    from cryptography.hazmat.primitives import serialization

    return jwt.PyJWK(key).key.public_bytes(serialization.Encoding.PEM,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)


def test_every_answer_has_its_request_id(world: World):
    world.admin.call("GET", PATH)
    world.anonymous.send("GET", PATH)
    world.anonymous.send("GET", "/nowhere")
    exchanges: list[Exchange] = world.exchanges()
    ids = [exchange.header("X-Request-Id") for exchange in exchanges]
    assert all(ids) and len(set(ids)) == len(ids)
    for exchange, id in zip(exchanges, ids):
        if exchange.status >= 400:
            assert id in json.loads(exchange.body)["details"]
