# SPDX-License-Identifier: Apache-2.0
"""Contract checks 15 to 19: access keys, and the older spellings of keys and service accounts."""
from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from scenario.api import Account, Api, describe
from scenario.server import ADMIN_EMAIL

from .world import World

KEYS = "/api/v1/access-keys"
ALL_KEYS = "/api/v1/administration/access-keys"
OLDER_KEYS = "/api/v1/user-applications"
ALL_OLDER_KEYS = "/api/v1/administration/user-applications"
ACCOUNTS = "/api/v1/service-accounts"
APPS = "/api/v1/apps"
OWN_RULES = "/api/v1/authorization/me/access-rules"


@pytest.fixture
def key(admin: Api):
    """An access key of the administrator."""
    made = admin.create_access_key()
    yield made
    admin.send("DELETE", f"{KEYS}/{made.id}")


@pytest.fixture
def no_keys(admin: Api):
    """Before and after, the administrator has none."""
    delete_all(admin)
    yield
    delete_all(admin)


def delete_all(admin: Api) -> None:
    for one in admin.call("GET", KEYS)["accessKeys"]:
        admin.call("DELETE", f"{KEYS}/{one['id']}", status=204)


def ids(entries: list[dict]) -> list[str]:
    return [entry["id"] for entry in entries]


def run(runapy_1, account: Account, *calls: tuple[str, dict]) -> list[dict]:
    return runapy_1("calls", account, calls=[list(call) for call in calls])


# --- apps -----------------------------------------------------------------------------------------


def test_check_15_apps_are_service_accounts(world: World, administrator, runapy_1):
    name = Api.fresh_name("app")
    made, again = run(runapy_1, administrator, *[("applications.create_application", {
        "application_creation_request": {
            "model": "ApplicationCreationRequest", "name": name}})] * 2)
    assert made["status"] == 201
    assert set(made["data"]) == {"id", "name", "clientId", "secret"}
    assert (again["error"], again["status"]) == ("ConflictException", 409)
    id, secret = made["data"]["id"], made["data"]["secret"]
    world.secrets.add(secret)
    one = world.admin.call("GET", f"{ACCOUNTS}/{id}")
    read, listed, fresh, disabled, deleted, gone = run(
        runapy_1, administrator,
        ("applications.get_application_by_id", {"app_id": id}),
        ("applications.get_applications", {}),
        ("applications.regenerate_application_secret", {"app_id": id}),
        ("applications.update_application_by_id", {"app_id": id, "application_patch_request": {
            "model": "ApplicationPatchRequest", "enabled": False}}),
        ("applications.delete_application_by_id", {"app_id": id}),
        ("applications.get_application_by_id", {"app_id": id}))
    assert read["data"] == one and one in listed["data"]
    assert set(fresh["data"]) == {"secret"}
    world.secrets.add(fresh["data"]["secret"])
    assert (disabled["status"], disabled["data"]) == (200, None)
    assert (deleted["status"], gone["status"]) == (204, 404)
    assert world.admin.send("GET", f"{ACCOUNTS}/{id}").status_code == 404


def test_check_15_both_lists_are_one(admin: Api):
    account = admin.create_account()
    apps, accounts = admin.call("GET", APPS), admin.call("GET", ACCOUNTS)
    assert apps == accounts and account.id in ids(apps)
    assert admin.call("GET", f"{APPS}/{account.id}")["name"] == account.name


def test_apps_are_guarded_as_service_accounts_are(admin: Api):
    account = admin.create_account()
    _, viewer = admin.member("Viewer", "tenant", "1")
    _, reader = admin.member("Editor", "tenant", "1")  # may read them
    for api, statuses in ((viewer, {403}), (reader, {200, 403})):
        seen = set()
        for method, tail, body in (("GET", "", None), ("POST", "", {"name": "never"}),
                                   ("GET", f"/{account.id}", None),
                                   ("PATCH", f"/{account.id}", {"enabled": False}),
                                   ("DELETE", f"/{account.id}", None),
                                   ("POST", f"/{account.id}/secret", None)):
            new, old = (api.send(method, f"{path}{tail}", json=body) for path in (ACCOUNTS, APPS))
            assert new.status_code == old.status_code, describe(old)
            seen.add(old.status_code)
        assert seen == statuses
    admin.account_token(account)


# --- own keys -------------------------------------------------------------------------------------


def test_check_16_a_key_acts_with_its_owner_s_rights(world: World, key: Account, runapy_1):
    admin = world.admin
    assert re.fullmatch(r"ak-[a-z2-7]{16}", key.client_id)
    assert re.fullmatch(r"clvk_[0-9A-Za-z]{49}", key.secret)
    api = admin.as_caller(admin.account_token(key))
    assert api.call("GET", OWN_RULES) == admin.call("GET", OWN_RULES)
    outcome, = run(runapy_1, key, ("me.get_me_access_rules", {}))
    assert outcome["data"] == admin.call("GET", OWN_RULES)
    # What the owner may do at this moment counts, not what it was when the token was made.
    project = admin.create_project(admin.create_cluster())
    before = api.call("GET", f"{OWN_RULES}/count")["count"]
    admin.give_role(ADMIN_EMAIL, "Viewer", "project", project, "user")
    assert api.call("GET", f"{OWN_RULES}/count")["count"] == before + 1


def test_check_16_key_by_key(world: World, key: Account):
    """A token of a key may make keys: they are no wider than the token."""
    api = world.admin.as_caller(world.admin.account_token(key))
    second = api.create_access_key()
    assert second.id in ids(world.admin.call("GET", KEYS)["accessKeys"])
    assert world.anonymous.try_account(second.client_id, second.secret).status_code == 200
    assert api.send("DELETE", f"{KEYS}/{second.id}").status_code == 204
    assert world.anonymous.try_account(second.client_id, second.secret).status_code == 400
    # One that deletes itself has made its last call.
    assert api.send("DELETE", f"{KEYS}/{key.id}").status_code == 204
    assert api.send("GET", KEYS).status_code == 401


def test_all_of_access_keys_with_runapy(world: World, key: Account, runapy_1):
    name = Api.fresh_name("key")
    made, again, listed = run(
        runapy_1, key, *[("access_keys.create_access_key1", {"access_key_creation_request1": {
            "model": "AccessKeyCreationRequest1", "name": name}})] * 2,
        ("access_keys.get_access_keys", {}))
    assert made["status"] == 201 and again["status"] == 409
    assert set(made["data"]) == {"id", "name", "clientId", "clientSecret", "createdAt"}
    id = made["data"]["id"]
    world.secrets.add(made["data"]["clientSecret"])
    assert id in ids(listed["data"]["accessKeys"])
    read, fresh, one, all_of_them, deleted, gone = run(
        runapy_1, key,
        ("access_keys.get_access_key_by_id1", {"access_key_id": id}),
        ("access_keys.regenerate_access_key_secret", {"access_key_id": id}),
        ("access_keys.get_access_keys_administration", {"client_id": made["data"]["clientId"]}),
        ("access_keys.get_access_keys_administration", {"created_by": ADMIN_EMAIL}),
        ("access_keys.delete_access_key_by_id", {"access_key_id": id}),
        ("access_keys.delete_access_key_by_id", {"access_key_id": id}))
    assert set(read["data"]) == {"id", "name", "clientId", "createdAt", "lastLogin"}
    assert read["data"]["lastLogin"] is None
    assert set(fresh["data"]) == {"clientSecret"}
    world.secrets.add(fresh["data"]["clientSecret"])
    assert one["data"]["accessKeys"] == [{**read["data"], "createdBy": ADMIN_EMAIL}]
    assert set(ids(all_of_them["data"]["accessKeys"])) >= {id, key.id}
    assert (deleted["status"], deleted["data"], gone["status"]) == (204, None, 404)
    third = world.admin.create_access_key()
    by_administration, = run(runapy_1, key, (
        "access_keys.delete_access_key_by_id_administration", {"access_key_id": third.id}))
    assert by_administration["status"] == 204


def test_all_of_user_applications_with_runapy(world: World, key: Account, runapy_1):
    name = Api.fresh_name("key")
    made, listed, everybody_s = run(
        runapy_1, key, ("user_applications.create_user_application", {
            "user_app_creation_request": {"model": "UserAppCreationRequest", "name": name}}),
        ("user_applications.get_user_applications", {}),
        ("user_applications.get_user_applications_administration", {"created_by": ADMIN_EMAIL}))
    assert made["status"] == 201
    assert set(made["data"]) == {"id", "name", "clientId", "secret", "createdAt"}
    id = made["data"]["id"]
    world.secrets.add(made["data"]["secret"])
    assert listed["data"] == world.admin.call("GET", KEYS)["accessKeys"]
    assert everybody_s["data"] == world.admin.call("GET", ALL_KEYS)["accessKeys"]
    read, fresh, deleted, gone = run(
        runapy_1, key,
        ("user_applications.get_user_application_by_id", {"app_id": id}),
        ("user_applications.regenerate_user_application_secret", {"app_id": id}),
        ("user_applications.delete_user_application_by_id", {"app_id": id}),
        ("user_applications.delete_user_application_by_id_administration", {"app_id": id}))
    assert read["data"]["name"] == name
    assert set(fresh["data"]) == {"clientSecret"}
    world.secrets.add(fresh["data"]["clientSecret"])
    assert (deleted["status"], gone["status"]) == (204, 404)


def test_last_login_is_of_the_key(world: World, key: Account):
    def last_login():
        return world.admin.call("GET", f"{KEYS}/{key.id}")["lastLogin"]

    assert last_login() is None
    world.anonymous.account_token(key)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", last_login())


def test_regeneration_ends_the_old_secret_and_its_tokens(world: World, key: Account):
    api = world.admin.as_caller(world.admin.account_token(key))
    fresh = world.admin.call("POST", f"{KEYS}/{key.id}/secret", status=200)["clientSecret"]
    world.secrets.add(fresh)
    assert api.send("GET", KEYS).status_code == 401
    assert world.anonymous.try_account(key.client_id, key.secret).status_code == 400
    assert world.anonymous.try_account(key.client_id, fresh).status_code == 200


def test_check_17_twenty_keys(admin: Api, no_keys):
    made = [admin.create_access_key() for _ in range(20)]
    answer = admin.send("POST", KEYS, json={"name": "one-more"})
    assert answer.status_code == 400, describe(answer)
    assert "20" in answer.json()["message"]
    assert admin.send("POST", OLDER_KEYS, json={"name": "one-more"}).status_code == 400
    admin.call("DELETE", f"{KEYS}/{made[7].id}")
    admin.create_access_key("one-more")


def test_check_17_twenty_however_many_ask_at_once(admin: Api, no_keys):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda number: admin.send("POST", KEYS, json={"name": f"at-once-{number}"}), range(40)))
    statuses = [answer.status_code for answer in answers]
    admin.secrets.update(answer.json()["clientSecret"] for answer in answers
                         if answer.status_code == 201)
    assert sorted(statuses) == [201] * 20 + [400] * 20
    assert len(admin.call("GET", KEYS)["accessKeys"]) == 20


@pytest.mark.parametrize("name", ["A1", "a", "1a", "a-", "a b", "a\n", ""])
def test_bad_names(admin: Api, name):
    for path in (KEYS, OLDER_KEYS):
        assert admin.send("POST", path, json={"name": name}).status_code == 400


def test_a_service_account_has_no_keys(world: World):
    _, api = world.admin.member("System administrator", "tenant", "1")
    for path, empty in ((KEYS, {"accessKeys": []}), (OLDER_KEYS, [])):
        assert api.call("GET", path) == empty
        answer = api.send("POST", path, json={"name": "persist"})
        assert answer.status_code == 403, describe(answer)
        assert "ecret\":" not in answer.text


# --- administration -------------------------------------------------------------------------------


def test_check_18_names_are_of_their_owners(admin: Api):
    name = Api.fresh_name("k")
    first, second = admin.person(), admin.person()
    keys = [caller.create_access_key(name) for caller in (first, second)]
    assert keys[0].client_id != keys[1].client_id
    answer = first.send("POST", KEYS, json={"name": name})
    assert answer.status_code == 409, describe(answer)
    assert ids(first.call("GET", KEYS)["accessKeys"]) == [keys[0].id]


def test_check_19_administration(world: World, key: Account):
    admin = world.admin
    listed = admin.call("GET", ALL_KEYS, params={"createdBy": ADMIN_EMAIL})["accessKeys"]
    assert key.id in ids(listed)
    assert {one["createdBy"] for one in listed} == {ADMIN_EMAIL}
    assert ids(admin.call("GET", ALL_KEYS, params={"clientId": key.client_id})["accessKeys"]) == [
        key.id]
    for nothing in ({"createdBy": "nobody@first.example"}, {"clientId": "ak-aaaaaaaaaaaaaaaa"},
                    {"clientId": key.client_id, "createdBy": "nobody@first.example"},
                    {"clientId": key.client_id[:-1]}):
        assert admin.call("GET", ALL_KEYS, params=nothing) == {"accessKeys": []}
    assert ids(admin.call("GET", ALL_OLDER_KEYS, params={"clientId": key.client_id})) == [key.id]
    answer = admin.send("DELETE", f"{ALL_KEYS}/{key.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert world.anonymous.try_account(key.client_id, key.secret).status_code == 400
    assert admin.send("DELETE", f"{ALL_OLDER_KEYS}/{key.id}").status_code == 404


def test_administration_needs_its_permission(admin: Api, key: Account):
    _, api = admin.member("Editor", "tenant", "1")
    for path in (ALL_KEYS, ALL_OLDER_KEYS):
        for method, tail in (("GET", ""), ("DELETE", f"/{key.id}")):
            answer = api.send(method, path + tail)
            assert answer.status_code == 403, describe(answer)
            assert key.client_id not in answer.text
    admin.account_token(key)
