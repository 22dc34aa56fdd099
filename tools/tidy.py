#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over the C++ sources that changed since it last found nothing in them.

A source has changed when it, a header of ours that it includes, .clang-tidy or this file did."""
from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = REPOSITORY / "src"
BUILD = REPOSITORY / "build" / "lint"
CLEAN = BUILD / "tidy-clean"
LIBRARY = REPOSITORY / "clients" / "cpp"
FOLDERS = [SOURCES, LIBRARY, REPOSITORY / "tests"]
# Boost's own sources, and what a test builds against the installed library.
LEFT_OUT = {SOURCES / "server" / "boost_sources.cpp", LIBRARY / "consumer" / "consumer.cpp"}
# The analyzer follows paths through the macros of GoogleTest for long, and sanitizers run the tests
# anyway; nor need a test be fast; and it may call a shell.
CHECKS_OF_TESTS = "-clang-analyzer-*,-performance-*,-cert-env33-c"
# A coroutine of Asio that waits for nothing but its turn looks to the analyzer as if it read a
# pointer that nobody set.
NO_POINTERS = "-clang-analyzer-core.NullDereference,-clang-analyzer-core.CallAndMessage"
CHECKS_OF = {SOURCES / "server" / name: NO_POINTERS for name in ("connection.cpp", "waits.cpp")}
INCLUDE = re.compile(r'^\s*#include "([\w/.]+)"', re.MULTILINE)


@cache
def included_by(file: Path) -> tuple[Path, ...]:
    names = INCLUDE.findall(file.read_text())
    candidates = [folder / name for folder in (SOURCES, LIBRARY, file.parent) for name in names]
    return tuple(header for header in candidates if header.exists())


def fingerprint(source: Path) -> str:
    """Over the source and all headers of ours that it reaches."""
    reached, open_ends = {source}, [source]
    while open_ends:
        for header in included_by(open_ends.pop()):
            if header not in reached:
                reached.add(header)
                open_ends.append(header)
    digest = hashlib.sha256()
    for file in [REPOSITORY / ".clang-tidy", Path(__file__), *sorted(reached)]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_test(source: Path) -> bool:
    return source.name.endswith("_test.cpp") or not {SOURCES, LIBRARY} & set(source.parents)


def is_clean(source: Path) -> bool:
    mark = CLEAN / fingerprint(source)
    if mark.exists():
        return True
    command = ["clang-tidy-19", "-p", BUILD, "--quiet", "--warnings-as-errors=*", source]
    if checks := CHECKS_OF_TESTS if is_test(source) else CHECKS_OF.get(source):
        command.append(f"--checks={checks}")
    ran = subprocess.run(command, text=True, capture_output=True, check=False)
    if ran.returncode != 0:
        print(ran.stdout or ran.stderr, flush=True)
        return False
    mark.touch()
    return True


def main() -> int:
    subprocess.run(["cmake", "--preset", "lint"], cwd=REPOSITORY, check=True,
                   stdout=subprocess.DEVNULL)
    CLEAN.mkdir(exist_ok=True)
    sources = sorted({source for folder in FOLDERS for source in folder.rglob("*.cpp")} - LEFT_OUT)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        dirty = list(pool.map(is_clean, sources)).count(False)
    print(f"{len(sources) - dirty} of {len(sources)} sources are clean")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
