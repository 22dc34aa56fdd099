# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets where none may stand: in the log, the data directory, the audit trail."""
from __future__ import annotations

import base64
import subprocess
import tempfile
import urllib.parse
from pathlib import Path


def spellings(secret: str) -> set[bytes]:
    """The secret as it is, in Base64 at each of the three offsets, and percent-encoded."""
    raw = secret.encode()
    found = {raw, urllib.parse.quote(secret, safe="").encode(),
             b"".join(b"%%%02X" % byte for byte in raw)}
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw)
        # The characters at the edges also depend on the neighbours.
        inner = text[(offset * 8 + 5) // 6:(offset + len(raw)) * 8 // 6]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def find_leaks(folder: Path, secrets: set[str]) -> list[str]:
    """Names of files below `folder` that hold one of `secrets`, with its first characters."""
    with tempfile.NamedTemporaryFile(prefix="claviger-test-") as patterns:
        patterns.write(b"\n".join(text for secret in secrets for text in spellings(secret)))
        patterns.flush()
        # Sockets and pipes are skipped.
        done = subprocess.run(["grep", "-rlaF", "--devices=skip", "-f", patterns.name, str(folder)],
                              capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    leaks = []
    for name in done.stdout.decode().splitlines():
        content = Path(name).read_bytes()
        leaks += [f"{Path(name).relative_to(folder)}: {secret[:6]}..." for secret in secrets
                  if any(text in content for text in spellings(secret))]
    return leaks
