#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test of a build and ends with one line of totals.

C++ programs are those that CTest knows; the Python suites lie below tests/ and clients/. Prints a
line as each one ends, then the output of those that failed, the names of the failures, and the
totals."""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

REPOSITORY = Path(__file__).resolve().parents[1]
# Lanes that run side by side, each suite after the one before it. Attacks wait more than they work.
PYTHON_LANES = [["tests/documents", "tests/clients", "tests/rights", "tests/verifier_cpp"],
                ["tests/states", "tests/contract", "tests/crash/kill", "clients/python/tests"],
                ["tests/attacks", "tests/gateways"]]
# Nothing in them is built with a sanitizer but the server, which the others exercise more.
ONLY_WITHOUT_SANITIZER = {"clients/python/tests"}
PYTHON_PATH = os.pathsep.join(str(REPOSITORY / folder) for folder in ("tests", "clients/python"))
LONGEST_OUTPUT = 12_000  # characters shown of a failed one
LONGEST_RUN = 1800  # seconds
LONGEST_FULL_RUN = 6 * 3600
NO_TESTS_COLLECTED = 5  # pytest's exit code


@dataclass
class Outcome:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    failures: list[str] = field(default_factory=list)
    output: str = ""

    def add_failure(self, what: str) -> None:
        self.failed += 1
        self.failures.append(f"{self.name}: {what}")

    def line(self) -> str:
        parts = [f"{self.passed} passed"]
        parts += [f"{self.failed} FAILED"] if self.failed else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        return f"  {self.name:<18} {', '.join(parts)}  ({self.seconds:.1f} s)"


@dataclass
class Job:
    """A command that is one test itself, unless it writes a report that `count` reads."""
    name: str
    command: list[str]
    folder: Path = REPOSITORY
    report: Path | None = None
    count: Callable[[Path, Outcome], None] | None = None


def count_gtest(report: Path, outcome: Outcome) -> None:
    for suite in json.loads(report.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            if case.get("failures"):
                outcome.add_failure(f"{suite['name']}.{case['name']}")
            elif case.get("result") == "SKIPPED":
                outcome.skipped += 1
            else:
                outcome.passed += 1


def count_junit(report: Path, outcome: Outcome) -> None:
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.add_failure(f"{case.get('classname')}.{case.get('name')}")
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.passed += 1


def run_command(job: Job, environment: dict[str, str]) -> tuple[int | None, str]:
    """Its exit code, or None when it took too long, and its output."""
    limit = LONGEST_FULL_RUN if os.environ.get("CLAVIGER_FULL") else LONGEST_RUN
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(job.command, cwd=job.folder, env=environment, stdout=output,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):  # it, and what it left running
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return code, output.read()


def run(job: Job) -> Outcome:
    outcome = Outcome(job.name)
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    if job.count is count_gtest:
        environment |= {"GTEST_OUTPUT": f"json:{job.report}", "GTEST_BRIEF": "1"}
    began = time.monotonic()
    code, outcome.output = run_command(job, environment)
    outcome.seconds = time.monotonic() - began
    reported = job.report is not None and job.report.exists() and job.report.stat().st_size > 0
    if reported:
        job.count(job.report, outcome)
    elif code == 0:
        outcome.passed += 1
    if code is None:
        outcome.add_failure("took too long and was ended")
    elif code not in (0, NO_TESTS_COLLECTED if reported else 0) and outcome.failed == 0:
        outcome.add_failure(f"ended with {code}")
    print(outcome.line(), flush=True)
    return outcome


def program_jobs(build: Path, arguments: argparse.Namespace, reports: Path) -> list[Job]:
    listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, text=True, check=True,
                            stdout=subprocess.PIPE)
    # The thread sanitizer cannot place its shadow under much address randomisation.
    prefix = ["setarch", "-R"] if arguments.sanitizer == "thread" else []
    # What is not wanted need not be built, and is then listed without its command.
    wanted = {program.removesuffix("_test") for program in arguments.programs.split()}
    jobs = []
    for test in json.loads(listed.stdout)["tests"]:
        name = test["name"]
        if arguments.programs and name not in wanted:
            continue
        command = test["command"]
        program = Path(command[0]).name
        replays_a_corpus = program.endswith("_fuzz")
        if arguments.word not in name:
            if replays_a_corpus:
                continue
            command = [*command, f"--gtest_filter=*{arguments.word}*"]
        if replays_a_corpus:
            jobs.append(Job(name, prefix + command, build))
        else:
            jobs.append(Job(name, prefix + command, build, reports / f"{name}.json", count_gtest))
    return jobs


def suite_jobs(suites: list[str], word: str, reports: Path) -> list[Job]:
    jobs = []
    for suite in suites:
        name = suite.removeprefix("tests/").replace("/", "-")
        report = reports / f"{name}.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                   f"--basetemp={reports / name}", f"--junitxml={report}", suite]
        jobs.append(Job(name, command + (["-k", word] if word else []), REPOSITORY, report,
                        count_junit))
    return jobs


def tool_jobs(build: Path, reports: Path) -> list[Job]:
    """The rules of the house, and that generated files are up to date."""
    python = sys.executable
    jobs = [Job("check", [python, "tools/check.py"]),
            Job("check-test", [python, "-m", "unittest", "discover", "-s", "tools",
                               "-p", "*_test.py"]),
            Job("golden", [python, "tools/generate.py", "--check", "--binary",
                           str(build / "claviger")])]
    if os.environ.get("CLAVIGER_FULL"):
        report = reports / "mutate.xml"
        jobs.append(Job("mutate", [python, "tools/mutate.py", f"--junitxml={report}"],
                        REPOSITORY, report, count_junit))
    return jobs


def find_leftovers(folder: Path) -> Outcome:
    """Counts what tests did not remove; nothing when they are clean."""
    outcome = Outcome("leftovers")
    for path in sorted(folder.iterdir()):
        outcome.add_failure(f"{path.name} was not removed")
    return outcome


def run_all(arguments: argparse.Namespace, reports: Path) -> list[Outcome]:
    temporary = reports / "t"  # short: sockets lie below it
    temporary.mkdir()
    reports.chmod(0o755)  # a test becomes another user
    os.environ["TMPDIR"] = str(temporary)
    build = (REPOSITORY / arguments.build).resolve()
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(run, program_jobs(build, arguments, reports)))
    if arguments.sanitizer != "thread":
        left_out = ONLY_WITHOUT_SANITIZER if arguments.sanitizer else set()
        lanes = [suite_jobs([suite for suite in suites if suite not in left_out], arguments.word,
                            reports) for suites in PYTHON_LANES]
        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            for of_lane in pool.map(lambda jobs: [run(job) for job in jobs], lanes):
                outcomes += of_lane
    if not arguments.sanitizer and not arguments.word:
        outcomes += [run(job) for job in tool_jobs(build, reports)]
    return [*outcomes, find_leftovers(temporary)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--sanitizer", default="", choices=["", "address", "thread"])
    parser.add_argument("--word", default="", help="only tests whose name holds it")
    parser.add_argument("--programs", default="", help="only these C++ programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_all(arguments, Path(folder))
    for outcome in outcomes:
        if outcome.failed:
            print(f"\n--- {outcome.name} ---\n{outcome.output[-LONGEST_OUTPUT:]}")
    for failure in (name for outcome in outcomes for name in outcome.failures):
        print(f"failed  {failure}")
    passed, failed, skipped = (sum(getattr(outcome, what) for outcome in outcomes)
                               for what in ("passed", "failed", "skipped"))
    if passed + failed == 0:
        print(f"no test has {arguments.word!r} in its name")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
