#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the generated files again, or, with --check, says which are out of date."""
from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
# file: what the binary is asked for
GENERATED = {
    "spec/openapi.json": ["openapi"],
    "docs/reference/options.md": ["config", "reference"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--binary", type=Path, default=REPOSITORY / "build" / "claviger")
    arguments = parser.parse_args()
    stale = []
    for name, question in GENERATED.items():
        made = subprocess.run([arguments.binary, *question], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        file = REPOSITORY / name
        if arguments.check:
            if not file.exists() or file.read_text() != made:
                stale.append(name)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made)
    for name in stale:
        print(f"{name} is out of date; run ./dev generate and commit it")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
