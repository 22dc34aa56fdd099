# SPDX-License-Identifier: Apache-2.0
"""The few calls that every scenario needs, over Python requests."""
from __future__ import annotations

import itertools
from dataclasses import dataclass

import requests

TIMEOUT_SECONDS = 60
numbers = itertools.count(1)


@dataclass(frozen=True)
class Account:
    id: str
    name: str
    client_id: str
    secret: str


@dataclass(frozen=True)
class User:
    id: str
    email: str
    password: str


class Api:
    """Calls as one caller; `secrets` gathers all that must never be seen again."""

    def __init__(self, url: str, *, host: str | None = None, token: str | None = None,
                 secrets: set[str] | None = None):
        self.url = url
        self.host = host
        self.token = token
        self.secrets = set() if secrets is None else secrets
        self.session = requests.Session()
        self.session.trust_env = False
        self.role_ids: dict[str, int] = {}

    def as_caller(self, token: str | None) -> Api:
        return Api(self.url, host=self.host, token=token, secrets=self.secrets)

    # --- calls ------------------------------------------------------------------------------------

    def send(self, method: str, path: str, *, token: str | None = None,
             headers: dict[str, str] | None = None, **more) -> requests.Response:
        """Any call with any outcome."""
        sent = dict(headers or {})
        bearer = token or self.token
        if bearer and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {bearer}"
        if self.host:
            sent["Host"] = self.host
        return self.session.request(method, self.url + path, headers=sent,
                                    timeout=TIMEOUT_SECONDS, **more)

    def call(self, method: str, path: str, body: object = None, *, status: int | None = None,
             **more):
        """A call that must succeed; gives the decoded answer."""
        answer = self.send(method, path, json=body, **more) if body is not None else self.send(
            method, path, **more)
        expected = [status] if status else range(200, 300)
        assert answer.status_code in expected, f"{method} {path}: {describe(answer)}"
        return answer.json() if answer.content else None

    # --- tokens -----------------------------------------------------------------------------------

    def try_token(self, body: dict) -> requests.Response:
        answer = self.send("POST", "/api/v1/token", json=body)
        if answer.status_code == 200:
            given = answer.json()
            self.secrets |= {given[name] for name in ("accessToken", "idToken", "refreshToken")
                             if name in given}
        return answer

    def user_token(self, email: str, password: str) -> str:
        answer = self.try_token({"grantType": "password", "username": email,
                                 "password": password})
        assert answer.status_code == 200, describe(answer)
        return answer.json()["accessToken"]

    def try_account(self, client_id: str, secret: str) -> requests.Response:
        return self.try_token({"grantType": "client_credentials", "clientId": client_id,
                               "clientSecret": secret})

    def account_token(self, account: Account) -> str:
        answer = self.try_account(account.client_id, account.secret)
        assert answer.status_code == 200, describe(answer)
        return answer.json()["accessToken"]

    # --- things -----------------------------------------------------------------------------------

    @staticmethod
    def fresh_name(prefix: str) -> str:
        return f"{prefix}-{next(numbers)}"

    def create_access_key(self, name: str | None = None) -> Account:
        """Of the user who is calling."""
        made = self.call("POST", "/api/v1/access-keys",
                         {"name": name or self.fresh_name("key")}, status=201)
        self.secrets.add(made["clientSecret"])
        return Account(made["id"], made["name"], made["clientId"], made["clientSecret"])

    def create_account(self, name: str | None = None) -> Account:
        made = self.call("POST", "/api/v1/service-accounts",
                         {"name": name or self.fresh_name("account")}, status=201)
        self.secrets.add(made["clientSecret"])
        return Account(made["id"], made["name"], made["clientId"], made["clientSecret"])

    @staticmethod
    def fresh_email(prefix: str) -> str:
        return f"{prefix}-{next(numbers)}@users.example"

    def create_user(self, email: str | None = None, **more) -> User:
        """A local user who may sign in at once."""
        made = self.call("POST", "/api/v1/users",
                         {"email": email or self.fresh_email("user"), **more}, status=201)
        self.secrets.add(made["tempPassword"])
        return User(made["id"], made["username"], made["tempPassword"])

    def role_id(self, name: str) -> int:
        if not self.role_ids:
            roles = self.call("GET", "/api/v1/authorization/roles")
            self.role_ids.update({role["name"]: role["id"] for role in roles})
        return self.role_ids[name]

    def rule_fields(self, subject: str, role: str, scope_type: str, scope: str,
                    subject_type: str = "service-account") -> dict:
        return {"subjectId": subject, "subjectType": subject_type, "roleId": self.role_id(role),
                "scopeId": scope, "scopeType": scope_type}

    def give_role(self, subject: str, role: str, scope_type: str, scope: str,
                  subject_type: str = "service-account") -> int:
        fields = self.rule_fields(subject, role, scope_type, scope, subject_type)
        return self.call("POST", "/api/v1/authorization/access-rules", fields, status=201)["id"]

    def permission_set_id(self, name: str) -> str:
        sets = self.call("GET", "/api/v1/authorization/permission-sets")["permissionSets"]
        return next(one["id"] for one in sets if one["name"] == name)

    def create_role(self, *permission_sets: str, name: str | None = None) -> dict:
        """A role of the tenant's own."""
        body = {"name": name or self.fresh_name("role"), "description": "", "permissionSets": [
            {"id": self.permission_set_id(one), "name": one} for one in permission_sets]}
        return self.call("POST", "/api/v2/authorization/roles", body, status=201)

    def idp_fields(self, **more: str) -> dict:
        """An identity provider of which only the form matters."""
        self.secrets.add("a-secret-of-the-provider")
        return {"type": "oidc", "oidcData": {
            "clientId": "claviger", "clientSecret": "a-secret-of-the-provider",
            "discoverDocumentUrl": "https://idp.example/.well-known/openid-configuration", **more}}

    def create_idp(self) -> str:
        """Of an alias that no other tenant has."""
        fields = {**self.idp_fields(), "name": self.fresh_name("idp")}
        return self.call("POST", "/api/v1/idps", fields, status=201)["alias"]

    def create_refusal(self) -> str:
        """The id of a request that was refused."""
        answer = self.as_caller("no-token").send("GET", "/api/v1/clusters")
        assert answer.status_code == 401, describe(answer)
        return answer.headers["X-Request-Id"]

    def create_cluster(self) -> str:
        return self.call("POST", "/api/v1/clusters", {"name": self.fresh_name("cluster")},
                         status=201)["uuid"]

    def create_department(self, cluster: str) -> str:
        body = {"name": self.fresh_name("department"), "clusterId": cluster, "resources": []}
        return self.call("POST", "/api/v1/org-unit/departments", body, status=201)["id"]

    def create_project(self, cluster: str, department: str | None = None) -> str:
        body = {"name": self.fresh_name("project"), "clusterId": cluster, "resources": []}
        if department:
            body["parentId"] = department
        return self.call("POST", "/api/v1/org-unit/projects", body, status=201)["id"]

    def member(self, role: str, scope_type: str, scope: str) -> tuple[Account, Api]:
        """A new service account with one rule, and the API as that account sees it."""
        account = self.create_account()
        self.give_role(account.name, role, scope_type, scope)
        return account, self.as_caller(self.account_token(account))

    def person(self, role: str | None = None) -> Api:
        """A new user, perhaps with a role at the tenant, who has changed the first password to
        PERSON_PASSWORD; the API as that user sees it."""
        email = f"{self.fresh_name('person')}@first.example"
        made = self.call("POST", "/api/v1/users", {"email": email, "resetPassword": False},
                         status=201)
        self.secrets |= {made["tempPassword"], PERSON_PASSWORD}
        if role:
            self.give_role(email, role, "tenant", "1", "user")
        first = self.as_caller(self.user_token(email, made["tempPassword"]))
        first.call("POST", "/api/v1/me/password", {"currentPassword": made["tempPassword"],
                                                   "newPassword": PERSON_PASSWORD})
        return self.as_caller(self.user_token(email, PERSON_PASSWORD))


PERSON_PASSWORD = "gravel-Sunday-47-otter-lamp"


def describe(answer: requests.Response) -> str:
    return f"{answer.status_code} {answer.text[:600]}"
