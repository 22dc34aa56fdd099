# SPDX-License-Identifier: Apache-2.0
"""Where answers go beyond the published document of the API with which we are compatible, one by
one. tests/clients/test_published.py fails for an entry that no answer needs."""
from __future__ import annotations

from dataclasses import dataclass

from .server import REPOSITORY

REMARKS = REPOSITORY / "docs" / "reference" / "compatibility.tsv"


@dataclass(frozen=True)
class Group:
    """A status that these operations give although the document does not list it for them."""

    status: int
    reason: str
    operations: tuple[str, ...]


GROUPS = (
    Group(400, "malformed input is refused as such", (
        "GET /api/v1/authorization/access-rules",
        "GET /api/v1/authorization/access-rules/{accessRuleId}",
        "DELETE /api/v1/authorization/access-rules/{accessRuleId}",
        "POST /api/v1/authorization/permitted-scopes",
        "GET /api/v1/clusters",
        "POST /api/v1/clusters",
        "GET /api/v1/clusters/{clusterUuid}",
        "DELETE /api/v1/clusters/{clusterUuid}",
        "GET /api/v1/org-unit/departments/{departmentId}",
        "GET /api/v1/org-unit/projects/{projectId}",
        "GET /api/v1/idps/{idp}",
        "DELETE /api/v1/idps/{idp}",
        "GET /api/v1/idps/{idp}/mappers",
        "GET /api/v1/access-keys/{accessKeyId}",
        "GET /api/v1/user-applications/{appId}",
        "GET /api/v1/audit/log",
        "GET /api/v1/audit/log/file",
        "GET /api/v1/workloads",
        "GET /api/v1/workloads/count",
        "GET /api/v1/workloads/{workloadId}",
    )),
    Group(401, "no valid token is 401 there as everywhere", (
        "GET /api/v1/authorization/me/access-rules",
        "GET /api/v1/authorization/me/access-rules/count",
    )),
    Group(404, "what the path or the body names is not there", (
        "PUT /api/v1/clusters/{clusterUuid}",
        "DELETE /api/v1/clusters/{clusterUuid}",
        "POST /api/v1/org-unit/departments",
        "POST /api/v1/org-unit/projects",
        "PUT /api/v1/idps/{idp}/mappers",
    )),
    Group(409, "the name is taken, or the rule is there already", (
        "POST /api/v1/authorization/access-rules",
        "POST /api/v1/clusters",
        "PUT /api/v1/clusters/{clusterUuid}",
    )),
    Group(409, "something is still below it", (
        "DELETE /api/v1/clusters/{clusterUuid}",
        "DELETE /api/v1/org-unit/departments/{departmentId}",
    )),
    Group(409, "the last System administrator stays", (
        "DELETE /api/v1/authorization/access-rules/{accessRuleId}",
        "DELETE /api/v1/service-accounts/{serviceAccountId}",
        "PATCH /api/v1/service-accounts/{serviceAccountId}",
        "DELETE /api/v1/apps/{appId}",
        "PATCH /api/v1/apps/{appId}",
        "DELETE /api/v1/users/{userId}",
    )),
)
STATUSES = {(operation, group.status): group.reason
            for group in GROUPS for operation in group.operations}


def read_further_operations() -> frozenset[str]:
    """What the document does not have: what our page on compatibility calls extra."""
    lines = REMARKS.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return frozenset(operation for operation, verdict, _ in rows if verdict == "extra")
