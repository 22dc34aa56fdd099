# SPDX-License-Identifier: Apache-2.0
"""One call of every method that runapy 1.224 has about authentication and authorization, as a user
with an access key; and the examples of the installed package."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from scenario.api import PERSON_PASSWORD

from .world import World

NEXT_PASSWORD = "copper-Harbor-16-lattice-thistle"
PERIOD = {"start": {"time": "2026-01-01T00:00:00+00:00"},
          "end": {"time": "2036-01-01T00:00:00+00:00"}}


class Saved(dict):
    """What earlier steps have answered, by a name of ours."""

    def rule(self, subject: str) -> dict:
        return {"subjectId": subject, "subjectType": "user", "roleId": self["viewer"],
                "scopeId": self["project"], "scopeType": "project"}


Arguments = Callable[[Saved], dict]


@dataclass(frozen=True)
class Step:
    method: str  # group.method
    arguments: Arguments = lambda saved: {}
    status: int = 200
    saves: dict = field(default_factory=dict)  # a name of ours to a member of the answer


def wire(model: str, members: dict) -> dict:
    return {"model": model, "wire": members}



def one(parameter: str, name: str) -> Arguments:
    return lambda saved: {parameter: saved[name]}


OIDC = {"type": "oidc", "oidcData": {
    "clientId": "x", "clientSecret": "provider-secret",
    "discoverDocumentUrl": "https://idp.example.com/.well-known/openid-configuration"}}
REDIRECT = {"enabled": False, "idpAlias": None}

STEPS = [
    # Roles and permissions
    Step("roles.get_roles_v1"),
    Step("roles.get_role_v1", one("role_id_path", "viewer")),
    Step("permissions.get_permissions"),
    Step("permissions.get_permitted_scopes", lambda saved: {"get_permitted_scopes_request": wire(
        "GetPermittedScopesRequest", {"resourceType": "project"})}),
    Step("me.get_me_access_rules"),
    Step("me.count_me_access_rules"),
    # Service accounts, and their older name
    Step("service_accounts.get_service_accounts"),
    Step("service_accounts.create_service_account", lambda saved: {
        "service_account_creation_request": wire("ServiceAccountCreationRequest",
                                                 {"name": "by-runapy"})}, 201,
         {"account": "id", "account.name": "name", "account.secret": "clientSecret"}),
    Step("service_accounts.get_service_account_by_id", one("service_account_id", "account")),
    Step("tokens.app_token", lambda saved: {"app_token_request": wire("AppTokenRequest", {
        "id": saved["account.name"], "name": saved["account.name"],
        "secret": saved["account.secret"]})}),
    Step("tokens.grant_token", lambda saved: {"token_request": wire("TokenRequest", {
        "grantType": "client_credentials", "clientID": saved["account.name"],
        "clientSecret": saved["account.secret"]})}),
    # It throws its arguments away and posts nothing.
    Step("tokens.grant_token_v2", lambda saved: {"grant_type": "client_credentials"}, 400),
    Step("service_accounts.update_service_account_by_id", lambda saved: {
        "service_account_id": saved["account"], "service_account_patch_request": wire(
            "ServiceAccountPatchRequest", {"enabled": False})}),
    Step("service_accounts.regenerate_service_account_secret",
         one("service_account_id", "account"), 200, {"new.secret": "clientSecret"}),
    Step("service_accounts.delete_service_account_by_id", one("service_account_id", "account"),
         204),
    Step("applications.get_applications"),
    Step("applications.create_application", lambda saved: {
        "application_creation_request": wire("ApplicationCreationRequest",
                                             {"name": "app-by-runapy"})}, 201,
         {"app": "id", "app.secret": "secret"}),
    Step("applications.get_application_by_id", one("app_id", "app")),
    Step("applications.update_application_by_id", lambda saved: {
        "app_id": saved["app"], "application_patch_request": wire("ApplicationPatchRequest",
                                                                  {"enabled": False})}),
    Step("applications.regenerate_application_secret", one("app_id", "app"), 200,
         {"new.app.secret": "secret"}),
    Step("applications.delete_application_by_id", one("app_id", "app"), 204),
    # Access keys, and their older name
    Step("access_keys.get_access_keys"),
    Step("access_keys.create_access_key1", lambda saved: {"access_key_creation_request1": wire(
        "AccessKeyCreationRequest1", {"name": "by-runapy"})}, 201,
         {"key": "id", "key.secret": "clientSecret"}),
    Step("access_keys.get_access_key_by_id1", one("access_key_id", "key")),
    Step("access_keys.regenerate_access_key_secret", one("access_key_id", "key"), 200,
         {"new.key.secret": "clientSecret"}),
    Step("access_keys.delete_access_key_by_id", one("access_key_id", "key"), 204),
    Step("user_applications.get_user_applications"),
    Step("user_applications.create_user_application", lambda saved: {
        "user_app_creation_request": wire("UserAppCreationRequest", {"name": "app-by-runapy"})},
         201, {"userapp": "id", "userapp.secret": "secret"}),
    Step("user_applications.get_user_application_by_id", one("app_id", "userapp")),
    Step("user_applications.regenerate_user_application_secret", one("app_id", "userapp"), 200,
         {"new.userapp.secret": "clientSecret"}),
    Step("user_applications.delete_user_application_by_id", one("app_id", "userapp"), 204),
    Step("access_keys.get_access_keys_administration", lambda saved: {
        "created_by": "nobody@first.example"}),
    Step("access_keys.delete_access_key_by_id_administration", one("access_key_id", "other.key"),
         204),
    Step("user_applications.get_user_applications_administration"),
    Step("user_applications.delete_user_application_by_id_administration",
         one("app_id", "other.second.key"), 204),
    # Access rules
    Step("access_rules.create_access_rule", lambda saved: {"access_rule_creation_fields": wire(
        "AccessRuleCreationFields", saved.rule("one@first.example"))}, 201, {"rule": "id"}),
    Step("access_rules.get_access_rules", lambda saved: {"filter_by": ["scopeType==project"]}),
    Step("access_rules.count_access_rules"),
    Step("access_rules.get_access_rule", one("access_rule_id", "rule")),
    Step("access_rules.access_rules_batch_create", lambda saved: {
        "access_rules_batch_create_fields": wire("AccessRulesBatchCreateFields", {"payload": {
            "roleId": saved["viewer"],
            "subjects": [{"subjectId": "two@first.example", "subjectType": "user"}],
            "scopes": [{"scopeId": saved["project"], "scopeType": "project"}]}})}),
    Step("access_rules.access_rules_batch", lambda saved: {"access_rules_batch_fields": wire(
        "AccessRulesBatchFields", {"ids": [str(saved["rule"])], "action": "validate_delete"})}),
    Step("access_rules.delete_access_rule", one("access_rule_id", "rule"), 204),
    # Users
    Step("users.get_users"),
    Step("users.count_users"),
    Step("users.create_user", lambda saved: {"user_creation_request1": wire(
        "UserCreationRequest1", {"email": "made@runapy.example"})}, 201,
         {"user": "id", "user.password": "tempPassword"}),
    Step("users.get_user_by_id", one("user_id", "user")),
    Step("users.logout_user", one("user_id", "user")),
    Step("users.reset_user_password", one("user_id", "user"), 200,
         {"new.user.password": "tempPassword"}),
    Step("users.delete_user_by_id", one("user_id", "user"), 204),
    # Identity providers and settings
    Step("idps.get_idps"),
    Step("idps.create_idp", lambda saved: {"idp_creation_request": wire(
        "IdpCreationRequest", OIDC)}, 201, {"idp": "alias"}),
    Step("idps.get_idp", one("idp", "idp")),
    Step("idps.update_idp", lambda saved: {"idp": saved["idp"], "idp_creation_request": wire(
        "IdpCreationRequest", OIDC)}),
    Step("idps.get_idp_mappers", one("idp", "idp")),
    Step("idps.update_idp_mappers", lambda saved: {"idp": saved["idp"], "mappers": wire(
        "Mappers", {"groups": "GROUPS"})}, 202),
    Step("idps.delete_idp", one("idp", "idp")),
    Step("settings.get_security_settings"),
    Step("settings.update_security_setting_by_key", lambda saved: {
        "key": {"member": "SettingsKeyEnum.AUTOREDIRECTSSO"},
        "update_security_setting_by_key_request": wire("UpdateSecuritySettingByKeyRequest",
                                                       REDIRECT)}),
    Step("settings.get_security_setting_by_key", lambda saved: {
        "key": {"member": "SettingsKeyEnum.AUTOREDIRECTSSO"}}),
    Step("org_unit.get_priorities"),
    # The audit log
    Step("audit_logs.get_audit_logs", lambda saved: PERIOD),
    Step("audit_logs.download_audit_logs", lambda saved: {**PERIOD, "file_type": "JSON"}),
    # The client has the token of an access key, which may not change its owner's password.
    Step("users.change_user_password", lambda saved: {"user_change_password_request": wire(
        "UserChangePasswordRequest", {"currentPassword": PERSON_PASSWORD,
                                      "newPassword": NEXT_PASSWORD})}, status=403),
]


@pytest.fixture(scope="module")
def saved(shared_world: World) -> Saved:
    admin = shared_world.admin
    cluster = admin.create_cluster()
    other = admin.person()
    return Saved({"viewer": admin.role_id("Viewer"), "project": admin.create_project(cluster),
                  "other.key": other.create_access_key().id,
                  "other.second.key": other.create_access_key().id})


@pytest.fixture(scope="module")
def key(shared_world: World):
    """An access key of a user, with which runapy calls."""
    return shared_world.admin.person("System administrator").create_access_key()


def test_every_method_has_a_call(world: World, runapy_1):
    known = [step.method for step in STEPS]
    assert sorted(known) == sorted(set(known))
    assert sorted(known) == sorted(runapy_1("methods"))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.method)
def test_runapy(world: World, key, saved: Saved, runapy_1, step: Step):
    [answer] = runapy_1("calls", key, calls=[[step.method, step.arguments(saved)]])
    assert answer["status"] == step.status, answer
    for name, member in step.saves.items():
        saved[name] = answer["data"][member]
        if name.endswith(("secret", "password")):
            world.secrets.add(saved[name])


def test_the_package_s_own_examples_run(world: World, administrator, runapy_1):
    ran = runapy_1("examples", administrator)
    assert len(ran) >= 3 and all("projects" in example for example in ran[:3])
    called = [exchange for exchange in world.exchanges()
              if exchange.path == "/api/v1/org-unit/projects"]
    assert len(called) >= 3 and {exchange.status for exchange in called} == {200}
