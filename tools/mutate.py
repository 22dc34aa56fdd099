#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that tests notice when a check is gone.

tools/mutations.txt lists checks. Each one is taken out of a copy of the sources, alone; the copy is
built, and the named test must fail. A mutation that does not compile, or whose old lines are no
longer there, is a failure too. Format of a block:

    # what is lost
    file src/auth/eligible.cpp
    test auth_test TokenTest.OfADisabledTenantAreRefused     (a program and a GoogleTest filter)
    test tests/clients revocation                            (or a pytest folder and a word)
    - the old lines, whole
    + the new lines, or none
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import check

REPOSITORY = Path(__file__).resolve().parents[1]
WORKSHOP = REPOSITORY / "build" / "mutants"
SOURCES = WORKSHOP / "sources"
BUILD = WORKSHOP / "build"
LONGEST_TEST = 600  # seconds
# What a check was the only one to use.
UNUSED_IS_NO_ERROR = " ".join(f"-Wno-error=unused-{what}" for what in (
    "parameter", "function", "variable", "but-set-variable", "but-set-parameter",
    "const-variable"))


@dataclass
class Mutation:
    title: str
    file: str = ""
    test: str = ""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def program(self) -> str:
        return self.test.split()[0]


def read_mutations(text: str) -> list[Mutation]:
    mutations: list[Mutation] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# "):
            mutations.append(Mutation(line[2:]))
        elif line.startswith(("file ", "test ", "- ", "+ ")):
            kind, _, rest = line.partition(" ")
            if kind in ("file", "test"):
                setattr(mutations[-1], kind, rest.strip())
            else:
                (mutations[-1].old if kind == "-" else mutations[-1].new).append(rest)
        elif line.strip() and not line.startswith("//"):
            raise ValueError(f"line {number} is not understood: {line}")
    return mutations


def mutate(text: str, mutation: Mutation) -> str:
    old, new = ("".join(line + "\n" for line in lines) for lines in (mutation.old, mutation.new))
    if not old or text.count(old) != 1:
        raise ValueError(f"the old lines stand {text.count(old)} times in {mutation.file}")
    return text.replace(old, new)


def copy_sources() -> None:
    """Files that did not change keep their time, so that a second run builds little."""
    names = check.files_of_the_repository()
    for name in names:
        source, target = REPOSITORY / name, SOURCES / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
    for target in [path for path in SOURCES.rglob("*") if path.is_file()]:
        if target.relative_to(SOURCES).as_posix() not in names:
            target.unlink()


def build(target: str) -> str | None:
    """None, or the end of the compiler's output."""
    ran = subprocess.run(["cmake", "--build", BUILD, "--target", target], text=True,
                         errors="replace", check=False, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    return None if ran.returncode == 0 else ran.stdout[-3000:]


def passes(test: str) -> bool:
    program, _, which = test.partition(" ")
    folders = os.pathsep.join(str(SOURCES / folder) for folder in ("tests", "clients/python"))
    environment = {**os.environ, "PYTHONPATH": folders,
                   "CLAVIGER_BINARY": str(BUILD / "claviger"), "CLAVIGER_FULL": ""}
    if program.startswith("tests/"):
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", program,
                   "-k", which.strip()]
    else:
        command = [str(BUILD / program), f"--gtest_filter={which.strip()}"]
    try:
        ran = subprocess.run(command, cwd=SOURCES, env=environment, timeout=LONGEST_TEST,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    except subprocess.TimeoutExpired:
        return False
    ran_something = "Running 0 tests" not in ran.stdout and ran.returncode != 5
    if not ran_something:
        raise ValueError(f"no such test: {test}")
    return ran.returncode == 0


def judge(mutation: Mutation) -> str | None:
    """None when the test noticed, else what is wrong."""
    target = "claviger" if mutation.program().startswith("tests/") else mutation.program()
    file = SOURCES / mutation.file
    sound = file.read_text()
    try:
        changed = mutate(sound, mutation)
        broken = build(target)
        if broken is not None or not passes(mutation.test):
            return f"the test fails without the mutation\n{broken or ''}"
        file.write_text(changed)
        broken = build(target)
        if broken is not None:
            return f"the mutation does not compile\n{broken}"
        return "nobody noticed" if passes(mutation.test) else None
    except ValueError as error:
        return str(error)
    finally:
        file.write_text(sound)


def write_report(path: Path, verdicts: list[tuple[Mutation, str | None]]) -> None:
    suite = ElementTree.Element("testsuite", name="mutations")
    for mutation, complaint in verdicts:
        case = ElementTree.SubElement(suite, "testcase", classname="mutation", name=mutation.title)
        if complaint is not None:
            ElementTree.SubElement(case, "failure").text = complaint
    ElementTree.ElementTree(suite).write(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("word", nargs="?", default="", help="only mutations whose title holds it")
    parser.add_argument("--junitxml", type=Path)
    arguments = parser.parse_args()
    listed = read_mutations((REPOSITORY / "tools" / "mutations.txt").read_text())
    copy_sources()
    subprocess.run(["cmake", "-S", SOURCES, "-B", BUILD, "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_CXX_FLAGS={UNUSED_IS_NO_ERROR}"],
                   check=True, stdout=subprocess.DEVNULL)
    verdicts = []
    for mutation in listed:
        if arguments.word in mutation.title:
            verdicts.append((mutation, judge(mutation)))
            print(f"{'noticed' if verdicts[-1][1] is None else 'FAILED '}  {mutation.title}",
                  *([verdicts[-1][1]] if verdicts[-1][1] else []), sep="\n  ", flush=True)
    if arguments.junitxml:
        write_report(arguments.junitxml, verdicts)
    return 0 if all(complaint is None for _, complaint in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
