# SPDX-License-Identifier: Apache-2.0
"""The reference model: which answer a caller must get. It knows roles as sets of permissions, the
tree, that rules add up and reach everything below them, and nothing of how the server does it."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Node = tuple[str, str]  # scope type and id
ROOT: Node = ("tenant", "1")
UNAUTHENTICATED, DENIED, UNKNOWN = 401, 403, 404


@dataclass(frozen=True)
class Rule:
    role: str
    node: Node


@dataclass(frozen=True)
class Question:
    """What an operation asks of its caller."""

    permission: str | None  # none: any valid token
    place: str | None  # tenant, anywhere or request
    node: Node | None  # what the request names, if anything
    success: int
    role: str | None = None  # which is given or taken
    for_people: bool = False  # on objects that only people have
    names_own_object: bool = False  # what is somebody's own, and not the caller's


@dataclass
class Model:
    roles: dict[str, frozenset[str]]
    parents: dict[Node, Node] = field(default_factory=dict)

    def add(self, node: Node, parent: Node) -> Node:
        self.parents[node] = parent
        return node

    def reaches(self, above: Node, node: Node) -> bool:
        while node != above and node != ROOT:
            node = self.parents.get(node, ROOT)
        return node == above

    def held(self, rules: Iterable[Rule], node: Node) -> frozenset[str]:
        return frozenset().union(*(self.roles[rule.role] for rule in rules
                                   if self.reaches(rule.node, node)))

    def held_anywhere(self, rules: Iterable[Rule]) -> frozenset[str]:
        return frozenset().union(*(self.roles[rule.role] for rule in rules))

    def status(self, question: Question, rules: Iterable[Rule]) -> int:
        """For a service account of the tenant with these rules."""
        rules = tuple(rules)
        if question.permission is None:
            return self.personal_status(question)
        if question.place == "anywhere":
            held = self.held_anywhere(rules)
        else:
            held = self.held(rules, ROOT if question.place == "tenant" else question.node)
        if question.permission not in held:
            return DENIED
        # Nobody gives or takes what holds more than they do there.
        if question.role and not self.roles[question.role] <= held:
            return DENIED
        return question.success

    @staticmethod
    def personal_status(question: Question) -> int:
        if question.names_own_object:
            return UNKNOWN
        return DENIED if question.for_people else question.success

    def right_role(self, question: Question, node: Node) -> str:
        """The smallest role with which the question is answered at this node."""
        for role in sorted(self.roles, key=lambda name: (len(self.roles[name]), name)):
            if self.status(question, [Rule(role, node)]) == question.success:
                return role
        raise LookupError(f"no role allows {question}")
