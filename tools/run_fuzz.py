#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes every target of a build for a while; new inputs stay in the build folder."""
from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "fuzz" / "corpus"


def fuzz(target: Path, build: Path, seconds: int) -> bool:
    found = build / "corpus" / target.name
    found.mkdir(parents=True, exist_ok=True)
    findings = build / "findings" / f"{target.name}-"
    findings.parent.mkdir(exist_ok=True)
    seeds = CORPUS / target.name.removesuffix("_fuzz")
    log = build / f"{target.name}.log"
    with log.open("w") as output:
        ran = subprocess.run([target, f"-max_total_time={seconds}", "-timeout=10",
                              "-print_final_stats=1", f"-artifact_prefix={findings}", found, seeds],
                             stdout=output, stderr=subprocess.STDOUT, check=False)
    lines = log.read_text(errors="replace").splitlines()
    if ran.returncode != 0:
        print(f"  {target.name:<24} FAILED", *lines[-30:], sep="\n    ", flush=True)
        return False
    runs = next(line.split()[-1] for line in lines if "number_of_executed_units" in line)
    print(f"  {target.name:<24} {runs} runs", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    arguments = parser.parse_args()
    targets = sorted((arguments.build / "tests" / "fuzz").glob("*_fuzz"))
    passed = sum(fuzz(target.resolve(), arguments.build, arguments.seconds) for target in targets)
    failed = len(targets) - passed
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not targets else 0


if __name__ == "__main__":
    sys.exit(main())
