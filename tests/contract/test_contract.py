# SPDX-License-Identifier: Apache-2.0
"""Schemathesis makes requests from our own document, right and wrong ones, as an administrator: no
answer is a 5xx, has a status that is not declared, or a body that does not fit.

A full run takes five minutes and asks more; the short one is the same every time."""
from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from clients import environments
from clients.operations import Targets, all_operations
from clients.world import close_world, open_world
from scenario.openapi import OWN_DOCUMENT
from scenario.server import is_full_run

HOOKS = Path(__file__).with_name("hooks.py")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance", "ignored_auth",
          "unsupported_method", "allow_header_conformance", "use_after_free")
SHORT = ("--phases", "fuzzing", "--max-examples", "8", "--no-shrink")
FULL = ("--phases", "examples,coverage,fuzzing,stateful", "--max-time", "300")
LONGEST_SECONDS = 900


def test_our_document_is_kept(tmp_path: Path):
    world = open_world()
    try:
        account, api = world.admin.member("System administrator", "tenant", "1")
        rules = api.call("GET", "/api/v1/authorization/me/access-rules")["accessRules"]
        targets = Targets(world.admin)
        known = {**targets.paths, **targets.members}
        given = {"known": known,
                 "kept": [account.id, str(rules["accessRules"][0]["id"])]}
        done = run(world.server.url, api.token, given, tmp_path)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert int(re.search(r"Tested: (\d+)", done.stdout)[1]) == len(all_operations())
        # The caller is still who it was: the run was about more than refusals.
        api.call("GET", "/api/v1/service-accounts")
    finally:
        world.exchanges()
        close_world(world)


def run(url: str, token: str, given: dict, folder: Path) -> subprocess.CompletedProcess:
    schemathesis = environments.python_with("schemathesis").with_name("st")
    return subprocess.run(
        [schemathesis, "run", OWN_DOCUMENT, "--url", url, "--seed", "1", "--no-color",
         "--checks", ",".join(CHECKS), "--generation-database", "none", "--warnings", "off",
         "--header", f"Authorization: Bearer {token}", *(FULL if is_full_run() else SHORT)],
        cwd=folder, capture_output=True, text=True, timeout=LONGEST_SECONDS,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS),
             "CLAVIGER_CONTRACT": json.dumps(given)})
