# SPDX-License-Identifier: Apache-2.0
"""Requests to a protected API, and whether they may pass: the same behind every gateway. Those of
tests/attacks (family FWD) are run by test_attacks.py."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    method: str
    target: str  # {project} and {other} are ids
    token: str | None  # "viewer", "admin", "foreign", other text as it is, or none
    status: tuple[int, ...]
    headers: tuple[str, ...] = ()
    host: str = "app.a.example"


PASSES, CHALLENGED, REFUSED = (200,), (401,), (403,)
# What a gateway itself does not understand it may answer by itself, but never with 2xx or 3xx.
NEVER = (400, 401, 403, 404, 414, 431, 500)

CASES = [
    Case("its project", "GET", "/p/{project}/workloads", "viewer", PASSES),
    Case("with a query", "GET", "/p/{project}/workloads?x=/admin", "viewer", PASSES),
    Case("another project", "GET", "/p/{other}/workloads", "viewer", REFUSED),
    Case("no such project", "GET", "/p/99999/workloads", "viewer", REFUSED),
    Case("scope in the query", "GET", "/by-query?projectId={project}", "viewer", PASSES),
    Case("two scopes in the query", "GET", "/by-query?projectId={project}&projectId={other}",
         "viewer", REFUSED),
    Case("no scope in the query", "GET", "/by-query", "viewer", REFUSED),
    Case("held somewhere", "GET", "/api/v1/workloads", "viewer", PASSES),
    Case("only with a token", "GET", "/api/v1/whoami", "viewer", PASSES),
    Case("a token in the query", "GET", "/api/v1/whoami?access_token=x", "viewer", REFUSED),
    Case("a malformed query", "GET", "/api/v1/whoami?x=%zz", "viewer", NEVER),
    Case("the administrator", "GET", "/admin", "admin", PASSES),
    Case("not the administrator", "GET", "/admin", "viewer", REFUSED),
    Case("open to anyone", "GET", "/public/x", None, PASSES),
    Case("a file", "GET", "/files/a%20b", None, PASSES),
    # Nothing but their form is wrong with these.
    Case("no file: dots", "GET", "/files/..", None, NEVER),
    Case("no file: encoded dots", "GET", "/files/%2e%2e", None, NEVER),
    Case("no file: encoded slash", "GET", "/files/..%2fadmin", None, NEVER),
    Case("no file: encoded backslash", "GET", "/files/..%5cadmin", None, NEVER),
    Case("no file: encoded percent", "GET", "/files/%252e%252e", None, NEVER),
    Case("no file: path parameter", "GET", "/files/..;x", None, NEVER),
    Case("no file: encoded null", "GET", "/files/a%00", None, NEVER),
    Case("no file: no name", "GET", "/files/", None, NEVER),
    Case("no token, not mapped", "GET", "/nowhere", None, CHALLENGED),
    Case("not mapped", "GET", "/nowhere", "admin", REFUSED),
    Case("not this method", "POST", "/admin", "admin", REFUSED),
    Case("a preflight is no free pass", "OPTIONS", "/p/{project}/workloads", None, CHALLENGED),
    Case("no bearer token", "GET", "/admin", "nonsense", CHALLENGED),
    Case("another tenant's token", "GET", "/api/v1/whoami", "foreign", CHALLENGED),
    Case("the other tenant's API", "GET", "/api/v1/whoami", "foreign", PASSES,
         host="app.b.example"),
    Case("the other tenant's API, our token", "GET", "/api/v1/whoami", "viewer", CHALLENGED,
         host="app.b.example"),
    Case("open: not mapped", "GET", "/anything", None, PASSES, host="open.a.example"),
    Case("open: mapped", "GET", "/closed", None, CHALLENGED, host="open.a.example"),
    Case("open: another method of what is mapped", "DELETE", "/closed", None, CHALLENGED,
         host="open.a.example"),
    Case("no such API", "GET", "/admin", "admin", REFUSED, host="app.c.example"),
    Case("a fragment", "GET", "/admin#/public/x", "viewer", NEVER),
    Case("a fragment that opens", "GET", "/public/x#/../../admin", "viewer", NEVER),
    Case("a probe's user agent", "GET", "/admin", None, CHALLENGED,
         ("User-Agent: kube-probe/1.30",)),
    Case("an encoded slash", "GET", "/public%2fx", "viewer", NEVER),
    Case("an unknown method", "FROB", "/p/{project}/workloads", "viewer", (*NEVER, 405, 501)),
]
