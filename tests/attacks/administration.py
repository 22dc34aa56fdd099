# SPDX-License-Identifier: Apache-2.0
"""What the rows of family ADM speak of: people with narrow rights, keys, roles and providers. Each
is made when the first row names it."""
from __future__ import annotations

from collections.abc import Callable

from . import placeholders
from .rows import Row
from .server import ADMIN_EMAIL
from .verdicts import Evidence
from .world import World

PASSWORD = "lantern-Quarry-83-violet-anchor"
RULES = "/api/v1/authorization/access-rules"


# --- what rows name -------------------------------------------------------------------------------


def member_token(world: World, role: str, scope_type: str, scope: str) -> str:
    account = world.make_account()
    world.give_role(account, role, scope_type, scope)
    return world.token_of(account)


def make_department(world: World) -> str:
    world.made += 1
    body = {"name": f"attacked-{world.made}", "clusterId": world.cluster, "resources": []}
    return world.call("POST", "/api/v1/org-unit/departments", body)["id"]


def make_user(world: World, *, role: str | None = None, scope: tuple[str, str] = ("tenant", "1"),
              email: str | None = None) -> tuple[str, str]:
    """Its id and an access token, got with a password of its own."""
    world.made += 1
    email = email or f"user-{world.made}@a.example"
    made = world.call("POST", "/api/v1/users", {"email": email, "resetPassword": False})
    world.secrets.add(made["tempPassword"])
    if role:
        world.call("POST", RULES, {"subjectId": email, "subjectType": "user",
                                   "roleId": world.roles[role], "scopeType": scope[0],
                                   "scopeId": scope[1]})
    token = world.token_for({"grantType": "password", "username": email,
                             "password": made["tempPassword"]}, None)
    world.call("POST", "/api/v1/me/password", {"currentPassword": made["tempPassword"],
                                               "newPassword": PASSWORD}, token=token)
    return made["id"], world.token_for({"grantType": "password", "username": email,
                                        "password": PASSWORD}, None)


def make_viewer(world: World) -> dict[str, str]:
    user, token = make_user(world, role="Viewer", scope=("project", world.project))
    return {"user.viewer": user, "t.viewer": token, "pw": PASSWORD}


def admin_id(world: World) -> str:
    users = world.call("GET", "/api/v1/users?filterBy=username%3D%3D" + ADMIN_EMAIL)
    return users[0]["id"]


def make_rule(world: World) -> int:
    """One that only administrators of the whole tenant see."""
    return world.give_role(world.make_account(), "Viewer", "tenant", "1")


def make_deleted_rule(world: World) -> str:
    """As it would stand in an answer."""
    rule = make_rule(world)
    world.call("DELETE", f"{RULES}/{rule}")
    return f'"id":{rule},'


def make_key_of_another(world: World) -> str:
    _, token = make_user(world)
    made = world.call("POST", "/api/v1/access-keys", {"name": "of-another"}, token=token)
    world.secrets.add(made["clientSecret"])
    return made["id"]


def make_custom_role(world: World, name: str, permission: str) -> dict[str, str]:
    """A role that holds this permission and as little else as can be had, and one who has it."""
    sets = world.call("GET", "/api/v1/authorization/permission-sets")["permissionSets"]
    narrow = min((one for one in sets if permission in rights_of(one)),
                 key=lambda one: len(rights_of(one)))
    wide = max(sets, key=lambda one: len(rights_of(one) - rights_of(narrow)))
    role = world.call("POST", "/api/v2/authorization/roles", {
        "name": name, "description": "", "enabled": True,
        "permissionSets": [{"id": narrow["id"], "name": narrow["name"]}]})
    world.roles[name] = role["id"]
    return {"role": str(role["id"]), "wide": wide["id"],
            "token": member_token(world, name, "tenant", "1")}


def rights_of(permission_set: dict) -> set[str]:
    return {f"{permission['resourceType']}:{action}"
            for permission in permission_set["permissions"] for action in permission["actions"]}


def make_role_changer(world: World) -> dict[str, str]:
    made = make_custom_role(world, "changes roles", "roles:update")
    return {"role.custom": made["role"], "t.roleadm": made["token"], "ps.sysadmin": made["wide"]}


def make_provider(world: World) -> str:
    world.secrets.add("provider-secret-74915")
    return world.call("POST", "/api/v1/idps", {"type": "oidc", "oidcData": {
        "clientId": "x", "clientSecret": "provider-secret-74915",
        "discoverDocumentUrl": "https://idp.example/.well-known/openid-configuration"}})["alias"]


MAKERS: dict[str, Callable[[World], str | dict[str, str]]] = {
    "D1": make_department,
    "P1": lambda world: world.project,
    "t.depadm": lambda world: member_token(world, "Department administrator", "department",
                                           world.values["D1"]),
    "t.norules": lambda world: world.token_of(world.make_account()),
    "t.sa": lambda world: member_token(world, "Viewer", "tenant", "1"),
    "t.useradm": lambda world: make_custom_role(world, "changes users", "users:update")["token"],
    "sa.name": lambda world: world.values["sa.cid"],
    "t.viewer": make_viewer,
    "pw": make_viewer,
    "user.viewer": make_viewer,
    "user.last-admin": admin_id,
    "rule.tenadm": lambda world: str(make_rule(world)),
    "rule.deleted.tenadm": make_deleted_rule,
    "ak.other": make_key_of_another,
    "role.custom": make_role_changer,
    "t.roleadm": make_role_changer,
    "ps.sysadmin": make_role_changer,
    "role.sysadmin": lambda world: str(world.roles["System administrator"]),
    "role.viewer": lambda world: str(world.roles["Viewer"]),
    "idp": make_provider,
}
# What another needs to be made before it.
NEEDS = {"t.depadm": ("D1",)}


def prepare(world: World, row: Row) -> None:
    """Makes what the row names and nothing has made yet."""
    cells = "\n".join((row.endpoint, *row.headers, str(row.body), *row.forbidden))
    for name in placeholders.NAME.findall(cells):
        for one in (*NEEDS.get(name, ()), name):
            if one in MAKERS and one not in world.values:
                made = MAKERS[one](world)
                world.values |= made if isinstance(made, dict) else {one: made}


# --- sentences ------------------------------------------------------------------------------------

Question = Callable[[Evidence], bool]


def answer_of(world: World, path: str, *, token: str | None = None) -> tuple:
    answer = world.send("GET", path, token=token or world.admin)
    return answer.status, answer.text()


def is_changed(world: World, *paths: str, token: str | None = None) -> Question:
    """Whether what is read there differs afterwards."""
    before = [answer_of(world, path, token=token) for path in paths]
    return lambda _: before != [answer_of(world, path, token=token) for path in paths]


def rules_at_the_tenant(world: World) -> Question:
    return is_changed(world, f"{RULES}/count?filterBy=scopeType%3D%3Dtenant")


def rule_gone(world: World) -> Question:
    return is_changed(world, f"{RULES}/{world.values['rule.tenadm']}")


def account_gains(world: World) -> Question:
    """Rules of the service account that has the name."""
    return is_changed(world, f"{RULES}/count?filterBy=subjectType%3D%3Dservice-account,"
                             f"subjectId%3D%3D{world.values['sa.cid']}")


def holders_gain(world: World) -> Question:
    return is_changed(world, "/api/v1/authorization/permissions",
                      token=world.values["t.roleadm"])


def account_changed(world: World) -> Question:
    account = world.values["sa.id"]
    return is_changed(world, f"/api/v1/service-accounts/{account}")


def rules_changed(world: World) -> Question:
    return is_changed(world, f"{RULES}/count")


def provider_changed(world: World) -> Question:
    return is_changed(world, f"/api/v1/idps/{world.values['idp']}")


def no_administrator(world: World) -> Question:
    return lambda _: world.send("GET", "/api/v1/service-accounts",
                                token=world.admin).status != 200


def chosen_members(world: World) -> Question:
    """Whether a caller chose what the server chooses."""
    def ask(evidence: Evidence) -> bool:
        made = evidence.answer.json()
        return (made.get("id") == world.values["sa.id"] or made["clientSecret"] == "known"
                or made["clientId"] == world.values["sa.cid"])

    return ask


def all_rows(world: World) -> Question:
    total = world.call("GET", f"{RULES}/count")["count"]
    return lambda evidence: evidence.answer.json()["totalRecords"] == total


STATES: dict[str, Callable[[World], Question]] = {
    "rule at tenant scope": rules_at_the_tenant,
    "rule gone": rule_gone,
    "service account gains the rule": account_gains,
    "existing holders gain rights": holders_gain,
    "no administrator left": no_administrator,
    "foreign tenant, chosen secret or id": chosen_members,
    "changed": account_changed,
    "deleted": account_changed,
    "table gone": rules_changed,
    "all rows returned": all_rows,
    "stored secret is sent to evil.example": provider_changed,
}
