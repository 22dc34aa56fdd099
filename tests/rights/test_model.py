# SPDX-License-Identifier: Apache-2.0
"""The model itself, which is small enough to be wrong in one way only."""
from .model import DENIED, ROOT, UNKNOWN, Model, Question, Rule

CLUSTER, OTHER = ("cluster", "c"), ("cluster", "o")
DEPARTMENT, PROJECT = ("department", "1"), ("project", "1")
ROLES = {"reader": frozenset({"project:read"}),
         "maker": frozenset({"project:create", "access_rules:create"}),
         "both": frozenset({"project:read", "project:create", "access_rules:create"})}


def model() -> Model:
    return Model(ROLES, {CLUSTER: ROOT, OTHER: ROOT, DEPARTMENT: CLUSTER, PROJECT: DEPARTMENT})


def read(node, place="request"):
    return Question("project:read", place, node, 200)


def test_a_rule_reaches_down_and_not_up_or_aside():
    for node, status in ((PROJECT, 200), (DEPARTMENT, 200), (CLUSTER, DENIED), (OTHER, DENIED),
                         (ROOT, DENIED)):
        assert model().status(read(node), [Rule("reader", DEPARTMENT)]) == status
    assert model().status(read(PROJECT, "tenant"), [Rule("reader", CLUSTER)]) == DENIED
    assert model().status(read(PROJECT, "tenant"), [Rule("reader", ROOT)]) == 200


def test_rules_add_up_where_they_reach():
    give = Question("access_rules:create", "request", PROJECT, 201, role="both")
    assert model().status(give, [Rule("maker", PROJECT)]) == DENIED
    assert model().status(give, [Rule("maker", PROJECT), Rule("reader", CLUSTER)]) == 201
    assert model().status(give, [Rule("maker", PROJECT), Rule("reader", OTHER)]) == DENIED


def test_anywhere_is_somewhere():
    assert model().status(read(None, "anywhere"), [Rule("reader", OTHER)]) == 200
    assert model().status(read(None, "anywhere"), [Rule("maker", OTHER)]) == DENIED
    assert model().status(read(None, "anywhere"), []) == DENIED


def test_what_people_have_is_theirs():
    assert model().status(Question(None, None, None, 200), []) == 200
    assert model().status(Question(None, None, None, 201, for_people=True), []) == DENIED
    assert model().status(Question(None, None, None, 200, names_own_object=True), []) == UNKNOWN


def test_the_smallest_role_is_chosen():
    assert model().right_role(read(PROJECT), PROJECT) == "reader"
