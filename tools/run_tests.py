#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test of a build and ends with one line of totals.

C++ programs are those that CTest knows; the Python suites lie below tests/."""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON_SUITES = ["tests/clients", "tests/attacks", "tests/crash/kill"]
SLOWEST = 6


@dataclass
class Outcome:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    failures: list[str] = field(default_factory=list)
    output: str = ""


def count_gtest(report: Path, outcome: Outcome) -> None:
    for suite in json.loads(report.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{outcome.name}: {suite['name']}.{case['name']}"
            if case.get("failures"):
                outcome.failed += 1
                outcome.failures.append(name)
            elif case.get("result") == "SKIPPED":
                outcome.skipped += 1
            else:
                outcome.passed += 1


def count_junit(report: Path, outcome: Outcome) -> None:
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{outcome.name}: {case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
            outcome.failures.append(name)
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.passed += 1


def run(outcome: Outcome, command: list[str], report: Path, count, folder: Path) -> Outcome:
    began = time.monotonic()
    environment = {**os.environ, "GTEST_OUTPUT": f"json:{report}",
                   "PYTHONPATH": str(REPOSITORY / "tests")}
    ran = subprocess.run(command, cwd=folder, env=environment, text=True, errors="replace",
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    outcome.seconds = time.monotonic() - began
    outcome.output = ran.stdout
    if report.exists():
        count(report, outcome)
    elif ran.returncode == 0:
        outcome.passed += 1
    if ran.returncode not in (0, 5) and outcome.failed == 0:  # pytest: 5 is no test selected
        outcome.failed += 1
        outcome.failures.append(f"{outcome.name}: ended with {ran.returncode}")
    return outcome


def programs_of(build: Path) -> list[tuple[str, list[str]]]:
    listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, text=True, check=True,
                            stdout=subprocess.PIPE)
    return [(test["name"], test["command"]) for test in json.loads(listed.stdout)["tests"]]


def run_programs(build: Path, wanted: str, reports: Path) -> list[Outcome]:
    def one(test: tuple[str, list[str]]) -> Outcome:
        name, command = test
        return run(Outcome(name), command, reports / f"{name}.json", count_gtest, build)

    tests = [test for test in programs_of(build) if wanted in test[0]]
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(one, tests))


def run_suites(wanted: str, reports: Path) -> list[Outcome]:
    outcomes = []
    for suite in PYTHON_SUITES:
        name = suite.removeprefix("tests/").replace("/", "-")
        report = reports / f"{name}.xml"
        command = [sys.executable, "-m", "pytest", "-q",
                   "-p", "no:cacheprovider", f"--junitxml={report}", suite]
        if wanted:
            command += ["-k", wanted]
        outcomes.append(run(Outcome(name), command, report, count_junit, REPOSITORY))
    return outcomes


def run_tools(build: Path, reports: Path) -> list[Outcome]:
    """The rules of the house, and that generated files are up to date."""
    python = sys.executable
    return [
        run(Outcome("check"), [python, "tools/check.py"], reports / "none", None, REPOSITORY),
        run(Outcome("check-test"), [python, "tools/check_test.py"], reports / "none", None,
            REPOSITORY),
        run(Outcome("golden"), [python, "tools/generate.py", "--check", "--binary",
                                str(build / "claviger")], reports / "none", None, REPOSITORY),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--sanitizer", default="")
    parser.add_argument("--filter", default="")
    arguments = parser.parse_args()
    build = (REPOSITORY / arguments.build).resolve()
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        outcomes = run_programs(build, arguments.filter, reports)
        if arguments.sanitizer != "thread":
            outcomes += run_suites(arguments.filter, reports)
        if not arguments.sanitizer and not arguments.filter:
            outcomes += run_tools(build, reports)
    for outcome in outcomes:
        if outcome.failed:
            print(f"--- {outcome.name} ---\n{outcome.output[-12000:]}")
    for failure in (name for outcome in outcomes for name in outcome.failures):
        print(f"failed  {failure}")
    print("  " + " · ".join(f"{outcome.name} {outcome.passed}" for outcome in outcomes))
    slow = sorted(outcomes, key=lambda outcome: -outcome.seconds)[:SLOWEST]
    print("  slowest: " + ", ".join(f"{item.name} {item.seconds:.1f} s" for item in slow))
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed, "
          f"{sum(outcome.skipped for outcome in outcomes)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
