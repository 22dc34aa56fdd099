# SPDX-License-Identifier: Apache-2.0
"""The operations of our own document, and requests made from it alone."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scenario.api import PERSON_PASSWORD, Account, Api
from scenario.openapi import OWN_DOCUMENT, Contract, own_contract

# What it takes is the caller's own password: it has tests of its own.
OWN_PASSWORD = "/api/v1/me/password"
# Only a token that was got with a secret of a key gets another secret of it.
OWN_SECRETS = "/api/v1/me/secrets"
# An id that nothing has: of a kind of object that is not known here, or of which there are none.
NOBODY = "7d5bd2c2-7f36-4d9e-9f3f-0a9a6f2a4f10"


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    details: dict = field(repr=False)
    contract: Contract = field(repr=False)

    @property
    def name(self) -> str:
        return self.details["operationId"]

    @property
    def needs_token(self) -> bool:
        return bool(self.details["security"])

    @property
    def permission(self) -> str | None:
        return self.details.get("x-permission")

    @property
    def place(self) -> str | None:
        """Where the permission is evaluated: tenant, anywhere or request."""
        return self.details.get("x-evaluated-at")

    @property
    def changes_state(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def is_list_within_reach(self) -> bool:
        """Whether it shows, or counts, what is within the caller's reach."""
        return (self.place == "anywhere" and not self.changes_state
                and not self.path.endswith("}"))

    @property
    def needs_a_key(self) -> bool:
        return self.path == OWN_SECRETS and self.changes_state

    @property
    def success(self) -> int:
        return next(int(status) for status in self.details["responses"] if status < "300")

    def path_parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def query_parameters(self) -> list[dict]:
        return [one for one in self.details.get("parameters", []) if one["in"] == "query"]

    def body_schema(self) -> dict | None:
        content = self.details.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return None if schema is None else self.plain(schema)

    def plain(self, schema: dict) -> dict:
        """Without references and without the alternative of null."""
        schema = self.contract.resolve(schema)
        alternatives = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
        return self.plain(alternatives[0]) if len(alternatives) == 1 else schema


def all_operations() -> list[Operation]:
    if not OWN_DOCUMENT.exists():
        return []
    contract = own_contract()
    return [Operation(*one, contract) for one in contract.operations()]


def create_key(api: Api) -> Account:
    """An access key of a user who may have only so many: those of earlier targets make room."""
    for key in api.call("GET", "/api/v1/access-keys")["accessKeys"]:
        if key["name"].startswith("matrix"):
            api.call("DELETE", f"/api/v1/access-keys/{key['id']}")
    return api.create_access_key(Api.fresh_name("matrix-key"))


class Targets:
    """One object of each kind in a tenant, and what stands for it in paths and bodies."""

    def __init__(self, api: Api):
        self.api = api
        self.cluster = api.create_cluster()
        self.department = api.create_department(self.cluster)
        self.project = api.create_project(self.cluster, self.department)
        self.account = api.create_account()
        self.rule = api.give_role(self.account.name, "Viewer", "project", self.project)
        self.role = api.role_id("Viewer")
        self.key = create_key(api)
        secrets = f"/api/v1/service-accounts/{self.account.id}/secrets"
        api.secrets.add(api.call("POST", secrets, {})["clientSecret"])
        older, newer = (one["id"] for one in api.call("GET", secrets)["secrets"])
        of_key, = api.call("GET", f"/api/v1/access-keys/{self.key.id}/secrets")["secrets"]
        self.user = api.create_user()
        self.paths = {
            "serviceAccountId": self.account.id, "appId": self.account.id,
            "accessKeyId": self.key.id, "accessRuleId": str(self.rule),
            "roleIdPath": str(self.role),
            "clusterUuid": self.cluster, "departmentId": self.department,
            "projectId": self.project, "realm": "runai", "api": "app", "userId": self.user.id,
            "key": "browserSessionTimeout", "settingKey": "department.use",
            "permissionSetId": api.permission_set_id("View project"), "workloadId": NOBODY,
        }
        # Of these a tenant may have few: they are made when a path asks for one.
        self.makers = {"roleId": lambda: str(api.create_role()["id"]), "idp": api.create_idp,
                       "requestId": api.create_refusal}
        # Bodies of which members that are not required belong together.
        question = {"subject": {"type": "user", "id": "reader@first.example"},
                    "action": {"name": "read"},
                    "resource": {"type": "project", "id": self.project}}
        self.bodies = {"evaluateAccessOfMany": question, "checkAuthorization": question,
                       "listWhoCan": {"action": {"name": "read"},
                                      "resource": {"type": "project"}},
                       "retireServiceAccountSecrets": {"secretId": older, "force": True},
                       "restoreServiceAccountSecret": {"secretId": newer},
                       "restoreAccessKeySecret": {"secretId": of_key["id"]},
                       "retireOwnSecrets": {"force": True},
                       "reportLeakedSecret": {"clientSecret": "unknown", "clientId": "unknown"},
                       "createIdp": api.idp_fields(), "updateIdp": api.idp_fields(),
                       "createRevocation": {"type": "token", "token": "unknown"},
                       "changeUserPassword": {"currentPassword": PERSON_PASSWORD,
                                              "newPassword": f"{PERSON_PASSWORD}-changed"}}
        self.queries = {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z",
                        "refresh_token": "clvr_unknown"}
        self.members = {
            "clusterId": self.cluster, "scopeId": self.project, "scopeType": "project",
            "subjectId": "reader@first.example", "subjectType": "user", "roleId": self.role,
            "resourceType": "project", "resources": [],
        }

    def path(self, operation: Operation) -> str:
        path = operation.path
        if "user-applications" in path:  # there, an app is an access key
            path = path.replace("{appId}", self.key.id)
        for name in operation.path_parameters():
            if name in self.makers:
                self.paths[name] = self.makers.pop(name)()
            path = path.replace(f"{{{name}}}", self.paths.get(name, NOBODY))
        return path

    def knows(self, operation: Operation) -> bool:
        return all(name in self.paths or name in self.makers
                   for name in operation.path_parameters())

    def empty_what_is_deleted(self, operation: Operation) -> None:
        """What has something below it cannot be deleted: puts one without in its place."""
        last = operation.path_parameters()[-1:] if operation.method == "DELETE" else []
        if last == ["clusterUuid"]:
            self.paths["clusterUuid"] = self.api.create_cluster()
        elif last == ["departmentId"]:
            self.paths["departmentId"] = self.api.create_department(self.cluster)

    def query(self, operation: Operation) -> dict[str, str]:
        """Only the parameters that are required."""
        return {parameter["name"]: self.queries[parameter["name"]]
                for parameter in operation.query_parameters() if parameter.get("required")}

    def body(self, operation: Operation) -> object:
        if operation.name in self.bodies:
            return self.bodies[operation.name]
        schema = operation.body_schema()
        if schema is not None and schema.get("type") == "array":
            return [self.sample(operation, "", schema["items"])]
        return None if schema is None else self.sample(operation, "", schema)

    def sample(self, operation: Operation, name: str, schema: dict) -> object:
        """A right value with all members that are required."""
        schema = operation.plain(schema)
        if name == "name":
            return Api.fresh_name("matrix")
        if name == "email":
            return Api.fresh_email("matrix")
        if name in self.members:
            return self.members[name]
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return {member: self.sample(operation, member, schema["properties"][member])
                    for member in schema.get("required", [])}
        return {"array": [], "integer": 1, "number": 1, "boolean": True}.get(kind, "text")

    def is_named_by(self, operation: Operation, body: object) -> bool:
        """Whether the request names an object that only this tenant has."""
        own = {"roleIdPath", "realm", "key", "permissionSetId", "settingKey"}
        if set(operation.path_parameters()) - own:
            return True
        return isinstance(body, dict) and bool({"clusterId", "scopeId"} & set(body))


WRONG = {"string": (7, [], {}), "integer": ("x", 1.5, [], {}), "number": ("x", [], {}),
         "boolean": ("yes", 1, []), "array": ({}, 7, "x"), "object": ([], 7, "x")}


def wrong_bodies(operation: Operation, right: dict) -> Iterator[tuple[str, object]]:
    """Bodies with one member missing or of a wrong type."""
    return wrong_members(operation, operation.body_schema(), right)


def wrong_members(operation: Operation, schema: dict,
                  right: dict) -> Iterator[tuple[str, object]]:
    """Such objects, of any schema."""
    for member, described in schema.get("properties", {}).items():
        if member in schema.get("required", []):
            yield f"without {member}", {key: value for key, value in right.items()
                                        if key != member}
        for wrong in WRONG.get(operation.plain(described).get("type"), ()):
            yield f"{member} = {wrong!r}", {**right, member: wrong}


def wrong_queries(operation: Operation) -> Iterator[tuple[str, str]]:
    for parameter in operation.query_parameters():
        schema = operation.plain(parameter["schema"])
        if schema.get("type") == "integer":
            yield parameter["name"], "x"
            yield parameter["name"], "99999999999999999999"
            if "minimum" in schema:
                yield parameter["name"], str(schema["minimum"] - 1)
        elif schema.get("type") == "boolean":
            yield parameter["name"], "perhaps"
        elif "enum" in schema:
            yield parameter["name"], "unheard-of"
