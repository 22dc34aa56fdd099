# SPDX-License-Identifier: Apache-2.0
"""SEQ rows: steps one after the other, with what is done to an account or user between them."""
from __future__ import annotations

from dataclasses import dataclass, field

from . import placeholders, verdicts, wire
from .rows import Case, later
from .world import Account, User, World


@dataclass
class Scene:
    """A fresh account and a fresh user, whose only right is that of a viewer of a fresh project; or
    an access key of the administrator as the account."""

    world: World
    source: str
    account: Account
    project: str
    rule: int
    user: User
    values: dict[str, str] = field(default_factory=dict)


ACTIONS = {
    "delete": lambda s: s.world.call("DELETE", f"/api/v1/service-accounts/{s.account.id}"),
    "regenerate": lambda s: s.world.call("POST", f"/api/v1/service-accounts/{s.account.id}/secret"),
    "disable": lambda s: s.world.call("PATCH", f"/api/v1/service-accounts/{s.account.id}",
                                      {"enabled": False}),
    "rule-removal": lambda s: s.world.call("DELETE",
                                           f"/api/v1/authorization/access-rules/{s.rule}"),
    "key-revoked": lambda s: s.world.call("DELETE", f"/api/v1/access-keys/{s.account.id}"),
    "scope-deletion": lambda s: s.world.call("DELETE", f"/api/v1/org-unit/projects/{s.project}"),
    # No operation disables a user; a temporary password is what keeps a local one out.
    "disable-user": lambda s: reset_password(s),
    "delete-user": lambda s: s.world.call("DELETE", f"/api/v1/users/{s.user.id}"),
    "logout-user": lambda s: s.world.call("POST", f"/api/v1/users/{s.user.id}/logout"),
    "logout": lambda s: s.world.call("POST", f"/api/v1/users/{s.user.id}/logout"),
    "change-password": lambda s: change_password(s),
    "revoke-rule": lambda s: s.world.call(
        "DELETE", f"/api/v1/authorization/access-rules/{s.user.rule}"),
}
# Here a viewer's right shows: 200 with it, 403 without.
VIEWERS_LIST = "/api/v1/org-unit/projects"


def reset_password(scene: Scene) -> None:
    answer = scene.world.call("POST", f"/api/v1/users/{scene.user.id}/password")
    scene.world.secrets.add(answer["tempPassword"])


def change_password(scene: Scene) -> None:
    new = "meadow-orchid-73-lantern-quarry"
    scene.world.secrets.add(new)
    scene.world.call("POST", "/api/v1/me/password", {
        "currentPassword": scene.user.password, "newPassword": new}, token=scene.user.access_token)


def open_scene(world: World, source: str, action: str) -> Scene:
    world.made += 1
    project = world.make_project(f"fresh-{world.made}")
    account = world.make_account()
    rule = world.give_role(account, "Viewer", "project", project)
    if action == "key-revoked":
        account = world.make_access_key()
    user = world.make_user(project)
    scene = Scene(world, source, account, project, rule, user)
    scene.values = {**world.values, **world.values_of("sa", account), "rt": user.refresh_token}
    return scene


def run_sequence(world: World, case: Case, source: str, outcome):
    for action in endings_of(case):
        scene = open_scene(world, source, action)
        for step in case.row.body:
            problems = run_step(scene, case, step, action, outcome)
            outcome.complaints += [f"{action} {problem}".strip() for problem in problems]
    return outcome


def endings_of(case: Case) -> list[str]:
    """The alternatives of a step with `each`, without those that later.txt names."""
    for step in case.row.body:
        if step.get("each"):
            waiting = later()
            return [action for action in step["do"].split("|")
                    if f"{case.row.id}/{action}" not in waiting]
    return [""]


def run_step(scene: Scene, case: Case, step: dict, action: str, outcome) -> list[str]:
    problems: list[str] = []
    if "m" in step:
        problems = run_request(scene, case, step, outcome)
    elif "do" in step:
        result = ACTIONS[action or step["do"]](scene)
        for name, pointer in step.get("save", {}).items():
            scene.values[name] = result[pointer.strip("/")]
            scene.world.secrets.add(scene.values[name])
    else:
        for name, what in step["save"].items():
            if what != "token of sa":
                raise ValueError(f"nobody knows how to save {what!r}")
            # Only a user can be logged out.
            scene.values[name] = (scene.user.access_token if action == "logout"
                                  else scene.world.token_of(scene.account))
            request = request_of(scene, case, {"m": "GET", "p": VIEWERS_LIST, "h": [
                f"Authorization: Bearer {scene.values[name]}"]})
            before = wire.exchange(scene.world.server.address, request, scene.source).first()
            if before.status != 200:
                problems = [f"the token is no good before anything ended: {before.status}"]
    return problems


def request_of(scene: Scene, case: Case, step: dict) -> bytes:
    path = {"@bearer-any": VIEWERS_LIST, "@token-form": case.endpoint}.get(step["p"], step["p"])
    headers = [placeholders.fill(line, scene.values).encode() for line in step.get("h", [])]
    body = placeholders.fill(step.get("b", ""), scene.values).encode()
    return wire.request_bytes(step["m"], path, scene.world.server.host, headers, body)


def run_request(scene: Scene, case: Case, step: dict, outcome) -> list[str]:
    answer = wire.exchange(scene.world.server.address, request_of(scene, case, step),
                           scene.source).first()
    given = verdicts.issued_token(answer) if answer.status == 200 else None
    if given:
        outcome.grants += 1
        scene.world.secrets.add(given)
    problems = []
    if str(answer.status) not in statuses_of(case, step):
        problems.append(f"status {answer.status}, expected {step['s']}: {answer.text()[:300]}")
    if answer.status != 200:
        problems += [f"there is {text!r}" for text in case.row.forbidden
                     if text in answer.text()]
    return problems


def statuses_of(case: Case, step: dict) -> list[str]:
    """The realm's address says 401 where the others say 400 of what a user has shown."""
    statuses = step["s"].split("|")
    is_users = "grant_type=refresh_token" in step.get("b", "")
    return ["401"] if statuses == ["400"] and is_users and "/realms/" in case.endpoint else statuses
