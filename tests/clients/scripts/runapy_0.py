# SPDX-License-Identifier: Apache-2.0
"""Drives runapy 0.8: each line of standard input is [function, arguments], and is answered by
one line of JSON."""
from __future__ import annotations

import json
import sys
import traceback

from runai.client import RunaiClient


def client_of(url: str, client_id: str, client_secret: str, cluster: str) -> RunaiClient:
    return RunaiClient(runai_base_url=url, client_id=client_id, client_secret=client_secret,
                       cluster_id=cluster)


def access_rules(subject: str, role: int, scope: str, others: list, **pair: str) -> dict:
    client = client_of(**pair)
    created = client.access_rules.create(subject_id=subject, subject_type="app", role_id=role,
                                         scope_id=scope, scope_type="project")
    listed = client.access_rules.all(subjectIds=[subject, *others], includeDeleted=True)
    return {"created": created, "listed": listed}


def org_units(**pair: str) -> dict:
    client = client_of(**pair)
    resources = [{"nodePool": {"id": "1", "name": "default"},
                  "gpu": {"deserved": 1, "limit": 2, "overQuotaWeight": 2},
                  "cpu": {"deserved": 1, "limit": 2, "overQuotaWeight": 2},
                  "memory": {"deserved": 1, "limit": 2, "overQuotaWeight": 2, "units": "Mib"}}]
    project = client.projects.create(name="old-client", resources=resources)
    return {"created": project, "projects": client.projects.all(),
            "clusters": client.clusters.all(), "roles": client.roles.all(),
            "departments": client.departments.all()}


def answer(line: str) -> dict:
    function, arguments = json.loads(line)
    try:
        return {"result": globals()[function](**arguments)}
    except Exception:  # goes to the test, which fails with it
        return {"raised": traceback.format_exc()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
