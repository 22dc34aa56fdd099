# SPDX-License-Identifier: Apache-2.0
"""Contract checks 55 and 56: identity providers and security settings."""
from __future__ import annotations

import base64

import pytest
from scenario.api import Api, describe

from .world import World

IDPS = "/api/v1/idps"
SETTINGS = "/api/v1/security/settings"
ADDRESS = "https://idp.example/.well-known/openid-configuration"
MASK = "*******"
METADATA = base64.b64encode(b"<EntityDescriptor/>").decode()


def openshift(**more: str) -> dict:
    return {"type": "openshift-v4", "ocpData": {
        "clientId": "claviger", "clientSecret": "openshift-secret-0",
        "idpBaseUrl": "https://ocp.example", **more}}


def saml(**fields: str) -> dict:
    return {"type": "saml", "samlData": fields}


# --- check 56 -------------------------------------------------------------------------------------


def test_check_56_life_of_a_provider(admin: Api):
    made = admin.call("POST", IDPS, admin.idp_fields(), status=201)
    assert set(made) == {"alias"} and made["alias"].startswith("oidc")
    path = f"{IDPS}/{made['alias']}"
    shown = admin.call("GET", path)
    assert shown == {
        "alias": made["alias"], "type": "oidc",
        "redirectUri": f"{admin.url}/auth/realms/runai/broker/{made['alias']}/endpoint",
        "oidcData": {"clientId": "claviger", "clientSecret": MASK, "discoverDocumentUrl": ADDRESS,
                     "scopes": []},
        "mappers": {"gid": "GID", "uid": "UID", "groups": "GROUPS", "email": "email",
                    "supplementaryGroups": "SUPPLEMENTARYGROUPS", "firstName": "firstName",
                    "lastName": "lastName"}}
    assert shown in admin.call("GET", IDPS)
    answer = admin.send("PUT", f"{path}/mappers", json={"uid": "sub"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert admin.call("GET", f"{path}/mappers") == {"uid": "sub"}
    # What was read may be written back.
    answer = admin.send("PUT", path, json=shown)
    assert (answer.status_code, answer.content) == (200, b"")
    assert admin.call("GET", path) == shown
    answer = admin.send("DELETE", path)
    assert (answer.status_code, answer.content) == (200, b"")
    for method, body in (("GET", None), ("PUT", shown), ("DELETE", None)):
        assert admin.send(method, path, json=body).status_code == 404


def test_check_56_through_runapy(world: World, administrator, runapy_1):
    fields = world.admin.idp_fields()
    created, = runapy_1("calls", administrator, calls=[
        ["idps.create_idp", {"idp_creation_request": fields}]])
    assert created["status"] == 201
    alias = created["data"]["alias"]
    outcomes = runapy_1("calls", administrator, calls=[
        ["idps.get_idps", {}], ["idps.get_idp", {"idp": alias}],
        ["idps.update_idp", {"idp": alias, "idp_creation_request": fields}],
        ["idps.get_idp_mappers", {"idp": alias}],
        ["idps.update_idp_mappers", {"idp": alias, "mappers": {"model": "Mappers", "uid": "sub"}}],
        ["idps.delete_idp", {"idp": alias}]])
    assert [one["status"] for one in outcomes] == [200, 200, 200, 200, 202, 200]
    assert outcomes[1]["data"] in outcomes[0]["data"]
    assert [outcomes[i]["data"] for i in (2, 4, 5)] == [None] * 3
    assert len(runapy_1("read_strictly", model="Idp1", values=[outcomes[1]["data"]])) == 1


def test_all_types_of_provider(admin: Api):
    admin.secrets.add("openshift-secret-0")
    by_address = saml(metadataXmlType="url", metadataXmlUrl="https://idp.example/metadata.xml",
                      entityId="claviger")
    by_file = saml(metadataXmlType="file", metadataXmlFile=METADATA, fileName="idp.xml")
    for body, member in ((by_address, "samlData"), (by_file, "samlData"), (openshift(), "ocpData")):
        alias = admin.call("POST", IDPS, body, status=201)["alias"]
        shown = admin.call("GET", f"{IDPS}/{alias}")
        assert shown["type"] == body["type"] and alias.startswith(body["type"])
        assert member in shown and METADATA not in str(shown)
        admin.call("PUT", f"{IDPS}/{alias}", shown, status=200)
        assert admin.call("GET", f"{IDPS}/{alias}") == shown
        if member == "samlData":
            assert shown["samlData"]["serviceProviderMetadataUrl"] == (
                f"{admin.url}/auth/realms/runai/broker/{alias}/endpoint/descriptor")
        admin.call("DELETE", f"{IDPS}/{alias}")


def test_aliases_follow_from_names(admin: Api):
    aliases = [admin.call("POST", IDPS, admin.idp_fields() | {"name": name}, status=201)["alias"]
               for name in ("My Company_SSO!", "my company sso", "日本")]
    assert aliases[:2] == ["my-company-sso", "my-company-sso-2"]
    assert aliases[2].startswith("oidc")
    assert admin.call("GET", f"{IDPS}/{aliases[2]}")["name"] == "日本"
    for alias in aliases:
        admin.call("DELETE", f"{IDPS}/{alias}")


def test_an_address_changes_only_with_the_secret(admin: Api):
    """ADM-059."""
    alias = admin.create_idp()
    elsewhere = "https://evil.example/.well-known/openid-configuration"
    before = admin.call("GET", f"{IDPS}/{alias}")
    answer = admin.send("PUT", f"{IDPS}/{alias}", json=admin.idp_fields(
        clientSecret=MASK, discoverDocumentUrl=elsewhere))
    assert answer.status_code == 400, describe(answer)
    assert "clientSecret" in answer.json()["message"]
    assert admin.call("GET", f"{IDPS}/{alias}") == before
    admin.call("PUT", f"{IDPS}/{alias}", admin.idp_fields(discoverDocumentUrl=elsewhere))
    assert admin.call("GET", f"{IDPS}/{alias}")["oidcData"]["discoverDocumentUrl"] == elsewhere
    assert admin.send("POST", IDPS, json=admin.idp_fields(clientSecret=MASK)).status_code == 400


@pytest.mark.parametrize("address", [
    "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1/", "http://localhost/x",
    "https://LOCALHOST.:8443/", "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/",
    "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[fe80::1]/",
    "http://[::]/", "http://metadata.google.internal/", "http://100.100.100.200/",
    "file:///etc/passwd", "gopher://idp.example/", "javascript:alert(1)", "//idp.example/",
    "idp.example", "https://", "https:///x", "https://user:secret@idp.example/",
    "https://idp.example:0/", "https://idp.example:99999/", "https://idp.example/a b",
    "https://idp.example\\@127.0.0.1/", "https://idp.example/\n", "https://idp.example%2f/",
    "https://" + "a" * 2048], ids=str)
def test_addresses_that_nobody_may_give(admin: Api, address):
    """ADM-058."""
    for body in (admin.idp_fields(discoverDocumentUrl=address), openshift(idpBaseUrl=address),
                 saml(metadataXmlType="url", metadataXmlUrl=address)):
        answer = admin.send("POST", IDPS, json=body)
        assert answer.status_code == 400, describe(answer)


@pytest.mark.parametrize("address", [
    "http://10.0.0.7:8080/realms/x", "HTTPS://idp/", "https://[2001:db8::1]:8443/x?y=z#f",
    "https://idp.example", "http://192.168.1.1/"], ids=str)
def test_addresses_of_private_networks_are_allowed(admin: Api, address):
    alias = admin.call("POST", IDPS, admin.idp_fields(discoverDocumentUrl=address))["alias"]
    admin.call("DELETE", f"{IDPS}/{alias}")


@pytest.mark.parametrize("body", [
    {}, {"type": "oidc"}, {"type": "ldap"}, {"type": "saml", "samlData": {}},
    {"type": "saml", "samlData": {"metadataXmlType": "ftp"}},
    saml(metadataXmlType="file", metadataXmlFile="no metadata!"),
    saml(metadataXmlType="file", metadataXmlFile="<" + "x" * 256 * 1024)],
    ids=lambda one: str(one)[:60])
def test_what_is_no_provider(admin: Api, body):
    assert admin.send("POST", IDPS, json=body).status_code == 400


@pytest.mark.parametrize("changed", [
    {"clientId": ""}, {"clientSecret": ""}, {"clientSecret": "x" * 1025}, {"scopes": ["a  b"]},
    {"scopes": ["é"]}, {"scopes": ["a"] * 65}, {"mandatoryClaim": {"claim": "", "values": ["a"]}},
    {"mandatoryClaim": {"claim": "a", "values": []}}], ids=lambda one: str(one)[:60])
def test_what_is_no_client(admin: Api, changed):
    assert admin.send("POST", IDPS, json=admin.idp_fields(**changed)).status_code == 400


def test_scopes_and_claims_are_kept(admin: Api):
    more = {"scopes": ["openid email", "groups"],
            "mandatoryClaim": {"claim": "staff", "values": ["yes", "of-course"]}}
    alias = admin.call("POST", IDPS, admin.idp_fields(**more))["alias"]
    shown = admin.call("GET", f"{IDPS}/{alias}")["oidcData"]
    assert {name: shown[name] for name in more} == more


@pytest.mark.parametrize("alias", ["..%2fusers", "%2e%2e", "OIDC", "_", "a%00b", "x" * 300])
def test_no_path_hides_in_an_alias(admin: Api, alias):
    """ADM-061."""
    answer = admin.send("GET", f"{IDPS}/{alias}")
    assert answer.status_code in (400, 404), describe(answer)
    assert "username" not in answer.text


def test_the_type_stays(admin: Api):
    alias = admin.create_idp()
    answer = admin.send("PUT", f"{IDPS}/{alias}", json=openshift())
    assert answer.status_code == 400, describe(answer)


# --- check 55 -------------------------------------------------------------------------------------


def test_check_55_redirect_to_a_provider(admin: Api):
    alias = admin.create_idp()
    value = {"enabled": True, "idpAlias": alias}
    answer = admin.send("PUT", f"{SETTINGS}/autoRedirectSSO", json=value)
    assert (answer.status_code, answer.content) == (200, b"")
    assert admin.call("GET", f"{SETTINGS}/autoRedirectSSO") == value
    assert admin.call("GET", SETTINGS)["autoRedirectSSO"] == value
    for method in ("GET", "PUT"):
        assert admin.send(method, f"{SETTINGS}/unheardOf", json={}).status_code == 404
    # What is deleted is no longer led to.
    admin.call("DELETE", f"{IDPS}/{alias}")
    assert admin.call("GET", f"{SETTINGS}/autoRedirectSSO") == {"enabled": False, "idpAlias": ""}
    answer = admin.send("PUT", f"{SETTINGS}/autoRedirectSSO", json=value)
    assert answer.status_code == 400, describe(answer)


def test_check_55_through_runapy(world: World, administrator, runapy_1):
    keys = {"autoRedirectSSO": {"enabled": False, "idpAlias": "oidc"},
            "browserSessionTimeout": {"idleTimeout": 90},
            "logoutRedirectUri": {"uri": "https://example.com/logout"}}
    calls = [["settings.update_security_setting_by_key",
              {"key": key, "update_security_setting_by_key_request": value}]
             for key, value in keys.items()]
    calls += [["settings.get_security_setting_by_key", {"key": key}] for key in keys]
    calls += [["settings.get_security_setting_by_key",
               {"key": {"member": f"SettingsKeyEnum.{key.upper()}"}}] for key in keys]
    outcomes = runapy_1("calls", administrator,
                        calls=[*calls, ["settings.get_security_settings", {}]])
    assert [one["status"] for one in outcomes] == [200] * 10
    assert [one["data"] for one in outcomes[3:6]] == list(keys.values())
    assert [one["data"] for one in outcomes[6:9]] == list(keys.values())
    assert outcomes[9]["data"] == keys


@pytest.mark.parametrize("key, value", [
    ("browserSessionTimeout", {"idleTimeout": 0}), ("browserSessionTimeout", {"idleTimeout": -1}),
    ("browserSessionTimeout", {"idleTimeout": 10081}),
    ("browserSessionTimeout", {"idleTimeout": "60"}),
    ("autoRedirectSSO", {"enabled": True, "idpAlias": "nobody-here"}),
    ("autoRedirectSSO", {"enabled": False, "idpAlias": "UPPER"}),
    ("autoRedirectSSO", {"enabled": "yes"}),
    ("logoutRedirectUri", {"uri": "javascript:alert(1)"}),
    ("logoutRedirectUri", {"uri": "data:text/html,x"}), ("logoutRedirectUri", {"uri": "/out"}),
    ("logoutRedirectUri", {"uri": "//evil.example"}),
    ("logoutRedirectUri", {"uri": " https://x"}),
    ("logoutRedirectUri", {"uri": "https://a@b/"})], ids=str)
def test_settings_that_cannot_be(admin: Api, key, value):
    """ADM-062."""
    before = admin.call("GET", SETTINGS)
    answer = admin.send("PUT", f"{SETTINGS}/{key}", json=value)
    assert answer.status_code == 400, describe(answer)
    assert admin.call("GET", SETTINGS) == before


@pytest.mark.parametrize("key, value", [
    ("browserSessionTimeout", {"idleTimeout": None}), ("browserSessionTimeout", {"idleTimeout": 1}),
    ("browserSessionTimeout", {"idleTimeout": 1.5}),
    ("autoRedirectSSO", {"enabled": None, "idpAlias": None}),
    ("autoRedirectSSO", {"enabled": True, "idpAlias": ""}),
    ("logoutRedirectUri", {"uri": ""}), ("logoutRedirectUri", {"uri": None}),
    ("logoutRedirectUri", {"uri": "http://localhost:8080/bye"})], ids=str)
def test_settings_that_can_be(admin: Api, key, value):
    admin.call("PUT", f"{SETTINGS}/{key}", value, status=200)
    assert admin.call("GET", f"{SETTINGS}/{key}") == value


def test_settings_of_a_new_tenant(new_world):
    world = new_world()
    assert world.admin.call("GET", SETTINGS) == {
        "autoRedirectSSO": {"enabled": False, "idpAlias": ""},
        "browserSessionTimeout": {"idleTimeout": 60}, "logoutRedirectUri": {"uri": ""}}


def test_both_survive_a_restart(new_world):
    world = new_world()
    alias = world.admin.create_idp()
    world.admin.call("PUT", f"{SETTINGS}/autoRedirectSSO", {"enabled": True, "idpAlias": alias})
    role = world.admin.create_role("View project")
    before = [world.admin.call("GET", path) for path in (
        IDPS, SETTINGS, f"/api/v2/authorization/roles/{role['id']}")]
    world.restart()
    assert before == [world.admin.call("GET", path) for path in (
        IDPS, SETTINGS, f"/api/v2/authorization/roles/{role['id']}")]
