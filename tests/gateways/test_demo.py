# SPDX-License-Identifier: Apache-2.0
"""The demo of each gateway: what it prints is pasted into a shell."""
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from scenario.server import binary

from .gateway import EXAMPLES, demo, free_port

EXPECTED = [200, 200, 403, 401, 403]


@pytest.mark.parametrize("kind", demo.KINDS)
def test_demo(kind):
    ports = [str(free_port()) for _ in range(4)]
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "demo.py"), kind, "--ports", *ports],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"CLAVIGER_BINARY": str(binary())})
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if "/elsewhere" in line:
                break
        commands = re.findall(r"^    (.+)$", printed, re.MULTILINE)
        assert len(commands) == 1 + len(EXPECTED), printed + process.stderr.read()
        shown = subprocess.run(["bash", "-e"], input="\n".join(commands), text=True,
                               capture_output=True, timeout=60, check=True).stdout
        assert [int(status) for status in
                re.findall(r"HTTP/1.1 (\d+)", shown)] == EXPECTED
        assert '"X-Auth-Subject-Type": "service-account"' in shown
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def test_a_gateway_that_does_not_exist(tmp_path):
    done = subprocess.run([sys.executable, str(EXAMPLES / "demo.py"), "apache"], text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and "invalid choice" in done.stderr
