# SPDX-License-Identifier: Apache-2.0
"""Every operation of our document, also those added later: without a token, with garbage, without
rules, from another tenant, and with malformed input."""
from __future__ import annotations

import json

import pytest
from scenario.api import Api, describe

from .operations import Operation, Targets, all_operations, wrong_bodies, wrong_queries
from .world import World

OPERATIONS = all_operations()
GUARDED = [operation for operation in OPERATIONS if operation.needs_token]
B_HOST = "b.example"
B_ADMIN = "admin@b.example"
REFUSED = range(400, 500)


def each(operations: list[Operation]):
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def targets(shared_world: World) -> Targets:
    return Targets(shared_world.admin)


def send(api: Api, targets: Targets, operation: Operation, **more):
    body = targets.body(operation)
    return api.send(operation.method, targets.path(operation), json=body, **more)


def test_there_are_operations():
    assert len(GUARDED) > 20 and len(OPERATIONS) > len(GUARDED)


@each(GUARDED)
@pytest.mark.parametrize("header", [None, "Bearer garbage", "Bearer e30.e30.e30"])
def test_no_token(world: World, targets: Targets, operation: Operation, header):
    headers = {} if header is None else {"Authorization": header}
    answer = send(world.anonymous, targets, operation, headers=headers)
    assert answer.status_code == 401, describe(answer)
    assert answer.json()["code"] == 401


@pytest.fixture(scope="module")
def ruleless(shared_world: World) -> Api:
    api = shared_world.admin
    return api.as_caller(api.account_token(api.create_account()))


@each(GUARDED)
def test_no_rules(world: World, targets: Targets, ruleless: Api, operation: Operation):
    answer = send(ruleless, targets, operation)
    if operation.permission is None:
        assert answer.status_code < 300, describe(answer)
    elif targets.knows(operation):
        assert answer.status_code == 403, describe(answer)
        assert operation.permission in answer.json()["details"]
    else:
        assert answer.status_code in (403, 404), describe(answer)


# --- another tenant -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stranger(shared_world: World) -> Api:
    """The administrator of another tenant."""
    password = shared_world.server.add_tenant("b", "Tenant B", B_HOST, B_ADMIN)
    shared_world.secrets.add(password)
    api = Api(shared_world.url, host=B_HOST, secrets=shared_world.secrets)
    api.token = api.user_token(B_ADMIN, password)
    return api


@each(GUARDED)
def test_another_tenant_s_objects(world: World, targets: Targets, stranger: Api,
                                  operation: Operation):
    body = targets.body(operation)
    answer = stranger.send(operation.method, targets.path(operation), json=body)
    if targets.is_named_by(operation, body):
        assert answer.status_code == 404, describe(answer)
    else:
        assert answer.status_code < 300, describe(answer)
    for own in (targets.account.id, targets.account.name, targets.cluster):
        assert own not in answer.text


@each(GUARDED)
def test_another_tenant_s_token(world: World, targets: Targets, stranger: Api,
                                operation: Operation):
    """A token of tenant B at the host of tenant A."""
    here = world.anonymous.as_caller(stranger.token)
    answer = send(here, targets, operation)
    assert answer.status_code == 401, describe(answer)


def test_strangers_have_changed_nothing(world: World, targets: Targets):
    for path in (f"service-accounts/{targets.account.id}", f"clusters/{targets.cluster}",
                 f"org-unit/departments/{targets.department}",
                 f"org-unit/projects/{targets.project}",
                 f"authorization/access-rules/{targets.rule}"):
        world.admin.call("GET", f"/api/v1/{path}", status=200)


# --- malformed input ------------------------------------------------------------------------------


@each([one for one in OPERATIONS if one.body_schema() is not None])
def test_malformed_bodies(world: World, targets: Targets, operation: Operation):
    path, right = targets.path(operation), targets.body(operation)
    bodies = [("no object", "x"), ("a number", 7), ("null", None)]
    if isinstance(right, dict):
        bodies += [("a list", []), *wrong_bodies(operation, right)]
    problems = []
    for what, body in bodies:
        answer = world.admin.send(operation.method, path, data=json.dumps(body),
                                  headers={"Content-Type": "application/json"})
        if answer.status_code not in REFUSED:
            problems.append(f"{what}: {describe(answer)}")
    for text in (b"{", b'{"name":}', b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 100):
        answer = world.admin.send(operation.method, path, data=text,
                                  headers={"Content-Type": "application/json"})
        if answer.status_code not in REFUSED:
            problems.append(f"{text[:20]!r}: {describe(answer)}")
    assert not problems, "\n".join(problems)


@each([one for one in GUARDED if one.body_schema() is not None])
def test_unknown_members_are_ignored(world: World, operation: Operation):
    targets = Targets(world.admin)
    body = targets.body(operation)
    if not isinstance(body, dict) or not targets.knows(operation):
        pytest.fail("say in Targets what this operation works on")
    answer = world.admin.send(operation.method, targets.path(operation),
                              json={**body, "unheardOf": {"a": [1]}})
    assert answer.status_code < 300, describe(answer)


@each([one for one in GUARDED if one.query_parameters()])
def test_malformed_queries(world: World, operation: Operation):
    path = Targets(world.admin).path(operation)  # of its own: some of these may be obeyed
    problems = []
    for name, value in wrong_queries(operation):
        answer = world.admin.send(operation.method, path, params={name: value})
        if answer.status_code not in REFUSED:
            problems.append(f"{name}={value}: {describe(answer)}")
    for text in ("?unheardOf=1", "?%", "?a=%zz", "?=", "?limit=1&limit=2"):
        answer = world.admin.send(operation.method, path + text)
        if answer.status_code >= 500:
            problems.append(f"{text}: {describe(answer)}")
    assert not problems, "\n".join(problems)


WRONG_IDS = ["x", "-1", "0", "99999999999999999999", "%00", "a%2Fb", "%ff", "x" * 1000,
             "00000000-0000-0000-0000-000000000000", "'", "%27%20OR%201%3D1", "1.0"]


@each([one for one in GUARDED if one.path_parameters()])
def test_malformed_ids(world: World, targets: Targets, operation: Operation):
    problems = []
    for wrong in WRONG_IDS:
        path = operation.path
        for name in operation.path_parameters():
            path = path.replace(f"{{{name}}}", wrong)
        answer = world.admin.send(operation.method, path, json=targets.body(operation))
        if answer.status_code not in REFUSED:
            problems.append(f"{path[:100]}: {describe(answer)}")
    assert not problems, "\n".join(problems)


@each(OPERATIONS)
def test_other_methods(world: World, targets: Targets, operation: Operation):
    """A method that no operation of the path has."""
    there = {one.method for one in OPERATIONS if one.path == operation.path}
    answer = world.admin.send("PUT" if "PUT" not in there else "PATCH",
                              targets.path(operation))
    if answer.status_code == 405:
        allowed = {name.strip() for name in answer.headers["Allow"].split(",")}
        assert there <= allowed
    else:  # PUT and PATCH are both there
        assert {"PUT", "PATCH"} <= there
