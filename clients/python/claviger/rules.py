# SPDX-License-Identifier: Apache-2.0
"""The tenant's access rules as of one moment, and the decision that the server would make.

Permissions are positive only: a subject may do what some rule's role permits at the scope or at one
of its ancestors, within the limits of its key and of its token. Everything else is denied, with the
reason. Indexes are built once; a decision is a few look-ups for each subject."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .limits import KeyLimits, Limit, read_limits
from .tokens import SCOPE_TYPES, VerifiedToken

TENANT = "tenant"  # the root of the tree
ANYWHERE = "anywhere"  # at some place

Scope = tuple[str, str] | str | None

# Reasons, in the server's words.
PERMITTED = "permitted"
NO_RULE = "no rule"
NOT_PERMITTED = "not permitted here"
OUT_OF_REACH = "permitted elsewhere only"
NOT_HELD_ANYWHERE = "not permitted anywhere"
BEYOND_KEY = "beyond the key's ceiling"
BEYOND_TOKEN = "beyond what the token was narrowed to"
UNKNOWN_RESOURCE = "unknown resource"

SUBJECT_TYPES = ("user", "group", "service-account")


@dataclass(frozen=True, slots=True)
class Decision:
    """True when it is allowed."""

    allowed: bool
    reason: str
    rule: int | None = None  # the one that permits: nearest to the scope, lowest id among equals

    def __bool__(self) -> bool:
        return self.allowed


@dataclass
class _Rules:
    """Of one subject."""

    # By node: the rules there, each with its role's permissions, the lowest id first.
    at: dict[int, list[tuple[int, frozenset[str]]]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)  # by any of them


class RuleSnapshot:
    """`nodes`, `roles`, `users`, `limits` and `rules` are as in the signed document; raises
    KeyError, ValueError or TypeError for what is not."""

    def __init__(self, number: int, members: Mapping[str, Iterable[Any]]):
        self.number = number
        self._parents: list[int] = []
        self._nodes: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        for kind, identifier, parent in members["nodes"]:
            self._add_node(kind, identifier, parent)
        self._roles = {role: frozenset(held) for role, held in members["roles"]}
        self._users = {sub: (email, tuple(groups)) for sub, email, groups in members["users"]}
        self._limits = {client_id: read_limits(client_id, row, self._roles)
                        for client_id, row in members["limits"]}
        self._rules: dict[tuple[str, str], _Rules] = {}
        for rule in members["rules"]:
            self._add_rule(*rule)
        for rules in self._rules.values():
            for there in rules.at.values():
                there.sort(key=lambda rule: rule[0])

    def _add_node(self, kind: str, identifier: str, parent: int) -> None:
        place = len(self._parents)
        is_root = place == 0
        if kind not in SCOPE_TYPES or parent >= place or (parent < 0) != is_root:
            raise ValueError("the tree of the rule snapshot is malformed")
        self._parents.append(parent)
        self._names.append((kind, identifier))
        self._nodes[kind, identifier] = place

    def _add_rule(self, number: int, kind: str, subject: str, role: int, node: int) -> None:
        if kind not in SUBJECT_TYPES or not 0 <= node < len(self._parents):
            raise ValueError("a rule of the rule snapshot is malformed")
        rules = self._rules.setdefault((kind, subject), _Rules())
        held = self._roles.get(role, frozenset())
        rules.at.setdefault(node, []).append((number, held))
        rules.held |= held

    # --- what is asked ----------------------------------------------------------------------------

    def limits_of(self, client_id: str) -> KeyLimits | None:
        return self._limits.get(client_id)

    def knows(self, token: VerifiedToken) -> bool:
        return token.subject_type != "user" or token.subject in self._users

    def subjects_of(self, token: VerifiedToken) -> list[tuple[str, str]]:
        """Whom rules may name to reach the holder of the token."""
        if token.subject_type == "service-account":
            return [("service-account", token.subject_id)]
        email, groups = self._users.get(token.subject, (None, ()))
        own = [("user", email)] if email is not None else []
        return own + [("group", group) for group in groups]

    def decide_for(self, token: VerifiedToken, permission: str, scope: Scope = None) -> Decision:
        """With the limits of its key and what it was narrowed to."""
        limits = []
        of_key = self._limits.get(token.client_id)
        if of_key is not None and of_key.ceiling is not None:
            limits.append((BEYOND_KEY, of_key.ceiling))
        if token.permissions is not None or token.within is not None:
            narrowing = Limit(token.permissions,
                              None if token.within is None else (token.within,))
            limits.append((BEYOND_TOKEN, narrowing))
        return self.decide(self.subjects_of(token), permission, scope, limits)

    def decide(self, subjects: Iterable[tuple[str, str]], permission: str, scope: Scope = None,
               limits: Iterable[tuple[str, Limit]] = ()) -> Decision:
        found = [rules for rules in map(self._rules.get, subjects) if rules is not None]
        if scope == ANYWHERE:
            return self._decide_anywhere(found, permission, list(limits))
        node = self._nodes.get(scope, -1) if isinstance(scope, tuple) else 0
        if node < 0 or not self._parents:
            return Decision(False, UNKNOWN_RESOURCE)
        lineage = self._lineage(node)
        holding = [rules.at for rules in found if permission in rules.held]
        for place in lineage if holding else ():
            best = None
            for at in holding:
                for number, held in at.get(place, ()):
                    if permission in held:  # the lowest of them comes first
                        best = number if best is None or number < best else best
                        break
            if best is not None:
                return self._within(limits, permission, lineage, best)
        return Decision(False, _why_denied(found, permission, lineage))

    def _within(self, limits: Iterable[tuple[str, Limit]], permission: str, lineage: list[int],
                rule: int) -> Decision:
        for reason, limit in limits:
            if limit.permissions is not None and permission not in limit.permissions:
                return Decision(False, reason)
            if limit.scopes is not None and not self._reaches(limit.scopes, lineage):
                return Decision(False, reason)
        return Decision(True, PERMITTED, rule)

    def _reaches(self, scopes: Iterable[tuple[str, str]], lineage: list[int]) -> bool:
        return any(self._nodes.get(scope, -1) in lineage for scope in scopes)

    def _decide_anywhere(self, found: list[_Rules], permission: str,
                         limits: list[tuple[str, Limit]]) -> Decision:
        if not any(permission in rules.held for rules in found):
            return Decision(False, NOT_HELD_ANYWHERE)
        for reason, limit in limits:
            if limit.permissions is not None and permission not in limit.permissions:
                return Decision(False, reason)
        bounds = [(reason, limit.scopes) for reason, limit in limits if limit.scopes is not None]
        for rules in found:
            for node, there in rules.at.items():
                if any(permission in held for _, held in there) and self._meet(node, bounds):
                    return Decision(True, PERMITTED, min(
                        number for number, held in there if permission in held))
        return Decision(False, bounds[0][0])

    def _meet(self, node: int, bounds: list[tuple[str, tuple[tuple[str, str], ...]]]) -> bool:
        """Whether some part of the node is within all bounds."""
        parts = [node]
        for _, scopes in bounds:
            places = [self._nodes[scope] for scope in scopes if scope in self._nodes]
            inside = [part for part in parts if any(p in self._lineage(part) for p in places)]
            inside += [place for place in places
                       if any(part in self._lineage(place) for part in parts)]
            parts = inside
        return bool(parts)

    def _lineage(self, node: int) -> list[int]:
        """The node and its ancestors, nearest first."""
        lineage = []
        while node >= 0:
            lineage.append(node)
            node = self._parents[node]
        return lineage


def _why_denied(found: list[_Rules], permission: str, lineage: list[int]) -> str:
    if not found:
        return NO_RULE
    if any(permission in rules.held for rules in found):
        return OUT_OF_REACH
    reaches = any(place in rules.at for rules in found for place in lineage)
    return NOT_PERMITTED if reaches else NOT_HELD_ANYWHERE
