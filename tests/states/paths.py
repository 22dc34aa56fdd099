# SPDX-License-Identifier: Apache-2.0
"""The issuing paths: each address that gives tokens, with each way to spell a grant there."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import requests

from .holders import Credential, Tenant

REALM = "/auth/realms/{realm}/protocol/openid-connect/token"


@dataclass(frozen=True)
class IssuingPath:
    name: str
    send: Callable[[Tenant, str, Credential], requests.Response]
    grants: tuple[str, ...] = ("client_credentials", "password", "refresh_token")
    refuses_client: int = 400
    refuses_user: int = 400

    def refusal(self, grant: str) -> int:
        return self.refuses_client if grant == "client_credentials" else self.refuses_user


JSON_NAMES = {"client_id": "clientId", "client_secret": "clientSecret", "username": "username",
              "password": "password", "refresh_token": "refreshToken"}


def as_json(tenant: Tenant, grant: str, shown: Credential) -> requests.Response:
    body = {"grantType": grant} | {JSON_NAMES[name]: value for name, value in shown.items()}
    return tenant.anonymous.send("POST", "/api/v1/token", json=body)


def as_app_token(tenant: Tenant, _: str, shown: Credential) -> requests.Response:
    return tenant.anonymous.send("POST", "/api/v1/token", json={
        "grantType": "app_token", "AppId": shown["client_id"],
        "AppSecret": shown["client_secret"]})


def as_form(path: str) -> Callable[[Tenant, str, Credential], requests.Response]:
    def send(tenant: Tenant, grant: str, shown: Credential) -> requests.Response:
        where = path.replace("{realm}", tenant.realm)
        return tenant.anonymous.send("POST", where, data={"grant_type": grant, **shown})

    return send


def with_basic(path: str) -> Callable[[Tenant, str, Credential], requests.Response]:
    def send(tenant: Tenant, grant: str, shown: Credential) -> requests.Response:
        where = path.replace("{realm}", tenant.realm)
        return tenant.anonymous.send("POST", where, data={"grant_type": grant},
                        auth=(shown["client_id"], shown["client_secret"]))

    return send


def as_apptoken(tenant: Tenant, _: str, shown: Credential) -> requests.Response:
    return tenant.anonymous.send("POST", "/v1/k8s/auth/oauth/apptoken", json={
        "id": shown["client_id"], "name": shown["client_id"], "secret": shown["client_secret"]})


def as_old_refresh(tenant: Tenant, _: str, shown: Credential) -> requests.Response:
    return tenant.anonymous.send("POST", "/v1/k8s/auth/oauth/tokens/refresh",
                    params={"refresh_token": shown["refresh_token"]})


CLIENT = ("client_credentials",)
PATHS = [
    IssuingPath("v1", as_json),
    IssuingPath("v1, app_token", as_app_token, CLIENT),
    IssuingPath("v2", as_form("/api/v2/token"), refuses_client=401),
    IssuingPath("v2, Basic", with_basic("/api/v2/token"), CLIENT, refuses_client=401),
    IssuingPath("oauth2", as_form("/oauth2/token"), refuses_client=401),
    IssuingPath("oauth2, Basic", with_basic("/oauth2/token"), CLIENT, refuses_client=401),
    IssuingPath("realm", as_form(REALM), refuses_client=401, refuses_user=401),
    IssuingPath("realm, Basic", with_basic(REALM), CLIENT, refuses_client=401),
    IssuingPath("apptoken", as_apptoken, CLIENT),
    IssuingPath("tokens/refresh", as_old_refresh, ("refresh_token",)),
]
