# SPDX-License-Identifier: Apache-2.0
"""The tenants, accounts, roles and tokens that the rows speak of, made over the API."""
from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from . import jose, placeholders, wire
from .features import Seen
from .forge import Forge
from .server import ADMIN_EMAIL, ADMIN_PASSWORD, PUBLIC_URL, Server, help_of
from .stored_keys import master_key, read_keys

B_HOST = "b.example"
B_ADMIN = "admin@b.example"


@dataclass(frozen=True)
class Account:
    id: str
    client_id: str
    secret: str


@dataclass(frozen=True)
class User:
    id: str
    email: str
    password: str
    rule: int
    access_token: str
    refresh_token: str


class World:
    def __init__(self, server: Server):
        self.server = server
        self.made = 0
        self.secrets = {ADMIN_PASSWORD, master_key(server.data).hex()}
        # Whoever follows an address of a token is seen here.
        self.trap = socket.create_server(("127.0.0.1", 0))
        self.trap.setblocking(False)
        self.admin = self.sign_in(ADMIN_EMAIL)
        self.roles = {role["name"]: role["id"]
                      for role in self.call("GET", "/api/v1/authorization/roles")}
        self.cluster = self.call("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        self.project = self.make_project("p1")
        self.values = self.make_values()
        self.foreign = self.add_second_tenant()
        self.values["t.tenB"] = self.foreign
        # Of keys that are there now: the server may be started again with others.
        self.values["t.other-audience"] = self.make_forge().make(aud="another-audience")
        self.forge_tokens: Forge | None = None

    # --- calls ------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None,
             host: str | None = None) -> object:
        """A call that must succeed, as the administrator unless another token is given."""
        answer = self.send(method, path, body, token=token or self.admin, host=host)
        if answer.status is None or not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text()}")
        return answer.json() if answer.body else None

    def send(self, method: str, path: str, body: object = None, *, token: str | None = None,
             host: str | None = None, source: str = "127.0.0.1") -> wire.Answer:
        headers = [b"Content-Type: application/json"]
        if token:
            headers.append(b"Authorization: Bearer " + token.encode())
        data = b"" if body is None else json.dumps(body).encode()
        request = wire.request_bytes(method, path, host or self.server.host, headers, data)
        return wire.exchange(self.server.address, request, source, seconds=30).first()

    def sign_in(self, email: str, host: str | None = None) -> str:
        body = {"grantType": "password", "username": email, "password": ADMIN_PASSWORD}
        return self.token_for(body, host)

    def token_of(self, account: Account, host: str | None = None) -> str:
        body = {"grantType": "client_credentials", "clientId": account.client_id,
                "clientSecret": account.secret}
        return self.token_for(body, host)

    def token_for(self, body: dict, host: str | None) -> str:
        answer = self.send("POST", "/api/v1/token", body, host=host)
        if answer.status != 200:
            raise RuntimeError(f"no token: {answer.status} {answer.text()}")
        token = answer.json()["accessToken"]
        self.secrets.add(token)
        return token

    # --- things -----------------------------------------------------------------------------------

    def make_project(self, name: str) -> str:
        body = {"name": name, "clusterId": self.cluster, "resources": []}
        return self.call("POST", "/api/v1/org-unit/projects", body)["id"]

    def make_account(self, name: str | None = None, *, token: str | None = None,
                     host: str | None = None) -> Account:
        self.made += 1
        made = self.call("POST", "/api/v1/service-accounts",
                         {"name": name or f"attacked-{self.made}"}, token=token, host=host)
        self.secrets.add(made["clientSecret"])
        return Account(made["id"], made["clientId"], made["clientSecret"])

    def make_access_key(self) -> Account:
        """Of the administrator."""
        self.made += 1
        made = self.call("POST", "/api/v1/access-keys", {"name": f"attacked-{self.made}"})
        self.secrets.add(made["clientSecret"])
        return Account(made["id"], made["clientId"], made["clientSecret"])

    def give_role(self, account: Account, role: str, scope_type: str, scope: str) -> int:
        body = {"subjectId": account.client_id, "subjectType": "service-account",
                "roleId": self.roles[role], "scopeType": scope_type, "scopeId": scope}
        return self.call("POST", "/api/v1/authorization/access-rules", body)["id"]

    def make_viewer(self, project: str | None = None) -> Account:
        account = self.make_account()
        self.give_role(account, "Viewer", "project", project or self.project)
        return account

    def make_user(self, project: str | None = None) -> User:
        """A local user, viewer of a project, who has just signed in."""
        self.made += 1
        made = self.call("POST", "/api/v1/users", {"email": f"attacked-{self.made}@a.example"})
        email, password = made["username"], made["tempPassword"]
        rule = self.call("POST", "/api/v1/authorization/access-rules", {
            "subjectId": email, "subjectType": "user", "roleId": self.roles["Viewer"],
            "scopeType": "project", "scopeId": project or self.project})["id"]
        tokens = self.send("POST", "/api/v1/token", {
            "grantType": "password", "username": email, "password": password}).json()
        self.secrets |= {password, *(tokens[name] for name in
                                     ("accessToken", "idToken", "refreshToken"))}
        return User(made["id"], email, password, rule, tokens["accessToken"],
                    tokens["refreshToken"])

    def values_for(self, text: str) -> dict[str, str]:
        """What a request needs fresh: a refresh token is good once."""
        return {"rt": self.make_user().refresh_token} if "{{rt}}" in text else {}

    def make_values(self) -> dict[str, str]:
        account = self.make_viewer()
        weird = self.make_account("we--ird_-_9")
        administrator = self.make_account()
        self.give_role(administrator, "System administrator", "tenant", "1")
        resource_server = self.make_account()  # may ask about every token
        self.give_role(resource_server, "Cloud support", "tenant", "1")
        values = {
            "A": "1",
            "B": "2",
            "pub.cid": "runai",
            "t.viewer": (token := self.token_of(account)),
            "viewer.sub": jose.claims_of(token)["sub"],
            "t.tenadm": self.token_of(administrator),
            "t.rs": self.token_of(resource_server),
            "issuer": PUBLIC_URL,
            "base": PUBLIC_URL,
        }
        for name, of in (("sa", account), ("ak", self.make_access_key()), ("weird", weird)):
            values |= self.values_of(name, of)
        return values

    @staticmethod
    def values_of(name: str, account: Account) -> dict[str, str]:
        return {f"{name}.id": account.id, f"{name}.cid": account.client_id,
                f"{name}.sec": account.secret}

    def fill(self, text: str, more: dict[str, str] | None = None) -> str:
        here = {"host": self.server.host, "port": str(self.server.address[1])}
        return placeholders.fill(text, {**self.values, **here, **(more or {})})

    # --- forged tokens ----------------------------------------------------------------------------

    def add_second_tenant(self) -> str:
        """Tenant B, and a good token of its administrator."""
        password = self.server.folder / "b.password"
        password.write_text(ADMIN_PASSWORD)
        password.chmod(0o600)
        self.server.run_command("tenant", "add", "b", "--name", "B", "--host", B_HOST,
                                "--admin-email", B_ADMIN, "--admin-password-file", str(password))
        return self.sign_in(B_ADMIN, f"{B_HOST}:{self.server.address[1]}")

    def forge(self) -> Forge:
        if self.forge_tokens is None:
            self.forge_tokens = self.make_forge()
        return self.forge_tokens

    def make_forge(self) -> Forge:
        data = self.server.data
        trap = f"http://127.0.0.1:{self.trap.getsockname()[1]}/keys"
        return Forge(self.values["t.tenadm"], read_keys(data), self.foreign, master_key(data),
                     ADMIN_EMAIL, trap)

    def was_trapped(self) -> bool:
        try:
            self.trap.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def seen(self) -> Seen:
        metadata = self.send("GET", "/.well-known/oauth-authorization-server").json()
        return Seen(metadata, lambda method, path: self.send(method, path).status, help_of)
