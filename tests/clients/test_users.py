# SPDX-License-Identifier: Apache-2.0
"""Contract checks 48 to 50 and what else there is to users (contract 2.5)."""
from __future__ import annotations

import base64

import pytest
from scenario.api import Api, User, describe
from scenario.server import ADMIN_EMAIL, ADMIN_PASSWORD

from .world import World

PATH = "/api/v1/users"
OWN_PASSWORD = "/api/v1/me/password"
NEW_PASSWORD = "meadow-Orchid-73-lantern-quarry"
REALM_TOKEN = "/auth/realms/runai/protocol/openid-connect/token"


def sign_in(world: World, user: User, password: str | None = None):
    return world.anonymous.try_token({"grantType": "password", "username": user.email,
                                      "password": password or user.password})


def refresh(world: World, token: str):
    return world.anonymous.try_token({"grantType": "refresh_token", "refreshToken": token})


def change_password(api: Api, current: str, new: str = NEW_PASSWORD, **more):
    api.secrets.add(new)
    return api.send("POST", OWN_PASSWORD, json={"currentPassword": current, "newPassword": new},
                    **more)


def basic(email: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{email}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def signed_in(world: World, user: User) -> Api:
    return world.anonymous.as_caller(world.anonymous.user_token(user.email, user.password))


# --- create, list, read, delete -------------------------------------------------------------------


def test_check_48_runapy_lists_and_creates(world: World, administrator, runapy_1):
    email = Api.fresh_email("runapy")
    creation = ["users.create_user", {"user_creation_request1": {
        "model": "UserCreationRequest1", "email": email}}]
    first, second, listed, counted = runapy_1("calls", administrator, calls=[
        creation, creation,
        ["users.get_users", {"filter_by": [f"username=={email}"],
                             "sort_by": {"member": "UsersFilterSortFields.CREATIONTIME"}}],
        ["users.count_users", {"filter_by": [f"username=={email}"]}]])
    assert first["status"] == 201
    assert set(first["data"]) == {"id", "username", "tempPassword"}
    world.secrets.add(first["data"]["tempPassword"])
    assert (second["error"], second["status"]) == ("ConflictException", 409)
    one, = listed["data"]
    assert one["id"] == first["data"]["id"] and one["username"] == email
    assert one["isLocal"] is True and one["groups"] == [] and one["lastLogin"] is None
    assert counted["data"] == {"count": 1}


def test_check_48_runapy_reads_signs_out_resets_and_deletes(world: World, administrator, runapy_1):
    user = world.admin.create_user()
    by_id = {"user_id": user.id}
    read, out, reset, gone, again = runapy_1("calls", administrator, calls=[
        ["users.get_user_by_id", by_id], ["users.logout_user", by_id],
        ["users.reset_user_password", by_id], ["users.delete_user_by_id", by_id],
        ["users.delete_user_by_id", by_id]])
    assert read["data"]["username"] == user.email
    assert read["data"]["createdBy"] == ADMIN_EMAIL
    assert (out["status"], out["data"]) == (200, None)
    assert set(reset["data"]) == {"tempPassword"}
    world.secrets.add(reset["data"]["tempPassword"])
    assert (gone["status"], gone["data"]) == (204, None)
    assert again["error"] == "NotFoundException"


def test_runapy_models_accept_what_is_answered(world: World, runapy_1_script):
    user = world.admin.create_user()
    answer = world.admin.call("GET", f"{PATH}/{user.id}")
    runapy_1_script.call("read_strictly", model="User2", values=[answer], url=world.url)


@pytest.mark.parametrize("email", ["victim@a.example@evil.example", "a b@c.io", "nobody", "",
                                   "a@b", "@b.io", "a@b.i1"])
def test_bad_addresses(admin: Api, email):
    assert admin.send("POST", PATH, json={"email": email}).status_code == 400


def test_another_case_is_the_same_user(world: World):
    email = Api.fresh_email("Mixed.Case")
    user = world.admin.create_user(email)
    assert user.email == email.lower()
    answer = world.admin.send("POST", PATH, json={"email": email.upper()})
    assert answer.status_code == 409, describe(answer)


def test_last_login(world: World):
    user = world.admin.create_user()
    assert world.admin.call("GET", f"{PATH}/{user.id}")["lastLogin"] is None
    signed_in(world, user)
    assert world.admin.call("GET", f"{PATH}/{user.id}")["lastLogin"] is not None


def test_lists_are_filtered_sorted_and_paged(admin: Api):
    mark = Api.fresh_name("listed")
    users = [admin.create_user(f"{letter}-{mark}@users.example") for letter in "cab"]

    def names(**query: object) -> list[str]:
        rows = admin.call("GET", PATH, params={"filterBy": f"username=@{mark}", **query})
        return [row["username"][0] for row in rows]

    assert names() == ["c", "a", "b"]  # as they were created
    assert names(sortOrder="desc") == ["b", "a", "c"]
    assert names(sortBy="username") == ["a", "b", "c"]
    assert names(sortBy="UsersFilterSortFields.USERNAME", sortOrder="desc") == ["c", "b", "a"]
    assert names(sortBy="creationTime", offset=1, limit=1) == ["a"]
    assert names(search="b-LISTED") == ["b"]
    assert names(filter="runai.is_local:true") == ["c", "a", "b"]
    assert names(filter="runai.is_local:false") == []
    made = admin.call("GET", f"{PATH}/{users[1].id}")["createdAt"]
    assert names(filterBy=f"username=@{mark},creationTime>={made}") == ["a", "b"]
    assert names(filterBy=f"username=@{mark},isLocal==true,createdBy=={ADMIN_EMAIL}") == [
        "c", "a", "b"]
    assert admin.call("GET", f"{PATH}/count", params={"search": mark}) == {"count": 3}


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=501", "offset=-1", "offset=1e3",
                                   "offset=9223372036854775808", "sortBy=password",
                                   "filterBy=password==x", "filter=runai.is_local"])
def test_bad_questions(admin: Api, query):
    assert admin.send("GET", f"{PATH}?{query}").status_code == 400


def test_counts_are_for_those_who_may_list(world: World):
    user = world.admin.create_user()
    for path in (PATH, f"{PATH}/count", f"{PATH}/{user.id}"):
        answer = signed_in(world, user).send("GET", path)
        assert answer.status_code == 403, describe(answer)
        assert "count" not in answer.json()


def test_a_deleted_user_leaves_nothing_to_the_next(world: World):
    user = world.admin.create_user()
    rule = world.admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    tokens = sign_in(world, user).json()
    world.admin.call("DELETE", f"{PATH}/{user.id}", status=204)
    assert world.admin.send("GET", f"/api/v1/authorization/access-rules/{rule}").status_code == 404
    answer = world.anonymous.send("GET", "/api/v1/authorization/permissions",
                                  token=tokens["accessToken"])
    assert answer.status_code == 401
    assert refresh(world, tokens["refreshToken"]).status_code == 400
    next_user = world.admin.create_user(user.email)
    assert next_user.id != user.id
    answer = signed_in(world, next_user).call("GET", "/api/v1/authorization/permissions")
    assert answer == []


def test_the_last_administrator_stays(new_world):
    world = new_world()
    users = world.admin.call("GET", PATH)
    admin, = users
    answer = world.admin.send("DELETE", f"{PATH}/{admin['id']}")
    assert answer.status_code == 409, describe(answer)
    other = world.admin.create_user()
    world.admin.give_role(other.email, "System administrator", "tenant", "1", "user")
    world.admin.call("DELETE", f"{PATH}/{admin['id']}", status=204)
    answer = signed_in(world, other).send("DELETE", f"{PATH}/{other.id}")
    assert answer.status_code == 409, describe(answer)


def test_nobody_takes_over_somebody_with_more_rights(world: World):
    """Whoever resets a password, or creates an account for rules that wait, knows the password."""
    _, manager = world.admin.member("Viewer", "tenant", "1")
    strong = world.admin.create_user()
    world.admin.give_role(strong.email, "System administrator", "tenant", "1", "user")
    # There is no predefined role with users:update and little else: a System administrator of one
    # cluster does not reach users at all.
    cluster = world.admin.create_cluster()
    _, local = world.admin.member("System administrator", "cluster", cluster)
    for api in (manager, local):
        for method, path in (("POST", f"{PATH}/{strong.id}/password"),
                             ("POST", f"{PATH}/{strong.id}/logout"),
                             ("DELETE", f"{PATH}/{strong.id}")):
            answer = api.send(method, path)
            assert answer.status_code == 403 and "tempPassword" not in answer.text
    assert sign_in(world, strong).status_code == 200


# --- signing out ----------------------------------------------------------------------------------


def test_check_50_logout(world: World):
    user = world.admin.create_user()
    world.admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    tokens = sign_in(world, user).json()
    api = world.anonymous.as_caller(tokens["accessToken"])
    api.call("GET", "/api/v1/authorization/permissions")
    answer = world.admin.send("POST", f"{PATH}/{user.id}/logout")
    assert answer.status_code == 200 and answer.content == b""
    for token in (tokens["accessToken"], tokens["idToken"]):
        answer = api.send("GET", "/api/v1/authorization/permissions", token=token)
        assert answer.status_code == 401, describe(answer)
    assert refresh(world, tokens["refreshToken"]).status_code == 400
    assert sign_in(world, user).status_code == 200


# --- passwords ------------------------------------------------------------------------------------


def test_check_49_own_password(world: World):
    user = world.admin.create_user()
    world.admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    tokens = sign_in(world, user).json()
    api = world.anonymous.as_caller(tokens["accessToken"])
    answer = change_password(api, user.password)
    assert answer.status_code == 200 and answer.json() == {}
    assert sign_in(world, user).status_code == 400
    assert refresh(world, tokens["refreshToken"]).status_code == 400
    answer = api.send("GET", "/api/v1/authorization/permissions")
    assert answer.status_code == 401, "the caller's own token ends as well"
    assert sign_in(world, user, NEW_PASSWORD).status_code == 200


@pytest.mark.parametrize("bad", ["short", "passwordpassword", "a" * 5000, "qwertyuiopasdfgh"])
def test_weak_passwords(world: World, bad):
    user = world.admin.create_user()
    answer = signed_in(world, user).send("POST", OWN_PASSWORD, json={
        "currentPassword": user.password, "newPassword": bad})
    assert answer.status_code == 400 and answer.json()["message"]
    for same in (user.password, f"{user.email}-1"):
        answer = signed_in(world, user).send("POST", OWN_PASSWORD, json={
            "currentPassword": user.password, "newPassword": same})
        assert answer.status_code == 400, describe(answer)
    assert sign_in(world, user).status_code == 200


def test_a_wrong_current_password(world: World):
    user = world.admin.create_user()
    answer = change_password(signed_in(world, user), "wrong-" + user.password)
    assert answer.status_code == 400 and "currentPassword" in answer.json()["message"]
    answer = change_password(world.anonymous, "wrong", headers=basic(user.email, "wrong"))
    assert answer.status_code == 401, describe(answer)
    unknown = change_password(world.anonymous, "wrong", headers=basic("no@body.example", "wrong"))
    assert unknown.status_code == 401
    assert unknown.json()["message"] == answer.json()["message"]
    for headers in (basic(user.email, user.password), {"Authorization": "Basic"},
                    {"Authorization": "Basic !"}):
        answer = change_password(world.anonymous, "wrong", headers=headers)
        assert answer.status_code in (400, 401), describe(answer)
    assert sign_in(world, user).status_code == 200


def test_a_temporary_password_is_changed_first(world: World):
    user = world.admin.create_user(resetPassword=True, notify=True)
    answers = [sign_in(world, user)]
    for path in ("/api/v2/token", REALM_TOKEN):
        answers.append(world.anonymous.send("POST", path, data={
            "grant_type": "password", "username": user.email, "password": user.password}))
    for answer in answers:
        assert answer.status_code in (400, 401) and OWN_PASSWORD in answer.text, describe(answer)
    answer = change_password(world.anonymous, user.password,
                             headers=basic(user.email, user.password))
    assert answer.status_code == 200, describe(answer)
    assert sign_in(world, user).status_code == 400
    assert sign_in(world, user, NEW_PASSWORD).status_code == 200


def test_a_reset_ends_everything(world: World):
    user = world.admin.create_user()
    world.admin.give_role(user.email, "Viewer", "tenant", "1", "user")
    tokens = sign_in(world, user).json()
    answer = world.admin.call("POST", f"{PATH}/{user.id}/password", status=200)
    world.secrets.add(answer["tempPassword"])
    assert refresh(world, tokens["refreshToken"]).status_code == 400
    for password in (user.password, answer["tempPassword"]):
        assert sign_in(world, user, password).status_code == 400
    changed = change_password(world.anonymous, answer["tempPassword"],
                              headers=basic(user.email, answer["tempPassword"]))
    assert changed.status_code == 200, describe(changed)


def test_accounts_change_no_passwords(world: World):
    api = world.admin.as_caller(world.admin.account_token(world.admin.create_account()))
    answer = change_password(api, ADMIN_PASSWORD)
    assert answer.status_code == 403, describe(answer)
