# SPDX-License-Identifier: Apache-2.0
"""Decisions from the rule snapshot: the decision vectors, limits, and how long one takes."""
from __future__ import annotations

import itertools
import re
import time

import pytest
from claviger.limits import Limit, read_address
from claviger.rules import ANYWHERE, RuleSnapshot
from scenario.server import REPOSITORY

FILES = sorted((REPOSITORY / "spec" / "vectors" / "decisions").glob("*.case"))
REASONS = {"no_scope": "unknown resource", "no_rule": "no rule",
           "out_of_reach": "permitted elsewhere only", "not_permitted": "not permitted here",
           "not_held_anywhere": "not permitted anywhere", "beyond_key": "beyond the key's ceiling",
           "beyond_token": "beyond what the token was narrowed to"}
MOST_MICROSECONDS = 500  # for what takes a few, on a machine that does much else
ROOT = ("tenant", "1")


@pytest.fixture(scope="module")
def roles(admin) -> dict[str, tuple[int, list[str]]]:
    """By name, as the server has them."""
    return {role["name"]: (role["id"], [f"{held['resourceType']}:{action}"
                                        for held in role["permissions"]
                                        for action in held["actions"]])
            for role in admin.call("GET", "/api/v1/authorization/roles")}


def scope_named(text: str) -> tuple[str, str]:
    """A scope of another tenant is one that is not there."""
    if text == "tenant":
        return ROOT
    kind, _, value = text.rpartition("/")
    return kind, value


def subjects_named(text: str) -> list[tuple[str, str]]:
    kinds = {"user": "user", "group": "group", "account": "service-account"}
    return [(kinds[kind], name) for kind, _, name in
            (one.partition("/") for one in text.split(","))]


class Case:
    """The state that the lines of a case have made."""

    def __init__(self, roles: dict[str, tuple[int, list[str]]]):
        self.roles = roles
        self.parents: dict[tuple[str, str], tuple[str, str]] = {}
        self.rules: dict[int, tuple] = {}
        self.limits: list[tuple[str, Limit]] = []

    def nodes(self) -> list[tuple[str, str]]:
        return [ROOT, *self.parents]

    def snapshot(self) -> RuleSnapshot:
        places = {scope: place for place, scope in enumerate(self.nodes())}
        rules = [[number, *subject, role, places[scope]]
                 for number, (subject, scope, role) in self.rules.items() if scope in places]
        return RuleSnapshot(1, {
            "nodes": [[*scope, places[self.parents[scope]] if scope in self.parents else -1]
                      for scope in places],
            "roles": self.roles.values(), "users": [], "limits": [], "rules": rules})

    def remove(self, scope: tuple[str, str]) -> None:
        for below in [one for one, parent in self.parents.items() if parent == scope]:
            self.remove(below)
        self.parents.pop(scope, None)
        self.rules = {number: rule for number, rule in self.rules.items() if rule[1] != scope}

    def limit(self, source: str, permissions: str, scopes: str) -> None:
        self.limits.append((f"beyond_{source}", Limit(
            None if permissions == "everything" else frozenset(permissions.split(",")),
            None if scopes == "everywhere" else tuple(map(scope_named, scopes.split(","))))))
        self.limits.sort(key=lambda limit: limit[0] != "beyond_key")

    def ask(self, subjects: str, permission: str, scope: tuple[str, str]) -> str:
        decision = self.snapshot().decide(subjects_named(subjects), permission, scope, self.limits)
        if decision:
            return f"allow {decision.rule}"
        names = {reason: name for name, reason in REASONS.items()}
        return f"deny {names.get(decision.reason, decision.reason)}"

    def topmost(self, subjects: str, permission: str) -> set[tuple[str, str]]:
        held = {scope for scope in self.nodes()
                if self.ask(subjects, permission, scope).startswith("allow")}
        anywhere = self.snapshot().decide(subjects_named(subjects), permission, ANYWHERE,
                                          self.limits)
        assert bool(held) == anywhere.allowed
        return {scope for scope in held if self.parents.get(scope) not in held}


def run_line(case: Case, line: str) -> str | None:
    """What is wrong with the answer to a question."""
    word, _, rest = line.partition(" ")
    if word == "unit":
        scope, parent = map(scope_named, rest.split(" under "))
        case.parents[scope] = parent
    elif word == "remove":
        case.remove(scope_named(rest))
    elif word == "rule":
        number, subject, scope, role = re.fullmatch(r"(\d+) (\S+) at (\S+) as (.+)", rest).groups()
        there = int(role[1:]) if role.startswith("#") else case.roles[role][0]
        case.rules[int(number)] = (subjects_named(subject)[0], scope_named(scope), there)
        if scope_named(scope) not in case.nodes():
            del case.rules[int(number)]
    elif word == "revoke":
        del case.rules[int(rest)]
    elif word == "limit":
        case.limit(*re.fullmatch(r"(\S+) (\S+) at (\S+)", rest).groups())
    elif word == "ask":
        found = re.fullmatch(r"(\S+) (\S+) at (\S+): (.+)", rest)
        answer = case.ask(found[1], found[2], scope_named(found[3]))
        return None if answer == found[4] else answer
    elif word == "scopes":
        found = re.fullmatch(r"(\S+) (\S+): (.+)", rest)
        wanted = set() if found[3] == "none" else set(map(scope_named, found[3].split()))
        answer = case.topmost(found[1], found[2])
        return None if answer == wanted else str(answer)
    else:
        assert word == "rename", line  # ids stay
    return None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_decision_vectors(roles, file):
    case, questions, wrong = Case(roles), 0, []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.startswith("case "):
            case = Case(roles)
        elif line and not line.startswith("#"):
            questions += line.startswith(("ask ", "scopes "))
            if (answer := run_line(case, line)) is not None:
                wrong.append(f"{file.name}:{number}: {line}: {answer}")
    assert questions and not wrong, "\n".join(wrong)


# --- limits of keys -------------------------------------------------------------------------------


def limits_of(**row) -> object:
    members = {"nodes": [[*ROOT, -1]], "roles": [[7, ["project:read"]]], "users": [],
               "limits": [["k", row]], "rules": []}
    return RuleSnapshot(1, members).limits_of("k")


def ceiling_of(**ceiling) -> Limit:
    return limits_of(ceiling=ceiling).ceiling


def test_a_ceiling_is_what_it_names_and_its_roles_hold():
    assert limits_of().ceiling is None
    assert ceiling_of() == Limit()
    assert ceiling_of(roleIds=[7, 8]).permissions == {"project:read"}
    assert ceiling_of(roleIds=[7], permissions=["a:b"]).permissions == {"project:read", "a:b"}
    for nothing in ({"permissions": []}, {"roleIds": []}, {"roleIds": [8]}):
        assert ceiling_of(**nothing).permissions == frozenset()
    assert ceiling_of(scopes=[]).scopes == ()
    assert ceiling_of(scopes=[{"scopeType": "project", "scopeId": "4"}]).scopes == (
        ("project", "4"),)


@pytest.mark.parametrize("row", [
    {"new": 1}, {"ceiling": {"new": 1}}, {"ceiling": []}, {"addressMode": "new"},
    {"addresses": ["10.0.0.1/8"]}, {"addresses": [1]}, {"expiresAt": "soon"}, {"expiresAt": 1},
    {"ceiling": {"scopes": ["tenant:1"]}}])
def test_limits_that_cannot_be_read_have_expired(row):
    assert limits_of(**row).expires_at == 0


def test_an_expiry_is_a_time():
    assert limits_of(expiresAt="2027-01-01T00:00:00Z").expires_at == 1798761600


@pytest.mark.parametrize("networks, inside, outside", [
    (["10.0.0.0/8"], ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0", "::1", "", None, "x"]),
    (["2001:db8::/32"], ["2001:db8::1", "2001:db8::1%eth0"], ["2001:db9::1", "10.0.0.1"]),
    (["::ffff:10.0.0.0/104"], ["10.1.2.3"], ["11.1.1.1"]),
    (["192.0.2.1"], ["192.0.2.1"], ["192.0.2.2"]),
    ([], [], ["10.0.0.1", None])])
def test_addresses(networks, inside, outside):
    limits = limits_of(addresses=networks)
    assert all(map(limits.holds_address, inside))
    assert not any(map(limits.holds_address, outside))
    assert limits_of().holds_address(None)
    assert read_address("1.2.3") is None


@pytest.mark.parametrize("change", [
    {"nodes": []}, {"nodes": [["tenant", "1", -1], ["project", "2", 5]]},
    {"nodes": [["galaxy", "1", -1]]}, {"nodes": [["tenant", "1", 0]]},
    {"nodes": [["tenant", "1", -1], ["project", "2", -1]]},
    {"rules": [[1, "user", "ann", 7, 3]]}, {"rules": [[1, "robot", "ann", 7, 0]]},
    {"rules": [[1, "user", "ann", 7]]}, {"limits": [{}]}, {"roles": [[1]]}, {"users": None}])
def test_what_is_no_snapshot_is_refused(change):
    members = {"nodes": [[*ROOT, -1]], "roles": [[7, ["project:read"]]], "users": [],
               "limits": [], "rules": [[1, "user", "ann", 7, 0]]}
    assert RuleSnapshot(1, members).decide([("user", "ann")], "project:read")
    if change == {"nodes": []}:
        members["rules"] = []
        assert not RuleSnapshot(1, members | change).decide([("user", "ann")], "project:read")
        return
    with pytest.raises((KeyError, TypeError, ValueError)):
        RuleSnapshot(1, members | change)


def test_a_decision_takes_microseconds():
    """Over 10,000 projects and 100,000 rules, for somebody with 40 rules and 3 groups."""
    projects = [["project", str(n), 1 + n % 100] for n in range(10_000)]
    departments = [["department", f"d{n}", 0] for n in range(100)]
    subjects = [("user", "ann"), *(("group", f"g{n}") for n in range(3))]
    rules = [[n, "service-account", f"s{n}", 7, n % 10_000] for n in range(100_000)]
    rules += [[100_000 + n, *subjects[n % 4], 7, 101 + 13 * n] for n in range(40)]
    snapshot = RuleSnapshot(1, {
        "nodes": [[*ROOT, -1], *departments, *projects],
        "roles": [[7, ["project:read", "jobs:read"]]], "users": [], "limits": [], "rules": rules})
    questions = list(itertools.islice(itertools.cycle(
        [("project:read", ("project", "13")), ("project:read", ("project", "14")),
         ("project:delete", ("project", "26")), ("jobs:read", ("department", "d5"))]), 20_000))
    assert snapshot.decide(subjects, *questions[0]) and not snapshot.decide(subjects, *questions[1])
    began = time.perf_counter()
    for permission, scope in questions:
        snapshot.decide(subjects, permission, scope)
    microseconds = (time.perf_counter() - began) / len(questions) * 1e6
    print(f"a local decision takes {microseconds:.1f} us")
    assert microseconds < MOST_MICROSECONDS
