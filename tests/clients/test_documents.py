# SPDX-License-Identifier: Apache-2.0
"""The document that all answers are held against."""
from __future__ import annotations

import subprocess

from scenario.openapi import OWN_DOCUMENT
from scenario.server import binary


def test_committed_document_is_the_server_s():
    printed = subprocess.run([str(binary()), "openapi"], capture_output=True, text=True,
                             check=True).stdout
    assert printed == OWN_DOCUMENT.read_text()
