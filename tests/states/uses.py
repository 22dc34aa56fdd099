# SPDX-License-Identifier: Apache-2.0
"""The uses of a token: each place that takes one and says whether it is good."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .holders import ACCOUNT_ELSEWHERE, KEY_ELSEWHERE, Change, Holder, Tenant

EVERY_KIND = ("service account", "access key", "user", "session")
OWN_RULES = "/api/v1/authorization/me/access-rules"
REALM_TOKEN = "/auth/realms/{realm}/protocol/openid-connect/token"


@dataclass(frozen=True)
class Use:
    """`token_of` gets a token of a holder who gets it by a grant."""

    name: str
    token_of: Callable[[Holder, str], str]
    is_good: Callable[[Tenant, str], bool]
    kinds: tuple[str, ...] = EVERY_KIND
    unmoved_by: tuple[Change, ...] = ()


def sign_in(holder: Holder, grant: str) -> dict:
    """At the realm, which gives id tokens to everybody."""
    tenant = holder.tenant
    answer = tenant.anonymous.send("POST", REALM_TOKEN.format(realm=tenant.realm),
                                   data={"grant_type": grant, **holder.shown})
    assert answer.status_code == 200, answer.text
    given = answer.json()
    tenant.admin.secrets.update(given[name] for name in ("access_token", "id_token",
                                                         "refresh_token") if name in given)
    return given


def access_token(holder: Holder, grant: str) -> str:
    return holder.access_token or sign_in(holder, grant)["access_token"]


def id_token(holder: Holder, grant: str) -> str:
    return sign_in(holder, grant)["id_token"]


def as_bearer(path: str) -> Callable[[Tenant, str], bool]:
    def ask(tenant: Tenant, token: str) -> bool:
        answer = tenant.anonymous.send("GET", path, token=token)
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200

    return ask


def introspection(tenant: Tenant, token: str) -> bool:
    """As a client that may ask about every token asks."""
    if not tenant.checker:
        made = tenant.admin.create_account()
        tenant.admin.give_role(made.name, "System administrator", "tenant", tenant.root)
        tenant.checker = (made.client_id, made.secret)
    answer = tenant.anonymous.send("POST", "/oauth2/introspect", data={"token": token},
                                   auth=tenant.checker)
    if answer.status_code == 401:  # nobody is a client of a tenant that is disabled
        assert "tenant is disabled" in answer.text
        return False
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert given["active"] or given == {"active": False}
    return given["active"]


USES = [
    # Whoever asks about a token is not where it is used.
    Use("introspection", access_token, introspection,
        unmoved_by=(ACCOUNT_ELSEWHERE, KEY_ELSEWHERE)),
    Use("access token", access_token, as_bearer(OWN_RULES)),
    Use("id token", id_token, as_bearer(OWN_RULES), ("service account", "access key", "user")),
]
