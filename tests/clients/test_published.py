# SPDX-License-Identifier: Apache-2.0
"""The published document of the API with which we are compatible, where there is a copy of it: each
of its operations answers, and each known difference from it is one."""
from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from scenario.api import PERSON_PASSWORD, Account, Api, describe
from scenario.differences import GROUPS, STATUSES, read_further_operations
from scenario.openapi import own_contract, peer_contract

from .operations import NOBODY, Operation, Targets, all_operations
from .world import World

PEER = peer_contract()
# Nothing is there to be read: workloads are not kept here.
NEVER_THERE = "GET /api/v1/workloads/{workloadId}"
NEXT_PASSWORD = "otter-Gravel-74-lamp-sunday"


def names_of(contract) -> list[str]:
    return [f"{method} {path}" for method, path, _ in contract.operations()]


def by_name(name: str) -> Operation:
    return next(one for one in all_operations() if f"{one.method} {one.path}" == name)


# --- each operation answers -----------------------------------------------------------------------


def credentials(account: Account) -> dict[str, dict]:
    """What the endpoints of tokens want."""
    return {
        "POST /api/v1/token": {"json": {"grantType": "client_credentials",
                                        "clientId": account.client_id,
                                        "clientSecret": account.secret}},
        "POST /api/v2/token": {"data": {"grant_type": "client_credentials",
                                        "client_id": account.client_id,
                                        "client_secret": account.secret}},
        "POST /v1/k8s/auth/oauth/apptoken": {"json": {
            "id": account.client_id, "name": account.name, "secret": account.secret}},
    }


def answer_of(world: World, name: str):
    operation, api, targets = by_name(name), world.admin, Targets(world.admin)
    targets.empty_what_is_deleted(operation)
    more = credentials(targets.account).get(name) or {"json": targets.body(operation)}
    if operation.path == "/api/v1/me/password":
        api = world.admin.person()
        more = {"json": {"currentPassword": PERSON_PASSWORD, "newPassword": NEXT_PASSWORD}}
    return api.send(operation.method, targets.path(operation), params=targets.query(operation),
                    **more)


def published_names() -> list[str]:
    if PEER:
        return names_of(PEER)
    further = read_further_operations()
    return [name for name in names_of(own_contract()) if name not in further]


@pytest.mark.parametrize("name", published_names())
def test_every_published_operation_answers(world: World, name: str):
    answer = answer_of(world, name)
    expected = range(404, 405) if name == NEVER_THERE else range(200, 300)
    assert answer.status_code in expected, describe(answer)


def test_what_is_further_is_not_published():
    if PEER:
        assert read_further_operations() == set(names_of(own_contract())) - set(names_of(PEER))


# --- each difference is one -----------------------------------------------------------------------


def with_ids(operation: Operation, id: str) -> str:
    return re.sub(r"{\w+}", id, operation.path)


def malformed(world: World, targets: Targets, operation: Operation):
    api, path = world.admin, targets.path(operation)
    if operation.body_schema() is not None:
        return api.send(operation.method, path, data="{",
                        headers={"Content-Type": "application/json"})
    if operation.query_parameters():
        return api.send(operation.method, f"{path}?{operation.query_parameters()[0]['name']}=%zz")
    return api.send(operation.method, with_ids(operation, "%00"))


def without_a_token(world: World, targets: Targets, operation: Operation):
    return world.anonymous.send(operation.method, targets.path(operation))


def unknown(world: World, targets: Targets, operation: Operation):
    body = targets.body(operation)
    if isinstance(body, dict) and "clusterId" in body:
        body["clusterId"] = NOBODY
    return world.admin.send(operation.method, with_ids(operation, NOBODY), json=body)


def repeated(world: World, targets: Targets, operation: Operation):
    body = targets.body(operation)
    if operation.method == "PUT":  # the name of another
        body["name"] = world.admin.call("GET", f"/api/v1/clusters/{world.admin.create_cluster()}"
                                        )["name"]
    else:
        world.admin.send(operation.method, targets.path(operation), json=body)
    return world.admin.send(operation.method, targets.path(operation), json=body)


def not_empty(world: World, targets: Targets, operation: Operation):
    return world.admin.send(operation.method, targets.path(operation))


def last_administrator(world: World, targets: Targets, operation: Operation):
    """In a tenant of its own, where first a user and then a service account is the last one."""
    number = Api.fresh_name("last")
    host, email = f"{number}.example", f"only@{number}.example"
    password = world.server.add_tenant(number, number, host, email)
    world.secrets.add(password)
    api = Api(world.url, host=host, secrets=world.secrets)
    api.token = api.user_token(email, password)
    [rule] = api.call("GET", "/api/v1/authorization/access-rules")["accessRules"]
    paths = {"accessRuleId": str(rule["id"])}
    if "userId" in operation.path_parameters():
        paths["userId"] = api.call("GET", "/api/v1/users")[0]["id"]
    elif {"serviceAccountId", "appId"} & set(operation.path_parameters()):
        account, machine = api.member("System administrator", "tenant", rule["scopeId"])
        machine.call("DELETE", f"/api/v1/authorization/access-rules/{rule['id']}")
        api, paths = machine, {"serviceAccountId": account.id, "appId": account.id}
    targets.paths.update(paths)
    return api.send(operation.method, targets.path(operation),
                    json={"enabled": False} if operation.method == "PATCH" else None)


WAYS: dict[str, Callable] = {
    "malformed input is refused as such": malformed,
    "no valid token is 401 there as everywhere": without_a_token,
    "what the path or the body names is not there": unknown,
    "the name is taken, or the rule is there already": repeated,
    "something is still below it": not_empty,
    "the last System administrator stays": last_administrator,
}


@pytest.mark.parametrize(("name", "status"), list(STATUSES), ids=lambda one: str(one))
def test_a_known_difference_is_one(world: World, name: str, status: int):
    reason = STATUSES[name, status]
    answer = WAYS[reason](world, Targets(world.admin), by_name(name))
    assert answer.status_code == status, describe(answer)
    if PEER:
        method, path = name.split(" ")
        listed = PEER.document["paths"][path][method.lower()]["responses"]
        assert str(status) not in listed


def test_no_difference_is_listed_twice():
    listed = [(operation, group.status) for group in GROUPS for operation in group.operations]
    assert len(listed) == len(STATUSES)
