# SPDX-License-Identifier: Apache-2.0
"""Every operation of our document, also those added later, as every kind of caller: the status is
the model's, and whoever is refused has changed nothing."""
from __future__ import annotations

import pytest
from clients.operations import OWN_PASSWORD, Operation, all_operations
from clients.world import World
from scenario.api import Api, describe

from .model import DENIED, ROOT, UNAUTHENTICATED, UNKNOWN, Model, Rule
from .stage import Stage, node_of_row, open_observer, open_other_tenant, rows_of

# What is read first, so that lists are still short.
OPERATIONS = sorted(all_operations(), key=lambda operation: operation.changes_state)
GUARDED = [operation for operation in OPERATIONS if operation.needs_token]
OPEN = [operation for operation in OPERATIONS if not operation.needs_token]
LONGEST_PAGE = 500


def each(operations: list[Operation]):
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def observer(shared_world: World) -> Api:
    return open_observer(shared_world)


@pytest.fixture(scope="module")
def model(observer: Api) -> Model:
    roles = observer.call("GET", "/api/v1/authorization/roles")
    return Model({role["name"]: frozenset(
        f"{permission['resourceType']}:{action}" for permission in role["permissions"]
        for action in permission["actions"]) for role in roles})


@pytest.fixture(scope="module")
def stage(shared_world: World, observer: Api, model: Model) -> Stage:
    """For all that changes nothing: whoever reads, and whoever is refused."""
    return Stage(shared_world, observer, model)


@pytest.fixture(scope="module")
def stranger(shared_world: World) -> Api:
    return open_other_tenant(shared_world)


def test_there_are_operations():
    assert len(GUARDED) > 20 and len(OPEN) > 5


@each(OPERATIONS)
def test_a_request_can_be_made(stage: Stage, operation: Operation):
    """Otherwise say in Targets (tests/clients/operations.py) what the operation works on."""
    assert stage.targets.knows(operation)
    stage.targets.query(operation)
    if operation.place == "request":
        assert stage.named_node(operation) is not None


# --- callers without rights -----------------------------------------------------------------------


@each(GUARDED)
@pytest.mark.parametrize("header", [None, "Bearer garbage", "Bearer e30.e30.e30"],
                         ids=["nothing", "garbage", "unsigned"])
def test_without_a_token(world: World, stage: Stage, operation: Operation, header):
    headers = {} if header is None else {"Authorization": header}
    before = stage.change_count(operation)
    answer = stage.send(operation, world.anonymous, headers=headers)
    assert answer.status_code == UNAUTHENTICATED, describe(answer)
    assert answer.json()["code"] == UNAUTHENTICATED
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert stage.change_count(operation) == before


@each(OPEN)
def test_open_operations_read_no_token(world: World, stage: Stage, operation: Operation):
    statuses = {stage.send(operation, api, headers=headers).status_code
                for api, headers in ((world.anonymous, {}), (world.admin, {}),
                                     (world.anonymous, {"Authorization": "Bearer garbage"}))}
    assert len(statuses) == 1 and not statuses & {DENIED, UNAUTHENTICATED}, statuses


# --- callers with rules ---------------------------------------------------------------------------


def rules_of(kind: str, stage: Stage, operation: Operation) -> list[Rule]:
    if kind == "no rights" or operation.permission is None:
        return []
    if kind == "reader":
        return [Rule("Viewer", ROOT)]
    node = stage.right_node(operation)
    role = stage.model.right_role(stage.question(operation), node)
    if kind == "right scope":
        return [Rule(role, node)]
    if kind == "above":
        return [Rule(role, ROOT)]
    if kind == "wrong scope":
        return [Rule(role, stage.other_cluster)]
    if kind == "below":
        return [Rule(role, stage.lower_node(node))]
    # A role without this permission, if there is one, at one place, and the right one at another.
    others = [name for name, permissions in sorted(stage.model.roles.items())
              if operation.permission not in permissions][:1]
    places = (node, stage.other_cluster)
    here, there = places if kind == "rights that do not meet" else places[::-1]
    return [*(Rule(other, here) for other in others), Rule(role, there)]


NEVER_ENOUGH = ("no rights", "wrong scope", "below", "rights that do not meet")
ENOUGH = ("right scope", "above", "rights that add up")


@each(GUARDED)
@pytest.mark.parametrize("kind", ["reader", *NEVER_ENOUGH, *ENOUGH])
def test_rights(world: World, model: Model, stage: Stage, operation: Operation, kind: str):
    question = stage.question(operation)
    expected = model.status(question, rules_of(kind, stage, operation))
    is_permitted = expected == question.success
    check_the_model_says_something(operation, kind, is_permitted)
    # Later stages make room for their access key by deleting that of earlier ones.
    names_key = "accessKeyId" in operation.path_parameters()
    if is_permitted and (operation.changes_state or names_key):
        stage = Stage(world, stage.admin, model)  # which this may change
        stage.empty_what_is_deleted(operation)
    rules = rules_of(kind, stage, operation)
    caller = stage.caller(*rules)
    before, seen_before = stage.change_count(operation), read_back(stage, operation)
    answer = stage.send(operation, caller)
    assert answer.status_code == expected, describe(answer)
    if not is_permitted:
        assert stage.change_count(operation) == before
        assert read_back(stage, operation) == seen_before
    if expected == DENIED and operation.permission:
        assert operation.permission in answer.json()["details"] or stage.role_given(operation)
    if answer.status_code == 200 and operation.is_list_within_reach:
        check_rows(stage, operation, caller, rules)


@pytest.fixture(scope="module")
def person(shared_world: World) -> Api:
    return shared_world.admin.person("System administrator")


@each(GUARDED)
def test_an_administrator_may_everything(world: World, model: Model, stage: Stage, person: Api,
                                         operation: Operation):
    """Who is a person, and so may also what no service account can."""
    ends_itself = operation.path == OWN_PASSWORD
    api = world.admin.person("System administrator") if ends_itself else person
    observer = Api(world.server.url, token=api.token, secrets=world.secrets)
    if operation.changes_state or operation.path_parameters():
        stage = Stage(world, observer, model)
        stage.empty_what_is_deleted(operation)
    answer = stage.send(operation, api)
    success = DENIED if operation.needs_a_key else stage.question(operation).success
    assert answer.status_code == success, describe(answer)


def check_the_model_says_something(operation: Operation, kind: str, is_permitted: bool) -> None:
    """That of two callers who differ in their rules, one is refused."""
    if operation.permission is None:
        return
    if kind in ENOUGH:
        assert is_permitted
    if kind == "no rights" or (kind in NEVER_ENOUGH and operation.place != "anywhere"):
        assert not is_permitted


def read_back(stage: Stage, operation: Operation) -> object:
    """What the operation would change, as the administrator sees it, where it can be read."""
    if not operation.changes_state:
        return None
    path = stage.targets.path(operation)
    while path.count("/") > 2:
        answer = stage.admin.send("GET", path)
        if answer.status_code == 200:
            return answer.text
        path = path.rpartition("/")[0]
    return None


def check_rows(stage: Stage, operation: Operation, caller: Api, rules: list[Rule]) -> None:
    """A list holds what is within reach and nothing else, and a count counts that."""
    path, _, last = stage.targets.path(operation).rpartition("/")
    path = path if last == "count" else f"{path}/{last}"
    has_pages = last == "count" or "limit" in {one["name"] for one in operation.query_parameters()}
    everything = all_rows(stage.admin, path, has_pages)
    within = [row for row in everything if is_within(stage, operation, rules, row)]
    if last == "count":
        assert caller.call("GET", f"{path}/count") == {"count": len(within)}
    else:
        assert all_rows(caller, path, has_pages) == within


def all_rows(api: Api, path: str, has_pages: bool) -> list[dict]:
    rows: list[dict] = []
    while True:
        params = {"limit": LONGEST_PAGE, "offset": len(rows)} if has_pages else {}
        page = rows_of(api.call("GET", path, params=params))
        if page is None:
            pytest.fail("where are the rows of this list?")
        rows += page
        if not has_pages or len(page) < LONGEST_PAGE:
            return rows


def is_within(stage: Stage, operation: Operation, rules: list[Rule], row: dict) -> bool:
    node = node_of_row(operation, row)
    return node is None or operation.permission in stage.model.held(rules, node)


# --- another tenant -------------------------------------------------------------------------------


@each(GUARDED)
def test_another_tenant_s_administrator(world: World, stage: Stage, stranger: Api,
                                        operation: Operation):
    body = stage.targets.body(operation)
    before, seen_before = stage.change_count(operation), read_back(stage, operation)
    answer = stranger.send(operation.method, stage.targets.path(operation), json=body,
                           params=stage.targets.query(operation))
    if stage.targets.is_named_by(operation, body):
        assert answer.status_code == UNKNOWN, describe(answer)
        assert stage.change_count(operation) == before
    elif operation.path == OWN_PASSWORD:
        assert answer.status_code == 400, describe(answer)  # another one than in the body
    elif operation.needs_a_key:
        assert answer.status_code == DENIED, describe(answer)
    else:
        assert answer.status_code < 300, describe(answer)
    assert read_back(stage, operation) == seen_before
    for own in (stage.targets.account.id, stage.targets.account.name, stage.targets.cluster):
        assert own not in answer.text


@each(GUARDED)
def test_another_tenant_s_token(world: World, stage: Stage, stranger: Api, operation: Operation):
    """At the host of this tenant."""
    before = stage.change_count(operation)
    answer = stage.send(operation, world.anonymous.as_caller(stranger.token))
    assert answer.status_code == UNAUTHENTICATED, describe(answer)
    assert stage.change_count(operation) == before
