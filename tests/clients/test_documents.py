# SPDX-License-Identifier: Apache-2.0
"""The documents that all other tests are held against."""
from __future__ import annotations

import subprocess

import pytest
from scenario.openapi import OWN_DOCUMENT, own_contract
from scenario.recorder import Exchange
from scenario.server import binary


def test_committed_document_is_the_server_s():
    printed = subprocess.run([str(binary()), "openapi"], capture_output=True, text=True,
                             check=True).stdout
    assert printed == OWN_DOCUMENT.read_text()


@pytest.mark.parametrize("status, body", [(201, b"[]"), (200, b"{}"), (200, b"no JSON"),
                                          (200, b'[{"id": 1}]')])
def test_a_wrong_answer_is_noticed(status, body):
    answer = Exchange("GET", "/api/v1/service-accounts", [], b"", status,
                      [("Content-Type", "application/json")], body)
    assert own_contract().findings(answer)
