# SPDX-License-Identifier: Apache-2.0
"""The scenarios that client libraries are held against, run over plain requests."""
from __future__ import annotations

import json
import re
import secrets

import pytest
from scenario.api import describe
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD, REPOSITORY

from .world import World

FILES = sorted((REPOSITORY / "spec" / "scenarios").glob("*.json"))
SECRETS = ("clientSecret", "accessToken")


def filled(value: object, variables: dict[str, object]) -> object:
    """With a variable's own type where it is the whole text."""
    if isinstance(value, dict):
        return {key: filled(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, variables) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\${(\w+)}", value)
    if whole:
        return variables[whole.group(1)]
    return re.sub(r"\${(\w+)}", lambda found: str(variables[found.group(1)]), value)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(world: World, file):
    variables: dict[str, object] = {"admin_email": ADMIN_EMAIL, "admin_password": ADMIN_PASSWORD,
                                    "run": secrets.token_hex(4)}
    bearers: dict[str, str] = {}
    for number, step in enumerate(json.loads(file.read_text())["steps"]):
        run_step(world, f"step {number}", step, variables, bearers)


def run_step(world: World, where: str, step: dict, variables: dict, bearers: dict) -> None:
    known = {"as", "method", "path", "body", "status", "has", "lacks", "size", "save", "token_for"}
    assert set(step) <= known, f"{where}: {set(step) - known}"
    api = world.anonymous.as_caller(bearers[step["as"]] if "as" in step else None)
    answer = api.send(step["method"], filled(step["path"], variables),
                      json=filled(step.get("body"), variables))
    assert answer.status_code == step["status"], f"{where}: {describe(answer)}"
    body = answer.json() if answer.content else {}
    world.secrets.update(body[name] for name in SECRETS if name in body)
    for member, value in filled(step.get("has", {}), variables).items():
        assert body[member] == value, f"{where}: {member} of {describe(answer)}"
    assert not set(step.get("lacks", [])) & set(body), f"{where}: {describe(answer)}"
    if "size" in step:
        assert len(body[step["size"]["member"]]) == step["size"]["length"], where
    variables.update({name: body[member] for name, member in step.get("save", {}).items()})
    if "token_for" in step:
        bearers[step["token_for"]] = body["accessToken"]
