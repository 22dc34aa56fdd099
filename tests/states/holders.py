# SPDX-License-Identifier: Apache-2.0
"""Who holds a credential, and what may happen to them. For each change: whether the credential
still gives tokens, and whether tokens that are out still work."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clients.world import World
from scenario.api import Api, User

# What a holder shows to get a token, by the names of RFC 6749.
Credential = dict[str, str]


@dataclass
class Tenant:
    world: World
    admin: Api
    realm: str
    root: str  # its scope
    checker: tuple[str, str] | None = None  # a client that may ask about tokens

    @property
    def anonymous(self) -> Api:
        return self.admin.as_caller(None)


@dataclass
class Holder:
    """`user` is the owner of an access key or of a session, `as_owner` the API as they see it."""

    tenant: Tenant
    id: str
    shown: Credential
    rule: int
    user: User | None = None
    as_owner: Api | None = None
    access_token: str = ""  # of a session
    token: str = ""  # that is being looked at


@dataclass(frozen=True)
class Change:
    """What happens to a holder, and what it leaves."""

    name: str
    make: Callable[[Holder], object]
    gives_tokens: bool
    keeps_tokens: bool
    ends_the_tenant: bool = False


def first_tenant(world: World) -> Tenant:
    return Tenant(world, world.admin, "runai", "1")


def new_tenant(world: World) -> Tenant:
    name = Api.fresh_name("tenant")
    email = f"admin@{name}.example"
    password = world.server.add_tenant(name, name, f"{name}.example", email)
    world.secrets.add(password)
    admin = Api(world.url, host=f"{name}.example", secrets=world.secrets)
    admin.token = admin.user_token(email, password)
    rules = admin.call("GET", "/api/v1/authorization/me/access-rules")["accessRules"]
    return Tenant(world, admin, name, rules["accessRules"][0]["scopeId"])


# --- holders --------------------------------------------------------------------------------------


def account(tenant: Tenant) -> Holder:
    made = tenant.admin.create_account()
    rule = tenant.admin.give_role(made.name, "Viewer", "tenant", tenant.root)
    return Holder(tenant, made.id, {"client_id": made.client_id, "client_secret": made.secret},
                  rule)


def person(tenant: Tenant) -> tuple[User, int]:
    """A user and the number of their rule."""
    made = tenant.admin.create_user()
    return made, tenant.admin.give_role(made.email, "Viewer", "tenant", tenant.root, "user")


def seen_by(tenant: Tenant, user: User) -> Api:
    return tenant.admin.as_caller(tenant.admin.user_token(user.email, user.password))


def access_key(tenant: Tenant) -> Holder:
    owner, rule = person(tenant)
    api = seen_by(tenant, owner)
    made = api.create_access_key()
    return Holder(tenant, made.id, {"client_id": made.client_id, "client_secret": made.secret},
                  rule, owner, api)


def user(tenant: Tenant) -> Holder:
    made, rule = person(tenant)
    return Holder(tenant, made.id, {"username": made.email, "password": made.password}, rule, made)


def session(tenant: Tenant) -> Holder:
    holder = user(tenant)
    given = tenant.anonymous.try_token({"grantType": "password", **holder.shown}).json()
    holder.access_token = given["accessToken"]
    holder.shown = {"refresh_token": given["refreshToken"]}
    return holder


# --- what happens ---------------------------------------------------------------------------------


def keep(holder: Holder, answer: object) -> None:
    """What must be nowhere in the logs."""
    if isinstance(answer, dict):
        holder.tenant.admin.secrets.update(
            value for name, value in answer.items() if name in ("clientSecret", "tempPassword"))


def admin_calls(method: str, path: str, body: object = None) -> Callable[[Holder], object]:
    """A call of the administrator; {id}, {user} and {rule} are the holder's."""

    def make(holder: Holder) -> None:
        where = path.format(id=holder.id, user=holder.user and holder.user.id, rule=holder.rule)
        keep(holder, holder.tenant.admin.call(method, where, body))

    return make


def owner_calls(method: str, path: str, body: object = None) -> Callable[[Holder], object]:
    def make(holder: Holder) -> None:
        keep(holder, holder.as_owner.call(method, path.format(id=holder.id), body))

    return make


def in_turn(*makes: Callable[[Holder], object]) -> Callable[[Holder], object]:
    def make(holder: Holder) -> None:
        for each in makes:
            each(holder)

    return make


def choose_another_password(holder: Holder) -> None:
    new = "harbour-Clover-83-tinder-plume"
    holder.tenant.admin.secrets.add(new)
    seen_by(holder.tenant, holder.user).call("POST", "/api/v1/me/password", {
        "currentPassword": holder.user.password, "newPassword": new})


def use_refresh_token_twice(holder: Holder) -> None:
    body = {"grantType": "refresh_token", "refreshToken": holder.shown["refresh_token"]}
    assert holder.tenant.anonymous.try_token(body).status_code == 200
    assert holder.tenant.anonymous.try_token(body).status_code == 400


def revoke_refresh_token(holder: Holder) -> None:
    answer = holder.tenant.anonymous.send("POST", "/oauth2/revoke",
                                          data={"token": holder.shown["refresh_token"]})
    assert answer.status_code == 200, answer.text


def revoke(type: str, **members: str) -> Callable[[Holder], object]:
    """An administrator ends what is out. {id}, {user} and {token} are the holder's."""

    def make(holder: Holder) -> None:
        body = {name: text.format(id=holder.id, user=holder.user and holder.user.id,
                                  token=holder.token) for name, text in members.items()}
        holder.tenant.admin.call("POST", "/api/v1/revocations", {"type": type, **body})

    return make


def revoke_secret(holder: Holder) -> None:
    """One of two: the other does not matter to whoever has it."""
    path = (KEY if holder.as_owner else ACCOUNT).format(id=holder.id) + "/secrets"
    api = holder.as_owner or holder.tenant.admin
    keep(holder, api.call("POST", path, {}))
    first = api.call("GET", path)["secrets"][0]["id"]
    holder.tenant.admin.call("POST", "/api/v1/revocations", {
        "type": "secret", "keyId": holder.id, "secretId": first})


def report_secret(holder: Holder) -> None:
    answer = holder.tenant.anonymous.call("POST", "/api/v1/leaked-secrets", {
        "clientSecret": holder.shown["client_secret"], "clientId": holder.shown["client_id"]})
    assert answer == {"outcome": "revoked"}


def disable_tenant(holder: Holder) -> None:
    holder.tenant.world.server.run("tenant", "disable", holder.tenant.realm)


def nothing(_: Holder) -> None:
    """So that the rows of the others say something."""


ACCOUNT = "/api/v1/service-accounts/{id}"
KEY = "/api/v1/access-keys/{id}"
USER = "/api/v1/users/{user}"
RULE = "/api/v1/authorization/access-rules/{rule}"
DISABLE = admin_calls("PATCH", ACCOUNT, {"enabled": False})
ENABLE = admin_calls("PATCH", ACCOUNT, {"enabled": True})

OF_EVERYBODY = [
    Change("nothing", nothing, gives_tokens=True, keeps_tokens=True),
    Change("its tenant is disabled", disable_tenant, False, False, ends_the_tenant=True),
]
# Of one token: they say nothing of who gets another.
OF_TOKENS = [
    Change("this token is revoked", revoke("token", token="{token}"), True, False),
]
TENANT_REVOKED = Change("all tokens of its tenant are revoked", revoke("tenant"), True, False,
                        ends_the_tenant=True)
ELSEWHERE = {"addresses": ["192.0.2.0/24"]}
ELSEWHERE_LOGGED = {**ELSEWHERE, "addressMode": "log-only"}
EXPIRED = {"expiresAt": "2020-01-01T00:00:00Z"}
CEILING = {"ceiling": {"permissions": ["project:read"]}}
KEY_LIMITS = "/api/v1/administration/access-keys/{id}/limits"
ACCOUNT_ELSEWHERE = Change("it may be used elsewhere only",
                           admin_calls("PUT", f"{ACCOUNT}/limits", ELSEWHERE), False, False)
KEY_ELSEWHERE = Change("it may be used elsewhere only",
                       admin_calls("PUT", KEY_LIMITS, ELSEWHERE), False, False)
OVERLAP = {"overlapSeconds": 3600}
HONEY = {"honey": True}


def of_secrets(calls: Callable, path: str, limits: str) -> list[Change]:
    add, retire = calls("POST", path + "/secrets", {}), calls("POST", path + "/secrets/retire",
                                                              {"force": True})
    return [
        Change("it gets a second secret", add, True, True),
        Change("its secret is replaced after an overlap", calls("POST", path + "/secret", OVERLAP),
               True, True),
        Change("its secret is retired", in_turn(add, retire), False, True),
        Change("its secret is revoked", revoke_secret, False, False),
        Change("its secret is reported as leaked", report_secret, False, False),
        Change("it becomes a honey key", admin_calls("PUT", limits, HONEY), False, False),
    ]


OF_ACCOUNTS = [
    *OF_EVERYBODY,
    *of_secrets(admin_calls, ACCOUNT, f"{ACCOUNT}/limits"),
    Change("its rule is deleted", admin_calls("DELETE", RULE), True, True),
    Change("it is disabled", DISABLE, False, False),
    Change("it is disabled and enabled again", in_turn(DISABLE, ENABLE), True, False),
    Change("its secret is replaced", admin_calls("POST", f"{ACCOUNT}/secret"), False, False),
    Change("it is deleted", admin_calls("DELETE", ACCOUNT), False, False),
    TENANT_REVOKED,
    Change("its tokens are revoked", revoke("key", keyId="{id}"), True, False),
    Change("it is revoked as a subject", revoke("subject", subjectId="{id}"), True, False),
    Change("it has expired", admin_calls("PUT", f"{ACCOUNT}/limits", EXPIRED), False, False),
    ACCOUNT_ELSEWHERE,
    Change("it should be used elsewhere only",
           admin_calls("PUT", f"{ACCOUNT}/limits", ELSEWHERE_LOGGED), True, True),
    Change("it gets a ceiling", admin_calls("PUT", f"{ACCOUNT}/limits", CEILING), True, True),
]
RESET = admin_calls("POST", f"{USER}/password")
LOGOUT = admin_calls("POST", f"{USER}/logout")
OF_KEYS = [
    *OF_EVERYBODY,
    *of_secrets(owner_calls, KEY, KEY_LIMITS),
    Change("its owner's rule is deleted", admin_calls("DELETE", RULE), True, True),
    Change("its secret is replaced", owner_calls("POST", f"{KEY}/secret"), False, False),
    Change("its owner deletes it", owner_calls("DELETE", KEY), False, False),
    Change("an administrator deletes it",
           admin_calls("DELETE", "/api/v1/administration/access-keys/{id}"), False, False),
    Change("its owner is deleted", admin_calls("DELETE", USER), False, False),
    TENANT_REVOKED,
    Change("its owner is signed out", LOGOUT, True, False),
    Change("its tokens are revoked", revoke("key", keyId="{id}"), True, False),
    Change("its owner's tokens are revoked", revoke("subject", subjectId="{user}"), True, False),
    Change("it has expired", admin_calls("PUT", KEY_LIMITS, EXPIRED), False, False),
    KEY_ELSEWHERE,
    Change("it should be used elsewhere only", admin_calls("PUT", KEY_LIMITS, ELSEWHERE_LOGGED),
           True, True),
    Change("it gets a ceiling", admin_calls("PUT", KEY_LIMITS, CEILING), True, True),
]
OF_USERS = [
    *OF_EVERYBODY,
    Change("they are signed out", LOGOUT, True, False),
    Change("their password is reset", RESET, False, False),
    Change("they choose another password", choose_another_password, False, False),
    Change("they are deleted", admin_calls("DELETE", USER), False, False),
    TENANT_REVOKED,
    Change("their tokens are revoked", revoke("subject", subjectId="{user}"), True, False),
]
OF_SESSIONS = [
    *OF_EVERYBODY,
    Change("its user is signed out", LOGOUT, False, False),
    Change("its user's password is reset", RESET, False, False),
    Change("its user chooses another password", choose_another_password, False, False),
    Change("its user is deleted", admin_calls("DELETE", USER), False, False),
    Change("its user has no rule any more", admin_calls("DELETE", RULE), False, True),
    Change("a used refresh token comes back", use_refresh_token_twice, False, False),
    Change("its refresh token is revoked", revoke_refresh_token, False, False),
    Change("its user's tokens are revoked", revoke("subject", subjectId="{user}"), False, False),
    Change("all tokens of its tenant are revoked", revoke("tenant"), False, False,
           ends_the_tenant=True),
]

# Each kind of holder: how one is made, the grant it gets tokens by, what may happen to it.
KINDS = {
    "service account": (account, "client_credentials", OF_ACCOUNTS),
    "access key": (access_key, "client_credentials", OF_KEYS),
    "user": (user, "password", OF_USERS),
    "session": (session, "refresh_token", OF_SESSIONS),
}
