# SPDX-License-Identifier: Apache-2.0
"""Where answers go beyond the published document of the API with which we are compatible, one by
one. tests/clients/test_published.py fails for an entry that no answer needs."""
from __future__ import annotations

import re
from dataclasses import dataclass


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
        "GET /api/v1/administration/access-keys",
        "GET /api/v1/administration/user-applications",
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

# Operations that the document does not have, with {} for a parameter.
FURTHER_OPERATIONS = frozenset({
    # OAuth 2.0 and OpenID Connect, and the realm's paths.
    "POST /oauth2/token",
    "POST /auth/realms/{}/protocol/openid-connect/token",
    "GET /.well-known/openid-configuration",
    "GET /.well-known/oauth-authorization-server",
    "GET /auth/realms/{}/.well-known/openid-configuration",
    "GET /.well-known/jwks.json",
    # What newer versions have.
    "GET /api/v2/authorization/roles",
    "POST /api/v2/authorization/roles",
    "GET /api/v2/authorization/roles/{}",
    "PUT /api/v2/authorization/roles/{}",
    "DELETE /api/v2/authorization/roles/{}",
    "POST /api/v2/authorization/roles/{}/enable",
    "POST /api/v2/authorization/roles/{}/disable",
    "GET /api/v1/authorization/permission-sets",
    "GET /api/v1/authorization/permission-sets/{}",
    # What older versions had, and scripts still call.
    "GET /api/v1/org-unit/priorities",
    "GET /v1/k8s/auth/me",
    "GET /v1/k8s/auth/token/exchange",
    "POST /v1/k8s/auth/oauth/tokens/refresh",
    "GET /v1/k8s/config",
    "GET /v1/k8s/setting",
    "PUT /v1/k8s/setting",
    "GET /v1/k8s/setting/{}",
    "GET /v1/k8s/clusters",
    "POST /v1/k8s/clusters",
    "GET /v1/k8s/clusters/{}",
    "PUT /v1/k8s/clusters/{}",
    "DELETE /v1/k8s/clusters/{}",
    "GET /v1/k8s/clusters/{}/departments",
    "POST /v1/k8s/clusters/{}/departments",
    "GET /v1/k8s/clusters/{}/departments/{}",
    "PUT /v1/k8s/clusters/{}/departments/{}",
    "DELETE /v1/k8s/clusters/{}/departments/{}",
    "GET /v1/k8s/clusters/{}/projects",
    "POST /v1/k8s/clusters/{}/projects",
    "GET /v1/k8s/clusters/{}/projects/{}",
    "PUT /v1/k8s/clusters/{}/projects/{}",
    "DELETE /v1/k8s/clusters/{}/projects/{}",
})


def without_names(operation: str) -> str:
    """Parameters of a path may be called differently."""
    return re.sub(r"{\w+}", "{}", operation)
