# SPDX-License-Identifier: Apache-2.0
"""The rows of family ADM, on one server, in the order of the file; and those that are stories."""
import csv
import io

import pytest

from . import family as attacks
from .administration import PASSWORD, RULES, make_user, member_token
from .server import ADMIN_PASSWORD
from .verdicts import issued_token

SCOPES = "/api/v1/authorization/permitted-scopes"


@pytest.fixture(scope="module")
def family():
    yield from attacks.open_family("ADM")


@pytest.fixture
def world(family):
    return family.world


@pytest.mark.parametrize("case", attacks.cases("ADM"))
def test_row(family, case):
    family.run(case)


def test_the_last_administrator_of_a_tenant_cannot_be_deleted(world):
    """ADM-022."""
    password = world.server.folder / "c.password"
    password.write_text(ADMIN_PASSWORD)
    password.chmod(0o600)
    world.server.run_command("tenant", "add", "c", "--name", "C", "--host", "c.example",
                             "--admin-email", "only@c.example",
                             "--admin-password-file", str(password))
    host = f"c.example:{world.server.address[1]}"
    token = world.sign_in("only@c.example", host)
    user = world.call("GET", "/api/v1/users", token=token, host=host)[0]
    answer = world.send("DELETE", f"/api/v1/users/{user['id']}", token=token, host=host)
    assert answer.status == 409, answer.text()
    assert world.send("GET", "/api/v1/users", token=token, host=host).status == 200


def test_a_name_that_is_used_again_inherits_nothing(world):
    """ADM-032."""
    first = world.make_account("ci-bot")
    world.give_role(first, "Viewer", "project", world.project)
    old = world.token_of(first)
    world.call("DELETE", f"/api/v1/service-accounts/{first.id}")
    second = world.make_account("ci-bot")
    scopes = world.call("POST", SCOPES, {"resourceType": "project"}, token=world.token_of(second))
    assert world.project not in str(scopes)
    assert second.id != first.id
    assert world.send("GET", "/api/v1/authorization/permissions", token=old).status == 401


def test_a_new_secret_is_no_way_to_more_rights(world):
    """Whoever manages accounts cannot make themselves what an account is."""
    operator = member_token(world, "Cloud operator", "tenant", "1")
    harmless, administrator = world.make_account(), world.make_account()
    world.give_role(administrator, "System administrator", "project", world.project)
    for accounts in ("service-accounts", "apps"):
        answer = world.send("POST", f"/api/v1/{accounts}/{administrator.id}/secret",
                            token=operator)
        assert answer.status == 403 and "more than you do" in answer.text(), answer.text()
        made = world.call("POST", f"/api/v1/{accounts}/{harmless.id}/secret", token=operator)
        world.secrets |= set(made.values())
    assert world.token_of(administrator)  # its own secret is still good


def test_a_key_is_worth_what_its_user_is(world):
    """ADM-040: keys made with a key, and kept when their user loses rights."""
    _, user = make_user(world, role="Viewer", scope=("project", world.project))
    made = world.call("POST", "/api/v1/access-keys", {"name": "first"}, token=user)
    world.secrets.add(made["clientSecret"])
    pair = {"grantType": "client_credentials", "clientId": made["clientId"],
            "clientSecret": made["clientSecret"]}
    with_key = world.token_for(pair, None)
    answer = world.send("POST", "/api/v1/access-keys", {"name": "second"}, token=with_key)
    assert answer.status in (201, 403), answer.text()
    tokens = [with_key]
    if answer.status == 201:
        second = answer.json()
        world.secrets.add(second["clientSecret"])
        tokens.append(world.token_for({**pair, "clientId": second["clientId"],
                                       "clientSecret": second["clientSecret"]}, None))
    own = world.call("GET", "/api/v1/authorization/permissions", token=user)
    for token in tokens:
        assert world.call("GET", "/api/v1/authorization/permissions", token=token) == own
        assert world.send("GET", "/api/v1/users", token=token).status == 403


def test_no_cell_of_the_audit_file_is_a_formula(world):
    """ADM-065: names that a spreadsheet would run are quoted."""
    formulas = ("=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "+1+1", "-1+1")
    for group in formulas:
        world.call("POST", RULES, {"subjectId": group, "subjectType": "group",
                                   "roleId": world.roles["Viewer"], "scopeType": "project",
                                   "scopeId": world.project})
    path = "/api/v1/audit/log/file?start=2026-01-01T00:00:00Z&end=2036-01-01T00:00:00Z" \
           "&numberOfSamples=1000&sortOrder=desc"
    answer = world.send("GET", path, token=world.admin)
    assert answer.status == 200, answer.text()
    assert answer.header("content-disposition")[0].startswith("attachment")
    assert answer.header("x-content-type-options") == ["nosniff"]
    cells = [cell for row in csv.reader(io.StringIO(answer.text())) for cell in row]
    assert [cell for cell in cells if cell.lstrip("'") in formulas]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_logged_out_is_out(world):
    """ADM-076: also who got a token by a refresh token."""
    user, token = make_user(world, role="Viewer", scope=("project", world.project))
    email = world.call("GET", f"/api/v1/users/{user}")["username"]
    grant = world.send("POST", "/api/v1/token", {
        "grantType": "password", "username": email, "password": PASSWORD}).json()
    world.secrets |= {grant["accessToken"], grant["refreshToken"]}
    world.call("POST", f"/api/v1/users/{user}/logout")
    for one in (token, grant["accessToken"]):
        assert world.send("GET", "/api/v1/authorization/permissions", token=one).status == 401
    refreshed = world.send("POST", "/api/v1/token", {
        "grantType": "refresh_token", "refreshToken": grant["refreshToken"]})
    assert refreshed.status == 400 and not issued_token(refreshed), refreshed.text()


def test_a_lost_answer_leaves_one_secret(world):
    """ADM-089: the server dies after the commit; what is asked for again works, nothing else."""
    account = world.make_account()
    path = f"/api/v1/service-accounts/{account.id}/secret"
    lost = world.call("POST", path)["clientSecret"]
    world.secrets.add(lost)
    world.server.process.kill()
    world.server.process.wait()
    world.server.start()
    world.admin = world.sign_in("admin@a.example")
    last = world.call("POST", path)["clientSecret"]
    world.secrets.add(last)
    statuses = [world.send("POST", "/api/v1/token", {
        "grantType": "client_credentials", "clientId": account.client_id,
        "clientSecret": secret}).status for secret in (account.secret, lost, last)]
    assert statuses == [400, 400, 200]


def test_rights_end_where_a_department_administrator_s_do(world):
    """A rule that was given below can be taken by whoever has more, and by nobody beside."""
    body = {"name": f"beside-{world.made}", "clusterId": world.cluster, "resources": []}
    beside = world.call("POST", "/api/v1/org-unit/departments", body)["id"]
    stranger = member_token(world, "Department administrator", "department", beside)
    account = world.make_account()
    rule = world.give_role(account, "Viewer", "project", world.project)
    assert world.send("DELETE", f"{RULES}/{rule}", token=stranger).status == 403
    assert world.send("GET", f"{RULES}/{rule}", token=stranger).status == 403
    assert world.send("DELETE", f"{RULES}/{rule}", token=world.admin).status == 204


def test_no_secret_is_written(family):
    attacks.check_secrets(family)
