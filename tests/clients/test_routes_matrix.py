# SPDX-License-Identifier: Apache-2.0
"""Every operation of our document, also those added later, with malformed input. Who may call them
is in tests/rights."""
from __future__ import annotations

import json

import pytest
from scenario.api import describe

from .operations import (OWN_PASSWORD, Operation, Targets, all_operations, wrong_bodies,
                         wrong_members, wrong_queries)
from .world import World

OPERATIONS = all_operations()
GUARDED = [operation for operation in OPERATIONS if operation.needs_token]
REFUSED = range(400, 500)


def each(operations: list[Operation]):
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def targets(shared_world: World) -> Targets:
    return Targets(shared_world.admin)


def test_there_are_operations():
    assert len(GUARDED) > 20 and len(OPERATIONS) > len(GUARDED)


# --- malformed input ------------------------------------------------------------------------------


@each([one for one in OPERATIONS if one.body_schema() is not None])
def test_malformed_bodies(world: World, targets: Targets, operation: Operation):
    path, right = targets.path(operation), targets.body(operation)
    bodies = [("no object", "x"), ("a number", 7), ("null", None)]
    if isinstance(right, dict):
        bodies += [("a list", []), *wrong_bodies(operation, right)]
    if isinstance(right, list):
        schema = operation.plain(operation.body_schema()["items"])
        bodies += [("an object", {}), ("a list of texts", ["x"]),
                   *((what, [body]) for what, body in wrong_members(operation, schema, right[0]))]
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


@each([one for one in GUARDED if one.body_schema() is not None and one.path != OWN_PASSWORD])
def test_unknown_members_are_ignored(world: World, operation: Operation):
    targets = Targets(world.admin)
    body = targets.body(operation)
    if body is None or not targets.knows(operation):
        pytest.fail("say in Targets what this operation works on")
    more = {"unheardOf": {"a": [1]}}
    answer = world.admin.send(
        operation.method, targets.path(operation),
        json={**body, **more} if isinstance(body, dict) else [{**one, **more} for one in body])
    is_strict = operation.path.endswith("/limits")  # a misspelt limit must not be lost
    refusal = 400 if is_strict else 403 if operation.needs_a_key else None
    assert answer.status_code == refusal if refusal else answer.status_code < 300, describe(answer)


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
