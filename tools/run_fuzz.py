#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes every target of a build for a while; new inputs stay in the build folder."""
from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "fuzz" / "corpus"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    targets = sorted(path for path in (arguments.build / "tests" / "fuzz").glob("*_fuzz")
                     if path.is_file())
    failed = 0
    for target in targets:
        found = arguments.build / "corpus" / target.name
        found.mkdir(parents=True, exist_ok=True)
        seeds = CORPUS / target.name.removesuffix("_fuzz")
        ran = subprocess.run([target, f"-max_total_time={arguments.seconds}", "-timeout=10",
                              "-print_final_stats=1", found, seeds], check=False)
        failed += ran.returncode != 0
    print(f"{len(targets) - failed} passed, {failed} failed")
    return 1 if failed or not targets else 0


if __name__ == "__main__":
    sys.exit(main())
