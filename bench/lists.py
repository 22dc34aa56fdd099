# SPDX-License-Identifier: Apache-2.0
"""How long the lists take with a million rules, 100,000 users and 10,000 projects: the first page
of each, its filters, sorts and counts, on one connection. What is not paged counts until its first
byte."""
from __future__ import annotations

import http.client
import json
import statistics
import time
from urllib.parse import quote

TIMES = 5
RULES = "/api/v1/authorization/access-rules"
ROLES = "/api/v2/authorization/roles"
AUDIT = "/api/v1/audit/log?start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"


def filtered(path: str, text: str) -> str:
    return f"{path}?filterBy={quote(text)}"


PAGES = [
    "/api/v1/users", "/api/v1/users?sortBy=username&sortOrder=desc", "/api/v1/users?offset=99000",
    "/api/v1/users?sortBy=lastLogin", "/api/v1/users?search=user-777",
    filtered("/api/v1/users", "username==bench-user-99999@example.com"), "/api/v1/users/count",
    RULES, f"{RULES}?offset=999000", f"{RULES}?sortBy=createdAt&sortOrder=desc",
    f"{RULES}?subjectIds=bench-user-77777%40example.com", f"{RULES}?scopeId=777&scopeType=project",
    filtered(RULES, "subjectId==bench-user-77777@example.com"), filtered(RULES, "roleName=@viewer"),
    f"{RULES}?search=user-77777", f"{RULES}/count", f"{RULES}?includeDeleted=true",
    "/api/v1/org-unit/projects", "/api/v1/org-unit/projects?sortBy=name&sortOrder=desc",
    "/api/v1/org-unit/projects?search=777", "/api/v1/org-unit/projects/count",
    "/api/v1/org-unit/departments", "/api/v1/clusters", ROLES,
    "/api/v1/authorization/me/access-rules", AUDIT, f"{AUDIT}&filterBy=result%3D%3DFailed",
]
UNPAGED = ["/api/v1/service-accounts", "/api/v1/administration/access-keys"]


class Lists:
    def __init__(self, port: int, grant: str):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.connection.request("POST", "/api/v1/token", grant,
                                {"Content-Type": "application/json"})
        token = json.loads(self.connection.getresponse().read())["accessToken"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def milliseconds(self, path: str, is_paged: bool) -> float:
        began = time.monotonic()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.read(500)!r}")
        answer.read() if is_paged else answer.read(1)
        took = (time.monotonic() - began) * 1000
        if not is_paged:
            self.connection.close()  # the rest would take seconds
        return took

    def measure(self) -> list[tuple[str, float]]:
        """The median of each, the slowest first."""
        figures = [(path, statistics.median(self.milliseconds(path, path in PAGES)
                                            for _ in range(TIMES)))
                   for path in PAGES + UNPAGED]
        return sorted(figures, key=lambda figure: -figure[1])
