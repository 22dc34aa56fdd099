# SPDX-License-Identifier: Apache-2.0
"""What the table is played on: objects of every kind, callers with rules, and one request of an
operation."""
from __future__ import annotations

import sqlite3

import requests
from clients.operations import Operation, Targets
from clients.world import World
from scenario.api import Api

from .model import ROOT, Model, Node, Question, Rule

B_HOST = "b.example"
B_ADMIN = "admin@b.example"
# Under these paths are things that only people have, each their own.
OF_PEOPLE = ("/api/v1/access-keys", "/api/v1/user-applications", "/api/v1/me/password")

# Under this one are things that concern one caller, whom the table does not ask.
OF_OTHERS = ("/api/v1/diagnoses/",)

# Nothing is there to be read: workloads are not kept here.
NEVER_THERE = ("/api/v1/workloads/{workloadId}",)


class Stage:
    """A tree of its own with one object of each kind, and accounts for any set of rules."""

    def __init__(self, world: World, admin: Api, model: Model):
        self.world = world
        self.admin = admin
        self.model = model
        self.targets = Targets(self.admin)
        self.callers: dict[frozenset[Rule], Api] = {}
        self.cluster = model.add(("cluster", self.targets.cluster), ROOT)
        self.department = model.add(("department", self.targets.department), self.cluster)
        self.project = model.add(("project", self.targets.project), self.department)
        self.default_department = self.find_default_department(self.cluster)
        self.other_cluster = model.add(("cluster", self.admin.create_cluster()), ROOT)
        self.find_default_department(self.other_cluster)

    def find_default_department(self, cluster: Node) -> Node:
        """Each cluster comes with one."""
        found = self.admin.call("GET", "/api/v1/org-unit/departments", params={
            "filterBy": f"name==default,clusterId=={cluster[1]}"})["departments"][0]
        return self.model.add(("department", found["id"]), cluster)

    def caller(self, *rules: Rule) -> Api:
        """A service account with these rules."""
        key = frozenset(rules)
        if key not in self.callers:
            account = self.admin.create_account()
            for rule in rules:
                self.admin.give_role(account.name, rule.role, *rule.node)
            self.callers[key] = self.world.admin.as_caller(self.admin.account_token(account))
        return self.callers[key]

    # --- requests ---------------------------------------------------------------------------------

    def empty_what_is_deleted(self, operation: Operation) -> None:
        self.targets.empty_what_is_deleted(operation)
        self.cluster = self.model.add(("cluster", self.targets.paths["clusterUuid"]), ROOT)
        self.department = self.model.add(("department", self.targets.paths["departmentId"]),
                                         ("cluster", self.targets.cluster))

    def send(self, operation: Operation, api: Api, **more) -> requests.Response:
        return api.send(operation.method, self.targets.path(operation),
                        json=self.targets.body(operation),
                        params=self.targets.query(operation), **more)

    def change_count(self, operation: Operation) -> int:
        """How many rows have been written, all that a request of this operation names included."""
        self.targets.path(operation)
        return change_count(self.world)

    def question(self, operation: Operation) -> Question:
        named = operation.path_parameters()
        of_people = operation.path.startswith(OF_PEOPLE)
        success = 404 if operation.path in NEVER_THERE else operation.success
        return Question(operation.permission, operation.place, self.named_node(operation),
                        success, self.role_given(operation),
                        of_people and operation.changes_state,
                        bool(named) and operation.path.startswith(OF_PEOPLE + OF_OTHERS))

    def role_given(self, operation: Operation) -> str | None:
        """The only rules of the targets make a Viewer, also of the service account, which whoever
        has its secret is."""
        gives = operation.permission in ("access_rules:create", "access_rules:delete")
        is_secret = operation.permission == "service-account:update" and operation.path.endswith(
            ("/secret", "/secrets", "/restore"))
        return "Viewer" if gives or is_secret else None

    def named_node(self, operation: Operation) -> Node | None:
        """The scope at which a request is judged, from what it names."""
        if operation.permission == "project:create" and operation.path_parameters():
            return self.default_department  # of the cluster in the path
        for parameter, node in (("projectId", self.project), ("departmentId", self.department),
                                ("clusterUuid", self.cluster), ("accessRuleId", self.project)):
            if parameter in operation.path_parameters():
                return node
        body = self.targets.body(operation)
        if not isinstance(body, dict):
            return None
        if "scopeId" in body:
            return body["scopeType"], body["scopeId"]
        if "parentId" in body:
            return "department", body["parentId"]
        if "clusterId" in body:
            is_project = operation.permission == "project:create"
            return self.default_department if is_project else self.cluster
        return None

    def right_node(self, operation: Operation) -> Node:
        """The lowest node at which a rule is enough."""
        if operation.place == "tenant":
            return ROOT
        kind = (operation.permission or "").partition(":")[0]
        return self.named_node(operation) or {
            "cluster": self.cluster, "department": self.department}.get(kind, self.project)

    def lower_node(self, node: Node) -> Node:
        """Below the node, or beside it when nothing is."""
        below = {ROOT: self.cluster, self.cluster: self.default_department,
                 self.department: self.project}
        return below.get(node, self.other_cluster)


def open_observer(world: World) -> Api:
    """The administrator past the recorder, for what prepares and looks on: it is not judged."""
    return Api(world.server.url, token=world.admin.token, secrets=world.secrets)


def change_count(world: World) -> int:
    """As the database itself counts them."""
    database = sqlite3.connect(f"file:{world.server.data / 'claviger.db'}?mode=ro", uri=True)
    try:
        return database.execute("SELECT number FROM change_counter").fetchone()[0]
    finally:
        database.close()


def open_other_tenant(world: World) -> Api:
    """Its administrator."""
    password = world.server.add_tenant("b", "Tenant B", B_HOST, B_ADMIN)
    world.secrets.add(password)
    api = Api(world.url, host=B_HOST, secrets=world.secrets)
    api.token = api.user_token(B_ADMIN, password)
    return api


# --- rows of lists --------------------------------------------------------------------------------


def rows_of(answer: object) -> list[dict] | None:
    """The rows of a list, whatever it is wrapped in."""
    if isinstance(answer, list):
        return answer
    lists = [value for value in answer.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None


def node_of_row(operation: Operation, row: dict) -> Node | None:
    """Where a row is, when it is somewhere in the tree."""
    if "scopeType" in row:
        return row["scopeType"], row["scopeId"]
    kinds = {"cluster": ("cluster", "uuid"), "department": ("department", "id"),
             "project": ("project", "id"), "workloads": ("project", "projectId")}
    kind, member = kinds.get(operation.permission.partition(":")[0], (None, ""))
    return None if kind is None else (kind, str(row[member]))
