#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the generated files again, or, with --check, says which are out of date."""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import compatibility

REPOSITORY = Path(__file__).resolve().parents[1]
# file: what the binary is asked for
GENERATED = {
    "spec/openapi.json": ["openapi"],
    "docs/reference/options.md": ["config", "reference"],
}
COMPATIBILITY = "docs/reference/compatibility.md"


def make_files(binary: Path) -> dict[str, str]:
    """Each generated file with its text. The page on compatibility follows from the first."""
    made = {name: subprocess.run([binary, *question], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
            for name, question in GENERATED.items()}
    head, remarks = ((REPOSITORY / file).read_text()
                     for file in (compatibility.HEAD, compatibility.REMARKS))
    made[COMPATIBILITY] = compatibility.make_page(
        json.loads(made["spec/openapi.json"]), head, compatibility.read_remarks(remarks))
    return made


def find_gaps() -> list[str]:
    """Operations without a remark, and remarks without an operation."""
    document = json.loads((REPOSITORY / "spec/openapi.json").read_text())
    remarks = (REPOSITORY / compatibility.REMARKS).read_text()
    return compatibility.find_gaps(document, compatibility.read_remarks(remarks))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--binary", type=Path, default=REPOSITORY / "build" / "claviger")
    arguments = parser.parse_args()
    stale = []
    for name, made in make_files(arguments.binary).items():
        file = REPOSITORY / name
        if arguments.check:
            if not file.exists() or file.read_text() != made:
                stale.append(name)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made)
    for name in stale:
        print(f"{name} is out of date; run ./dev generate and commit it")
    gaps = find_gaps()
    print("\n".join(gaps), end="\n" if gaps else "")
    return 1 if stale or gaps else 0


if __name__ == "__main__":
    sys.exit(main())
